//! `aws:executeAwsApi`: one call of any AWS operation.
//!
//! AWS: "aws:executeAwsApi – Call and run AWS API operations", read in the reference of 2026-11.

use value::{Value, value};

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::failure::Failure;
use crate::output;

/// How long one call may take.
pub(super) const CALL_SECONDS_MAX: u64 = 25;

/// Inputs that are no part of the request.
const OWN_INPUTS: [&str; 4] = ["Service", "Api", "PropertySelector", "DesiredValues"];

pub(super) static ACTION: Action = Action {
    name: "aws:executeAwsApi",
    required: &["Service", "Api"],
    timeout_seconds: Some(CALL_SECONDS_MAX),
    may_follow_cancel: true,
    phrase: "Execute/Cancelling action",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    ask(turn);
    Outcome::InProgress
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Output { output, request_id } => {
            let response = with_metadata(turn, output, request_id.as_deref());
            match output::select(&turn.step.outputs, &response) {
                Ok(outputs) => Outcome::Done(outputs),
                Err(err) => Outcome::Failed(Failure::action(&err.to_string())),
            }
        }
        Answer::Error(err) => {
            let operation = operation(turn);
            Outcome::Failed(Failure::client_error(&err.code, &operation, &err.message))
        }
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Timer | Answer::Signal(_) => {
            Outcome::InProgress
        }
    }
}

/// Makes the call that the step's inputs describe.
pub(super) fn ask(turn: &mut Turn<'_, '_>) {
    let service = turn.text_input("Service").unwrap_or_default();
    let api = turn.text_input("Api").unwrap_or_default();
    let mut request = turn.inputs();
    request.object_mut().retain(|name, _| !OWN_INPUTS.contains(&&**name));
    turn.call(&service, &api, request);
}

/// Returns the operation in the spelling of error texts: `describe_instances` and
/// `describeInstances` become `DescribeInstances`.
pub(super) fn operation(turn: &Turn<'_, '_>) -> String {
    let api = turn.text_input("Api").unwrap_or_default();
    let capital = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    api.split('_').map(capital).collect()
}

/// Returns an answer as boto3 gives it: with `ResponseMetadata`.
pub(super) fn with_metadata(
    turn: &mut Turn<'_, '_>,
    output: &Value,
    request_id: Option<&str>,
) -> Value {
    let request_id = request_id.map_or_else(|| turn.run.draw_uuid(), str::to_owned);
    let members = output.as_object().cloned().unwrap_or_default();
    Value::from(members).with(
        "ResponseMetadata",
        value!({
            "RequestId": request_id.as_str(),
            "HTTPStatusCode": 200,
            "HTTPHeaders": {"x-amzn-requestid": request_id},
            "RetryAttempts": 0,
        }),
    )
}
