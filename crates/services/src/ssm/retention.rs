//! Removes runbook executions that ended long ago.

use runtime::{automation_tags_key, newest_first};
use store::{Load, Read, Scan, Table, Transaction};
use value::Value;

use crate::retention::{Budget, Kind, Looked, ROWS_PER_LOOK_MAX, Removed};
use crate::{Error, Input};

pub(crate) const PURGED: &Kind = &Kind { name: "automation", look, remove };

/// The index has the newest first: those that began before a time stand together at its end.
fn look(store: &dyn Read, behind: Option<&str>, before_millis: i64) -> Result<Looked, Error> {
    let began_before = newest_first(before_millis);
    let from = behind.unwrap_or_default().max(&began_before);
    let scan = Scan::prefix("").after(Some(from)).limit(ROWS_PER_LOOK_MAX);
    let rows: Vec<(String, String)> = store.load_all(Table::AutomationsByStart, scan)?;
    let is_last = rows.len() < ROWS_PER_LOOK_MAX;
    let next = rows.last().map(|(last, _)| last.clone()).filter(|_| !is_last);
    let mut due = Vec::new();
    for (key, id) in rows {
        if is_due(store, &id, before_millis)? {
            due.push(key);
        }
    }
    Ok(Looked { due, next })
}

fn is_due(store: &dyn Read, id: &str, before_millis: i64) -> Result<bool, Error> {
    let record: Option<Value> = store.load(Table::Automations, id)?;
    let Some(record) = record else { return Ok(true) };
    // Only what has ended has an end.
    let ended = record.get("ExecutionEndTime").and_then(Value::as_f64);
    Ok(ended.is_some_and(|seconds| seconds * 1000.0 < before_millis as f64))
}

fn remove(
    tx: &mut dyn Transaction,
    key: &str,
    before_millis: i64,
    _: &mut Budget,
) -> Result<Removed, Error> {
    let Some(id) = tx.load::<String>(Table::AutomationsByStart, key)? else {
        return Ok(Removed::Stays);
    };
    if !is_due(tx.as_read(), &id, before_millis)? {
        return Ok(Removed::Stays);
    }
    let record: Option<Value> = tx.load(Table::Automations, &id)?;
    let parent = record.as_ref().and_then(|it| it.maybe_text("ParentAutomationExecutionId"));
    if let Some(parent) = parent {
        tx.delete(Table::AutomationsByParent, &format!("{parent}/{key}"))?;
    }
    tx.delete(Table::Tags, &automation_tags_key(&id))?;
    tx.delete(Table::Automations, &id)?;
    tx.delete(Table::AutomationsByStart, key)?;
    Ok(Removed::Gone)
}
