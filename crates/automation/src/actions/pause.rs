//! `aws:pause`: waits until somebody resumes the execution.

use value::Value;

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::fact::Signal;

pub(super) static ACTION: Action = Action {
    name: "aws:pause",
    required: &[],
    timeout_seconds: None,
    may_follow_cancel: false,
    phrase: "waiting to be resumed",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(_turn: &mut Turn<'_, '_>) -> Outcome {
    Outcome::Waiting
}

fn resume(_turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Signal(Signal::Resume { .. }) => Outcome::Done(Value::object()),
        Answer::Signal(
            Signal::Approve { .. }
            | Signal::Reject { .. }
            | Signal::StartStep { .. }
            | Signal::StopStep { .. },
        )
        | Answer::Output { .. }
        | Answer::Error(_)
        | Answer::Returned { .. }
        | Answer::Raised(_)
        | Answer::Timer => Outcome::Waiting,
    }
}
