//! `states:startExecution`: one state machine starts another, and with `.sync` waits for its end.
//!
//! Step Functions developer guide, "Start a new AWS Step Functions state machine from a running
//! execution" (read 2026-11); answers and texts as recorded on AWS (conformance/states).

use asl::{Integration, IntegrationPattern};
use value::{Value, value};

use super::job::{Job, JobState, Submitted};
use super::plain::Plain;
use super::{Acting, Integrated, Optimized, TaskFailure, as_text, sdk1};
use crate::endpoint::CallError;
use crate::{Kind, ProcessId};

/// How long the next look at an execution that runs elsewhere is put off, in seconds.
const AGAIN_SECONDS: u32 = 5;

/// `states:`.
pub(super) struct States;

const API: Plain = Plain {
    service: "stepfunctions",
    prefix: "StepFunctions",
    class: "AWSStepFunctions",
    actions: &[(
        "startExecution",
        &[
            IntegrationPattern::RequestResponse,
            IntegrationPattern::Sync,
            IntegrationPattern::Sync2,
            IntegrationPattern::WaitForTaskToken,
        ],
    )],
    headers: &[],
};

impl Optimized for States {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        API.patterns(action)
    }

    fn request(&self, integration: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        // Recorded: nothing is the input `{}`, a text is the input's text.
        let arguments = match arguments.get("Input") {
            Some(Value::Null) => sdk1::without(arguments, "Input"),
            Some(_) | None => as_text(arguments, "Input"),
        };
        API.call(&integration.action, &arguments)
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        API.response(integration, output)
    }

    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        API.failure(integration, err)
    }

    fn job(&self, _action: &str) -> Option<&'static dyn Job> {
        Some(&Nested)
    }
}

/// An execution that was started.
struct Nested;

impl Job for Nested {
    fn look(&self, submitted: &Submitted<'_>) -> Integrated {
        call("DescribeExecution", value!({ "executionArn": execution_arn(submitted) }))
    }

    fn state(&self, submitted: &Submitted<'_>, seen: &Value) -> JobState {
        let status = seen.get("status").and_then(Value::as_str).unwrap_or_default();
        // Whoever waits to be redriven has not ended well either.
        if matches!(status, "RUNNING" | "PENDING_REDRIVE") {
            return JobState::Runs;
        }
        let output = ended(submitted.integration.pattern, seen);
        if status == "SUCCEEDED" {
            return JobState::Succeeded(output);
        }
        // Recorded: however it failed, and whatever its own error is.
        JobState::Failed { error: "States.TaskFailed".into(), cause: output.to_json() }
    }

    fn stop(&self, submitted: &Submitted<'_>) -> Option<Integrated> {
        Some(call("StopExecution", value!({ "executionArn": execution_arn(submitted) })))
    }

    fn again_seconds(&self) -> u32 {
        AGAIN_SECONDS
    }

    fn process(&self, submitted: &Submitted<'_>) -> Option<ProcessId> {
        execution_arn(submitted)
            .and_then(Value::as_str)
            .map(|arn| ProcessId::new(Kind::Execution, arn))
    }
}

fn call(operation: &str, input: Value) -> Integrated {
    Integrated::Call { service: API.service.into(), operation: operation.into(), input }
}

fn execution_arn<'a>(submitted: &Submitted<'a>) -> Option<&'a Value> {
    submitted.answer.get("ExecutionArn")
}

/// Returns what DescribeExecution answers as the Task gets it; `.sync:2` has input and output as
/// JSON instead of as texts of it.
fn ended(pattern: IntegrationPattern, seen: &Value) -> Value {
    let mut output = API.shown("DescribeExecution", seen);
    if pattern == IntegrationPattern::Sync2 {
        for member in ["Input", "Output"] {
            let text = output.get(member).and_then(Value::as_str);
            if let Some(parsed) = text.and_then(|text| value::parse(text).ok()) {
                output.set(member, parsed);
            }
        }
    }
    output
}
