//! An execution as a report: what ran, how long, with what result, and why it ended as it did.

use value::Value;

use super::live::{line, meaning};
use super::look::{Seen, list, text};
use super::rows::{rows, shortened};
use crate::cli::paint::{Meaning, Paint};

/// The most characters of a value that a report shows on one line.
const VALUE_CHARACTERS_MAX: usize = 160;

/// Returns the report of an execution; `now` is the time in epoch seconds.
pub(crate) fn report(seen: &Seen, paint: Paint, now: f64) -> String {
    let mut out = head(&seen.record, paint, now);
    let rows = rows(seen);
    if !rows.is_empty() {
        out.extend([format!("\n{}\n", paint.text("Steps", Meaning::Strong))]);
        for row in &rows {
            // The whole message stands below.
            let row = super::rows::Row { failure: None, ..row.clone() };
            out.push_str(&indented(&line(paint, &row, now)));
        }
    }
    details(seen, paint, &mut out);
    out
}

fn head(record: &Value, paint: Paint, now: f64) -> String {
    let member = |name: &str| text(record, name);
    let status = member("AutomationExecutionStatus");
    let seconds = |name: &str| record.get(name).and_then(Value::as_f64);
    let began = seconds("ExecutionStartTime").unwrap_or(now);
    let took = seconds("ExecutionEndTime").unwrap_or(now) - began;
    let mut out = format!(
        "{} {} version {}\n{} {} {took:.3} s, started {} by {}\n",
        paint.text(member("AutomationExecutionId"), Meaning::Strong),
        member("DocumentName"),
        member("DocumentVersion"),
        paint.text(status, meaning(status)),
        if record.get("ExecutionEndTime").is_some() { "after" } else { "for" },
        moment(began),
        member("ExecutedBy"),
    );
    for (name, label) in [
        ("ParentAutomationExecutionId", "child of"),
        ("Target", "for the target"),
        ("CurrentStepName", "now at the step"),
    ] {
        if record.get(name).is_some() {
            out.extend([format!("{label} {}\n", member(name))]);
        }
    }
    if member("Mode") == "Interactive" {
        out.push_str("every step waits for the signal StartStep (Mode Interactive)\n");
    }
    if let Some(counters) = record.get("ProgressCounters") {
        let count = |name: &str| counters.get(name).and_then(Value::as_i64).unwrap_or(0);
        out.extend([format!(
            "{} targets: {} succeeded, {} failed, {} timed out, {} cancelled; at most {} at once, \
             {} may fail\n",
            count("TotalSteps"),
            count("SuccessSteps"),
            count("FailedSteps"),
            count("TimedOutSteps"),
            count("CancelledSteps"),
            member("MaxConcurrency"),
            member("MaxErrors"),
        )]);
    }
    for name in ["Parameters", "Variables", "Outputs"] {
        out.push_str(&map(record, name, paint));
    }
    out
}

/// Returns a map of lists of texts as lines; nothing when it is empty.
fn map(record: &Value, name: &str, paint: Paint) -> String {
    let members = record.get(name).and_then(Value::as_object);
    let mut out = String::new();
    for (key, value) in members.into_iter().flat_map(value::Map::iter) {
        if out.is_empty() {
            out.extend([format!("\n{}\n", paint.text(name, Meaning::Strong))]);
        }
        out.extend([format!("  {key} = {}\n", shown(value))]);
    }
    out
}

/// Returns a value of the API on one line: a list of one text is that text.
fn shown(value: &Value) -> String {
    let texts: Vec<&str> = match value.as_array() {
        Some(items) => items.iter().filter_map(Value::as_str).collect(),
        None => value.as_str().into_iter().collect(),
    };
    shortened(&texts.join(", "), VALUE_CHARACTERS_MAX)
}

/// Adds what there is to say about single steps: outputs, failures and why the flow went on as it
/// did.
fn details(seen: &Seen, paint: Paint, out: &mut String) {
    let record = &seen.record;
    for step in list(record, "StepExecutions") {
        let mut lines = Vec::new();
        let outputs = step.get("Outputs").and_then(Value::as_object);
        for (name, value) in outputs.into_iter().flat_map(value::Map::iter) {
            lines.push(format!("{name} = {}", shown(value)));
        }
        lines.extend(why(record, step));
        if lines.is_empty() {
            continue;
        }
        let iteration = step.path(&["ParentStepDetails", "Iteration"]).and_then(Value::as_i64);
        let iteration = iteration.map(|number| format!(", iteration {number}")).unwrap_or_default();
        let status = text(step, "StepStatus");
        out.extend([format!(
            "\n{}{iteration}: {}\n",
            paint.text(text(step, "StepName"), Meaning::Strong),
            paint.text(status, meaning(status)),
        )]);
        for line in lines {
            out.push_str(&indented(&format!("{line}\n")));
        }
    }
    if let Some(message) = record.get("FailureMessage").and_then(Value::as_str)
        && record.get("ProgressCounters").is_some()
    {
        out.extend([format!("\n{message}\n")]);
    }
    for child in &seen.children {
        let (id, status) = (
            text(&child.record, "AutomationExecutionId"),
            text(&child.record, "AutomationExecutionStatus"),
        );
        if matches!(status, "Failed" | "TimedOut") {
            out.extend([format!("\nstepwell automation describe {id} tells why it {status}\n")]);
        }
    }
}

/// Returns why a step stands as it does, and what it waits for.
fn why(record: &Value, step: &Value) -> Vec<String> {
    match text(step, "StepStatus") {
        "Failed" | "TimedOut" => failed(step),
        "Waiting" => vec![waits(record, step)],
        _ => Vec::new(),
    }
}

fn failed(step: &Value) -> Vec<String> {
    let mut lines = vec![text(step, "FailureMessage").to_owned()];
    let attempts = step.get("MaxAttempts").and_then(Value::as_i64).unwrap_or(1);
    let detail = |name: &str| {
        step.path(&["FailureDetails", name]).and_then(Value::as_str).unwrap_or("unknown")
    };
    lines.push(format!(
        "{attempts} of {attempts} attempts, failed at {} ({})",
        detail("FailureStage"),
        detail("FailureType"),
    ));
    let is_end = step.get("IsEnd") == Some(&Value::from(true));
    lines.push(match text(step, "OnFailure") {
        _ if is_end => "it is the last step (isEnd)".to_owned(),
        "" | "Abort" => "the execution ended here (onFailure: Abort)".to_owned(),
        "Continue" => "the execution went on with the next step (onFailure: Continue)".to_owned(),
        other => format!("the execution went on at {}", other.trim_start_matches("step:")),
    });
    if step.get("IsCritical") == Some(&Value::from(false)) {
        lines.push("it does not make the execution fail (isCritical: false)".to_owned());
    }
    lines
}

/// Returns what a step waits for, and the command that gives it.
fn waits(record: &Value, step: &Value) -> String {
    let id = text(record, "AutomationExecutionId");
    let signal = |kind: &str, payload: &str| {
        format!(
            "aws ssm send-automation-signal --automation-execution-id {id} --signal-type \
             {kind}{payload}"
        )
    };
    if text(step, "Action") == "aws:approve" {
        let approvers = step.path(&["Inputs", "Approvers"]).and_then(Value::as_str);
        let command = signal("Approve", "");
        return format!("waits for one of {}: {command}", approvers.unwrap_or("its approvers"));
    }
    let payload = format!(" --payload StepName={}", text(step, "StepName"));
    format!("waits to be resumed: {}", signal("Resume", &payload))
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// Returns a time as people write it.
pub(crate) fn moment(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let millis = (seconds * 1000.0).round() as i64;
    let moment = jiff::Timestamp::from_millisecond(millis);
    moment.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::value;

    #[test]
    fn a_report_says_what_failed_how_often_and_what_followed() {
        let record = value!({
            "AutomationExecutionId": "id", "DocumentName": "Doc", "DocumentVersion": "2",
            "AutomationExecutionStatus": "Failed", "ExecutedBy": "arn:x",
            "ExecutionStartTime": 1_583_737_233, "ExecutionEndTime": 1_583_737_234.5,
            "Parameters": {"Name": ["a", "b"]}, "Outputs": {},
            "StepExecutions": [{
                "StepName": "look", "Action": "aws:executeAwsApi", "StepStatus": "Failed",
                "StepExecutionId": "1", "ExecutionStartTime": 1_583_737_233,
                "ExecutionEndTime": 1_583_737_234.5, "MaxAttempts": 3, "FailureMessage": "no.",
                "FailureDetails": {"FailureStage": "Invocation", "FailureType": "Action"},
                "Outputs": {}, "OnFailure": "step:rescue",
            }],
        });
        let seen = Seen { record, children: Vec::new() };
        let text = report(&seen, Paint::Plain, 0.0);
        let expected = "id Doc version 2\n\
            Failed after 1.500 s, started 2020-03-09 07:00:33 UTC by arn:x\n\
            \nParameters\n  Name = a, b\n\
            \nSteps\n  look                         aws:executeAwsApi          \
             Failed         1.500 s\n\
            \nlook: Failed\n  no.\n  3 of 3 attempts, failed at Invocation (Action)\n  \
            the execution went on at rescue\n";
        assert_eq!(text, expected);
    }
}
