//! `states:startExecution`: one state machine starts another, and with `.sync` waits for its end.
//!
//! Step Functions developer guide, "Start a new AWS Step Functions state machine from a running
//! execution" (read 2026-11); answers and texts as recorded on AWS (conformance/states).

use asl::{Integration, IntegrationPattern};
use value::{Value, value};

use super::job::{Job, JobState, Submitted};
use super::{Integrated, Optimized, sdk1};
use crate::endpoint::CallError;
use crate::{Kind, ProcessId};

/// How long the next look at an execution that runs elsewhere is put off, in seconds.
const AGAIN_SECONDS: u32 = 5;
/// The service, botocore's name.
const SERVICE: &str = "stepfunctions";

/// `states:`.
pub(super) struct States;

impl Optimized for States {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        match action {
            "startExecution" => &[
                IntegrationPattern::RequestResponse,
                IntegrationPattern::Sync,
                IntegrationPattern::Sync2,
                IntegrationPattern::WaitForTaskToken,
            ],
            _ => &[],
        }
    }

    fn request(&self, _: &Integration, arguments: &Value) -> Integrated {
        let mut input = Value::object();
        for (member, given) in arguments.as_object().into_iter().flat_map(value::Map::iter) {
            let given = match (&**member, given) {
                // Recorded: nothing is the input `{}`, a text is the input's text.
                ("Input", Value::Null) => continue,
                ("Input", Value::String(_)) => given.clone(),
                ("Input", given) => given.to_json().into(),
                (_, given) => given.clone(),
            };
            input.set(camel(member), given);
        }
        call("StartExecution", input)
    }

    fn response(&self, _: &Integration, output: Value) -> Value {
        sdk1::response(&output)
    }

    fn failure(&self, _: &Integration, err: &CallError) -> (String, String) {
        sdk1::failure("StepFunctions", "AWSStepFunctions", err)
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

    fn stop(&self, submitted: &Submitted<'_>) -> Integrated {
        call("StopExecution", value!({ "executionArn": execution_arn(submitted) }))
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
    Integrated::Call { service: SERVICE.into(), operation: operation.into(), input }
}

fn execution_arn<'a>(submitted: &Submitted<'a>) -> Option<&'a Value> {
    submitted.answer.get("ExecutionArn")
}

/// Returns what DescribeExecution answers as the Task gets it; `.sync:2` has input and output as
/// JSON instead of as texts of it.
fn ended(pattern: IntegrationPattern, seen: &Value) -> Value {
    let mut output = sdk1::response(seen);
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

fn camel(member: &str) -> String {
    let mut letters = member.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
