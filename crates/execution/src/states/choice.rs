//! Choice: decides where to go. AWS page: "Choice workflow state".

use asl::{Choice, Failure, Field, Flow, Rule, State, StateId, Transition, error_name};

use crate::leave;
use crate::payload::Payload;
use crate::run::Run;
use crate::state::ThreadId;

pub(crate) fn begin(
    run: &mut Run<'_>,
    id: ThreadId,
    definition: &State,
    choice: &Choice,
) -> Result<(), Failure> {
    let mut scope = run.scope(id);
    let raw = scope.input.clone();
    let effective = run.evaluate(&scope, |evaluation| definition.effective_input(evaluation))?;
    scope.input = effective.clone();
    let decided = run.evaluate(&scope, |evaluation| {
        for (index, rule) in choice.rules.iter().enumerate() {
            let field = format!("Choices[{index}]/Condition");
            if rule.condition.holds(evaluation, Field::Top(&field))? {
                return Ok(Some((index, rule)));
            }
        }
        Ok(None)
    })?;
    let (next, rule): (StateId, Option<(usize, &Rule)>) = match (decided, choice.default) {
        (Some((index, rule)), _) => (rule.next, Some((index, rule))),
        (None, Some(default)) => (default, None),
        (None, None) => return Err(no_choice_matched()),
    };
    let (variables, output) = run.evaluate(&scope, |evaluation| {
        let Some((index, rule)) = rule else {
            let assigned = leave::assign(definition.assign.as_ref(), evaluation, "Assign")?;
            return Ok((assigned, definition.output(evaluation, effective.clone())?));
        };
        let field = format!("Choices[{index}]");
        let assigned = leave::assign(rule.assign.as_ref(), evaluation, &format!("{field}/Assign"))?;
        let output = match &rule.output {
            Some(output) => output.evaluate(evaluation, Field::Top(&format!("{field}/Output")))?,
            None => effective_output(definition, evaluation, &effective)?,
        };
        Ok((assigned, output))
    })?;
    let input = run.visit(id).map(|visit| visit.input.clone());
    let output = match input {
        Some(input) if output == raw => input,
        Some(_) | None => Payload::from(output),
    };
    run.leave(id, output, variables, Transition::Next(next))
}

/// A rule without Output hands the input on; the state's own Output belongs to Default.
fn effective_output(
    definition: &State,
    evaluation: &mut asl::Evaluation<'_>,
    effective: &value::Value,
) -> Result<value::Value, Failure> {
    match &definition.flow {
        Flow::Jsonata { .. } => Ok(effective.clone()),
        Flow::JsonPath(_) => definition.output(evaluation, effective.clone()),
    }
}

fn no_choice_matched() -> Failure {
    // UNVERIFIED: recalled from reports by users, not from a recording.
    Failure::named(
        error_name::NO_CHOICE_MATCHED,
        "Failed to transition out of the state. The state does not point to a next state.",
    )
}
