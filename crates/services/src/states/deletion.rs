//! DeleteStateMachine: a state machine stays as DELETING until its executions have ended.
//!
//! AWS Step Functions API reference, "DeleteStateMachine" (read 2026-11).

use store::{Load, Read, Save, Scan, Table, Transaction};
use value::Value;

use super::state_machines::{StateMachine, refuse_qualified};
use super::{aliases, arn, definition_uses, error, versions};
use crate::retention::{Budget, Kind, Looked, ROWS_PER_LOOK_MAX, Removed};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many executions of a machine are looked at, the newest first.
// DIFFERS: a machine whose only running execution began before 10,000 others goes at once.
const EXECUTIONS_LOOKED_AT_MAX: usize = 10_000;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DeleteStateMachine", checks: may_delete, run: Run::Write(delete) }];

/// State machines whose last execution has ended.
pub(crate) const PURGED: &Kind = &Kind { name: "state_machine", look, remove: purge };

fn may_delete(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![arn::check("states:DeleteStateMachine", input.text("stateMachineArn")?)])
}

/// Deletes a machine with its versions and aliases; deleting one that does not exist succeeds, as
/// on AWS.
fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let state_machine_arn = input.text("stateMachineArn")?;
    refuse_qualified(state_machine_arn)?;
    let found: Option<StateMachine> = on.store.load(Table::StateMachines, state_machine_arn)?;
    let Some(mut machine) = found else { return Ok(Value::object()) };
    if has_running(on.store.as_read(), &machine)? {
        versions::remove_all(on.store, state_machine_arn, on.call.now_millis)?;
        aliases::remove_all(on.store, state_machine_arn)?;
        machine.is_deleting = true;
        on.store.save(Table::StateMachines, state_machine_arn, &machine)?;
    } else {
        remove(on.store, &machine, on.call.now_millis)?;
    }
    Ok(Value::object())
}

/// Removes a machine and everything that belongs to it, but its executions.
pub(super) fn remove(
    store: &mut dyn Transaction,
    machine: &StateMachine,
    now_millis: i64,
) -> Result<(), Error> {
    let machine_arn = &*machine.arn;
    versions::remove_all(store, machine_arn, now_millis)?;
    definition_uses::let_go(store, &machine.definition, machine_arn, now_millis)?;
    aliases::remove_all(store, machine_arn)?;
    store.delete(Table::StateMachines, machine_arn)?;
    store.delete(Table::Tags, machine_arn)?;
    Ok(())
}

/// Returns whether a machine is being deleted and its last execution has ended: then it is no more,
/// though nobody may have removed it yet.
pub(super) fn is_over(store: &dyn Read, machine: &StateMachine) -> Result<bool, Error> {
    Ok(machine.is_deleting && !has_running(store, machine)?)
}

/// Refuses a machine that is being deleted.
pub(super) fn refuse(machine: &StateMachine) -> Result<(), Error> {
    if machine.is_deleting { Err(error::state_machine_deleting(&machine.arn)) } else { Ok(()) }
}

fn has_running(store: &dyn Read, machine: &StateMachine) -> Result<bool, Error> {
    // Those of express machines are in nobody's list, and nobody waits for them.
    let prefix = format!("{}/", machine.arn);
    let (mut behind, mut looked_at): (Option<String>, usize) = (None, 0);
    while looked_at < EXECUTIONS_LOOKED_AT_MAX {
        let scan = Scan::prefix(&prefix).after(behind.as_deref());
        let rows: Vec<(String, String)> = store.load_all(Table::ExecutionsByStart, scan)?;
        let Some((last, _)) = rows.last() else { return Ok(false) };
        behind = Some(last.clone());
        looked_at += rows.len();
        for (_, execution_arn) in rows {
            let record: Option<Value> = store.load(Table::Executions, &execution_arn)?;
            let status = record.as_ref().and_then(|record| record.maybe_text("status"));
            if status == Some("RUNNING") {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn look(store: &dyn Read, behind: Option<&str>, _: i64) -> Result<Looked, Error> {
    let scan = Scan::prefix("").after(behind).limit(ROWS_PER_LOOK_MAX);
    let rows: Vec<(String, StateMachine)> = store.load_all(Table::StateMachines, scan)?;
    let next = rows.last().filter(|_| rows.len() == ROWS_PER_LOOK_MAX).map(|(key, _)| key.clone());
    let mut due = Vec::new();
    for (key, machine) in rows {
        if is_over(store, &machine)? {
            due.push(key);
        }
    }
    Ok(Looked { due, next })
}

fn purge(
    tx: &mut dyn Transaction,
    key: &str,
    now_millis: i64,
    _: &mut Budget,
) -> Result<Removed, Error> {
    let machine: Option<StateMachine> = tx.load(Table::StateMachines, key)?;
    let Some(machine) = machine else { return Ok(Removed::Stays) };
    if !is_over(tx.as_read(), &machine)? {
        return Ok(Removed::Stays);
    }
    remove(tx, &machine, now_millis)?;
    Ok(Removed::Gone)
}
