//! Log events: PutLogEvents, GetLogEvents, FilterLogEvents.
//!
//! Amazon CloudWatch Logs API reference, "GetLogEvents", "FilterLogEvents" (read 2026-11).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::filter::FilterPattern;
use super::groups::{self, Group};
use super::{asked_group, check, error, page_of, streams};
use crate::page::{marker, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many events an answer has at most (API reference, "GetLogEvents").
const PAGE_EVENTS_MAX: usize = 10_000;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "FilterLogEvents", checks: may_filter, run: Run::Read(filter) },
    Operation { name: "GetLogEvents", checks: may_get, run: Run::Read(get) },
    Operation { name: "PutLogEvents", checks: may_put, run: Run::Write(put) },
];

/// An event as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) timestamp: i64,
    pub(super) message: String,
}

/// An event under its key, with the name of its stream.
struct Found {
    key: String,
    stream: String,
    event: Event,
}

/// Walks through the events of a group in the order of time, from the time `since` and behind a
/// key, for as long as `take` wants more.
fn walk(
    store: &dyn Read,
    group: &Group,
    since_millis: i64,
    after: Option<&str>,
    mut take: impl FnMut(Found) -> bool,
) -> Result<(), Error> {
    let prefix = format!("{}:", group.arn);
    let from = format!("{prefix}{:013}", since_millis.max(0));
    let mut behind = after.map_or(from.clone(), |after| from.max(after.to_owned()));
    loop {
        let scan = Scan::prefix(&prefix).after(Some(&behind));
        let rows: Vec<(String, Event)> = store.load_all(Table::LogEvents, scan)?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        behind.clone_from(last);
        for (key, event) in rows {
            let stream = key.strip_prefix(&*prefix).and_then(|rest| rest.split(':').nth(1));
            let stream = stream.unwrap_or_default().to_owned();
            if !take(Found { key, stream, event }) {
                return Ok(());
            }
        }
    }
}

fn may_put(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "PutLogEvents", input)
}

fn put(on: &mut Writing<'_>, input: &Value) -> Answer {
    let group = groups::find(on.store.as_read(), &asked_group(&on.reading(), input)?)?;
    let stream = input.text("logStreamName")?;
    streams::find(on.store.as_read(), &group, stream)?;
    let batch = on.call.stable_uuid_at("log events");
    for (number, given) in input.list("logEvents").iter().enumerate() {
        let timestamp = given.integer("timestamp").unwrap_or(on.call.now_millis);
        let event = Event { timestamp, message: given.text("message")?.to_owned() };
        let key = format!("{}:{:013}:{stream}:{batch}/{number:05}", group.arn, timestamp.max(0));
        on.store.save(Table::LogEvents, &key, &event)?;
    }
    Ok(Value::object())
}

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "GetLogEvents", input)
}

/// Where a page of GetLogEvents lies: behind a key, or before one.
enum Page {
    Behind(Option<String>),
    Before(Option<String>),
}

fn asked_page(input: &Value) -> Result<Page, Error> {
    let Some(token) = input.maybe_text("nextToken") else {
        return Ok(if input.flag("startFromHead") {
            Page::Behind(None)
        } else {
            Page::Before(None)
        });
    };
    let (way, at) = token.split_once('/').ok_or_else(error::invalid_token)?;
    let at = Some(open_marker(at).ok_or_else(error::invalid_token)?);
    match way {
        "f" => Ok(Page::Behind(at)),
        "b" => Ok(Page::Before(at)),
        _ => Err(error::invalid_token()),
    }
}

/// A page of one stream, in the order of time. The tokens lead on from its last and its first
/// event; where there is none, the same token comes back.
fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let group = groups::find(on.store, &asked_group(on, input)?)?;
    let name = input.text("logStreamName")?;
    streams::find(on.store, &group, name)?;
    let since = group.since_millis(on.call.now_millis).max(input.integer("startTime").unwrap_or(0));
    let until = input.integer("endTime").unwrap_or(i64::MAX);
    let limit = input.integer("limit").and_then(|asked| usize::try_from(asked).ok());
    let limit = limit.unwrap_or(PAGE_EVENTS_MAX).clamp(1, PAGE_EVENTS_MAX);
    let page = asked_page(input)?;
    let mut found: VecDeque<Found> = VecDeque::new();
    let (after, before) = match &page {
        Page::Behind(after) => (after.as_deref(), None),
        Page::Before(before) => (None, before.as_deref()),
    };
    walk(on.store, &group, since, after, |one| {
        if until <= one.event.timestamp || before.is_some_and(|before| before <= &*one.key) {
            return false;
        }
        if one.stream == name {
            found.push_back(one);
            match page {
                Page::Behind(_) => return found.len() < limit,
                Page::Before(_) if limit < found.len() => drop(found.pop_front()),
                Page::Before(_) => {}
            }
        }
        true
    })?;
    let here = after.or(before).map_or_else(|| format!("{}:", group.arn), str::to_owned);
    let forward = marker(found.back().map_or(&*here, |one| &*one.key));
    let backward = marker(found.front().map_or(&*here, |one| &*one.key));
    let events: Value = found.iter().map(shown).collect();
    Ok(value!({
        "events": events,
        "nextForwardToken": format!("f/{forward}"),
        "nextBackwardToken": format!("b/{backward}"),
    }))
}

fn shown(found: &Found) -> Value {
    value!({
        "timestamp": found.event.timestamp,
        "message": &found.event.message,
        "ingestionTime": found.event.timestamp,
    })
}

fn may_filter(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "FilterLogEvents", input)
}

fn filter(on: &Reading<'_>, input: &Value) -> Answer {
    let group = groups::find(on.store, &asked_group(on, input)?)?;
    let pattern = FilterPattern::parse(input.maybe_text("filterPattern").unwrap_or_default())
        .map_err(error::invalid_parameter)?;
    let names: Vec<&str> = input.list("logStreamNames").iter().filter_map(Value::as_str).collect();
    let prefix = input.maybe_text("logStreamNamePrefix").unwrap_or_default();
    let since = group.since_millis(on.call.now_millis).max(input.integer("startTime").unwrap_or(0));
    let until = input.integer("endTime").unwrap_or(i64::MAX);
    let (after, limit) = page_of(input, PAGE_EVENTS_MAX)?;
    let mut found: Vec<Found> = Vec::new();
    walk(on.store, &group, since, after.as_deref(), |one| {
        if until < one.event.timestamp {
            return false;
        }
        let of_stream =
            one.stream.starts_with(prefix) && (names.is_empty() || names.contains(&&*one.stream));
        if of_stream && pattern.matches(&one.event.message) {
            found.push(one);
        }
        found.len() <= limit
    })?;
    let more = limit < found.len();
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|one| marker(&one.key));
    let events = found.iter().map(|one| {
        shown(one).with("logStreamName", &*one.stream).with("eventId", marker(&one.key))
    });
    Ok(value!({ "events": events.collect::<Value>(), "searchedLogStreams": [] })
        .with_some("nextToken", next))
}
