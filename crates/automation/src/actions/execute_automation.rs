//! `aws:executeAutomation`: runs another runbook to its end.
//!
//! AWS: "aws:executeAutomation – Run another automation", read in the reference of 2026-11; the
//! words of a failure are those of a public report
//! (aws-solutions/automated-security-response-on-aws, issue 27).
//!
//! The child is started by whoever started the parent, not by the parent's role, and knows its
//! parent.

use value::{Value, value};

use super::poll::{self, Judgement, Polled, Request, Seen};
use super::{Action, Answer, EXECUTE_AUTOMATION, Outcome, Turn, Work};
use crate::failure::Failure;
use crate::output;

const PASSED_ON: [&str; 8] = [
    "DocumentName",
    "DocumentVersion",
    "Targets",
    "TargetParameterName",
    "TargetMaps",
    "TargetLocations",
    "MaxConcurrency",
    "MaxErrors",
];

pub(super) static ACTION: Action = Action {
    name: EXECUTE_AUTOMATION,
    required: &["DocumentName"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: true,
    phrase: "waiting for the automation to end",
    work: Work::Available { begin, resume, cancel },
};

const POLLED: Polled = Polled {
    start: |turn| Request {
        service: "ssm",
        operation: "StartAutomationExecution",
        input: poll::inputs(turn, &PASSED_ON)
            .with_some("Parameters", turn.input("RuntimeParameters").map(|it| lists(&it)))
            .with_some("Tags", turn.input("Tags")),
    },
    refused: poll::client_error,
    look: |_turn, started| Request {
        service: "ssm",
        operation: "GetAutomationExecution",
        input: child(started),
    },
    judge,
    stop: |_turn, started| {
        let input = child(started);
        Some(Request { service: "ssm", operation: "StopAutomationExecution", input })
    },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    poll::begin(turn, &POLLED)
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    if let (Answer::Output { output, .. }, true) = (answer, turn.memory().is_null()) {
        // Whoever looks on can follow the child.
        let id = poll::text(output, "AutomationExecutionId");
        turn.show_outputs(value!({ "ExecutionId": id }));
    }
    poll::resume(turn, answer, &POLLED)
}

fn cancel(turn: &mut Turn<'_, '_>) {
    poll::cancel(turn, &POLLED);
}

fn child(started: &Value) -> Value {
    value!({"AutomationExecutionId": poll::text(started, "AutomationExecutionId")})
}

/// Returns parameters in the form that the API takes: every value a list of texts.
fn lists(parameters: &Value) -> Value {
    let members = parameters.as_object().into_iter().flat_map(value::Map::iter);
    members.fold(Value::object(), |all, (name, value)| all.with(name.clone(), output::wire(value)))
}

fn judge(_turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let answer = match seen.answer {
        Err((code, message)) => return poll::refused(code, "GetAutomationExecution", message),
        Ok(answer) => answer,
    };
    let execution = answer.get("AutomationExecution").cloned().unwrap_or_default();
    let id = poll::text(seen.started, "AutomationExecutionId");
    let status = poll::text(&execution, "AutomationExecutionStatus");
    let outputs = execution.get("Outputs").and_then(Value::as_object).cloned().unwrap_or_default();
    let outputs = outputs.values().flat_map(|list| list.as_array().unwrap_or_default().to_vec());
    let outputs: Vec<Value> = outputs.collect();
    match status {
        "Success" => Judgement::Done(value!({
            "Output": outputs,
            "ExecutionId": id,
            "Status": status,
        })),
        "Failed" | "TimedOut" | "Cancelled" => {
            let shown: Vec<String> = outputs.iter().map(crate::parameter::text).collect();
            let text = format!(
                "Failed to run automation with executionId: {id} {status} : \
                 {{Status=[{status}], Output=[{}], ExecutionId=[{id}]}}",
                shown.join(", ")
            );
            Judgement::Failed(Failure::ended("Execution complete: verified", &text))
        }
        _ => Judgement::Running,
    }
}
