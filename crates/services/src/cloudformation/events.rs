//! DescribeStackEvents.
//!
//! AWS CloudFormation API reference, "DescribeStackEvents" (read 2026-11).

use stacks::StackEvent;
use store::{Load, Scan, Table};
use value::{Value, value};

use super::stack::{self, seconds};
use crate::page::cut;
use crate::{Answer, Check, Error, Operation, Reading, Run};

/// How many events a page has.
const PAGE_EVENTS: usize = 100;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DescribeStackEvents", checks: may_describe, run: Run::Read(describe) }];

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![stack::check(on, "DescribeStackEvents", input)?])
}

/// The newest first.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let found = stack::wanted(on, input)?;
    let after = stack::after(input)?;
    let prefix = format!("{}/", found.id());
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(PAGE_EVENTS + 1);
    let rows: Vec<(String, StackEvent)> = on.store.load_all(Table::StackEvents, scan)?;
    let page = cut(rows, after.as_deref(), PAGE_EVENTS);
    let events = page.items.iter().map(shown).collect::<Value>();
    Ok(value!({ "StackEvents": events }).with_some("NextToken", page.next))
}

fn shown(event: &StackEvent) -> Value {
    value!({
        "StackId": &event.stack_id,
        "EventId": &event.event_id,
        "StackName": &event.stack_name,
        "LogicalResourceId": &event.logical_id,
        "PhysicalResourceId": &event.physical_id,
        "ResourceType": &event.resource_type,
        "Timestamp": seconds(event.timestamp_millis),
        "ResourceStatus": event.status.as_str(),
    })
    .with_some("ResourceStatusReason", event.reason.as_ref())
    .with_some("ResourceProperties", event.properties.as_ref())
    .with_some("ClientRequestToken", event.client_request_token.as_ref())
}
