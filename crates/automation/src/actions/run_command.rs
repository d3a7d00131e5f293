//! `aws:runCommand`: runs a Command document on managed nodes and waits for all of them.
//!
//! AWS: "aws:runCommand – Run a command on a managed instance", read in the reference of 2026-11;
//! the words of a failure are those of public reports.

use value::{Value, value};

use super::poll::{self, Judgement, Polled, Request, Seen};
use super::{Action, Answer, Outcome, Turn, Work};
use crate::failure::Failure;
use crate::output;

const PASSED_ON: [&str; 15] = [
    "DocumentName",
    "DocumentHash",
    "DocumentHashType",
    "InstanceIds",
    "Targets",
    "Parameters",
    "Comment",
    "CloudWatchOutputConfig",
    "NotificationConfig",
    "OutputS3BucketName",
    "OutputS3KeyPrefix",
    "ServiceRoleArn",
    "TimeoutSeconds",
    "MaxConcurrency",
    "MaxErrors",
];

pub(super) static ACTION: Action = Action {
    name: "aws:runCommand",
    required: &["DocumentName"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: true,
    phrase: "verifying the command has completed",
    work: Work::Available { begin, resume, cancel },
};

const POLLED: Polled = Polled {
    start: |turn| {
        let input = poll::inputs(turn, &PASSED_ON);
        Request { service: "ssm", operation: "SendCommand", input }
    },
    refused: poll::client_error,
    look: |_turn, started| {
        let input = value!({"CommandId": command_id(started), "Details": true});
        Request { service: "ssm", operation: "ListCommandInvocations", input }
    },
    judge,
    stop: |_turn, started| {
        let input = value!({"CommandId": command_id(started)});
        Some(Request { service: "ssm", operation: "CancelCommand", input })
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

fn command_id(started: &Value) -> &str {
    started.get("Command").map_or("", |command| poll::text(command, "CommandId"))
}

fn judge(_turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let answer = match seen.answer {
        Err((code, message)) => return poll::refused(code, "ListCommandInvocations", message),
        Ok(answer) => answer,
    };
    let invocations = answer.get("CommandInvocations").and_then(Value::as_array);
    let invocations = invocations.unwrap_or_default();
    let is_busy = |one: &Value| {
        matches!(poll::text(one, "Status"), "Pending" | "InProgress" | "Delayed" | "Cancelling")
    };
    if invocations.is_empty() || invocations.iter().any(is_busy) {
        return Judgement::Running;
    }
    let id = command_id(seen.started);
    // The worst invocation speaks for all.
    let failed = invocations.iter().find(|one| poll::text(one, "Status") != "Success");
    let status = failed.map_or("Success", |one| poll::text(one, "Status"));
    let plugins = |one: &Value| {
        one.get("CommandPlugins").and_then(Value::as_array).unwrap_or_default().to_vec()
    };
    let shown: Vec<Value> = match failed {
        Some(one) => plugins(one),
        None => invocations.iter().flat_map(plugins).collect(),
    };
    let code = shown.iter().filter_map(|one| one.get("ResponseCode")?.as_i64()).max().unwrap_or(0);
    let texts: Vec<&str> = shown.iter().map(|one| poll::text(one, "Output")).collect();
    let text = texts.join("\n");
    let payload =
        value!({"Status": status, "ResponseCode": code, "Output": &*text, "CommandId": id});
    if failed.is_none() {
        return Judgement::Done(payload.clone().with("OutputPayload", payload));
    }
    let told = format!(
        "Command {id} returns unexpected invocation result: \n{{Status=[{status}], \
         ResponseCode=[{code}], Output=[{text}], OutputPayload=[{}], CommandId=[{id}]}}",
        output::json_text(&payload)
    );
    Judgement::Failed(Failure::ended("verifying the command has completed", &told))
}
