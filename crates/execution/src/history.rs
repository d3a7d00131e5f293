//! History events, and how the API shows them.

use serde::{Deserialize, Serialize};
use value::Value;

/// One event of an execution's history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// Its number, from 1.
    pub id: u64,
    /// The event it follows; 0 for none.
    pub previous_event_id: u64,
    /// When it happened, in milliseconds since the Unix epoch.
    pub timestamp_millis: i64,
    /// What happened.
    pub details: Details,
}

/// What a history event says. Payloads are JSON texts, as in the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the API's own members")]
pub enum Details {
    ExecutionStarted {
        input: String,
        role_arn: String,
        state_machine_alias_arn: Option<String>,
        state_machine_version_arn: Option<String>,
    },
    ExecutionSucceeded {
        output: String,
    },
    ExecutionFailed {
        error: Option<String>,
        cause: Option<String>,
    },
    ExecutionAborted {
        error: Option<String>,
        cause: Option<String>,
    },
    ExecutionTimedOut,
    /// `PassStateEntered` and its siblings.
    StateEntered {
        state_type: StateType,
        name: String,
        input: String,
    },
    /// `PassStateExited` and its siblings.
    StateExited {
        state_type: StateType,
        name: String,
        output: String,
        /// Name and JSON text of what Assign set.
        assigned_variables: Option<Vec<(String, String)>>,
    },
    /// `TaskStateAborted`, `WaitStateAborted`, `ParallelStateAborted`, `MapStateAborted`.
    StateAborted {
        state_type: StateType,
    },
    /// `ParallelStateStarted`.
    ParallelStateStarted,
    /// `MapStateStarted`.
    MapStateStarted {
        length: usize,
    },
    /// `ParallelStateSucceeded`, `MapStateSucceeded`.
    StateSucceeded {
        state_type: StateType,
    },
    /// `ParallelStateFailed`, `MapStateFailed`.
    StateFailed {
        state_type: StateType,
    },
    /// `MapIterationStarted` and its siblings.
    MapIteration {
        what: IterationEvent,
        name: String,
        index: usize,
    },
    MapRunStarted {
        map_run_arn: String,
    },
    MapRunSucceeded,
    MapRunFailed {
        error: Option<String>,
        cause: Option<String>,
    },
    EvaluationFailed {
        state: String,
        error: String,
        cause: String,
        location: Option<String>,
    },
    TaskScheduled {
        resource_type: String,
        resource: String,
        region: String,
        parameters: String,
        timeout_in_seconds: Option<i64>,
        heartbeat_in_seconds: Option<i64>,
        credentials_role_arn: Option<String>,
    },
    TaskStarted {
        resource_type: String,
        resource: String,
    },
    TaskSubmitted {
        resource_type: String,
        resource: String,
        output: String,
    },
    TaskSucceeded {
        resource_type: String,
        resource: String,
        output: String,
    },
    /// `TaskFailed`, `TaskTimedOut`.
    TaskEndedBadly {
        how: BadEnd,
        resource_type: String,
        resource: String,
        error: Option<String>,
        cause: Option<String>,
    },
    ActivityScheduled {
        resource: String,
        input: String,
        timeout_in_seconds: Option<i64>,
        heartbeat_in_seconds: Option<i64>,
    },
    ActivityStarted {
        worker_name: Option<String>,
    },
    ActivitySucceeded {
        output: String,
    },
    ActivityEndedBadly {
        how: BadEnd,
        error: Option<String>,
        cause: Option<String>,
    },
    LambdaFunctionScheduled {
        resource: String,
        input: String,
        timeout_in_seconds: Option<i64>,
        credentials_role_arn: Option<String>,
    },
    LambdaFunctionStarted,
    LambdaFunctionSucceeded {
        output: String,
    },
    LambdaFunctionEndedBadly {
        how: BadEnd,
        error: Option<String>,
        cause: Option<String>,
    },
}

/// The type of a state, as it begins the type of a history event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the language's own")]
pub enum StateType {
    Pass,
    Task,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
}

impl StateType {
    pub(crate) fn of(kind: &asl::StateKind) -> StateType {
        match kind {
            asl::StateKind::Pass(_) => StateType::Pass,
            asl::StateKind::Task(_) => StateType::Task,
            asl::StateKind::Choice(_) => StateType::Choice,
            asl::StateKind::Wait(_) => StateType::Wait,
            asl::StateKind::Succeed => StateType::Succeed,
            asl::StateKind::Fail(_) => StateType::Fail,
            asl::StateKind::Parallel(_) => StateType::Parallel,
            asl::StateKind::Map(_) => StateType::Map,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            StateType::Pass => "Pass",
            StateType::Task => "Task",
            StateType::Choice => "Choice",
            StateType::Wait => "Wait",
            StateType::Succeed => "Succeed",
            StateType::Fail => "Fail",
            StateType::Parallel => "Parallel",
            StateType::Map => "Map",
        }
    }
}

/// What became of an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub enum IterationEvent {
    Started,
    Succeeded,
    Failed,
    Aborted,
}

/// How a task ended, if not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BadEnd {
    /// It failed.
    Failed,
    /// It took too long.
    TimedOut,
}

impl BadEnd {
    fn as_str(self) -> &'static str {
        match self {
            BadEnd::Failed => "Failed",
            BadEnd::TimedOut => "TimedOut",
        }
    }
}

/// The `inputDetails` and `outputDetails` of a payload shown in full.
fn whole() -> Value {
    Value::object().with("truncated", false)
}

fn error_and_cause(error: Option<&String>, cause: Option<&String>) -> Value {
    Value::object().with_some("error", error).with_some("cause", cause)
}

fn task(resource_type: &str, resource: &str) -> Value {
    Value::object().with("resourceType", resource_type).with("resource", resource)
}

fn with_output(details: Value, output: &str) -> Value {
    details.with("output", output).with("outputDetails", whole())
}

fn scheduled(resource: &str, input: &str) -> Value {
    Value::object().with("resource", resource).with("input", input).with("inputDetails", whole())
}

fn limits(details: Value, timeout: Option<i64>, heartbeat: Option<i64>) -> Value {
    details.with_some("timeoutInSeconds", timeout).with_some("heartbeatInSeconds", heartbeat)
}

fn with_credentials(details: Value, role_arn: Option<&String>) -> Value {
    let credentials = role_arn.map(|role_arn| Value::object().with("roleArn", role_arn));
    details.with_some("taskCredentials", credentials)
}

impl HistoryEvent {
    /// Returns the event as `GetExecutionHistory` shows it, the timestamp in seconds.
    pub fn to_value(&self) -> Value {
        let (event_type, details) = self.details.render();
        let seconds = self.timestamp_millis as f64 / 1_000.0;
        let event = Value::object()
            .with("timestamp", seconds)
            .with("type", event_type.as_str())
            .with("id", self.id)
            .with("previousEventId", self.previous_event_id);
        match details {
            Some((member, details)) => event.with(member.as_str(), details),
            None => event,
        }
    }
}

impl Details {
    /// Returns the event's type, and the name and value of its details.
    fn render(&self) -> (String, Option<(String, Value)>) {
        let event_type = self.event_type();
        let details = self.details(&event_type);
        (event_type, details)
    }

    /// Returns the `type` of the event.
    pub fn event_type(&self) -> String {
        match self {
            Details::ExecutionStarted { .. } => "ExecutionStarted".into(),
            Details::ExecutionSucceeded { .. } => "ExecutionSucceeded".into(),
            Details::ExecutionFailed { .. } => "ExecutionFailed".into(),
            Details::ExecutionAborted { .. } => "ExecutionAborted".into(),
            Details::ExecutionTimedOut => "ExecutionTimedOut".into(),
            Details::StateEntered { state_type, .. } => {
                format!("{}StateEntered", state_type.as_str())
            }
            Details::StateExited { state_type, .. } => {
                format!("{}StateExited", state_type.as_str())
            }
            Details::StateAborted { state_type } => format!("{}StateAborted", state_type.as_str()),
            Details::ParallelStateStarted => "ParallelStateStarted".into(),
            Details::MapStateStarted { .. } => "MapStateStarted".into(),
            Details::StateSucceeded { state_type } => {
                format!("{}StateSucceeded", state_type.as_str())
            }
            Details::StateFailed { state_type } => format!("{}StateFailed", state_type.as_str()),
            Details::MapIteration { what, .. } => match what {
                IterationEvent::Started => "MapIterationStarted".into(),
                IterationEvent::Succeeded => "MapIterationSucceeded".into(),
                IterationEvent::Failed => "MapIterationFailed".into(),
                IterationEvent::Aborted => "MapIterationAborted".into(),
            },
            Details::MapRunStarted { .. } => "MapRunStarted".into(),
            Details::MapRunSucceeded => "MapRunSucceeded".into(),
            Details::MapRunFailed { .. } => "MapRunFailed".into(),
            Details::EvaluationFailed { .. } => "EvaluationFailed".into(),
            Details::TaskScheduled { .. } => "TaskScheduled".into(),
            Details::TaskStarted { .. } => "TaskStarted".into(),
            Details::TaskSubmitted { .. } => "TaskSubmitted".into(),
            Details::TaskSucceeded { .. } => "TaskSucceeded".into(),
            Details::TaskEndedBadly { how, .. } => format!("Task{}", how.as_str()),
            Details::ActivityScheduled { .. } => "ActivityScheduled".into(),
            Details::ActivityStarted { .. } => "ActivityStarted".into(),
            Details::ActivitySucceeded { .. } => "ActivitySucceeded".into(),
            Details::ActivityEndedBadly { how, .. } => format!("Activity{}", how.as_str()),
            Details::LambdaFunctionScheduled { .. } => "LambdaFunctionScheduled".into(),
            Details::LambdaFunctionStarted => "LambdaFunctionStarted".into(),
            Details::LambdaFunctionSucceeded { .. } => "LambdaFunctionSucceeded".into(),
            Details::LambdaFunctionEndedBadly { how, .. } => {
                format!("LambdaFunction{}", how.as_str())
            }
        }
    }

    /// Returns the member that holds the details, and the details; some events have none.
    fn details(&self, event_type: &str) -> Option<(String, Value)> {
        let details = match self {
            Details::ExecutionTimedOut
            | Details::StateAborted { .. }
            | Details::ParallelStateStarted
            | Details::StateSucceeded { .. }
            | Details::StateFailed { .. }
            | Details::MapRunSucceeded
            | Details::LambdaFunctionStarted => return None,
            Details::StateEntered { name, input, .. } => {
                let details = Value::object()
                    .with("name", name)
                    .with("input", input)
                    .with("inputDetails", whole());
                return Some(("stateEnteredEventDetails".into(), details));
            }
            Details::StateExited { name, output, assigned_variables, .. } => {
                let details = exited(name, output, assigned_variables.as_deref());
                return Some(("stateExitedEventDetails".into(), details));
            }
            Details::ExecutionStarted {
                input,
                role_arn,
                state_machine_alias_arn,
                state_machine_version_arn,
            } => Value::object()
                .with("input", input)
                .with("inputDetails", whole())
                .with("roleArn", role_arn)
                .with_some("stateMachineAliasArn", state_machine_alias_arn.as_ref())
                .with_some("stateMachineVersionArn", state_machine_version_arn.as_ref()),
            Details::ExecutionFailed { error, cause }
            | Details::ExecutionAborted { error, cause }
            | Details::MapRunFailed { error, cause }
            | Details::ActivityEndedBadly { error, cause, .. }
            | Details::LambdaFunctionEndedBadly { error, cause, .. } => {
                error_and_cause(error.as_ref(), cause.as_ref())
            }
            Details::ExecutionSucceeded { output }
            | Details::ActivitySucceeded { output }
            | Details::LambdaFunctionSucceeded { output } => with_output(Value::object(), output),
            Details::MapStateStarted { length } => Value::object().with("length", *length),
            Details::MapIteration { name, index, .. } => {
                Value::object().with("name", name).with("index", *index)
            }
            Details::MapRunStarted { map_run_arn } => {
                Value::object().with("mapRunArn", map_run_arn)
            }
            Details::EvaluationFailed { state, error, cause, location } => Value::object()
                .with("state", state)
                .with("error", error)
                .with("cause", cause)
                .with_some("location", location.as_ref()),
            Details::TaskScheduled {
                resource_type,
                resource,
                region,
                parameters,
                timeout_in_seconds,
                heartbeat_in_seconds,
                credentials_role_arn,
            } => {
                let details = task(resource_type, resource)
                    .with("region", region)
                    .with("parameters", parameters);
                let details = limits(details, *timeout_in_seconds, *heartbeat_in_seconds);
                with_credentials(details, credentials_role_arn.as_ref())
            }
            Details::ActivityScheduled {
                resource,
                input,
                timeout_in_seconds,
                heartbeat_in_seconds,
            } => limits(scheduled(resource, input), *timeout_in_seconds, *heartbeat_in_seconds),
            Details::LambdaFunctionScheduled {
                resource,
                input,
                timeout_in_seconds,
                credentials_role_arn,
            } => {
                let details = limits(scheduled(resource, input), *timeout_in_seconds, None);
                with_credentials(details, credentials_role_arn.as_ref())
            }
            Details::TaskStarted { resource_type, resource } => task(resource_type, resource),
            Details::TaskSubmitted { resource_type, resource, output }
            | Details::TaskSucceeded { resource_type, resource, output } => {
                with_output(task(resource_type, resource), output)
            }
            Details::TaskEndedBadly { resource_type, resource, error, cause, .. } => {
                task(resource_type, resource)
                    .with_some("error", error.as_ref())
                    .with_some("cause", cause.as_ref())
            }
            Details::ActivityStarted { worker_name } => {
                Value::object().with_some("workerName", worker_name.as_ref())
            }
        };
        let mut member = event_type.to_owned();
        if let Some(first) = member.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        Some((format!("{member}EventDetails"), details))
    }
}

fn exited(name: &str, output: &str, assigned: Option<&[(String, String)]>) -> Value {
    let details = with_output(Value::object().with("name", name), output);
    let Some(assigned) = assigned else { return details };
    let mut variables = Value::object();
    for (variable, text) in assigned {
        variables.set(variable.as_str(), text.as_str());
    }
    details.with("assignedVariables", variables).with("assignedVariablesDetails", whole())
}
