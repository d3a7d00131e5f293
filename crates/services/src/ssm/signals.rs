//! StopAutomationExecution and SendAutomationSignal.
//!
//! What an execution is asked to do is held against its record first, so that whoever asks hears
//! that it makes no sense. A signal that comes too late all the same changes nothing.

use std::sync::Arc;

use automation::{Fact as Happened, Signal, StopType, actions};
use runtime::{Fact, Kind, ProcessId};
use value::Value;

use super::automations::{check, find};
use super::error;
use crate::{Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "StopAutomationExecution", checks: may_stop, run: Run::Workflow(stop) },
    Operation { name: "SendAutomationSignal", checks: may_signal, run: Run::Workflow(signal) },
];

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
        services.store().read(|store| find(store, &id))?;
        request(&services, &id, Happened::StopRequested(kind), || error::already_ended(&id)).await
    })
}

/// Hands a fact to a running execution; `ended` is what is said of one that runs no more.
async fn request(
    services: &Services,
    id: &str,
    fact: Happened,
    ended: impl FnOnce() -> Error,
) -> Answer {
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
        let id = input.text("AutomationExecutionId")?.to_owned();
        let signal = read(&call, &input)?;
        let record = services.store().read(|store| find(store, &id))?;
        let ended = || error::invalid_signal("it has ended");
        if record.get("ExecutionEndTime").is_some() {
            return Err(ended());
        }
        check_sense(&record, &signal)?;
        request(&services, &id, Happened::Signal(signal), ended).await
    })
}

/// Returns the signal that a request is.
fn read(call: &Call, input: &Value) -> Result<Signal, Error> {
    let payload = |key: &str| {
        let given = input.get("Payload").and_then(|payload| payload.list(key).first().cloned());
        given.and_then(|text| text.as_str().map(str::to_owned))
    };
    let approver = call.principal.arn();
    Ok(match input.text("SignalType")? {
        "Approve" => Signal::Approve { approver, comment: payload("Comment") },
        "Reject" => Signal::Reject { approver, comment: payload("Comment") },
        "Resume" => Signal::Resume { step_name: payload("StepName") },
        "StartStep" => Signal::StartStep { step_name: payload("StepName") },
        "StopStep" => {
            let id = payload("StepExecutionId").ok_or_else(|| {
                error::invalid_signal("StopStep needs a StepExecutionId in its payload")
            })?;
            Signal::StopStep { step_execution_id: id }
        }
        "Revoke" => {
            return Err(error::invalid_signal("only an access request can be revoked"));
        }
        other => return Err(error::invalid_signal(&format!("there is no signal {other}"))),
    })
}

/// Refuses a signal that the execution does not wait for.
fn check_sense(record: &Value, signal: &Signal) -> Result<(), Error> {
    match signal {
        Signal::Approve { approver, .. } | Signal::Reject { approver, .. } => {
            let step = waiting(record, "aws:approve")
                .ok_or_else(|| error::invalid_signal("no step waits for an approval"))?;
            check_approver(step, approver)
        }
        Signal::Resume { step_name } => {
            check_name(record, step_name.as_deref())?;
            let step = waiting(record, "aws:pause");
            let step = step.and_then(|step| step.maybe_text("StepName"));
            match (step, step_name) {
                (Some(step), Some(name)) if step == name => Ok(()),
                (Some(_), None) => Ok(()),
                (_, _) => Err(error::invalid_signal("the step is not paused")),
            }
        }
        Signal::StartStep { step_name } => {
            check_name(record, step_name.as_deref())?;
            let offered = record.maybe_text("CurrentStepName");
            let waits = record.maybe_text("Mode") == Some("Interactive")
                && record.maybe_text("AutomationExecutionStatus") == Some("Waiting")
                && !steps(record).any(|step| is_at(step, "Waiting"));
            if waits && (step_name.is_none() || step_name.as_deref() == offered) {
                return Ok(());
            }
            Err(error::invalid_signal("the step does not wait to be started"))
        }
        Signal::StopStep { step_execution_id } => {
            let is_it = |step: &&Value| {
                step.maybe_text("StepExecutionId") == Some(step_execution_id.as_str())
            };
            let step = steps(record).find(is_it);
            let step = step.ok_or_else(|| error::step_not_found(step_execution_id))?;
            if is_at(step, "InProgress") || is_at(step, "Waiting") {
                return Ok(());
            }
            Err(error::invalid_signal("the step does not run"))
        }
    }
}

fn steps(record: &Value) -> impl Iterator<Item = &Value> {
    record.list("StepExecutions").iter()
}

fn is_at(step: &Value, status: &str) -> bool {
    step.maybe_text("StepStatus") == Some(status)
}

/// Returns the step of this action that waits.
fn waiting<'r>(record: &'r Value, action: &str) -> Option<&'r Value> {
    steps(record).find(|step| step.maybe_text("Action") == Some(action) && is_at(step, "Waiting"))
}

fn check_name(record: &Value, name: Option<&str>) -> Result<(), Error> {
    let known = |name: &str| steps(record).any(|step| step.maybe_text("StepName") == Some(name));
    match name {
        Some(name) if !known(name) => Err(error::step_not_found(name)),
        Some(_) | None => Ok(()),
    }
}

/// Refuses who is no approver or has decided already.
fn check_approver(step: &Value, caller: &str) -> Result<(), Error> {
    let input = step.path(&["Inputs", "Approvers"]).and_then(Value::as_str);
    let approvers = input.and_then(|text| value::parse(text).ok()).unwrap_or_default();
    if !actions::is_approver(&approvers, caller) {
        let text = format!("{caller} is not among the approvers");
        return Err(error::invalid_signal(&text));
    }
    let decisions = step.path(&["Outputs", "ApproverDecisions"]).and_then(Value::as_array);
    let decided = decisions.unwrap_or_default().iter().filter_map(Value::as_str);
    let decided = decided.filter_map(|text| value::parse(text).ok());
    let mut approvers = decided.filter_map(|one| one.get("Approver")?.as_str().map(str::to_owned));
    if approvers.any(|approver| approver == caller) {
        return Err(error::invalid_signal(&format!("{caller} has decided already")));
    }
    Ok(())
}
