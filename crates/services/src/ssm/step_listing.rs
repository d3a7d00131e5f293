//! DescribeAutomationStepExecutions: the steps of one execution that have begun.
//!
//! AWS Systems Manager API reference, "StepExecutionFilter" (read 2026-11).

use value::{Value, value};

use super::automations::{after, check, check_status, filter_millis, find, limit, millis, values};
use super::error;
use crate::page::cut;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "DescribeAutomationStepExecutions",
    checks: may_describe,
    run: Run::Read(describe),
}];

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "DescribeAutomationStepExecutions", input)
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let filters = input.list("Filters");
    filters.iter().try_for_each(check_filter)?;
    let after = after(input)?;
    let record = find(on.store, input.text("AutomationExecutionId")?)?;
    // "All active and terminated step executions": those that were not reached are neither.
    let begun = record.list("StepExecutions").iter().filter(|step| {
        step.maybe_text("StepStatus") != Some("Pending")
            && filters.iter().all(|filter| holds(step, filter))
    });
    let mut steps: Vec<&Value> = begun.collect();
    if input.flag("ReverseOrder") {
        steps.reverse();
    }
    let rows = steps.into_iter().enumerate().map(|(at, step)| (format!("{at:06}"), step));
    let page = cut(rows, after.as_deref(), limit(input));
    let steps: Value = page.items.into_iter().cloned().collect();
    Ok(value!({ "StepExecutions": steps }).with_some("NextToken", page.next))
}

/// Refuses a filter that means nothing.
fn check_filter(filter: &Value) -> Result<(), Error> {
    let mut values = values(filter);
    match filter.maybe_text("Key").unwrap_or_default() {
        "StepExecutionStatus" => values.try_for_each(check_status),
        "StartTimeBefore" | "StartTimeAfter" => {
            values.try_for_each(|value| filter_millis(value).map(drop))
        }
        "ParentStepIteration" => values.try_for_each(|value| match value.parse::<i64>() {
            Ok(_) => Ok(()),
            Err(_) => Err(error::invalid_filter_value(value)),
        }),
        "StepExecutionId"
        | "StepName"
        | "Action"
        | "ParentStepExecutionId"
        | "ParentStepIteratorValue" => Ok(()),
        other => Err(error::invalid_filter_key(other)),
    }
}

/// Whether a step passes one filter.
fn holds(step: &Value, filter: &Value) -> bool {
    let text = |path: &[&str]| step.path(path).and_then(Value::as_str).unwrap_or_default();
    let mut values = values(filter);
    let path: &[&str] = match filter.maybe_text("Key").unwrap_or_default() {
        "StepExecutionStatus" => &["StepStatus"],
        "StepExecutionId" => &["StepExecutionId"],
        "StepName" => &["StepName"],
        "Action" => &["Action"],
        "ParentStepExecutionId" => &["ParentStepDetails", "StepExecutionId"],
        "ParentStepIteratorValue" => return values.any(|value| is_iterator_value(step, value)),
        "ParentStepIteration" => {
            let number = step.path(&["ParentStepDetails", "Iteration"]).and_then(Value::as_i64);
            return values.any(|value| value.parse().ok() == number && number.is_some());
        }
        key => {
            let Some(started) = millis(step, "ExecutionStartTime") else { return false };
            let is_before = key == "StartTimeBefore";
            return values
                .filter_map(|value| filter_millis(value).ok())
                .any(|bound| if is_before { started <= bound } else { bound <= started });
        }
    };
    values.any(|value| text(path) == value)
}

/// Whether a step ran for this element of its loop's list; a text may stand without its quotes.
fn is_iterator_value(step: &Value, value: &str) -> bool {
    let found = step.path(&["ParentStepDetails", "IteratorValue"]).and_then(Value::as_str);
    found.is_some_and(|found| found == value || found == Value::from(value).to_json())
}
