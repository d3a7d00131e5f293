//! DeleteChangeSet.
//!
//! AWS CloudFormation API reference, "DeleteChangeSet" (read 2026-11).

use store::Table;
use value::Value;

use super::super::{error, stack};
use super::{check, find};
use crate::{Answer, Check, Error, Operation, Reading, Run, Writing};

pub(in super::super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DeleteChangeSet", checks: may_delete, run: Run::Write(delete) }];

fn may_delete(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "DeleteChangeSet", input)?])
}

/// Deleting what is not there succeeds, as long as the stack is. A stack that waited for the change
/// set goes on waiting: who wants it away deletes it.
fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let reading = on.reading();
    let Some(change_set) = find(&reading, input)? else { return Ok(Value::object()) };
    let stack = stack::find(&reading, &change_set.stack_id)?;
    let status = change_set.execution_status(stack.as_ref());
    if status == "EXECUTE_IN_PROGRESS" {
        return Err(error::not_deletable_change_set(&change_set.id, status));
    }
    on.store.delete(Table::ChangeSets, &change_set.key())?;
    Ok(Value::object())
}
