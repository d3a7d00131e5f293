//! History events, and how the API shows them.

mod task;

use serde::{Deserialize, Serialize};
use value::Value;

pub use task::{BadEnd, TaskEvent};

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
    /// `TaskScheduled`, `ActivityStarted`, `LambdaFunctionSucceeded` and their siblings.
    Task(TaskEvent),
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

/// The `inputDetails` and `outputDetails` of a payload shown in full.
fn whole() -> Value {
    Value::object().with("truncated", false)
}

fn error_and_cause(error: Option<&String>, cause: Option<&String>) -> Value {
    Value::object().with_some("error", error).with_some("cause", cause)
}

fn with_output(details: Value, output: &str) -> Value {
    details.with("output", output).with("outputDetails", whole())
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
            Details::Task(task) => task.event_type(),
        }
    }

    /// Returns the member that holds the details, and the details; some events have none.
    fn details(&self, event_type: &str) -> Option<(String, Value)> {
        let details = match self {
            Details::StateAborted { .. }
            | Details::ParallelStateStarted
            | Details::StateSucceeded { .. }
            | Details::StateFailed { .. }
            | Details::MapRunSucceeded => return None,
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
            | Details::MapRunFailed { error, cause } => {
                error_and_cause(error.as_ref(), cause.as_ref())
            }
            // UNVERIFIED: empty, as ExecutionAborted without error and cause was recorded to be.
            Details::ExecutionTimedOut => Value::object(),
            Details::ExecutionSucceeded { output } => with_output(Value::object(), output),
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
            Details::Task(task) => return task.details(event_type),
        };
        Some((member_of(event_type), details))
    }
}

/// Returns the member that holds an event's details: `mapStateStartedEventDetails`.
fn member_of(event_type: &str) -> String {
    let mut member = event_type.to_owned();
    if let Some(first) = member.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    format!("{member}EventDetails")
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
