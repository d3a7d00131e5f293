//! The mock of a tested state, checked as AWS checks it.

use asl::{IntegrationPattern, Resource, State, StateKind};
use execution::{Mock, Payload};
use value::Value;
use wire::{model, schema};

use super::refused;
use crate::{Error, Input};

/// Reads the mock of a state.
pub(super) fn read(given: &Value, tested: &State) -> Result<Mock, Error> {
    let (result, error) = (given.maybe_text("result"), given.get("errorOutput"));
    if result.is_some() == error.is_some() {
        let text = "A test mock should have only one of the following fields: [result, \
                    errorOutput].";
        return Err(refused(text));
    }
    let kind = match &tested.kind {
        StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_) => None,
        StateKind::Pass(_) => Some("Pass"),
        StateKind::Choice(_) => Some("Choice"),
        StateKind::Wait(_) => Some("Wait"),
        StateKind::Succeed => Some("Succeed"),
        StateKind::Fail(_) => Some("Fail"),
    };
    if let Some(kind) = kind {
        let text = format!("State type '{kind}' is not supported when a mock is specified");
        return Err(refused(text));
    }
    if let Some(text) = result {
        let result =
            Payload::parse(text).map_err(|_| refused("Mocked result must be valid JSON"))?;
        check_result(result.value(), tested, given.maybe_text("fieldValidationMode"))?;
        return Ok(Mock::Result(result));
    }
    let owned = |name: &str| error?.maybe_text(name).map(str::to_owned);
    Ok(Mock::Error { error: owned("error"), cause: owned("cause") })
}

fn check_result(result: &Value, tested: &State, mode: Option<&str>) -> Result<(), Error> {
    match &tested.kind {
        StateKind::Parallel(parallel) => {
            let Some(outputs) = result.as_array() else {
                return Err(refused("Mocked result must be an array."));
            };
            if outputs.len() != parallel.branches.len() {
                let text = "Mocked result must contain the same number of items as number of \
                            Parallel branches.";
                return Err(refused(text));
            }
            Ok(())
        }
        StateKind::Task(task) => {
            let required = match mode.unwrap_or("STRICT") {
                "NONE" => return Ok(()),
                "PRESENT" => schema::Required::Waived,
                _ => schema::Required::Demanded,
            };
            let fault = output_shape(&task.resource)
                .and_then(|shape| schema::fault(&shape, result, required));
            match fault {
                Some(fault) => {
                    Err(refused(format!("Mock result schema validation error: {fault}")))
                }
                None => Ok(()),
            }
        }
        StateKind::Map(_)
        | StateKind::Pass(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_) => Ok(()),
    }
}

/// Returns the shape that a Task's result has: the answer of its operation. What waits for a job or
/// for a callback ends with something else.
// UNVERIFIED: that AWS holds mocks of `.sync` against no model.
fn output_shape(resource: &Resource) -> Option<model::Shape> {
    let Resource::Integration(found) = resource else { return None };
    if found.pattern != IntegrationPattern::RequestResponse {
        return None;
    }
    model::service(&found.service)?.operation_like(&found.action)?.output()
}
