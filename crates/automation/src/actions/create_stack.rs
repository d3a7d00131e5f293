//! `aws:createStack`: creates a CloudFormation stack and waits for it.
//!
//! AWS: "aws:createStack – Create an AWS CloudFormation stack", read in the reference of 2026-11.

use value::{Value, value};

use super::poll::{self, Judgement, Polled, Request, Seen};
use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::failure::Failure;

pub(super) static ACTION: Action = Action {
    name: "aws:createStack",
    required: &["StackName"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: false,
    phrase: "waiting for the stack to be created",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

const POLLED: Polled = Polled {
    start: |turn| Request {
        service: "cloudformation",
        operation: "CreateStack",
        input: turn.inputs(),
    },
    refused: poll::client_error,
    look: |_turn, started| Request {
        service: "cloudformation",
        operation: "DescribeStacks",
        input: value!({"StackName": poll::text(started, "StackId")}),
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

// UNVERIFIED: the words of the failure.
fn judge(_turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let answer = match seen.answer {
        Err((code, message)) => return poll::refused(code, "DescribeStacks", message),
        Ok(answer) => answer,
    };
    let stack = answer.get("Stacks").and_then(|it| it.at(0)).cloned().unwrap_or_default();
    let status = poll::text(&stack, "StackStatus");
    let reason = stack.get("StackStatusReason").cloned();
    if status.ends_with("_IN_PROGRESS") {
        return Judgement::Running;
    }
    if status == "CREATE_COMPLETE" {
        return Judgement::Done(
            value!({"StackId": stack.get("StackId").cloned(), "StackStatus": status})
                .with_some("StackStatusReason", reason),
        );
    }
    let reason = reason.as_ref().and_then(Value::as_str).unwrap_or_default();
    let text = format!("Stack entered unexpected state: {status}. {reason}");
    Judgement::Failed(Failure::action(text.trim_end_matches(". ")))
}
