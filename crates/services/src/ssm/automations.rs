//! Automation executions: what they did.

use store::{Load, Read, Table};
use value::{Value, value};

use super::error;
use crate::page::open_marker;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many step executions GetAutomationExecution gives.
// UNVERIFIED: AWS says that there may be more than it gives, not how many it gives.
const STEP_EXECUTIONS_MAX: usize = 100;
/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 50;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "GetAutomationExecution", checks: may_get, run: Run::Read(get) }];

/// Returns the record of an execution.
///
/// # Errors
/// When there is none.
pub(super) fn find(store: &dyn Read, id: &str) -> Result<Value, Error> {
    maybe(store, id)?.ok_or_else(|| error::execution_not_found(id))
}

/// Returns the record of an execution, if there is one.
pub(super) fn maybe(store: &dyn Read, id: &str) -> Result<Option<Value>, Error> {
    let mut record: Option<Value> = store.load(Table::Automations, id)?;
    if let Some(record) = &mut record {
        // What the server keeps for itself.
        record.object_mut().retain(|key, _| !key.starts_with('$'));
    }
    Ok(record)
}

/// Asks for an action on the execution that a request names.
pub(super) fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    let id = input.text("AutomationExecutionId")?;
    let arn = on.call.regional_arn("ssm", &format!("automation-execution/{id}"));
    Ok(vec![Check::new(format!("ssm:{action}"), arn)])
}

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "GetAutomationExecution", input)
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let mut record = find(on.store, input.text("AutomationExecutionId")?)?;
    let steps = record.list("StepExecutions");
    if STEP_EXECUTIONS_MAX < steps.len() {
        let first: Value = steps.iter().take(STEP_EXECUTIONS_MAX).collect();
        record.set("StepExecutions", first);
        record.set("StepExecutionsTruncated", true);
    }
    Ok(value!({ "AutomationExecution": record }))
}

/// Returns where a page begins.
pub(super) fn after(input: &Value) -> Result<Option<String>, Error> {
    match input.maybe_text("NextToken") {
        Some(token) => Ok(Some(open_marker(token).ok_or_else(error::invalid_next_token)?)),
        None => Ok(None),
    }
}

/// Returns how many items a page has.
pub(super) fn limit(input: &Value) -> usize {
    let asked = input.integer("MaxResults").and_then(|asked| usize::try_from(asked).ok());
    asked.filter(|asked| *asked > 0).unwrap_or(PAGE_ITEMS_DEFAULT)
}

/// Returns the values of a filter.
pub(super) fn values(filter: &Value) -> impl Iterator<Item = &str> {
    filter.list("Values").iter().filter_map(Value::as_str)
}

/// Returns the epoch milliseconds of a filter's ISO 8601 time.
///
/// # Errors
/// When it is none.
pub(super) fn filter_millis(text: &str) -> Result<i64, Error> {
    let time = asl::Timestamp::parse(text);
    time.map(asl::Timestamp::millis).ok_or_else(|| error::invalid_filter_value(text))
}

/// Returns a time of a record, in milliseconds.
pub(super) fn millis(record: &Value, member: &str) -> Option<i64> {
    let seconds = record.get(member).and_then(Value::as_f64)?;
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    Some((seconds * 1000.0).round() as i64)
}

/// Refuses a status that there is not.
pub(super) fn check_status(status: &str) -> Result<(), Error> {
    if STATUSES.contains(&status) { Ok(()) } else { Err(error::invalid_filter_value(status)) }
}

/// `AutomationExecutionStatus`.
const STATUSES: [&str; 19] = [
    "Pending",
    "InProgress",
    "Waiting",
    "Success",
    "TimedOut",
    "Cancelling",
    "Cancelled",
    "Failed",
    "PendingApproval",
    "Approved",
    "Rejected",
    "Scheduled",
    "RunbookInProgress",
    "PendingChangeCalendarOverride",
    "ChangeCalendarOverrideApproved",
    "ChangeCalendarOverrideRejected",
    "CompletedWithSuccess",
    "CompletedWithFailure",
    "Exited",
];
