//! `aws:waitForAwsResourceProperty`: calls again and again until a property has a desired value.

use value::Value;

use super::property::{self, Verdict};
use super::{Action, Answer, Outcome, Turn, Work, execute_aws_api, nothing_to_cancel};
use crate::clock;

/// How long it waits between two calls.
// UNVERIFIED: AWS does not say; from a few seconds to a minute.
const POLL_SECONDS: i64 = 10;

pub(super) static ACTION: Action = Action {
    name: "aws:waitForAwsResourceProperty",
    required: &["Service", "Api", "PropertySelector", "DesiredValues"],
    timeout_seconds: Some(3600),
    may_follow_cancel: true,
    phrase: "waiting for the resource property to have a desired value",
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
                Verdict::Desired => return Outcome::Done(Value::object()),
                Verdict::Other(_) => poll_later(turn),
            }
        }
        // What is waited for may not exist yet: errors are asked again until the timeout.
        Answer::Error(_) => poll_later(turn),
        Answer::Timer => execute_aws_api::ask(turn),
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Signal(_) => {}
    }
    Outcome::InProgress
}

fn poll_later(turn: &mut Turn<'_, '_>) {
    let at = turn.now_millis() + POLL_SECONDS * clock::MILLIS_PER_SECOND;
    turn.wake_at(at);
}
