//! `aws:loop`: runs its steps once for every element of a list, or for as long as a condition
//! holds.
//!
//! AWS: "aws:loop – Iterate over steps in an automation", read in the reference of 2026-11.

use value::{Value, value};

use super::{Action, LOOP, Outcome, Turn, Work, branch};
use crate::failure::Failure;
use crate::parameter::{self, Type};
use crate::state::Iteration;

/// The most iterations of one loop.
const ITERATIONS_MAX: u64 = 100;

pub(super) static ACTION: Action = Action {
    name: LOOP,
    required: &["Steps"],
    timeout_seconds: None,
    may_follow_cancel: true,
    phrase: "iterating over its steps",
    work: Work::Loop { begin, body_over },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    match count(turn) {
        // UNVERIFIED: that nothing to iterate over is a success.
        Ok(0) => Outcome::Done(Value::object()),
        Ok(count) => {
            turn.remember(value!({"count": count.cast_signed()}));
            iterate(turn, 1)
        }
        Err(text) => Outcome::Failed(Failure::inputs(&text)),
    }
}

/// Goes on with the next iteration, if there is one.
///
/// The condition is read behind the body. UNVERIFIED: that the loop succeeds when the condition
/// still holds after the last iteration.
fn body_over(turn: &mut Turn<'_, '_>) -> Outcome {
    let count = turn.memory().get("count").and_then(Value::as_i64).unwrap_or(0).cast_unsigned();
    let number = turn.run.state.iterations.get(&turn.index).map_or(0, |iteration| iteration.number);
    if count <= number {
        return Outcome::Done(Value::object());
    }
    let Some(condition) = turn.step.inputs.get("LoopCondition") else {
        return iterate(turn, number + 1);
    };
    match branch::holds(&turn.run.scope().value(condition), 0) {
        Ok(true) => iterate(turn, number + 1),
        Ok(false) => Outcome::Done(Value::object()),
        Err(text) => Outcome::Failed(Failure::inputs(&text)),
    }
}

/// Returns how many iterations there are at most: `MaxIterations` ends a loop over a list too.
fn count(turn: &Turn<'_, '_>) -> Result<u64, String> {
    let most = match turn.text_input("MaxIterations") {
        Some(text) => match text.parse() {
            Ok(most @ 1..=ITERATIONS_MAX) => most,
            Ok(_) | Err(_) => {
                return Err(format!("`MaxIterations` is `{text}`, not 1 to {ITERATIONS_MAX}"));
            }
        },
        None => ITERATIONS_MAX,
    };
    let items = match (turn.input("Iterators"), turn.step.inputs.get("LoopCondition")) {
        (Some(Value::Array(items)), None) => u64::try_from(items.len()).unwrap_or(u64::MAX),
        (Some(_), None) => return Err("`Iterators` is not a list".to_owned()),
        (None, Some(_)) => most,
        (Some(_), Some(_)) | (None, None) => {
            return Err("one of `Iterators` and `LoopCondition` is needed".to_owned());
        }
    };
    if ITERATIONS_MAX < items {
        return Err(format!("a loop has at most {ITERATIONS_MAX} iterations, not {items}"));
    }
    Ok(items.min(most))
}

fn iterate(turn: &mut Turn<'_, '_>, number: u64) -> Outcome {
    let value = match element(turn, number) {
        Ok(value) => value,
        Err(text) => return Outcome::Failed(Failure::inputs(&text)),
    };
    let iteration = Iteration { number, value };
    turn.run.state.loop_scope = iteration.scope();
    turn.run.state.iterations.insert(turn.index, iteration);
    Outcome::Body
}

/// Returns the element of an iteration, with the type that `IteratorDataType` names.
fn element(turn: &Turn<'_, '_>, number: u64) -> Result<Option<Value>, String> {
    let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
    let Some(element) = turn.input("Iterators").and_then(|items| items.at(index).cloned()) else {
        return Ok(None);
    };
    let Some(name) = turn.text_input("IteratorDataType") else { return Ok(Some(element)) };
    let kind = Type::parse(&name).ok_or_else(|| format!("`{name}` is not a type"))?;
    let typed = parameter::typed(kind, &element);
    if kind.admits(&typed) {
        return Ok(Some(typed));
    }
    Err(format!("`{}` is not a valid {name}", parameter::text(&element)))
}
