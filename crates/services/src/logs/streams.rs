//! Log streams: CreateLogStream and DescribeLogStreams. The runtime makes those of state machines.
//!
//! Amazon CloudWatch Logs API reference, "DescribeLogStreams" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::groups::{self, Group};
use super::{asked_group, check, error, page_of};
use crate::page::cut;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many streams a page has at most (API reference, "DescribeLogStreams").
const PAGE_STREAMS_MAX: usize = 50;
/// How many streams of a group are sorted by time; the rest is left out of such a list.
const STREAMS_SORTED_MAX: usize = 10_000;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateLogStream", checks: may_create, run: Run::Write(create) },
    Operation { name: "DescribeLogStreams", checks: may_describe, run: Run::Read(describe) },
];

/// A log stream as it is stored, by ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stream {
    pub(super) creation_millis: i64,
}

fn prefix(group_arn: &str) -> String {
    format!("{group_arn}:log-stream:")
}

/// Returns a stream of a group; one of before the group was created is none.
pub(super) fn find(store: &dyn Read, group: &Group, name: &str) -> Result<(), Error> {
    let key = format!("{}{name}", prefix(&group.arn));
    match store.load::<Stream>(Table::LogStreams, &key)? {
        Some(_) => Ok(()),
        None => Err(error::no_stream()),
    }
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "CreateLogStream", input)
}

fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("logStreamName")?;
    if name.contains([':', '*']) {
        return Err(error::invalid_parameter(format!("Invalid log stream name: {name}")));
    }
    let group = groups::find(on.store.as_read(), &asked_group(&on.reading(), input)?)?;
    if find(on.store.as_read(), &group, name).is_ok() {
        return Err(error::stream_exists());
    }
    let stream = Stream { creation_millis: on.call.now_millis };
    on.store.save(Table::LogStreams, &format!("{}{name}", prefix(&group.arn)), &stream)?;
    Ok(Value::object())
}

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "DescribeLogStreams", input)
}

/// By name, or by time.
// DIFFERS: nobody counts events and bytes of a stream; ordered by the time of the last event, the
// streams come by the time of their creation.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let group = groups::find(on.store, &asked_group(on, input)?)?;
    let all = prefix(&group.arn);
    let wanted = format!("{all}{}", input.maybe_text("logStreamNamePrefix").unwrap_or_default());
    let by_time = input.maybe_text("orderBy") == Some("LastEventTime");
    let (after, limit) = page_of(input, PAGE_STREAMS_MAX)?;
    let mut rows: Vec<(String, (String, i64))> = Vec::new();
    let mut behind: Option<String> = None;
    while rows.len() < STREAMS_SORTED_MAX {
        let scan = Scan::prefix(&wanted).after(behind.as_deref());
        let page: Vec<(String, Stream)> = on.store.load_all(Table::LogStreams, scan)?;
        let Some((last, _)) = page.last() else { break };
        behind = Some(last.clone());
        rows.extend(page.into_iter().map(|(arn, stream)| {
            let millis = stream.creation_millis;
            // What a page begins behind: the name, or the time and the name.
            let key = if by_time { format!("{millis:013}/{arn}") } else { arn.clone() };
            (key, (arn, millis))
        }));
    }
    rows.sort();
    if input.flag("descending") {
        rows.reverse();
    }
    let begin = match &after {
        Some(after) => rows.iter().position(|(key, _)| key == after).map_or(0, |at| at + 1),
        None => 0,
    };
    let numbered = rows.into_iter().skip(begin).enumerate();
    let numbered = numbered.map(|(at, (key, row))| (format!("{at:08}"), (key, row)));
    let page = cut(numbered, None, limit);
    let next = page.next.and(page.items.last()).map(|(key, _)| crate::page::marker(key));
    let streams = page.items.iter().map(|(_, (arn, millis))| {
        value!({
            "logStreamName": arn.strip_prefix(&*all).unwrap_or(arn),
            "creationTime": *millis,
            "arn": arn,
            "storedBytes": 0,
        })
    });
    Ok(value!({ "logStreams": streams.collect::<Value>() }).with_some("nextToken", next))
}
