//! GetExecutionHistory: what an execution did, event by event.

use store::{Scan, Table};
use value::{Value, value};

use super::error;
use super::executions::find_execution;
use super::state_machines::page_of;
use crate::page::marker;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many stored pieces of a history are read in one go.
const PIECES_PER_SCAN: usize = 64;
/// What the last event of an execution that has ended is.
const LAST_EVENTS: [&str; 4] =
    ["ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"];

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "GetExecutionHistory", checks: may_get, run: Run::Read(get) }];

fn may_get(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:GetExecutionHistory", input.text("executionArn")?)])
}

/// Where an event is: in which stored piece (by the id of its first event), and its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    piece: i64,
    id: i64,
}

impl Place {
    fn key(self) -> String {
        format!("{:08}/{:08}", self.piece, self.id)
    }

    /// Returns the place that a marker stands for.
    fn of_marker(key: &str) -> Result<Place, Error> {
        let parsed = key.split_once('/').and_then(|(piece, id)| {
            Some(Place { piece: piece.parse().ok()?, id: id.parse().ok()? })
        });
        parsed.filter(|place| 0 < place.piece).ok_or_else(error::invalid_token)
    }
}

/// The history of one execution, as it is stored: pieces of some events each, under the id of
/// their first event.
struct History<'a> {
    on: &'a Reading<'a>,
    execution_arn: &'a str,
    /// Whether the execution has ended, and so its history.
    ended: bool,
}

impl History<'_> {
    /// Returns the stored pieces from this one on, at most so many.
    fn pieces(&self, from: i64, count: usize) -> Result<Vec<(i64, Vec<u8>)>, Error> {
        let prefix = format!("{}/", self.execution_arn);
        let before = format!("{prefix}{:08}", from - 1);
        let scan = Scan::prefix(&prefix).after(Some(&before)).limit(count);
        let rows = self.on.store.scan(Table::History, scan)?;
        let numbered = rows.into_iter().map(|(key, bytes)| {
            let number = key.strip_prefix(&prefix).and_then(|number| number.parse().ok());
            number.map(|number| (number, bytes)).ok_or_else(|| self.damaged(&key))
        });
        numbered.collect()
    }

    /// Returns all stored pieces up to and including this one.
    fn pieces_up_to(&self, last: Option<i64>) -> Result<Vec<(i64, Vec<u8>)>, Error> {
        let mut found = Vec::new();
        let mut from = 1;
        loop {
            let pieces = self.pieces(from, PIECES_PER_SCAN)?;
            let Some((highest, _)) = pieces.last() else { return Ok(found) };
            from = highest + 1;
            for (piece, bytes) in pieces {
                if last.is_some_and(|last| last < piece) {
                    return Ok(found);
                }
                found.push((piece, bytes));
            }
        }
    }

    /// Returns the events of a piece. Every id follows upon the last, so that a piece that cannot
    /// be found any more is noticed.
    fn events(&self, piece: i64, bytes: &[u8]) -> Result<Vec<(Place, Value)>, Error> {
        let batch = value::parse_bytes(bytes).map_err(|err| self.damaged(&err))?;
        let mut events = Vec::new();
        for (id, event) in (piece..).zip(batch.as_array().unwrap_or_default()) {
            if event.integer("id") != Some(id) {
                return Err(self.missing(id));
            }
            events.push((Place { piece, id }, event.clone()));
        }
        if events.is_empty() { Err(self.missing(piece)) } else { Ok(events) }
    }

    /// Returns more than `count` events behind a place, or all that there are.
    fn forward(&self, after: Option<Place>, count: usize) -> Result<Vec<(Place, Value)>, Error> {
        let mut next = after.map_or(1, |place| place.piece);
        let mut found: Vec<(Place, Value)> = Vec::new();
        let mut last = Value::Null;
        loop {
            let pieces = self.pieces(next, PIECES_PER_SCAN)?;
            if pieces.is_empty() {
                self.expect_end(next, &last)?;
                return Ok(found);
            }
            for (piece, bytes) in pieces {
                if piece != next {
                    return Err(self.missing(next));
                }
                let events = self.events(piece, &bytes)?;
                next += i64::try_from(events.len()).unwrap_or(i64::MAX);
                last = events.last().map(|(_, event)| event.clone()).unwrap_or_default();
                found.extend(events.into_iter().filter(|(at, _)| Some(*at) > after));
                if count < found.len() {
                    return Ok(found);
                }
            }
        }
    }

    /// Returns more than `count` events before a place, the latest first, or all that there are.
    fn backward(&self, before: Option<Place>, count: usize) -> Result<Vec<(Place, Value)>, Error> {
        // There is no reading backwards in the store: but only what is wanted is parsed.
        let mut pieces = self.pieces_up_to(before.map(|before| before.piece))?;
        let mut found: Vec<(Place, Value)> = Vec::new();
        let mut follows: Option<i64> = None;
        while let Some((piece, bytes)) = pieces.pop() {
            let mut events = self.events(piece, &bytes)?;
            let behind = piece + i64::try_from(events.len()).unwrap_or(i64::MAX);
            match (follows, events.last()) {
                (Some(follows), _) if behind != follows => return Err(self.missing(behind)),
                (None, Some((_, last))) if before.is_none() => self.expect_end(behind, last)?,
                _ => {}
            }
            follows = Some(piece);
            events.reverse();
            found.extend(
                events.into_iter().filter(|(at, _)| before.is_none_or(|before| *at < before)),
            );
            if count < found.len() {
                return Ok(found);
            }
        }
        match follows {
            Some(1) => Ok(found),
            Some(_) | None => Err(self.missing(1)),
        }
    }

    /// Complains when an execution has ended and its history has not.
    fn expect_end(&self, next: i64, last: &Value) -> Result<(), Error> {
        let is_last = LAST_EVENTS.contains(&last.maybe_text("type").unwrap_or_default());
        if self.ended && !is_last { Err(self.missing(next)) } else { Ok(()) }
    }

    fn missing(&self, id: i64) -> Error {
        self.damaged(&format!(
            "event {id} is missing. The store is damaged, or the history is old and just being \
             removed"
        ))
    }

    fn damaged(&self, what: &dyn std::fmt::Display) -> Error {
        Error::internal(&format!("history of {}: {what}", self.execution_arn))
    }
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let execution_arn = input.text("executionArn")?;
    let record = find_execution(on.store, execution_arn)?;
    let (after, limit) = page_of(input)?;
    let after = after.as_deref().map(Place::of_marker).transpose()?;
    let history = History { on, execution_arn, ended: record.get("stopDate").is_some() };
    let mut events = if input.flag("reverseOrder") {
        history.backward(after, limit)?
    } else {
        history.forward(after, limit)?
    };
    let more = limit < events.len();
    events.truncate(limit);
    let next = events.last().filter(|_| more).map(|(place, _)| marker(&place.key()));
    if input.get("includeExecutionData").and_then(Value::as_bool) == Some(false) {
        for (_, event) in &mut events {
            strip_data(event);
        }
    }
    let events: Value = events.into_iter().map(|(_, event)| event).collect();
    Ok(answer(events, next))
}

fn answer(events: Value, next: Option<String>) -> Value {
    value!({ "events": events }).with_some("nextToken", next)
}

/// Removes input, output, error and cause from the details of an event.
fn strip_data(event: &mut Value) {
    for details in event.object_mut().values_mut() {
        if let Value::Object(_) = details {
            details.object_mut().retain(|key, _| {
                !matches!(&**key, "input" | "output" | "inputDetails" | "outputDetails")
            });
        }
    }
}
