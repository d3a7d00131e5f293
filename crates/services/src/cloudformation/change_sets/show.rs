//! DescribeChangeSet and ListChangeSets.
//!
//! AWS CloudFormation API reference, "DescribeChangeSet" and "ChangeSetSummary" (read 2026-11).

use value::{Value, value};

use super::super::{error, stack};
use super::{ChangeSet, check, of_stack, wanted};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many changes or change sets a page has.
const PAGE_ITEMS: usize = 100;

pub(in super::super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeChangeSet", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListChangeSets", checks: may_list, run: Run::Read(list) },
];

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "DescribeChangeSet", input)?])
}

// DIFFERS: IncludePropertyValues adds no BeforeContext and AfterContext.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let change_set = wanted(on, input)?;
    let rows = change_set.changes.iter().enumerate();
    let rows = rows.map(|(at, change)| (format!("{at:06}"), change.clone())).collect();
    let page = stack::page(rows, input, PAGE_ITEMS)?;
    let (asked, parameters) = (&change_set.asked, &change_set.change.parameters);
    let parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
    Ok(summary(on, &change_set)?
        .with("Changes", page.items)
        .with("NotificationARNs", asked.notification_arns.clone())
        .with("Capabilities", asked.capabilities.clone())
        .with("Tags", &asked.tags)
        .with("RollbackConfiguration", Value::object())
        .with_some("Parameters", parameters.map(stack::shown_parameters))
        .with_some("NextToken", page.next))
}

/// Returns what lists show of a change set.
fn summary(on: &Reading<'_>, change_set: &ChangeSet) -> Answer {
    let stack = stack::find(on, &change_set.stack_id)?;
    Ok(value!({
        "ChangeSetId": &change_set.id,
        "ChangeSetName": &change_set.name,
        "StackId": &change_set.stack_id,
        "StackName": &change_set.stack_name,
        "CreationTime": stack::seconds(change_set.created_millis),
        "Status": change_set.status(),
        "ExecutionStatus": change_set.execution_status(stack.as_ref()),
        "IncludeNestedStacks": false,
    })
    .with_some("Description", change_set.description.clone())
    .with_some("StatusReason", change_set.failure.clone()))
}

fn may_list(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![stack::check(on, "ListChangeSets", input)?])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let name = input.text("StackName")?;
    let stack = stack::find(on, name)?.ok_or_else(|| error::no_stack(name))?;
    let page = stack::page(of_stack(on, stack.id())?, input, PAGE_ITEMS)?;
    let items = page.items.iter().map(|one| summary(on, one)).collect::<Result<Vec<_>, _>>()?;
    Ok(value!({ "Summaries": items }).with_some("NextToken", page.next))
}
