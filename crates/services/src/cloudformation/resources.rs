//! The resources of a stack: DescribeStackResources and its kin.
//!
//! AWS CloudFormation API reference, "StackResource", "StackResourceDetail" and
//! "StackResourceSummary" (read 2026-11).

use stacks::ResourceRecord;
use value::{Value, value};

use super::error;
use super::stack::{self, Stack, seconds};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many resources a page has.
const PAGE_ITEMS: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "DescribeStackResources",
        checks: may_describe_all,
        run: Run::Read(describe_all),
    },
    Operation {
        name: "DescribeStackResource",
        checks: may_describe_one,
        run: Run::Read(describe_one),
    },
    Operation { name: "ListStackResources", checks: may_list, run: Run::Read(list) },
];

/// Returns what the three operations show of a resource; they name its time differently.
fn shown(resource: &ResourceRecord, time: &str) -> Value {
    let physical_id = Some(&*resource.physical_id).filter(|id| !id.is_empty());
    value!({
        "LogicalResourceId": &resource.logical_id,
        "ResourceType": &resource.resource_type,
        "ResourceStatus": resource.status.as_str(),
        "DriftInformation": { "StackResourceDriftStatus": "NOT_CHECKED" },
    })
    .with(time, seconds(resource.timestamp_millis))
    .with_some("PhysicalResourceId", physical_id)
    .with_some("ResourceStatusReason", resource.status_reason.clone())
}

fn of_stack(shown: Value, stack: &Stack) -> Value {
    shown.with("StackId", stack.id()).with("StackName", stack.name())
}

/// Returns the stack that a request names, or that has the resource it names.
fn found(on: &Reading<'_>, input: &Value) -> Result<Stack, Error> {
    if input.get("StackName").is_some() {
        return stack::wanted(on, input);
    }
    // UNVERIFIED: the exact words.
    let wanted = input.maybe_text("PhysicalResourceId").ok_or_else(|| {
        Error::validation("Either StackName or PhysicalResourceId must be specified")
    })?;
    let has =
        |stack: &Stack| stack.state.resources.iter().any(|resource| resource.physical_id == wanted);
    let mut stacks = stack::all(on)?.into_iter().map(|(_, stack)| stack);
    stacks
        .find(|stack| !stack.is_deleted() && has(stack))
        .ok_or_else(|| Error::validation(format!("Stack for {wanted} does not exist")))
}

fn may_describe_all(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    if let Some(name) = input.maybe_text("StackName") {
        return Ok(vec![stack::check_named(on, "DescribeStackResources", name)?]);
    }
    let arn = on.call.regional_arn("cloudformation", "stack/*/*");
    Ok(vec![Check::new("cloudformation:DescribeStackResources", arn)])
}

fn describe_all(on: &Reading<'_>, input: &Value) -> Answer {
    let stack = found(on, input)?;
    let wanted = input.maybe_text("LogicalResourceId");
    let resources = stack.state.resources.iter();
    let resources = resources.filter(|resource| wanted.is_none_or(|id| resource.logical_id == id));
    let shown: Value =
        resources.map(|resource| of_stack(shown(resource, "Timestamp"), &stack)).collect();
    Ok(value!({ "StackResources": shown }))
}

fn may_describe_one(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![stack::check(on, "DescribeStackResource", input)?])
}

fn describe_one(on: &Reading<'_>, input: &Value) -> Answer {
    let name = input.text("StackName")?;
    let stack = stack::find(on, name)?.ok_or_else(|| error::no_stack(name))?;
    let wanted = input.text("LogicalResourceId")?;
    let resource = stack.state.resources.iter().find(|resource| resource.logical_id == wanted);
    let resource = resource.ok_or_else(|| {
        Error::validation(format!("Resource {wanted} does not exist for stack {}", stack.name()))
    })?;
    let declared = stack.state.template().and_then(|template| template.resource(wanted));
    let metadata = declared.and_then(|declared| declared.get("Metadata"));
    let metadata = metadata.map_or_else(|| "{}".to_owned(), ToString::to_string);
    let shown = of_stack(shown(resource, "LastUpdatedTimestamp"), &stack);
    Ok(value!({ "StackResourceDetail": shown.with("Metadata", metadata) }))
}

fn may_list(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![stack::check(on, "ListStackResources", input)?])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let stack = stack::wanted(on, input)?;
    let rows = stack.state.resources.iter().enumerate();
    let rows = rows.map(|(at, one)| (format!("{at:06}"), shown(one, "LastUpdatedTimestamp")));
    let page = stack::page(rows.collect(), input, PAGE_ITEMS)?;
    Ok(value!({ "StackResourceSummaries": page.items }).with_some("NextToken", page.next))
}
