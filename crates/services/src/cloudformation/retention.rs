//! Removes stacks that were deleted long ago.

use store::{Load, Read, Scan, Table, Transaction};

use super::stack::{Name, Stack};
use crate::Error;
use crate::retention::{Budget, Kind, Looked, ROWS_PER_LOOK_MAX, Removed};

pub(crate) const PURGED: &Kind = &Kind { name: "stack", look, remove };

fn look(store: &dyn Read, behind: Option<&str>, before_millis: i64) -> Result<Looked, Error> {
    let scan = Scan::prefix("").after(behind).limit(ROWS_PER_LOOK_MAX);
    let rows: Vec<(String, Stack)> = store.load_all(Table::Stacks, scan)?;
    let is_last = rows.len() < ROWS_PER_LOOK_MAX;
    let next = rows.last().map(|(last, _)| last.clone()).filter(|_| !is_last);
    let due = rows.into_iter().filter(|(_, stack)| is_due(stack, before_millis));
    Ok(Looked { due: due.map(|(id, _)| id).collect(), next })
}

fn is_due(stack: &Stack, before_millis: i64) -> bool {
    // What `OnFailure` deletes has no time of its own; it was deleted soon after its creation.
    let deleted_millis = stack.about.deleted_millis.unwrap_or(stack.about.created_millis);
    stack.is_deleted() && deleted_millis < before_millis
}

/// Events and operations go first, so that the stack still leads to what is left of them.
fn remove(
    tx: &mut dyn Transaction,
    id: &str,
    before_millis: i64,
    budget: &mut Budget,
) -> Result<Removed, Error> {
    let stack: Option<Stack> = tx.load(Table::Stacks, id)?;
    let Some(stack) = stack.filter(|stack| is_due(stack, before_millis)) else {
        return Ok(Removed::Stays);
    };
    for table in [Table::StackEvents, Table::StackOperations, Table::ChangeSets] {
        if !budget.remove_all(tx, table, &format!("{id}/"))? {
            return Ok(Removed::Partly);
        }
    }
    // A name that leads to no stack is reserved; this one is free.
    let identity = &stack.state.identity;
    let key = format!("{}/{}/{}", identity.account, identity.region, identity.stack_name);
    if tx.load::<Name>(Table::StacksByName, &key)?.is_some_and(|name| name.stack_id == id) {
        tx.delete(Table::StacksByName, &key)?;
    }
    tx.delete(Table::Stacks, id)?;
    Ok(Removed::Gone)
}
