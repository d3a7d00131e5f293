//! The EventBridge events of status changes.

use value::{Value, value};

use crate::clock;
use crate::effect::StatusChange;
use crate::fact::Started;
use crate::runbook::Step;
use crate::state::{State, StepExecution};

/// The change of an execution's status.
pub(crate) fn of_execution(state: &State, millis: i64) -> StatusChange {
    let end = state.status.is_terminal().then_some(millis);
    let executed_by = state.executed_by().unwrap_or_default();
    let detail =
        detail(state, state.status.name(), state.start_millis, end).with("ExecutedBy", executed_by);
    StatusChange {
        detail_type: "EC2 Automation Execution Status-change Notification".to_owned(),
        resources: resources(state),
        detail,
    }
}

/// The change of a step's status.
pub(crate) fn of_step(state: &State, step: &Step, execution: &StepExecution) -> StatusChange {
    let start = execution.start_millis.unwrap_or(state.start_millis);
    let detail = detail(state, execution.status.name(), start, execution.end_millis)
        .with("StepName", step.name.as_str())
        .with("Action", step.action.name);
    StatusChange {
        detail_type: "EC2 Automation Step Status-change Notification".to_owned(),
        resources: resources(state),
        detail,
    }
}

fn detail(state: &State, status: &str, start_millis: i64, end_millis: Option<i64>) -> Value {
    let started = state.started.as_ref();
    let text = |read: fn(&Started) -> &str| started.map(read).unwrap_or_default();
    // AWS writes the version as a number with a fraction: 1.0.
    let version = format!("{}.0", text(|it| &it.document_version));
    let version = value::parse(&version).unwrap_or_else(|_| Value::from(version.as_str()));
    let elapsed = end_millis.map(|end| (end - start_millis).max(0));
    let elapsed = elapsed.and_then(|millis| value::parse(&format!("{millis}.0")).ok());
    value!({
        "ExecutionId": text(|it| &it.execution_id),
        "Definition": text(|it| &it.document_name),
        "DefinitionVersion": version,
        "Status": status,
        "StartTime": clock::event_time(start_millis),
    })
    .with_some("EndTime", end_millis.map(clock::event_time))
    .with_some("Time", elapsed)
}

/// Returns the ARNs of the execution and of its definition.
fn resources(state: &State) -> Vec<String> {
    let Some(started) = &state.started else { return Vec::new() };
    let (partition, region, account) = (&started.partition, &started.region, &started.account);
    let name = started.document_name.rsplit('/').next().unwrap_or_default();
    let owner = if crate::catalogue::owns(name) { "" } else { account };
    vec![
        format!(
            "arn:{partition}:ssm:{region}:{account}:automation-execution/{}",
            started.execution_id
        ),
        format!(
            "arn:{partition}:ssm:{region}:{owner}:automation-definition/{name}:{}",
            started.document_version
        ),
    ]
}
