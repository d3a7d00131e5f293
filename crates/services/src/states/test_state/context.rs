//! The context object of a test, checked as AWS checks it.

use asl::{IntegrationPattern, Resource, State, StateKind};
use value::Value;

use super::refused;
use crate::Error;

/// The members of the context object, each with its own (developer guide, "Accessing execution
/// data from the Context object", read 2026-11).
const MEMBERS: &[(&str, &[&str])] = &[
    ("Execution", &["Id", "Input", "Name", "RedriveCount", "RedriveTime", "RoleArn", "StartTime"]),
    ("State", &["EnteredTime", "Name", "RetryCount"]),
    ("StateMachine", &["Id", "Name"]),
    ("Task", &["Token"]),
];

/// Reads the context object that a test brings.
pub(super) fn read(text: &str, tested: &State) -> Result<Value, Error> {
    // UNVERIFIED: AWS's wording for what is no object.
    let invalid = || fault("must be a JSON object");
    let context = value::parse(text).map_err(|_| invalid())?;
    let given = context.as_object().ok_or_else(invalid)?;
    for (name, part) in given.iter() {
        if &**name == "Map" {
            return Err(fault("'Map' field is not supported when mocking a Context object"));
        }
        let Some((_, members)) = MEMBERS.iter().find(|(known, _)| *known == &**name) else {
            return Err(not_allowed(name));
        };
        // UNVERIFIED: AWS's wording for a part that is no object.
        let part = part.as_object().ok_or_else(|| fault(&format!("'{name}' must be an object")))?;
        if let Some((member, _)) = part.iter().find(|(key, _)| !members.contains(&&***key)) {
            return Err(not_allowed(member));
        }
    }
    if context.get("Task").is_some() && !waits(tested) {
        return Err(fault(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or \
             '.waitForTaskToken' service integration pattern",
        ));
    }
    Ok(context)
}

fn not_allowed(field: &str) -> Error {
    fault(&format!("Field '{field}' is not allowed"))
}

fn fault(what: &str) -> Error {
    refused(format!("Invalid Context object provided: {what}"))
}

/// Returns whether a state is a Task that waits for more than its request's answer.
fn waits(tested: &State) -> bool {
    match &tested.kind {
        StateKind::Task(task) => match &task.resource {
            Resource::Integration(found) => found.pattern != IntegrationPattern::RequestResponse,
            // UNVERIFIED: activities have a token too.
            Resource::Activity(_) => true,
            Resource::Function(_) => false,
        },
        StateKind::Pass(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_)
        | StateKind::Parallel(_)
        | StateKind::Map(_) => false,
    }
}
