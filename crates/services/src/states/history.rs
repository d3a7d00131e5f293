//! GetExecutionHistory: what an execution did, event by event.

use store::{Scan, Table};
use value::{Value, value};

use super::error;
use super::executions::find_execution;
use super::state_machines::page_of;
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "GetExecutionHistory", checks: may_get, run: Run::Read(get) }];

fn may_get(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:GetExecutionHistory", input.text("executionArn")?)])
}

/// Returns the events of an execution in order, each under its padded id.
fn events(on: &Reading<'_>, execution_arn: &str) -> Result<Vec<(String, Value)>, Error> {
    let prefix = format!("{execution_arn}/");
    let mut events = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let scan = Scan::prefix(&prefix).after(after.as_deref());
        let rows = on.store.scan(Table::History, scan)?;
        let Some((last, _)) = rows.last() else { return Ok(events) };
        after = Some(last.clone());
        for (key, bytes) in rows {
            let batch = value::parse_bytes(&bytes)
                .map_err(|err| Error::internal(&format!("history {key}: {err}")))?;
            for event in batch.as_array().unwrap_or_default() {
                let id = event.integer("id").unwrap_or_default();
                events.push((format!("{id:08}"), event.clone()));
            }
        }
    }
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let execution_arn = input.text("executionArn")?;
    find_execution(on.store, execution_arn)?;
    let (after, limit) = page_of(input)?;
    let mut rows = events(on, execution_arn)?;
    if input.get("includeExecutionData").and_then(Value::as_bool) == Some(false) {
        for (_, event) in &mut rows {
            strip_data(event);
        }
    }
    if !input.flag("reverseOrder") {
        let page = cut(rows, after.as_deref(), limit);
        return Ok(answer(page.items, page.next));
    }
    rows.reverse();
    // Keys run backwards here, so the page is cut by position, not by order.
    let from = match &after {
        Some(key) => rows.iter().position(|(at, _)| at == key).map(|at| at + 1),
        None => Some(0),
    };
    let from = from.ok_or_else(error::invalid_token)?;
    let rest: Vec<_> = rows.into_iter().skip(from).collect();
    let numbered =
        rest.into_iter().enumerate().map(|(at, (key, event))| (format!("{at:08}/{key}"), event));
    let page = cut(numbered, None, limit);
    let next = page.next.and_then(|marker| {
        let key = open_marker(&marker)?;
        key.split_once('/').map(|(_, key)| crate::page::marker(key))
    });
    Ok(answer(page.items, next))
}

fn answer(events: Vec<Value>, next: Option<String>) -> Value {
    value!({ "events": events }).with_some("nextToken", next)
}

/// Removes input, output, error and cause from the details of an event.
fn strip_data(event: &mut Value) {
    for details in event.object_mut().values_mut() {
        if let Value::Object(_) = details {
            details.object_mut().retain(|key, _| {
                !matches!(&**key, "input" | "output" | "inputDetails" | "outputDetails")
            });
        }
    }
}
