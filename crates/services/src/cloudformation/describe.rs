//! DescribeStacks and ListStacks.
//!
//! AWS CloudFormation API reference, "Stack" and "StackSummary" (read 2026-11).

use value::{Value, value};

use super::stack::{self, Stack, seconds};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many stacks a page has.
const PAGE_ITEMS: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeStacks", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListStacks", checks: may_list, run: Run::Read(list) },
];

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    match input.maybe_text("StackName") {
        Some(name) => Ok(vec![stack::check_named(on, "DescribeStacks", name)?]),
        None => Ok(vec![Check::any("cloudformation:DescribeStacks")]),
    }
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    if input.get("StackName").is_some() {
        let shown = shown(on, &stack::wanted(on, input)?)?;
        return Ok(value!({ "Stacks": [shown] }));
    }
    let mut stacks = stack::all(on)?;
    stacks.retain(|(_, stack)| !stack.is_deleted());
    let page = stack::page(stacks, input, PAGE_ITEMS)?;
    let shown: Vec<Value> =
        page.items.iter().map(|stack| shown(on, stack)).collect::<Result<_, _>>()?;
    Ok(value!({ "Stacks": shown }).with_some("NextToken", page.next))
}

fn shown(on: &Reading<'_>, stack: &Stack) -> Answer {
    let (state, about, holds) = (&stack.state, &stack.about, stack.holds());
    let name = stack::find_name(on, stack.name())?;
    let is_protected = name.is_some_and(|name| name.is_protected && name.stack_id == stack.id());
    let parameters = state.deployed.as_ref().map(|change| &change.parameters);
    let parameters = parameters.filter(|parameters| !parameters.is_empty());
    let outputs = Some(outputs(stack)).filter(|_| !state.outputs.is_empty());
    let capabilities = Some(holds.capabilities.clone()).filter(|all| !all.is_empty());
    let description = state.template().and_then(stacks::Template::description);
    Ok(value!({
        "StackId": stack.id(),
        "StackName": stack.name(),
        "CreationTime": seconds(about.created_millis),
        "RollbackConfiguration": {},
        "StackStatus": state.status.as_str(),
        "DisableRollback": about.disable_rollback,
        "NotificationARNs": holds.notification_arns.clone(),
        "Tags": &holds.tags,
        "EnableTerminationProtection": is_protected,
        "DriftInformation": { "StackDriftStatus": "NOT_CHECKED" },
    })
    .with_some("ChangeSetId", about.last.change_set_id.clone())
    .with_some("Description", description)
    .with_some("Parameters", parameters.map(stack::shown_parameters))
    .with_some("Outputs", outputs)
    .with_some("Capabilities", capabilities)
    .with_some("LastUpdatedTime", about.updated_millis.map(seconds))
    .with_some("DeletionTime", about.deleted_millis.map(seconds))
    .with_some("StackStatusReason", state.status_reason.clone())
    .with_some("TimeoutInMinutes", about.timeout_minutes)
    .with_some("RoleARN", about.role_arn.clone()))
}

fn outputs(stack: &Stack) -> Value {
    let outputs = stack.state.outputs.iter().map(|output| {
        value!({ "OutputKey": &output.key, "OutputValue": &output.value })
            .with_some("Description", output.description.clone())
            .with_some("ExportName", output.export_name.clone())
    });
    outputs.collect()
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("cloudformation:ListStacks")])
}

/// Deleted stacks are listed too.
// DIFFERS: AWS forgets a deleted stack after 90 days; here it stays.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let wanted: Vec<&str> =
        input.list("StackStatusFilter").iter().filter_map(Value::as_str).collect();
    let mut stacks = stack::all(on)?;
    stacks.retain(|(_, stack)| wanted.is_empty() || wanted.contains(&stack.state.status.as_str()));
    let page = stack::page(stacks, input, PAGE_ITEMS)?;
    let items: Value = page.items.iter().map(summary).collect();
    Ok(value!({ "StackSummaries": items }).with_some("NextToken", page.next))
}

fn summary(stack: &Stack) -> Value {
    let (state, about) = (&stack.state, &stack.about);
    value!({
        "StackId": stack.id(),
        "StackName": stack.name(),
        "CreationTime": seconds(about.created_millis),
        "StackStatus": state.status.as_str(),
        "DriftInformation": { "StackDriftStatus": "NOT_CHECKED" },
    })
    .with_some("TemplateDescription", state.template().and_then(stacks::Template::description))
    .with_some("LastUpdatedTime", about.updated_millis.map(seconds))
    .with_some("DeletionTime", about.deleted_millis.map(seconds))
    .with_some("StackStatusReason", state.status_reason.clone())
}
