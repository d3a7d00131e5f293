//! Change sets: a change of a stack that is looked at before it is made.
//!
//! A change set is made at once, within the request: nobody sees CREATE_PENDING. Whether it can be
//! executed is not stored: it can be as long as the stack stands where it stood, and its own
//! operation, once begun, is the stack's last.

mod create;
mod delete;
mod execute;
mod show;

pub(super) use create::OPERATIONS as CREATE;
pub(super) use delete::OPERATIONS as DELETE;
pub(super) use execute::OPERATIONS as EXECUTE;
pub(super) use show::OPERATIONS as SHOW;

use serde::{Deserialize, Serialize};
use stacks::{Change, OnFailure, Status};
use store::{Load, Scan, Table};
use value::Value;

use super::error;
use super::stack::{self, Asked, Stack};
use crate::{Check, Error, Input, Reading};

/// How many change sets are read at a time.
const CHANGE_SETS_READ_AT_ONCE: usize = 500;
/// The operation that makes the change, as a stack keeps it.
const EXECUTED: &str = "ExecuteChangeSet";

/// What is kept in `Table::ChangeSets`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ChangeSet {
    id: String,
    name: String,
    stack_id: String,
    stack_name: String,
    description: Option<String>,
    /// `ClientToken`.
    token: Option<String>,
    created_millis: i64,
    /// The stack's last operation when the change set was made.
    behind: u64,
    /// Why it failed; `None` when it can be executed.
    failure: Option<String>,
    change: Change,
    asked: Asked,
    role_arn: Option<String>,
    on_failure: OnFailure,
    /// What would change, as DescribeChangeSet shows it.
    changes: Vec<Value>,
}

impl ChangeSet {
    fn key(&self) -> String {
        key(&self.stack_id, &self.name)
    }

    fn status(&self) -> &'static str {
        if self.failure.is_some() { "FAILED" } else { "CREATE_COMPLETE" }
    }

    /// Returns whether it can be executed, or has been.
    fn execution_status(&self, stack: Option<&Stack>) -> &'static str {
        let Some(stack) = stack.filter(|_| self.failure.is_none()) else { return "UNAVAILABLE" };
        let last = &stack.about.last;
        if last.change_set_id.as_ref() != Some(&self.id) {
            return if last.number == self.behind { "AVAILABLE" } else { "OBSOLETE" };
        }
        if last.action != EXECUTED {
            // A later operation keeps the id, and says nothing about this one.
            return "OBSOLETE";
        }
        match stack.state.status {
            Status::CreateComplete
            | Status::UpdateComplete
            | Status::UpdateCompleteCleanupInProgress => "EXECUTE_COMPLETE",
            _ if stack.state.is_running() => "EXECUTE_IN_PROGRESS",
            _ => "EXECUTE_FAILED",
        }
    }
}

fn key(stack_id: &str, name: &str) -> String {
    format!("{stack_id}/{name}")
}

/// Returns the change sets whose keys begin with this.
fn beginning_with(on: &Reading<'_>, prefix: &str) -> Result<Vec<(String, ChangeSet)>, Error> {
    let mut found: Vec<(String, ChangeSet)> = Vec::new();
    // INVARIANT: ends, because each round starts behind the last key of the one before.
    loop {
        let behind = found.last().map(|(last, _)| last.as_str());
        let scan = Scan::prefix(prefix).after(behind).limit(CHANGE_SETS_READ_AT_ONCE);
        let rows: Vec<(String, ChangeSet)> = on.store.load_all(Table::ChangeSets, scan)?;
        if rows.is_empty() {
            return Ok(found);
        }
        found.extend(rows);
    }
}

/// Returns the change sets of a stack.
fn of_stack(on: &Reading<'_>, stack_id: &str) -> Result<Vec<(String, ChangeSet)>, Error> {
    beginning_with(on, &key(stack_id, ""))
}

/// Returns the change set that a request means by an ARN, or by a name and a stack.
///
/// # Errors
/// `ValidationError` for a name without a stack, and when there is no such stack.
fn find(on: &Reading<'_>, input: &Value) -> Result<Option<ChangeSet>, Error> {
    let name = input.text("ChangeSetName")?;
    if name.starts_with("arn:") {
        let stacks = on.call.regional_arn("cloudformation", "stack/");
        let all = beginning_with(on, &stacks)?.into_iter().map(|(_, found)| found);
        return Ok(all.filter(|found| found.id == name).last());
    }
    let Some(stack_name) = input.maybe_text("StackName") else {
        // UNVERIFIED: the exact words.
        return Err(Error::validation(
            "StackName must be specified if ChangeSetName is not an ARN.",
        ));
    };
    let stack = stack::find(on, stack_name)?.ok_or_else(|| error::no_stack(stack_name))?;
    Ok(on.store.load(Table::ChangeSets, &key(stack.id(), name))?)
}

/// Returns the change set that a request means.
///
/// # Errors
/// `ChangeSetNotFound` when there is none.
fn wanted(on: &Reading<'_>, input: &Value) -> Result<ChangeSet, Error> {
    find(on, input)?
        .ok_or_else(|| error::no_change_set(input.maybe_text("ChangeSetName").unwrap_or_default()))
}

/// Returns the template of the change set that a request means, byte for byte.
pub(super) fn template_text(on: &Reading<'_>, input: &Value) -> Result<String, Error> {
    stack::definition_text(on.store, &wanted(on, input)?.asked.definition)
}

/// Returns the question about an action on the change set that a request means: it is asked of the
/// stack, with the name of the change set as a condition key.
pub(super) fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    let name = input.text("ChangeSetName")?;
    let found = find(on, input);
    let check = match (&found, input.maybe_text("StackName")) {
        (Ok(Some(found)), _) => stack::check_named(on, action, &found.stack_id)?,
        (_, Some(stack_name)) => stack::check_named(on, action, stack_name)?,
        (Ok(None) | Err(_), None) => {
            let arn = on.call.regional_arn("cloudformation", "stack/*/*");
            Check::new(format!("cloudformation:{action}"), arn)
        }
    };
    Ok(check.with("cloudformation:ChangeSetName", vec![name.to_owned()]))
}
