//! History events, and how the API shows them.

mod task;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use value::Value;

pub use task::{BadEnd, TaskEvent};

use write::{Members, Writer};

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
        input: Arc<str>,
        role_arn: String,
        state_machine_alias_arn: Option<String>,
        state_machine_version_arn: Option<String>,
    },
    ExecutionSucceeded {
        output: Arc<str>,
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
    ExecutionRedriven {
        redrive_count: u32,
    },
    /// `PassStateEntered` and its siblings.
    StateEntered {
        state_type: StateType,
        name: Arc<str>,
        input: Arc<str>,
    },
    /// `PassStateExited` and its siblings.
    StateExited {
        state_type: StateType,
        name: Arc<str>,
        output: Arc<str>,
        /// What Assign set.
        assigned_variables: Option<Value>,
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
        name: Arc<str>,
        index: usize,
    },
    MapRunStarted {
        map_run_arn: String,
    },
    MapRunRedriven {
        map_run_arn: String,
        redrive_count: u32,
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

    /// Returns the event of entering.
    fn entered(self) -> &'static str {
        match self {
            StateType::Pass => "PassStateEntered",
            StateType::Task => "TaskStateEntered",
            StateType::Choice => "ChoiceStateEntered",
            StateType::Wait => "WaitStateEntered",
            StateType::Succeed => "SucceedStateEntered",
            StateType::Fail => "FailStateEntered",
            StateType::Parallel => "ParallelStateEntered",
            StateType::Map => "MapStateEntered",
        }
    }

    /// Returns the event of leaving.
    fn exited(self) -> &'static str {
        match self {
            StateType::Pass => "PassStateExited",
            StateType::Task => "TaskStateExited",
            StateType::Choice => "ChoiceStateExited",
            StateType::Wait => "WaitStateExited",
            StateType::Succeed => "SucceedStateExited",
            StateType::Fail => "FailStateExited",
            StateType::Parallel => "ParallelStateExited",
            StateType::Map => "MapStateExited",
        }
    }

    /// Returns the event of being aborted.
    fn aborted(self) -> &'static str {
        match self {
            StateType::Pass => "PassStateAborted",
            StateType::Task => "TaskStateAborted",
            StateType::Choice => "ChoiceStateAborted",
            StateType::Wait => "WaitStateAborted",
            StateType::Succeed => "SucceedStateAborted",
            StateType::Fail => "FailStateAborted",
            StateType::Parallel => "ParallelStateAborted",
            StateType::Map => "MapStateAborted",
        }
    }

    /// Returns the event of success, before leaving.
    fn succeeded(self) -> &'static str {
        match self {
            StateType::Pass => "PassStateSucceeded",
            StateType::Task => "TaskStateSucceeded",
            StateType::Choice => "ChoiceStateSucceeded",
            StateType::Wait => "WaitStateSucceeded",
            StateType::Succeed => "SucceedStateSucceeded",
            StateType::Fail => "FailStateSucceeded",
            StateType::Parallel => "ParallelStateSucceeded",
            StateType::Map => "MapStateSucceeded",
        }
    }

    /// Returns the event of failure.
    fn failed(self) -> &'static str {
        match self {
            StateType::Pass => "PassStateFailed",
            StateType::Task => "TaskStateFailed",
            StateType::Choice => "ChoiceStateFailed",
            StateType::Wait => "WaitStateFailed",
            StateType::Succeed => "SucceedStateFailed",
            StateType::Fail => "FailStateFailed",
            StateType::Parallel => "ParallelStateFailed",
            StateType::Map => "MapStateFailed",
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

impl HistoryEvent {
    /// Returns the event as `GetExecutionHistory` shows it, the timestamp in seconds.
    pub fn to_value(&self) -> Value {
        let text = self.to_json();
        // INVARIANT: what is written is JSON, whatever the texts in it.
        value::parse(&text).unwrap_or_default()
    }

    /// Returns the event as JSON, as `GetExecutionHistory` shows it.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.finish()
    }

    /// Returns the JSON array of events: what is stored of them.
    pub fn list_to_json(events: &[HistoryEvent]) -> String {
        let bytes = events.iter().map(|event| EVENT_BYTES + event.details.payload_bytes());
        let mut writer = Writer::with_capacity(bytes.sum());
        let mut open = "[";
        for event in events {
            writer.raw(std::mem::replace(&mut open, ","));
            event.write(&mut writer);
        }
        writer.raw(if events.is_empty() { "[]" } else { "]" });
        writer.finish()
    }

    fn write<'e>(&'e self, writer: &mut Writer<'e>) {
        let event_type = self.details.event_type();
        writer.object(|event| {
            event
                .seconds("timestamp", self.timestamp_millis)
                .word("type", event_type)
                .number("id", self.id)
                .number("previousEventId", self.previous_event_id);
            self.details.write(event_type, event);
        });
    }
}

/// About how many bytes an event takes besides its payload.
const EVENT_BYTES: usize = 224;

impl Details {
    /// Returns the `type` of the event.
    pub fn event_type(&self) -> &'static str {
        match self {
            Details::ExecutionStarted { .. } => "ExecutionStarted",
            Details::ExecutionSucceeded { .. } => "ExecutionSucceeded",
            Details::ExecutionFailed { .. } => "ExecutionFailed",
            Details::ExecutionAborted { .. } => "ExecutionAborted",
            Details::ExecutionTimedOut => "ExecutionTimedOut",
            Details::ExecutionRedriven { .. } => "ExecutionRedriven",
            Details::StateEntered { state_type, .. } => state_type.entered(),
            Details::StateExited { state_type, .. } => state_type.exited(),
            Details::StateAborted { state_type } => state_type.aborted(),
            Details::ParallelStateStarted => "ParallelStateStarted",
            Details::MapStateStarted { .. } => "MapStateStarted",
            Details::StateSucceeded { state_type } => state_type.succeeded(),
            Details::StateFailed { state_type } => state_type.failed(),
            Details::MapIteration { what, .. } => match what {
                IterationEvent::Started => "MapIterationStarted",
                IterationEvent::Succeeded => "MapIterationSucceeded",
                IterationEvent::Failed => "MapIterationFailed",
                IterationEvent::Aborted => "MapIterationAborted",
            },
            Details::MapRunStarted { .. } => "MapRunStarted",
            Details::MapRunRedriven { .. } => "MapRunRedriven",
            Details::MapRunSucceeded => "MapRunSucceeded",
            Details::MapRunFailed { .. } => "MapRunFailed",
            Details::EvaluationFailed { .. } => "EvaluationFailed",
            Details::Task(task) => task.event_type(),
        }
    }

    /// Returns about how many bytes its payload takes, escapes included.
    fn payload_bytes(&self) -> usize {
        match self {
            Details::StateEntered { input: text, .. }
            | Details::StateExited { output: text, .. }
            | Details::ExecutionStarted { input: text, .. }
            | Details::ExecutionSucceeded { output: text } => text.len() + text.len() / 4,
            Details::ExecutionFailed { .. }
            | Details::ExecutionAborted { .. }
            | Details::ExecutionTimedOut
            | Details::ExecutionRedriven { .. }
            | Details::StateAborted { .. }
            | Details::ParallelStateStarted
            | Details::MapStateStarted { .. }
            | Details::StateSucceeded { .. }
            | Details::StateFailed { .. }
            | Details::MapIteration { .. }
            | Details::MapRunStarted { .. }
            | Details::MapRunRedriven { .. }
            | Details::MapRunSucceeded
            | Details::MapRunFailed { .. }
            | Details::EvaluationFailed { .. }
            | Details::Task(_) => 0,
        }
    }

    /// Writes the member that holds the details; some events have none.
    fn write<'e>(&'e self, event_type: &str, event: &mut Members<'_, 'e>) {
        match self {
            Details::StateAborted { .. }
            | Details::ParallelStateStarted
            | Details::StateSucceeded { .. }
            | Details::StateFailed { .. }
            | Details::MapRunSucceeded => {}
            Details::StateEntered { name, input, .. } => {
                event.object("stateEnteredEventDetails", |details| {
                    details.text("name", name).shared("input", input).whole("inputDetails");
                });
            }
            Details::StateExited { name, output, assigned_variables, .. } => {
                event.object("stateExitedEventDetails", |details| {
                    details.text("name", name).shared("output", output).whole("outputDetails");
                    if let Some(assigned) = assigned_variables {
                        details
                            .printed("assignedVariables", assigned)
                            .whole("assignedVariablesDetails");
                    }
                });
            }
            Details::Task(task) => task.write(event_type, event),
            Details::ExecutionStarted { .. }
            | Details::ExecutionSucceeded { .. }
            | Details::ExecutionFailed { .. }
            | Details::ExecutionAborted { .. }
            | Details::ExecutionTimedOut
            | Details::ExecutionRedriven { .. }
            | Details::MapStateStarted { .. }
            | Details::MapIteration { .. }
            | Details::MapRunStarted { .. }
            | Details::MapRunRedriven { .. }
            | Details::MapRunFailed { .. }
            | Details::EvaluationFailed { .. } => {
                event.details(event_type, |details| self.write_others(details));
            }
        }
    }

    /// Writes the details of events that name their member after their type.
    fn write_others<'e>(&'e self, details: &mut Members<'_, 'e>) {
        match self {
            Details::ExecutionStarted {
                input,
                role_arn,
                state_machine_alias_arn,
                state_machine_version_arn,
            } => {
                details
                    .shared("input", input)
                    .whole("inputDetails")
                    .text("roleArn", role_arn)
                    .text_some("stateMachineAliasArn", state_machine_alias_arn.as_ref())
                    .text_some("stateMachineVersionArn", state_machine_version_arn.as_ref());
            }
            Details::ExecutionFailed { error, cause }
            | Details::ExecutionAborted { error, cause }
            | Details::MapRunFailed { error, cause } => {
                details.text_some("error", error.as_ref()).text_some("cause", cause.as_ref());
            }
            Details::ExecutionSucceeded { output } => {
                details.shared("output", output).whole("outputDetails");
            }
            Details::MapStateStarted { length } => {
                details.number("length", *length);
            }
            Details::MapIteration { name, index, .. } => {
                details.text("name", name).number("index", *index);
            }
            Details::ExecutionRedriven { redrive_count } => {
                details.number("redriveCount", *redrive_count);
            }
            Details::MapRunStarted { map_run_arn } => {
                details.text("mapRunArn", map_run_arn);
            }
            Details::MapRunRedriven { map_run_arn, redrive_count } => {
                details.text("mapRunArn", map_run_arn).number("redriveCount", *redrive_count);
            }
            Details::EvaluationFailed { state, error, cause, location } => {
                details
                    .text("state", state)
                    .text("error", error)
                    .text("cause", cause)
                    .text_some("location", location.as_ref());
            }
            // UNVERIFIED: empty, as ExecutionAborted without error and cause was recorded to be.
            Details::ExecutionTimedOut
            | Details::StateEntered { .. }
            | Details::StateExited { .. }
            | Details::StateAborted { .. }
            | Details::ParallelStateStarted
            | Details::StateSucceeded { .. }
            | Details::StateFailed { .. }
            | Details::MapRunSucceeded
            | Details::Task(_) => {}
        }
    }
}
