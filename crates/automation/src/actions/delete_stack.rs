//! `aws:deleteStack`: deletes a CloudFormation stack and waits until it is gone.
//!
//! AWS: "aws:deleteStack – Delete an AWS CloudFormation stack", read in the reference of 2026-11.

use value::{Value, value};

use super::poll::{self, Judgement, Polled, Request, Seen};
use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::failure::Failure;

pub(super) static ACTION: Action = Action {
    name: "aws:deleteStack",
    required: &["StackName"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: true,
    phrase: "waiting for the stack to be deleted",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

const POLLED: Polled = Polled {
    start: |turn| Request {
        service: "cloudformation",
        operation: "DeleteStack",
        input: turn.inputs(),
    },
    refused: poll::client_error,
    look: |turn, _started| Request {
        service: "cloudformation",
        operation: "DescribeStacks",
        input: poll::inputs(turn, &["StackName"]),
    },
    judge,
    stop: |_turn, _started| None,
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    poll::begin(turn, &POLLED)
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    poll::resume(turn, answer, &POLLED)
}

fn judge(_turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let answer = match seen.answer {
        // A deleted stack is not found by its name.
        Err(("ValidationError", message)) if message.ends_with("does not exist") => {
            return Judgement::Done(Value::object());
        }
        Err((code, message)) => return poll::refused(code, "DescribeStacks", message),
        Ok(answer) => answer,
    };
    let stack = answer.get("Stacks").and_then(|it| it.at(0)).cloned().unwrap_or_default();
    match poll::text(&stack, "StackStatus") {
        "DELETE_COMPLETE" => Judgement::Done(value!({})),
        "DELETE_FAILED" => {
            let reason = poll::text(&stack, "StackStatusReason");
            let text = format!("Stack entered unexpected state: DELETE_FAILED. {reason}");
            Judgement::Failed(Failure::action(text.trim_end_matches(". ")))
        }
        _ => Judgement::Running,
    }
}
