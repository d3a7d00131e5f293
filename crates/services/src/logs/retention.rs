//! Removes log events that nobody can read any more: those of deleted groups, of a group before it
//! was created again, and those older than the group's policy.

use store::{Load, Read, Scan, Table, Transaction};

use super::groups::Group;
use crate::Error;
use crate::retention::{Budget, Kind, Looked, ROWS_PER_LOOK_MAX, Removed};

pub(crate) const PURGED: &Kind = &Kind { name: "log_group", look, remove };

/// Returns before when the events of a group are to go.
fn until_millis(group: &Group, now_millis: i64) -> i64 {
    if group.is_deleted { i64::MAX } else { group.since_millis(now_millis) }
}

/// Returns the key of the first event, if it is to go.
fn first_due(store: &dyn Read, group: &Group, now_millis: i64) -> Result<Option<String>, Error> {
    let prefix = format!("{}:", group.arn);
    let first = store.scan(Table::LogEvents, Scan::prefix(&prefix).limit(1))?;
    let until = format!("{prefix}{:013}", until_millis(group, now_millis).max(0));
    let first = first.into_iter().map(|(key, _)| key).next();
    Ok(first.filter(|key| group.is_deleted || *key < until))
}

/// Looks at some groups; `now_millis` is what the retention of executions calls the time before
/// which things have ended: nothing is added to it here.
fn look(store: &dyn Read, behind: Option<&str>, now_millis: i64) -> Result<Looked, Error> {
    let scan = Scan::prefix("").after(behind).limit(ROWS_PER_LOOK_MAX);
    let rows: Vec<(String, Group)> = store.load_all(Table::LogGroups, scan)?;
    let next = rows.last().filter(|_| rows.len() == ROWS_PER_LOOK_MAX).map(|(key, _)| key.clone());
    let mut due = Vec::new();
    for (key, group) in rows {
        if first_due(store, &group, now_millis)?.is_some() {
            due.push(key);
        }
    }
    Ok(Looked { due, next })
}

/// Removes the events of one group that are to go, oldest first. A deleted group stays as it is
/// stored: executions that began before it was deleted may still write.
fn remove(
    tx: &mut dyn Transaction,
    key: &str,
    now_millis: i64,
    budget: &mut Budget,
) -> Result<Removed, Error> {
    let Some(group) = tx.load::<Group>(Table::LogGroups, key)? else { return Ok(Removed::Stays) };
    let mut removed = Removed::Stays;
    while let Some(event) = first_due(tx.as_read(), &group, now_millis)? {
        if !budget.remove_all(tx, Table::LogEvents, &event)? {
            return Ok(Removed::Partly);
        }
        removed = Removed::Gone;
    }
    if group.is_deleted {
        let streams = format!("{key}:log-stream:");
        if !budget.remove_all(tx, Table::LogStreams, &streams)? {
            return Ok(Removed::Partly);
        }
    }
    Ok(removed)
}
