//! The spans of an execution, made of its history once it has ended.
//!
//! One for the execution, one for each visit of a state, one for each task. The history is durable,
//! so that an execution which outlived a server or moved to another node has all its spans; and
//! their ids follow from its ARN and the events they begin with, so that they are the same whoever
//! makes them. OpenTelemetry semantic conventions 1.38, "AWS", "RPC" and "Error" (read 2026-11).

use std::collections::HashMap;

use store::{Read, Scan, Store, Table};
use value::{Value, value};

use super::context::{from_traceparent, span_id, trace_id};
use super::{KIND_CLIENT, KIND_INTERNAL, STATUS_ERROR, text};
use crate::Input;

/// How many stored pieces of a history are read in one go.
const PIECES_PER_SCAN: usize = 64;
/// How many events of an execution spans are made of: as many as a history may have, and those of
/// redrives.
const EVENTS_MAX: usize = 100_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// Returns the spans of an execution since it was started, or redriven last; none when whoever
/// started it does not want them.
///
/// # Errors
/// When its record or its history cannot be read.
pub(super) fn spans(store: &Store, arn: &str) -> Result<Vec<Value>, String> {
    store.read(|tx| {
        let record = tx.get(Table::Executions, arn).map_err(|err| err.to_string())?;
        let record = record.ok_or_else(|| format!("there is no record of {arn}"))?;
        let record = value::parse_bytes(&record).map_err(|err| err.to_string())?;
        let started_in = record.maybe_text("trace").and_then(from_traceparent);
        if started_in.as_ref().is_some_and(|parent| !parent.is_sampled) {
            return Ok(Vec::new());
        }
        let mut story = Story::default();
        each_event(tx, arn, |event| story.take(event))?;
        let trace = started_in.as_ref().map(|parent| parent.trace.clone());
        let whole = Whole {
            arn,
            record: &record,
            trace: trace.unwrap_or_else(|| trace_id(arn)),
            parent: started_in.and_then(|parent| parent.span),
        };
        Ok(story.into_spans(&whole))
    })
}

fn each_event(tx: &dyn Read, arn: &str, mut take: impl FnMut(&Value)) -> Result<(), String> {
    let prefix = format!("{arn}/");
    let (mut after, mut events) = (None::<String>, 0);
    loop {
        let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(PIECES_PER_SCAN);
        let pieces = tx.scan(Table::History, scan).map_err(|err| err.to_string())?;
        let Some((last, _)) = pieces.last() else { return Ok(()) };
        after = Some(last.clone());
        for (_, piece) in pieces {
            let piece = value::parse_bytes(&piece).map_err(|err| err.to_string())?;
            for event in piece.as_array().unwrap_or_default() {
                events += 1;
                if EVENTS_MAX < events {
                    return Ok(());
                }
                take(event);
            }
        }
    }
}

/// What all spans of an execution share.
struct Whole<'a> {
    arn: &'a str,
    record: &'a Value,
    trace: String,
    /// The span that the execution was started in.
    parent: Option<String>,
}

/// What a span is of.
#[derive(Debug, PartialEq, Eq)]
enum What {
    Execution,
    /// A visit of a state, of such a type.
    State(String),
    Task(Task),
}

/// What a task asks.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Call { service: String, operation: String },
    Activity(String),
}

/// A span that is being made.
struct Made {
    what: What,
    name: String,
    /// The event that it begins with.
    event: i64,
    /// Which of the others it is in.
    within: Option<usize>,
    start_millis: i64,
    /// When it ended, and the error if it did not end well.
    end: Option<(i64, Option<String>)>,
}

/// What has been read of a history.
#[derive(Default)]
struct Story {
    made: Vec<Made>,
    /// In which span what follows an event happens.
    inside: HashMap<i64, usize>,
    last_millis: i64,
}

impl Story {
    fn take(&mut self, event: &Value) {
        let event_type = event.maybe_text("type").unwrap_or_default();
        let (id, millis) = (event.integer("id").unwrap_or(0), millis(event));
        let before = event.integer("previousEventId").unwrap_or(0);
        let inside = self.inside.get(&before).copied().unwrap_or(0);
        self.last_millis = millis;
        let details = event.get(&details_of(event_type));
        let now_inside = if matches!(event_type, "ExecutionStarted" | "ExecutionRedriven") {
            // What was before a redrive has been told.
            *self = Story { last_millis: millis, ..Story::default() };
            self.begin(What::Execution, String::new(), (id, millis), None)
        } else if let Some(state_type) = event_type.strip_suffix("StateEntered") {
            let name = event.path(&["stateEnteredEventDetails", "name"]).and_then(Value::as_str);
            let what = What::State(state_type.to_owned());
            self.begin(what, name.unwrap_or_default().to_owned(), (id, millis), Some(inside))
        } else if event_type.ends_with("StateExited") {
            let name = event.path(&["stateExitedEventDetails", "name"]).and_then(Value::as_str);
            self.end_state(inside, |made| Some(&*made.name) == name, (millis, None))
        } else if event_type.ends_with("StateAborted") {
            self.end_state(inside, |_| true, (millis, Some("Aborted".to_owned())))
        } else if let Some(task) = task_of(event_type, details) {
            self.begin(What::Task(task.1), task.0, (id, millis), Some(inside))
        } else if let Some(outcome) = outcome_of(event_type, details) {
            self.end_task(inside, (millis, outcome.err()))
        } else {
            inside
        };
        self.inside.insert(id, now_inside);
    }

    fn begin(
        &mut self,
        what: What,
        name: String,
        (event, start_millis): (i64, i64),
        within: Option<usize>,
    ) -> usize {
        self.made.push(Made { what, name, event, within, start_millis, end: None });
        self.made.len() - 1
    }

    /// Ends the innermost open state around a place that is meant; returns what is around it.
    fn end_state(
        &mut self,
        inside: usize,
        is_meant: impl Fn(&Made) -> bool,
        end: (i64, Option<String>),
    ) -> usize {
        let mut place = Some(inside);
        while let Some(made) = place.and_then(|place| self.made.get_mut(place)) {
            let is_open_state = matches!(made.what, What::State(_)) && made.end.is_none();
            if is_open_state && is_meant(made) {
                made.end = Some(end);
                return made.within.unwrap_or(0);
            }
            place = made.within;
        }
        inside
    }

    fn end_task(&mut self, inside: usize, end: (i64, Option<String>)) -> usize {
        match self.made.get_mut(inside) {
            Some(made) if matches!(made.what, What::Task(_)) => {
                made.end = Some(end);
                made.within.unwrap_or(0)
            }
            Some(_) | None => inside,
        }
    }

    fn into_spans(self, whole: &Whole<'_>) -> Vec<Value> {
        let events: Vec<i64> = self.made.iter().map(|made| made.event).collect();
        let span = |made: Made| {
            let parent = match made.within {
                Some(within) => events.get(within).map(|event| span_id(whole.arn, *event)),
                None => whole.parent.clone(),
            };
            made.into_span(whole, parent, self.last_millis)
        };
        self.made.into_iter().map(span).collect()
    }
}

impl Made {
    fn into_span(self, whole: &Whole<'_>, parent: Option<String>, last_millis: i64) -> Value {
        let Made { what, name, event, start_millis, end, .. } = self;
        let error = whole.record.maybe_text("error").map(str::to_owned);
        let status = whole.record.maybe_text("status").unwrap_or_default();
        let has_failed = status != "SUCCEEDED";
        // What has no end of its own ended with the execution.
        let (end_millis, failure) = match end {
            Some((millis, failure)) => (millis, failure),
            None if has_failed => (last_millis, Some(error.unwrap_or_else(|| status.to_owned()))),
            None => (last_millis, None),
        };
        let (name, kind, mut attributes) = match what {
            What::Execution => {
                let of = |member: &str| whole.record.maybe_text(member).unwrap_or_default();
                let attributes = vec![
                    text("aws.step_functions.state_machine.arn", of("stateMachineArn")),
                    text("aws.step_functions.execution.arn", whole.arn),
                    text("aws.step_functions.execution.status", status),
                ];
                (machine_name(of("stateMachineArn")), KIND_INTERNAL, attributes)
            }
            What::State(state_type) => {
                let attributes = vec![
                    text("aws.step_functions.state.name", &name),
                    text("aws.step_functions.state.type", &state_type),
                ];
                (name, KIND_INTERNAL, attributes)
            }
            What::Task(Task::Call { service, operation }) => {
                let attributes = vec![
                    text("rpc.system", "aws-api"),
                    text("rpc.service", &service),
                    text("rpc.method", &operation),
                ];
                (name, KIND_CLIENT, attributes)
            }
            What::Task(Task::Activity(arn)) => {
                (name, KIND_CLIENT, vec![text("aws.step_functions.activity.arn", &arn)])
            }
        };
        attributes.extend(failure.as_deref().map(|error| text("error.type", error)));
        let nanos = |millis: i64| (millis * NANOS_PER_MILLI).to_string();
        let span = value!({
            "traceId": &whole.trace,
            "spanId": span_id(whole.arn, event),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": nanos(start_millis),
            "endTimeUnixNano": nanos(end_millis),
            "attributes": attributes,
        });
        let failed = failure.map(|error| value!({ "code": STATUS_ERROR, "message": error }));
        span.with_some("parentSpanId", parent).with_some("status", failed)
    }
}

fn machine_name(state_machine_arn: &str) -> String {
    state_machine_arn.rsplit(':').next().unwrap_or_default().to_owned()
}

fn millis(event: &Value) -> i64 {
    let seconds = event.get("timestamp").and_then(Value::as_f64).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "a time, which fits")]
    let millis = (seconds * 1000.0).round() as i64;
    millis
}

/// Returns the member that holds the details of an event.
fn details_of(event_type: &str) -> String {
    let mut letters = event_type.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).chain("EventDetails".chars()).collect()
}

/// Returns the task that an event begins, and what its span is called.
fn task_of(event_type: &str, details: Option<&Value>) -> Option<(String, Task)> {
    let of = |member: &str| details.and_then(|details| details.maybe_text(member));
    match event_type {
        "TaskScheduled" => {
            let service = of("resourceType").unwrap_or_default();
            let service = service.strip_prefix("aws-sdk:").unwrap_or(service).to_owned();
            let operation = of("resource").unwrap_or_default().to_owned();
            Some((format!("{service}.{operation}"), Task::Call { service, operation }))
        }
        "LambdaFunctionScheduled" => {
            let (service, operation) = ("lambda".to_owned(), "invoke".to_owned());
            Some((format!("{service}.{operation}"), Task::Call { service, operation }))
        }
        "ActivityScheduled" => {
            let arn = of("resource").unwrap_or_default().to_owned();
            Some(("activity".to_owned(), Task::Activity(arn)))
        }
        _ => None,
    }
}

/// Returns how a task ended, if that is what an event says: with which error, if any.
fn outcome_of(event_type: &str, details: Option<&Value>) -> Option<Result<(), String>> {
    let of_task = ["Task", "LambdaFunction", "Activity"]
        .into_iter()
        .find_map(|what| event_type.strip_prefix(what))?;
    match of_task {
        "Succeeded" => Some(Ok(())),
        "Failed" | "TimedOut" => {
            let error = details.and_then(|details| details.maybe_text("error"));
            Some(Err(error.unwrap_or(of_task).to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:m:e";

    fn event(id: i64, before: i64, event_type: &str, name: &str) -> Value {
        let mut event = value!({
            "id": id, "previousEventId": before, "type": event_type,
            "timestamp": 100.0 + id as f64 / 1000.0,
        });
        let details = match event_type {
            "TaskScheduled" => value!({ "resourceType": "aws-sdk:iam", "resource": name }),
            "TaskFailed" => value!({ "error": name }),
            _ => value!({ "name": name }),
        };
        let member = match event_type {
            _ if event_type.ends_with("StateEntered") => "stateEnteredEventDetails".to_owned(),
            _ if event_type.ends_with("StateExited") => "stateExitedEventDetails".to_owned(),
            _ => details_of(event_type),
        };
        event.set(member, details);
        event
    }

    /// Returns of each span its name, that of what it is in, its times and its error.
    fn told(events: &[Value], record: &Value) -> Vec<String> {
        let mut story = Story::default();
        for event in events {
            story.take(event);
        }
        let whole =
            Whole { arn: ARN, record, trace: trace_id(ARN), parent: Some("outside".into()) };
        let spans = story.into_spans(&whole);
        let name_of = |id: &str| {
            let span = spans.iter().find(|span| span.maybe_text("spanId") == Some(id));
            span.and_then(|span| span.maybe_text("name")).unwrap_or(id).to_owned()
        };
        let line = |span: &Value| {
            let of = |member: &str| span.maybe_text(member).unwrap_or_default();
            let millis = |member| of(member).strip_suffix("000000").unwrap_or("?").to_owned();
            let (start, end) = (millis("startTimeUnixNano"), millis("endTimeUnixNano"));
            let error = span.path(&["status", "message"]).and_then(Value::as_str);
            let (name, parent) = (of("name"), name_of(of("parentSpanId")));
            format!("{name} in {parent} {start} {end} {}", error.unwrap_or("ok"))
        };
        spans.iter().map(line).collect()
    }

    fn record(status: &str) -> Value {
        value!({ "stateMachineArn": "arn:aws:states:us-east-1:0:stateMachine:m", "status": status })
    }

    #[test]
    fn branches_tasks_and_retries_are_where_they_belong() {
        let events = [
            event(1, 0, "ExecutionStarted", ""),
            event(2, 0, "ParallelStateEntered", "Both"),
            event(3, 2, "ParallelStateStarted", ""),
            event(4, 3, "TaskStateEntered", "Left"),
            event(5, 3, "PassStateEntered", "Right"),
            event(6, 5, "PassStateExited", "Right"),
            event(7, 4, "TaskScheduled", "getUser"),
            event(8, 7, "TaskStarted", ""),
            event(9, 8, "TaskFailed", "Iam.NoSuchEntityException"),
            event(10, 9, "TaskScheduled", "getUser"),
            event(11, 10, "TaskSucceeded", ""),
            event(12, 11, "TaskStateExited", "Left"),
            event(13, 12, "ParallelStateSucceeded", ""),
            event(14, 13, "ParallelStateExited", "Both"),
            event(15, 14, "SucceedStateEntered", "Done"),
            event(16, 15, "SucceedStateExited", "Done"),
            event(17, 16, "ExecutionSucceeded", ""),
        ];
        let expected = [
            "m in outside 100001 100017 ok",
            "Both in m 100002 100014 ok",
            "Left in Both 100004 100012 ok",
            "Right in Both 100005 100006 ok",
            "iam.getUser in Left 100007 100009 Iam.NoSuchEntityException",
            "iam.getUser in Left 100010 100011 ok",
            "Done in m 100015 100016 ok",
        ];
        assert_eq!(told(&events, &record("SUCCEEDED")), expected);
    }

    #[test]
    fn a_redrive_tells_what_came_after_it_and_what_did_not_end_has_failed() {
        let events = [
            event(1, 0, "ExecutionStarted", ""),
            event(2, 0, "TaskStateEntered", "First"),
            event(3, 2, "TaskScheduled", "getUser"),
            event(4, 3, "TaskFailed", "Iam.X"),
            event(5, 4, "ExecutionFailed", ""),
            event(6, 5, "ExecutionRedriven", ""),
            event(7, 6, "TaskScheduled", "getUser"),
            event(8, 7, "TaskSucceeded", ""),
            event(9, 8, "TaskStateExited", "First"),
            event(10, 9, "FailStateEntered", "Give up"),
            event(11, 10, "ExecutionFailed", ""),
        ];
        let failed = record("FAILED").with("error", "Custom");
        let expected = [
            "m in outside 100006 100011 Custom",
            "iam.getUser in m 100007 100008 ok",
            "Give up in m 100010 100011 Custom",
        ];
        assert_eq!(told(&events, &failed), expected);
    }
}
