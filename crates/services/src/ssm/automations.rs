//! Automation executions: what they did, and stopping and signalling them.

use std::sync::Arc;

use automation::{Fact as Happened, Signal, StopType};
use runtime::{Fact, Kind, ProcessId};
use store::{Load, Read, Scan, Table};
use value::{Value, value};

use super::error;
use crate::page::{cut, open_marker};
use crate::{Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services};

/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 50;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "GetAutomationExecution", checks: may_get, run: Run::Read(get) },
    Operation {
        name: "DescribeAutomationExecutions",
        checks: may_describe,
        run: Run::Read(describe),
    },
    Operation {
        name: "DescribeAutomationStepExecutions",
        checks: may_describe_steps,
        run: Run::Read(describe_steps),
    },
    Operation { name: "StopAutomationExecution", checks: may_stop, run: Run::Workflow(stop) },
    Operation { name: "SendAutomationSignal", checks: may_signal, run: Run::Workflow(signal) },
];

fn find(store: &dyn Read, id: &str) -> Result<Value, Error> {
    let record: Option<Value> = store.load(Table::Automations, id)?;
    let mut record = record.ok_or_else(|| error::execution_not_found(id))?;
    // What the server keeps for itself.
    record.object_mut().retain(|key, _| !key.starts_with('$'));
    Ok(record)
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    let id = input.text("AutomationExecutionId")?;
    let arn = on.call.regional_arn("ssm", &format!("automation-execution/{id}"));
    Ok(vec![Check::new(format!("ssm:{action}"), arn)])
}

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "GetAutomationExecution", input)
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let record = find(on.store, input.text("AutomationExecutionId")?)?;
    Ok(value!({ "AutomationExecution": record }))
}

fn may_describe(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("ssm:DescribeAutomationExecutions")])
}

/// Newest first; filters are applied while paging.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let after = after(input)?;
    let limit = limit(input);
    let filters = input.list("Filters");
    for filter in filters {
        filter_holds(&Value::object(), filter)?;
    }
    let mut found = Vec::new();
    let mut behind = after.clone();
    while found.len() <= limit {
        let scan = Scan::prefix("").after(behind.as_deref()).limit(limit + 1);
        let rows: Vec<(String, String)> = on.store.load_all(Table::AutomationsByStart, scan)?;
        let Some((last, _)) = rows.last() else { break };
        behind = Some(last.clone());
        for (key, id) in rows {
            let record = find(on.store, &id)?;
            let mut holds = true;
            for filter in filters {
                holds = holds && filter_holds(&record, filter)?;
            }
            if holds {
                found.push((key, record));
            }
        }
    }
    let page = cut(found, after.as_deref(), limit);
    let items = page.items.iter().map(metadata).collect::<Value>();
    Ok(value!({ "AutomationExecutionMetadataList": items }).with_some("NextToken", page.next))
}

fn after(input: &Value) -> Result<Option<String>, Error> {
    match input.maybe_text("NextToken") {
        Some(token) => Ok(Some(open_marker(token).ok_or_else(error::invalid_next_token)?)),
        None => Ok(None),
    }
}

fn limit(input: &Value) -> usize {
    let asked = input.integer("MaxResults").and_then(|asked| usize::try_from(asked).ok());
    asked.filter(|asked| *asked > 0).unwrap_or(PAGE_ITEMS_DEFAULT)
}

/// Whether a record passes one filter.
fn filter_holds(record: &Value, filter: &Value) -> Result<bool, Error> {
    let key = filter.maybe_text("Key").unwrap_or_default();
    let text = |member: &str| record.maybe_text(member).unwrap_or_default().to_owned();
    let mut values = filter.list("Values").iter().filter_map(Value::as_str);
    let started = record.get("ExecutionStartTime").and_then(Value::as_f64).unwrap_or_default();
    Ok(match key {
        "DocumentNamePrefix" => values.any(|value| text("DocumentName").starts_with(value)),
        "ExecutionStatus" => values.any(|value| text("AutomationExecutionStatus") == value),
        "ExecutionId" => values.any(|value| text("AutomationExecutionId") == value),
        "ParentExecutionId" => values.any(|value| text("ParentAutomationExecutionId") == value),
        "CurrentAction" => values.any(|value| text("CurrentAction") == value),
        "StartTimeBefore" => values.any(|value| seconds(value).is_some_and(|time| started <= time)),
        "StartTimeAfter" => values.any(|value| seconds(value).is_some_and(|time| time <= started)),
        "AutomationType" => values.any(|value| value == "Local"),
        other => return Err(error::invalid_filter_key(other)),
    })
}

/// Returns the epoch seconds of an ISO-8601 time.
fn seconds(text: &str) -> Option<f64> {
    asl::Timestamp::parse(text).map(|time| time.millis() as f64 / 1000.0)
}

/// Returns the part of a record that lists show.
fn metadata(record: &Value) -> Value {
    let mut shown = record.clone();
    shown.object_mut().retain(|key, _| {
        !matches!(&**key, "StepExecutions" | "StepExecutionsTruncated" | "Parameters" | "Variables")
    });
    shown.with("AutomationType", "Local").with("LogFile", "")
}

fn may_describe_steps(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "DescribeAutomationStepExecutions", input)
}

fn describe_steps(on: &Reading<'_>, input: &Value) -> Answer {
    let record = find(on.store, input.text("AutomationExecutionId")?)?;
    let mut steps: Vec<Value> = record.list("StepExecutions").to_vec();
    for filter in input.list("Filters") {
        let key = filter.maybe_text("Key").unwrap_or_default();
        let member = match key {
            "StepExecutionStatus" => "StepStatus",
            "StepExecutionId" => "StepExecutionId",
            "StepName" => "StepName",
            "Action" => "Action",
            other => return Err(error::invalid_filter_key(other)),
        };
        let wanted = filter.list("Values");
        steps.retain(|step| wanted.iter().any(|value| step.get(member) == Some(value)));
    }
    if input.flag("ReverseOrder") {
        steps.reverse();
    }
    let after = after(input)?;
    let rows = steps.into_iter().enumerate().map(|(at, step)| (format!("{at:06}"), step));
    let page = cut(rows, after.as_deref(), limit(input));
    Ok(value!({ "StepExecutions": page.items }).with_some("NextToken", page.next))
}

fn may_stop(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "StopAutomationExecution", input)
}

fn stop(services: Arc<Services>, _call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let kind = match input.maybe_text("Type") {
            Some("Complete") => StopType::Complete,
            Some(_) | None => StopType::Cancel,
        };
        let id = input.text("AutomationExecutionId")?.to_owned();
        request(&services, &id, Happened::StopRequested(kind), || {
            Error::new(
                "InvalidAutomationStatusUpdateException",
                format!("Automation execution {id} has already ended and cannot be stopped."),
            )
        })
        .await
    })
}

/// Hands a fact to a running execution; `ended` is what is said of one that runs no more.
async fn request(
    services: &Services,
    id: &str,
    fact: Happened,
    ended: impl FnOnce() -> Error,
) -> Answer {
    services.store().read(|store| find(store, id))?;
    let process = ProcessId::new(Kind::Automation, id);
    match services.runtime().request(process, Fact::Automation(fact)).await {
        Ok(()) => Ok(Value::object()),
        Err(runtime::Error::NotRunning) => Err(ended()),
        Err(err) => Err(err.into()),
    }
}

fn may_signal(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "SendAutomationSignal", input)
}

fn signal(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let payload = |key: &str| {
            let given = input.get("Payload").and_then(|payload| payload.list(key).first().cloned());
            given.and_then(|text| text.as_str().map(str::to_owned))
        };
        let approver = call.principal.arn();
        let signal = match input.text("SignalType")? {
            "Approve" => Signal::Approve { approver, comment: payload("Comment") },
            "Reject" => Signal::Reject { approver, comment: payload("Comment") },
            "Resume" => Signal::Resume { step_name: payload("StepName") },
            "StartStep" => Signal::StartStep { step_name: payload("StepName") },
            "StopStep" => Signal::StopStep {
                step_execution_id: payload("StepExecutionId").unwrap_or_default(),
            },
            other => {
                let text = format!("Stepwell does not take the signal {other}.");
                return Err(Error::new("InvalidAutomationSignalException", text));
            }
        };
        let id = input.text("AutomationExecutionId")?.to_owned();
        request(&services, &id, Happened::Signal(signal), || {
            Error::new(
                "InvalidAutomationSignalException",
                format!("Automation execution {id} has ended and takes no signal."),
            )
        })
        .await
    })
}
