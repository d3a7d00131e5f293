//! DescribeStackEvents.
//!
//! AWS CloudFormation API reference, "StackEvent" (read 2026-11).

use stacks::StackEvent;
use store::{Load, Scan, Table};
use value::{Value, value};

use super::error;
use super::stack::{self, seconds};
use crate::page::cut;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many events a page has.
const PAGE_ITEMS: usize = 100;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DescribeStackEvents", checks: may_describe, run: Run::Read(describe) }];

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![stack::check(on, "DescribeStackEvents", input)?])
}

/// Newest first, as the keys are.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let name = input.text("StackName")?;
    let found = stack::find(on, name)?.ok_or_else(|| error::no_stack(name))?;
    let (after, prefix) = (stack::after(input)?, format!("{}/", found.id()));
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(PAGE_ITEMS + 1);
    let rows: Vec<(String, StackEvent)> = on.store.load_all(Table::StackEvents, scan)?;
    let page = cut(rows, after.as_deref(), PAGE_ITEMS);
    let events: Value = page.items.into_iter().map(shown).collect();
    Ok(value!({ "StackEvents": events }).with_some("NextToken", page.next))
}

fn shown(event: StackEvent) -> Value {
    // Tokens made by `operation::token` have a slash, which the caller's cannot have.
    let token = event.client_request_token.filter(|token| !token.contains('/'));
    value!({
        "StackId": event.stack_id,
        "EventId": event.event_id,
        "StackName": event.stack_name,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.resource_type,
        "Timestamp": seconds(event.timestamp_millis),
        "ResourceStatus": event.status.as_str(),
    })
    .with_some("ResourceStatusReason", event.reason)
    .with_some("ResourceProperties", event.properties)
    .with_some("ClientRequestToken", token)
}
