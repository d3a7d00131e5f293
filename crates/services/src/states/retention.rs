//! Removes executions that ended long ago.
//!
//! The index has them by machine and, within a machine, the newest first: those that began before a
//! time stand together at the end.

use runtime::newest_first;
use store::{Load, Read, Scan, Table, Transaction};
use value::Value;

use crate::retention::{Budget, Kind, Looked, ROWS_PER_LOOK_MAX, Removed};
use crate::{Error, Input};

pub(crate) const PURGED: &Kind = &Kind { name: "execution", look, remove };

/// Sorts behind every time in a key.
const BEHIND_TIMES: char = '~';

fn look(store: &dyn Read, behind: Option<&str>, before_millis: i64) -> Result<Looked, Error> {
    let next = store.scan(Table::ExecutionsByStart, Scan::prefix("").after(behind).limit(1))?;
    let Some(machine) = next.first().and_then(|(key, _)| whose(key)) else {
        return Ok(Looked { due: Vec::new(), next: None });
    };
    // What ended before a time began before it.
    let prefix = format!("{machine}/");
    let began_before = format!("{prefix}{}", newest_first(before_millis));
    let from = behind.unwrap_or_default().max(&began_before);
    let scan = Scan::prefix(&prefix).after(Some(from)).limit(ROWS_PER_LOOK_MAX);
    let rows: Vec<(String, String)> = store.load_all(Table::ExecutionsByStart, scan)?;
    let next = match rows.last() {
        Some((last, _)) if rows.len() == ROWS_PER_LOOK_MAX => last.clone(),
        Some(_) | None => format!("{prefix}{BEHIND_TIMES}"),
    };
    let mut due = Vec::new();
    for (key, arn) in rows {
        if is_due(store, &arn, before_millis)? {
            due.push(key);
        }
    }
    Ok(Looked { due, next: Some(next) })
}

/// Returns whose execution a key lists: a state machine's, or a map run's, whose ARN has a slash.
fn whose(key: &str) -> Option<&str> {
    let at = key.find(":mapRun:").and_then(|at| key.get(at..)?.find('/').map(|more| at + more + 1));
    let from = at.unwrap_or(0);
    let slash = key.get(from..)?.find('/')?;
    key.get(..from + slash)
}

fn is_due(store: &dyn Read, arn: &str, before_millis: i64) -> Result<bool, Error> {
    let record: Option<Value> = store.load(Table::Executions, arn)?;
    // One without a record is half removed.
    let Some(record) = record else { return Ok(true) };
    let stopped = record.get("stopDate").and_then(Value::as_f64);
    let is_before = stopped.is_some_and(|seconds| seconds * 1000.0 < before_millis as f64);
    Ok(record.maybe_text("status") != Some("RUNNING") && is_before)
}

/// The history goes early, so that the rest still leads to what is left of it.
fn remove(
    tx: &mut dyn Transaction,
    key: &str,
    before_millis: i64,
    budget: &mut Budget,
) -> Result<Removed, Error> {
    let Some(arn) = tx.load::<String>(Table::ExecutionsByStart, key)? else {
        return Ok(Removed::Stays);
    };
    if !is_due(tx.as_read(), &arn, before_millis)? {
        return Ok(Removed::Stays);
    }
    // It must not be redriven when half of it is gone.
    tx.delete(Table::Redrives, &arn)?;
    let prefix = format!("{arn}/");
    // Answers to effects that were called off: the next execution of this name would take them for
    // its own.
    for table in [Table::History, Table::Applied] {
        if !budget.remove_all(tx, table, &prefix)? {
            return Ok(Removed::Partly);
        }
    }
    let map_runs = tx.load_all::<String>(Table::MapRunsByExecution, Scan::prefix(&prefix))?;
    for (_, map_run) in map_runs {
        // What was being read when the map run was stopped.
        if !budget.remove_all(tx, Table::MapRunItems, &format!("{map_run}/"))? {
            return Ok(Removed::Partly);
        }
        tx.delete(Table::MapRuns, &map_run)?;
    }
    if !budget.remove_all(tx, Table::MapRunsByExecution, &prefix)? {
        return Ok(Removed::Partly);
    }
    tx.delete(Table::Executions, &arn)?;
    tx.delete(Table::ExecutionsByStart, key)?;
    Ok(Removed::Gone)
}
