//! `aws:assertAwsResourceProperty`: one call, and a property that must have a desired value.
//!
//! The failure text is that of a public report (aws-solutions/automated-security-response-on-aws,
//! issue 27).

use value::Value;

use super::property::{self, Verdict};
use super::{Action, Answer, Outcome, Turn, Work, execute_aws_api, nothing_to_cancel};
use crate::failure::Failure;

pub(super) static ACTION: Action = Action {
    name: "aws:assertAwsResourceProperty",
    required: &["Service", "Api", "PropertySelector", "DesiredValues"],
    timeout_seconds: Some(execute_aws_api::CALL_SECONDS_MAX),
    may_follow_cancel: true,
    phrase: "Execute/Cancelling action",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    execute_aws_api::ask(turn);
    Outcome::InProgress
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Output { output, request_id } => {
            let response = execute_aws_api::with_metadata(turn, output, request_id.as_deref());
            match property::compare(turn, &response) {
                Verdict::Desired => Outcome::Done(Value::object()),
                Verdict::Other(text) => Outcome::Failed(Failure::verification(&text)),
            }
        }
        Answer::Error(err) => {
            let operation = execute_aws_api::operation(turn);
            Outcome::Failed(Failure::client_error(&err.code, &operation, &err.message))
        }
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Timer | Answer::Signal(_) => {
            Outcome::InProgress
        }
    }
}
