//! What tasks were answered when a case was recorded, taken from its history.

use std::collections::{BTreeMap, VecDeque};

use execution::{Call, Fact, TaskId};
use value::Value;

/// The answers of one recorded execution, in their order.
#[derive(Default)]
pub(crate) struct Answers(VecDeque<Value>);

/// Returns the answers of every recorded execution of a case, by the step that started it.
pub(crate) fn answers(case: &Value) -> BTreeMap<usize, Answers> {
    let steps = case.get("steps").and_then(Value::as_array).unwrap();
    let started = |index: usize| -> Option<Answers> {
        let arn = format!("\u{27e6}{index}:executionArn\u{27e7}");
        let asked = steps.iter().position(|step| {
            step.get("op").and_then(Value::as_str) == Some("stepfunctions.GetExecutionHistory")
                && step.path(&["params", "executionArn"]).and_then(Value::as_str) == Some(&arn)
        })?;
        let key = steps.iter().find_map(|step| {
            let call = step.path(&["value", "$call"])?.as_i64()?;
            (usize::try_from(call).ok() == Some(asked)).then(|| step.get("match")?.as_str())?
        })?;
        let events = case.get("expected")?.get(key)?.get("events")?.as_array()?;
        let ends = events
            .iter()
            .filter(|event| event.get("type").and_then(Value::as_str).is_some_and(answers_a_task));
        Some(Answers(ends.cloned().collect()))
    };
    (0..steps.len()).filter_map(|index| Some((index, started(index)?))).collect()
}

fn answers_a_task(event_type: &str) -> bool {
    ["Task", "Activity", "LambdaFunction"].iter().any(|kind| {
        event_type.strip_prefix(kind).is_some_and(|end| {
            matches!(
                end,
                "Scheduled" | "Submitted" | "Succeeded" | "Failed" | "TimedOut" | "Started"
            )
        })
    })
}

impl Answers {
    /// Returns the facts that answer a call; none for one that timed out.
    pub(crate) fn next(&mut self, call: &Call) -> Vec<Fact> {
        let mut facts = Vec::new();
        let is_activity = call.resource.contains(":activity:");
        if is_activity && self.0.is_empty() {
            // No task was ever scheduled.
            let cause = format!("The activity {} does not exist.", call.resource);
            facts.push(Fact::TaskImpossible { task: call.task, cause });
        }
        while let Some(event) = self.0.pop_front() {
            let event_type = event.get("type").and_then(Value::as_str).unwrap();
            let details =
                event.as_object().unwrap().iter().find_map(|(key, details)| {
                    key.ends_with("EventDetails").then(|| details.clone())
                });
            let details = details.unwrap_or_default();
            if event_type == "ActivityScheduled" {
                facts.push(Fact::ActivityScheduled { task: call.task });
            } else if event_type == "ActivityStarted" {
                let worker = details.get("workerName").and_then(Value::as_str).map(str::to_owned);
                facts.push(Fact::ActivityStarted { task: call.task, worker });
            } else if event_type.ends_with("Submitted") {
                facts.push(Fact::TaskSubmitted {
                    task: call.task,
                    output: json(&details, "output"),
                });
            } else if !event_type.ends_with("Started") && !event_type.ends_with("Scheduled") {
                facts.extend(end(call.task, event_type, &details));
                break;
            }
        }
        facts
    }
}

fn end(task: TaskId, event_type: &str, details: &Value) -> Option<Fact> {
    if event_type.ends_with("TimedOut") {
        return None;
    }
    if event_type.ends_with("Succeeded") {
        return Some(Fact::TaskSucceeded { task, output: json(details, "output") });
    }
    let text = |name: &str| {
        details.get(name).map(|found| found.as_str().map_or(found.to_string(), str::to_owned))
    };
    Some(Fact::TaskFailed { task, error: text("error"), cause: text("cause") })
}

/// Recorded objects were parsed already; anything else is still JSON text.
fn json(details: &Value, name: &str) -> Value {
    let found = details.get(name).cloned().unwrap_or_default();
    let parsed = found.as_str().and_then(|text| value::parse(text).ok());
    parsed.unwrap_or(found)
}
