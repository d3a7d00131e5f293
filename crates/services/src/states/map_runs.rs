//! Map runs: DescribeMapRun and its kin.
//!
//! AWS Step Functions API reference, "DescribeMapRun", "ListMapRuns", "UpdateMapRun" (read
//! 2026-11).

use std::sync::Arc;

use execution::MapRunUpdate;
use runtime::{Fact, Kind, ProcessId};
use store::{Load, Read, Scan, Table};
use value::{Value, value};

use super::executions::{find_execution, machine_of};
use super::state_machines::page_of;
use super::{arn, error};
use crate::page::cut;
use crate::{Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeMapRun", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListMapRuns", checks: may_list, run: Run::Read(list) },
    Operation { name: "UpdateMapRun", checks: may_update, run: Run::Workflow(update) },
];

/// Returns the record of a map run, as the runtime wrote it.
pub(super) fn find(store: &dyn Read, map_run_arn: &str) -> Result<Value, Error> {
    arn::resource(map_run_arn, arn::Named::MapRun)?;
    store.load(Table::MapRuns, map_run_arn)?.ok_or_else(|| error::resource_not_found(map_run_arn))
}

fn may_describe(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:DescribeMapRun", input.text("mapRunArn")?)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let record = find(on.store, input.text("mapRunArn")?)?;
    let mut answer = Value::object();
    let members = [
        "mapRunArn",
        "executionArn",
        "status",
        "startDate",
        "stopDate",
        "maxConcurrency",
        "toleratedFailurePercentage",
        "toleratedFailureCount",
        "itemCounts",
        "executionCounts",
        "redriveCount",
        "redriveDate",
    ];
    for member in members {
        if let Some(found) = record.get(member) {
            answer.set(member, found);
        }
    }
    // Records of before map runs could be redriven have none.
    if answer.get("redriveCount").is_none() {
        answer.set("redriveCount", 0);
    }
    Ok(answer)
}

fn may_list(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:ListMapRuns", input.text("executionArn")?)])
}

/// Newest first.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let execution_arn = input.text("executionArn")?;
    find_execution(on.store, execution_arn)?;
    let (after, limit) = page_of(input)?;
    let prefix = format!("{execution_arn}/");
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(limit + 1);
    let rows: Vec<(String, String)> = on.store.load_all(Table::MapRunsByExecution, scan)?;
    let page = cut(rows, after.as_deref(), limit);
    let mut items = Vec::new();
    for map_run_arn in &page.items {
        let record = find(on.store, map_run_arn)?;
        let mut item = Value::object();
        for member in ["executionArn", "mapRunArn", "stateMachineArn", "startDate", "stopDate"] {
            if let Some(found) = record.get(member) {
                item.set(member, found);
            }
        }
        items.push(item);
    }
    Ok(value!({ "mapRuns": items }).with_some("nextToken", page.next))
}

fn may_update(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:UpdateMapRun", input.text("mapRunArn")?)])
}

fn update(services: Arc<Services>, _call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let map_run_arn = input.text("mapRunArn")?;
        let record = services.store().read(|store| find(store, map_run_arn))?;
        let natural = |member: &str| {
            let found = input.integer(member);
            found.map(|number| u64::try_from(number).map_err(|_| negative(member))).transpose()
        };
        let update = MapRunUpdate {
            concurrency_max: natural("maxConcurrency")?,
            tolerated_count: natural("toleratedFailureCount")?,
            tolerated_percentage: input.get("toleratedFailurePercentage").and_then(Value::as_f64),
        };
        let fact = execution::Fact::MapRunUpdated { map_run_arn: map_run_arn.to_owned(), update };
        let id = ProcessId::new(Kind::Execution, record.text("executionArn")?);
        match services.runtime().request(id, Fact::Execution(fact)).await {
            Ok(()) => Ok(Value::object()),
            // UNVERIFIED: AWS's wording for a map run that has ended.
            Err(runtime::Error::NotRunning) => {
                Err(error::validation("The Map Run is no longer running"))
            }
            Err(err) => Err(err.into()),
        }
    })
}

fn negative(member: &str) -> Error {
    error::validation(format!("{member} must not be negative"))
}

/// Answers DescribeStateMachineForExecution of a child execution: its definition is the item
/// processor.
pub(super) fn describe_machine(
    on: &Reading<'_>,
    input: &Value,
    child: &Value,
    map_run_arn: &str,
) -> Answer {
    let store = on.store;
    let record = find(store, map_run_arn)?;
    // The parent may be a child itself.
    let mut root = find_execution(store, record.text("executionArn")?)?;
    while let Some(outer) = root.maybe_text("mapRunArn") {
        let outer = find(store, outer)?;
        root = find_execution(store, outer.text("executionArn")?)?;
    }
    let machine = machine_of(&root)?;
    let mut answer = machine.described(on, input)?;
    if let Some(text) = answer.maybe_text("definition") {
        let whole = value::parse(text).map_err(|err| Error::internal(&err))?;
        let processor = processor(&whole, record.text("stateName")?, 0).unwrap_or_default();
        answer.set("definition", processor.to_json());
    }
    let state_machine_arn = child.text("stateMachineArn")?;
    let (_, name) = state_machine_arn.rsplit_once(':').unwrap_or_default();
    let (_, label) = name.rsplit_once('/').unwrap_or_default();
    Ok(answer
        .with("stateMachineArn", state_machine_arn)
        .with("name", name)
        .with("mapRunArn", map_run_arn)
        .with("label", label)
        .with("updateDate", machine.update_millis as f64 / 1000.0))
}

/// How deeply machines nest at most.
const MACHINE_DEPTH_MAX: usize = 64;

/// Returns the item processor of the Map with this name, wherever it stands: names are unique.
fn processor(machine: &Value, name: &str, depth: usize) -> Option<Value> {
    if depth > MACHINE_DEPTH_MAX {
        return None;
    }
    let Some(Value::Object(states)) = machine.get("States") else { return None };
    states.iter().find_map(|(key, state)| {
        let own = state.get("ItemProcessor").or(state.get("Iterator"));
        if &**key == name {
            return own.cloned();
        }
        let branches = state.get("Branches").and_then(Value::as_array).unwrap_or_default();
        let inner = own.into_iter().chain(branches);
        inner.into_iter().find_map(|machine| processor(machine, name, depth + 1))
    })
}
