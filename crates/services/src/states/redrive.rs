//! RedriveExecution, and what the API says of redrives.
//!
//! AWS Step Functions API reference, "RedriveExecution" and "DescribeExecution"; developer guide,
//! "Restarting state machine executions with redrive" (read 2026-11).

use std::sync::Arc;

use execution::{NotRedrivable, OPEN_MILLIS_MAX, REDRIVABLE_MILLIS};
use runtime::{Fact, Kind, ProcessId};
use store::{Load, Read, Table};
use value::{Value, value};

use super::error;
use super::executions::{check_open, find_execution};
use super::state_machines::StateMachine;
use crate::{Call, Check, Error, Input, Operation, Pending, Reading, Run, Services};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "RedriveExecution", checks: may_redrive, run: Run::Workflow(redrive) }];

fn may_redrive(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:RedriveExecution", input.text("executionArn")?)])
}

fn redrive(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let execution_arn = input.text("executionArn")?;
        let token = match input.maybe_text("clientToken") {
            Some(token) => token.to_owned(),
            None => call.stable_uuid_at("redrive"),
        };
        let now_millis = call.now_millis;
        let read = || -> Result<(Value, Option<String>), Error> {
            services.store().read(|store| {
                let record = find_execution(store, execution_arn)?;
                let refusal = refusal(store, &record, now_millis)?;
                Ok((record, refusal))
            })
        };
        let (record, refused) = read()?;
        if let Some(millis) = redriven_by(&record, &token, now_millis) {
            return Ok(answer(millis));
        }
        // A child goes on with its map run.
        let of_map_run = record.get("mapRunArn").map(|_| NotRedrivable::Child.to_string());
        if let Some(reason) = refused.or(of_map_run) {
            return Err(error::execution_not_redrivable(&reason));
        }
        check_open(&services, None)?;
        let fact = execution::Fact::Redriven { token: token.clone() };
        let id = ProcessId::new(Kind::Execution, execution_arn);
        match services.runtime().request(id, Fact::Execution(fact)).await {
            // Whoever has lost a race is told below how things stand.
            Ok(()) | Err(runtime::Error::NotRunning) => {}
            Err(err) => return Err(err.into()),
        }
        let (record, refused) = read()?;
        if let Some(millis) = redriven_by(&record, &token, now_millis) {
            return Ok(answer(millis));
        }
        let reason = refused.unwrap_or_else(|| NotRedrivable::NotKept.to_string());
        Err(error::execution_not_redrivable(&reason))
    })
}

fn answer(millis: i64) -> Value {
    value!({ "redriveDate": millis as f64 / 1000.0 })
}

/// Returns when a token has redriven an execution, as long as that is known.
fn redriven_by(record: &Value, token: &str, now_millis: i64) -> Option<i64> {
    let tokens = record.get("redriveTokens").cloned()?;
    // The runtime wrote them.
    let tokens = value::from_value(tokens).ok()?;
    let redrives = execution::Redrives { tokens, ..execution::Redrives::default() };
    redrives.of_token(token, now_millis)
}

/// Returns why an execution cannot be redriven; `None` when it can, by itself or by its map run.
fn refusal(store: &dyn Read, record: &Value, now_millis: i64) -> Result<Option<String>, Error> {
    let status = record.maybe_text("status").unwrap_or_default();
    if matches!(status, "RUNNING" | "SUCCEEDED") {
        return Ok(Some(format!("Execution is {status} and cannot be redriven")));
    }
    if is_express(record) {
        return Ok(None);
    }
    if record.get("isRedrivable").and_then(Value::as_bool) != Some(true) {
        let reason = record.maybe_text("notRedrivable").map(str::to_owned);
        // It ended before anything was kept for a redrive.
        return Ok(Some(reason.unwrap_or_else(|| NotRedrivable::NotKept.to_string())));
    }
    let passed = |member: &str| {
        let seconds = record.get(member).and_then(Value::as_f64).unwrap_or_default();
        now_millis as f64 - seconds * 1000.0
    };
    if REDRIVABLE_MILLIS as f64 <= passed("stopDate") {
        return Ok(Some("Execution redrivable period exceeded".to_owned()));
    }
    if OPEN_MILLIS_MAX as f64 <= passed("startDate") {
        return Ok(Some("Execution has exceeded the max execution time".to_owned()));
    }
    let machine = record.maybe_text("stateMachineArn").unwrap_or_default();
    // A child's is named after its map run, too.
    let machine = machine.split('/').next().unwrap_or_default();
    let machine: Option<StateMachine> = store.load(Table::StateMachines, machine)?;
    // DIFFERS: the executions of a machine stay when it is gone, but are not redriven.
    let is_there = machine.is_some_and(|machine| !machine.is_deleting);
    Ok((!is_there).then(|| "State machine is in DELETING status".to_owned()))
}

/// Returns whether this is an express child of a map run: it is started again as often as need be.
fn is_express(record: &Value) -> bool {
    record.maybe_text("executionArn").is_some_and(|arn| arn.contains(":express:"))
}

/// Returns the status of an execution. A child that is to be redriven, and has not been, waits.
pub(super) fn status<'r>(
    store: &dyn Read,
    record: &'r Value,
    now_millis: i64,
) -> Result<&'r str, Error> {
    let status = record.maybe_text("status").unwrap_or_default();
    let Some(map_run_arn) = record.maybe_text("mapRunArn") else { return Ok(status) };
    if matches!(status, "RUNNING" | "SUCCEEDED") {
        return Ok(status);
    }
    let map_run: Value = store.load(Table::MapRuns, map_run_arn)?.unwrap_or_default();
    let redrives = |of: &Value, member: &str| of.get(member).and_then(Value::as_i64).unwrap_or(0);
    let waits = map_run.maybe_text("status") == Some("RUNNING")
        && redrives(record, "mapRunRedrives") < redrives(&map_run, "redriveCount")
        && refusal(store, record, now_millis)?.is_none();
    Ok(if waits { "PENDING_REDRIVE" } else { status })
}

/// Adds what DescribeExecution says of redrives.
pub(super) fn described(on: &Reading<'_>, record: &Value, answer: Value) -> Result<Value, Error> {
    let answer = counted(record, answer);
    let (status, reason) = redrive_status(on.store, record, on.call.now_millis)?;
    Ok(answer.with("redriveStatus", status).with_some("redriveStatusReason", reason))
}

/// Returns `redriveStatus`, and the reason where an execution cannot be redriven.
fn redrive_status(
    store: &dyn Read,
    record: &Value,
    now_millis: i64,
) -> Result<(&'static str, Option<String>), Error> {
    let refusal = refusal(store, record, now_millis)?;
    Ok(match (refusal, record.get("mapRunArn")) {
        (Some(reason), _) => ("NOT_REDRIVABLE", Some(reason)),
        (None, Some(_)) => ("REDRIVABLE_BY_MAP_RUN", None),
        (None, None) => ("REDRIVABLE", None),
    })
}

/// Adds how often and when an execution was redriven.
pub(super) fn counted(record: &Value, answer: Value) -> Value {
    answer
        .with("redriveCount", record.get("redriveCount").cloned().unwrap_or_else(|| 0.into()))
        .with_some("redriveDate", record.get("redriveDate").cloned())
}

/// Returns whether an execution is one of those that `redriveFilter` asks for.
pub(super) fn is_wanted(record: &Value, filter: Option<&str>) -> bool {
    let is_redriven = record.get("redriveCount").is_some();
    filter.is_none_or(|filter| is_redriven == (filter == "REDRIVEN"))
}
