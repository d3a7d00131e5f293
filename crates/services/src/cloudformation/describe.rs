//! DescribeStacks and ListStacks.
//!
//! AWS CloudFormation API reference, "DescribeStacks" (read 2026-11).

use stacks::Status;
use value::{Value, value};

use super::error;
use super::stack::{self, Stack, seconds, shown_parameters};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many stacks a page has.
const PAGE_STACKS: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeStacks", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListStacks", checks: may_list, run: Run::Read(list) },
];

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    match input.maybe_text("StackName") {
        Some(name) => Ok(vec![stack::check_named(on, "DescribeStacks", name)?]),
        None => {
            let every = on.call.regional_arn("cloudformation", "stack/*/*");
            Ok(vec![Check::new("cloudformation:DescribeStacks", every)])
        }
    }
}

/// A stack by name or id, deleted ones by id only; or every stack that is not deleted.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    if let Some(name) = input.maybe_text("StackName") {
        let found = stack::find(on, name)?.ok_or_else(|| error::no_stack_with_id(name))?;
        return Ok(value!({ "Stacks": [described(on, &found)?] }));
    }
    let mut rows = stack::all(on)?;
    rows.retain(|(_, stack)| !stack.is_deleted());
    let page = stack::page(rows, input, PAGE_STACKS)?;
    let described = page.items.iter().map(|stack| described(on, stack));
    let described = described.collect::<Result<Vec<_>, _>>()?;
    Ok(value!({ "Stacks": described }).with_some("NextToken", page.next))
}

fn described(on: &Reading<'_>, stack: &Stack) -> Answer {
    let (state, about) = (&stack.state, &stack.about);
    let outputs = state.outputs.iter().map(|output| {
        value!({ "OutputKey": &output.key, "OutputValue": &output.value })
            .with_some("Description", output.description.as_ref())
            .with_some("ExportName", output.export_name.as_ref())
    });
    let deployed = state.deployed.as_ref();
    let parameters = deployed.map(|change| shown_parameters(&change.parameters));
    let protected = stack::find_name(on, stack.name())?
        .is_some_and(|name| name.is_protected && name.stack_id == stack.id());
    Ok(value!({
        "StackId": stack.id(),
        "StackName": stack.name(),
        "Parameters": parameters.unwrap_or_else(|| value!([])),
        "CreationTime": seconds(about.created_millis),
        "RollbackConfiguration": {},
        "StackStatus": state.status.as_str(),
        "DisableRollback": about.disable_rollback,
        "NotificationARNs": stack.holds().notification_arns.clone(),
        "Capabilities": stack.holds().capabilities.clone(),
        "Outputs": outputs.collect::<Value>(),
        "Tags": &stack.holds().tags,
        "EnableTerminationProtection": protected,
        "DriftInformation": { "StackDriftStatus": "NOT_CHECKED" },
    })
    .with_some("Description", state.template().and_then(|template| template.description()))
    .with_some("StackStatusReason", state.status_reason.as_ref())
    .with_some("RoleARN", about.role_arn.as_ref())
    .with_some("TimeoutInMinutes", about.timeout_minutes)
    .with_some("LastUpdatedTime", about.updated_millis.map(seconds))
    .with_some("DeletionTime", about.deleted_millis.map(seconds))
    .with_some("ChangeSetId", about.last.change_set_id.as_ref()))
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("cloudformation:ListStacks")])
}

/// Every stack, deleted ones too, the newest first.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let wanted = input.list("StackStatusFilter");
    let mut rows = stack::all(on)?;
    rows.retain(|(_, stack)| {
        let status = Value::from(stack.state.status.as_str());
        wanted.is_empty() || wanted.contains(&status)
    });
    let page = stack::page(rows, input, PAGE_STACKS)?;
    let items = page.items.iter().map(summary).collect::<Value>();
    Ok(value!({ "StackSummaries": items }).with_some("NextToken", page.next))
}

fn summary(stack: &Stack) -> Value {
    let (state, about) = (&stack.state, &stack.about);
    let deleted = about.deleted_millis.filter(|_| state.status == Status::DeleteComplete);
    value!({
        "StackId": stack.id(),
        "StackName": stack.name(),
        "CreationTime": seconds(about.created_millis),
        "StackStatus": state.status.as_str(),
        "DriftInformation": { "StackDriftStatus": "NOT_CHECKED" },
    })
    .with_some("TemplateDescription", state.template().and_then(|template| template.description()))
    .with_some("StackStatusReason", state.status_reason.as_ref())
    .with_some("LastUpdatedTime", about.updated_millis.map(seconds))
    .with_some("DeletionTime", deleted.map(seconds))
}
