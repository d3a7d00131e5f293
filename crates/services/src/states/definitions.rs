//! The definitions of state machines: their texts, their check, ValidateStateMachineDefinition.
//!
//! AWS Step Functions API reference, "ValidateStateMachineDefinition" (read 2026-11).

use asl::{AnyResource, Definition, Diagnostic, Options, Severity, StateMachineType};
use runtime::integrations::Served;
use store::{Read, Table};
use value::{Value, value};

use super::{error, labels};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run};

/// How many diagnostics are given when the caller does not say.
const DIAGNOSTICS_DEFAULT: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "ValidateStateMachineDefinition",
    checks: may_validate,
    run: Run::Read(validate),
}];

/// Returns the text of a definition, byte for byte.
pub(super) fn text(store: &dyn Read, key: &str) -> Result<String, Error> {
    let bytes = store.get(Table::Definitions, key)?;
    let bytes = bytes.ok_or_else(|| Error::internal(&format!("definition {key} is missing")))?;
    String::from_utf8(bytes).map_err(|err| Error::internal(&err))
}

fn machine_type(name: &str) -> StateMachineType {
    match name {
        "EXPRESS" => StateMachineType::Express,
        _ => StateMachineType::Standard,
    }
}

fn options(name: &str) -> Options<'static> {
    Options { machine_type: machine_type(name), resources: &Served }
}

/// Refuses a definition that cannot run.
pub(super) fn check(call: &Call, text: &str, machine_type: &str) -> Result<(), Error> {
    let bytes_max = call.settings.limits.definition_bytes;
    if text.len() > bytes_max {
        let limit =
            format!("DEFINITION_TOO_LARGE: the definition is longer than {bytes_max} bytes");
        return Err(error::invalid_definition(&limit));
    }
    match Definition::parse(text, &options(machine_type)) {
        Ok(_) => Ok(()),
        Err(problems) => {
            let refusal = labels::refusal(&problems, text);
            Err(Error::new("InvalidDefinition", refusal.unwrap_or_else(|| problems.to_string())))
        }
    }
}

/// Returns which variables the states of a definition read: state by state, nothing where none
/// reads any (recorded).
pub(super) fn variable_references(text: &str, machine_type_name: &str) -> Option<Value> {
    let machine_type = machine_type(machine_type_name);
    // What the machine may call was decided when it was created.
    let options = Options { machine_type, resources: &AnyResource };
    let definition = Definition::parse(text, &options).ok()?;
    let mut references = Value::object();
    for (state, variables) in definition.variable_references() {
        references.set(state, variables.to_vec());
    }
    references.as_object().is_some_and(|found| !found.is_empty()).then_some(references)
}

fn may_validate(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("states:ValidateStateMachineDefinition")])
}

fn validate(_: &Reading<'_>, input: &Value) -> Answer {
    let machine_type = input.maybe_text("type").unwrap_or("STANDARD");
    let checked = asl::check(input.text("definition")?, &options(machine_type));
    let wanted = input.maybe_text("severity").unwrap_or("ERROR");
    let limit = input.integer("maxResults").and_then(|asked| usize::try_from(asked).ok());
    let limit = limit.filter(|asked| *asked > 0).unwrap_or(DIAGNOSTICS_DEFAULT);
    let shown = checked
        .diagnostics
        .iter()
        .filter(|problem| wanted == "WARNING" || problem.severity == Severity::Error);
    let diagnostics: Vec<Value> = shown.map(diagnostic).collect();
    let result = if checked.definition.is_some() { "OK" } else { "FAIL" };
    let truncated = diagnostics.len() > limit;
    let diagnostics: Value = diagnostics.into_iter().take(limit).collect();
    Ok(value!({ "result": result, "diagnostics": diagnostics, "truncated": truncated }))
}

fn diagnostic(problem: &Diagnostic) -> Value {
    value!({
        "severity": problem.severity.as_str(),
        "code": problem.code.as_str(),
        "message": &problem.message,
        "location": &problem.location,
    })
}
