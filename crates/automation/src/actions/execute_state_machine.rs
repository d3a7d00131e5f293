//! `aws:executeStateMachine`: runs a Step Functions state machine to its end.
//!
//! AWS: "aws:executeStateMachine – Run an AWS Step Functions state machine", read in the reference
//! of 2026-11.

use value::value;

use super::poll::{self, Judgement, Polled, Request, Seen};
use super::{Action, Answer, Outcome, Turn, Work};
use crate::failure::Failure;

const SERVICE: &str = "stepfunctions";

pub(super) static ACTION: Action = Action {
    name: "aws:executeStateMachine",
    required: &["stateMachineArn"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: true,
    phrase: "waiting for the state machine to end",
    work: Work::Available { begin, resume, cancel },
};

const POLLED: Polled = Polled {
    start: |turn| Request {
        service: SERVICE,
        operation: "StartExecution",
        input: poll::inputs(turn, &["stateMachineArn", "input", "name"]),
    },
    refused: poll::client_error,
    look: |_turn, started| Request {
        service: SERVICE,
        operation: "DescribeExecution",
        input: value!({"executionArn": poll::text(started, "executionArn")}),
    },
    judge,
    stop: |_turn, started| {
        let input = value!({"executionArn": poll::text(started, "executionArn")});
        Some(Request { service: SERVICE, operation: "StopExecution", input })
    },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    poll::begin(turn, &POLLED)
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    poll::resume(turn, answer, &POLLED)
}

fn cancel(turn: &mut Turn<'_, '_>) {
    poll::cancel(turn, &POLLED);
}

// UNVERIFIED: that the outputs are the fields of DescribeExecution, and the words of the failure.
fn judge(_turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    match seen.answer {
        Err((code, message)) => poll::refused(code, "DescribeExecution", message),
        Ok(execution) => match poll::text(execution, "status") {
            "RUNNING" | "PENDING_REDRIVE" => Judgement::Running,
            "SUCCEEDED" => Judgement::Done(execution.clone()),
            status => {
                let arn = poll::text(seen.started, "executionArn");
                let text = format!("The execution {arn} ended with status {status}");
                Judgement::Failed(Failure::action(&text))
            }
        },
    }
}
