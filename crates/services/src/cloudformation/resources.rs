//! DescribeStackResources, DescribeStackResource, ListStackResources.
//!
//! AWS CloudFormation API reference, "DescribeStackResources" (read 2026-11).

use stacks::ResourceRecord;
use value::{Value, value};

use super::stack::{self, Stack, seconds};
use crate::{Answer, Error, Input, Operation, Reading, Run};

/// How many resources a page has.
const PAGE_RESOURCES: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "DescribeStackResources",
        checks: |on, input| Ok(vec![stack::check(on, "DescribeStackResources", input)?]),
        run: Run::Read(describe_all),
    },
    Operation {
        name: "DescribeStackResource",
        checks: |on, input| Ok(vec![stack::check(on, "DescribeStackResource", input)?]),
        run: Run::Read(describe_one),
    },
    Operation {
        name: "ListStackResources",
        checks: |on, input| Ok(vec![stack::check(on, "ListStackResources", input)?]),
        run: Run::Read(list),
    },
];

fn common(record: &ResourceRecord) -> Value {
    value!({
        "LogicalResourceId": &record.logical_id,
        "PhysicalResourceId": &record.physical_id,
        "ResourceType": &record.resource_type,
        "ResourceStatus": record.status.as_str(),
        "DriftInformation": { "StackResourceDriftStatus": "NOT_CHECKED" },
    })
    .with_some("ResourceStatusReason", record.status_reason.as_ref())
}

fn shown(stack: &Stack, record: &ResourceRecord) -> Value {
    common(record).with("StackId", stack.id()).with("StackName", stack.name())
}

fn describe_all(on: &Reading<'_>, input: &Value) -> Answer {
    let found = stack::wanted(on, input)?;
    let wanted = input.maybe_text("LogicalResourceId");
    let resources = found.state.resources.iter();
    let resources =
        resources.filter(|record| wanted.is_none_or(|wanted| wanted == record.logical_id));
    let shown = resources
        .map(|record| shown(&found, record).with("Timestamp", seconds(record.timestamp_millis)));
    Ok(value!({ "StackResources": shown.collect::<Value>() }))
}

fn describe_one(on: &Reading<'_>, input: &Value) -> Answer {
    let found = stack::wanted(on, input)?;
    let wanted = input.text("LogicalResourceId")?;
    let record = found.state.resources.iter().find(|record| record.logical_id == wanted);
    let record = record.ok_or_else(|| {
        Error::validation(format!("Resource {wanted} does not exist for stack {}", found.name()))
    })?;
    let detail = shown(&found, record)
        .with("LastUpdatedTimestamp", seconds(record.timestamp_millis))
        .with("Metadata", "{}");
    Ok(value!({ "StackResourceDetail": detail }))
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let found = stack::wanted(on, input)?;
    let rows = found.state.resources.iter().map(|record| {
        let shown = common(record).with("LastUpdatedTimestamp", seconds(record.timestamp_millis));
        (record.logical_id.clone(), shown)
    });
    let mut rows: Vec<(String, Value)> = rows.collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    let page = stack::page(rows, input, PAGE_RESOURCES)?;
    Ok(value!({ "StackResourceSummaries": page.items }).with_some("NextToken", page.next))
}
