//! What has happened to an execution, as the runtime tells it.

use serde::{Deserialize, Serialize};
use value::Value;

use crate::rate::RateControl;
use crate::state::Status;

/// The moment of a fact and the randomness that may be drawn because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since the Unix epoch.
    pub millis: i64,
    /// Fresh random bytes; ids are derived from them.
    pub entropy: [u8; 32],
}

/// Something that has happened and is durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// The execution was accepted. The first fact, once.
    Started(Box<Started>),
    /// [`crate::Effect::Call`] was answered.
    CallSucceeded {
        /// The id of the call.
        id: u64,
        /// The answer, with the model's member names.
        output: Value,
        /// The request id of the answer, where there was one.
        request_id: Option<String>,
    },
    /// [`crate::Effect::Call`] was refused or failed.
    CallFailed {
        /// The id of the call.
        id: u64,
        /// What the service, or the way to it, said.
        error: CallError,
    },
    /// [`crate::Effect::Script`] is about to be started.
    ScriptBegun {
        /// The id of the script run.
        id: u64,
    },
    /// [`crate::Effect::Script`] returned.
    ScriptSucceeded {
        /// The id of the script run.
        id: u64,
        /// What the handler returned.
        payload: Value,
        /// What it printed.
        log: String,
    },
    /// [`crate::Effect::Script`] raised, or could not be run.
    ScriptFailed {
        /// The id of the script run.
        id: u64,
        /// The traceback as the harness wrote it, `ExceptionClass - message` last.
        text: String,
    },
    /// The execution of [`crate::Effect::Child`] has ended.
    ChildEnded {
        /// The id of the effect.
        id: u64,
        /// How it ended.
        end: ChildEnd,
    },
    /// [`crate::Effect::Timer`] is due.
    TimerFired {
        /// The id of the timer.
        id: u64,
    },
    /// `StopAutomationExecution` was accepted.
    StopRequested(StopType),
    /// `SendAutomationSignal` was accepted.
    Signal(Signal),
}

/// Who runs what, as which role; fixed for the whole execution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// `AutomationExecutionId`.
    pub execution_id: String,
    /// The document's name, or its ARN when it is shared from elsewhere.
    pub document_name: String,
    /// The resolved version, a number.
    pub document_version: String,
    /// `Map<String, List<String>>`, as given to `StartAutomationExecution`.
    pub parameters: Value,
    /// The caller's ARN (`ExecutedBy`).
    pub executed_by: String,
    /// The role that was assumed, see [`crate::Runbook::assume_role`]; without one the caller's own
    /// session makes the calls.
    pub assume_role: Option<String>,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The partition, `aws`.
    pub partition: String,
    /// Whether steps wait to be started one by one.
    pub mode: Mode,
    /// The execution that this is a child of.
    pub parent_execution_id: Option<String>,
    /// The target that it is for, when its parent runs over many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The targets that it runs over; without them it runs its steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Box<RateControl>>,
}

/// How a child execution ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildEnd {
    /// Its final status.
    pub status: Status,
    /// Why it failed.
    pub failure_message: Option<String>,
}

/// `ExecutionMode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Steps follow each other.
    #[default]
    Auto,
    /// Every step waits for the signal `StartStep`.
    Interactive,
}

impl Mode {
    /// Returns the name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Auto => "Auto",
            Mode::Interactive => "Interactive",
        }
    }
}

/// A call that did not succeed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// The wire code, `NoSuchEntity`.
    pub code: String,
    /// The service's words.
    pub message: String,
}

/// `StopType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopType {
    /// Stops the current step too.
    Cancel,
    /// Lets the current step finish.
    Complete,
}

/// `SendAutomationSignal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// An approver agrees.
    Approve {
        /// The caller's ARN.
        approver: String,
        /// The payload's `Comment`.
        comment: Option<String>,
    },
    /// An approver refuses.
    Reject {
        /// The caller's ARN.
        approver: String,
        /// The payload's `Comment`.
        comment: Option<String>,
    },
    /// Ends an `aws:pause` step.
    Resume {
        /// The step; the waiting one when absent.
        step_name: Option<String>,
    },
    /// Starts the next step of an interactive execution.
    StartStep {
        /// The step; the waiting one when absent.
        step_name: Option<String>,
    },
    /// Stops a step that runs.
    StopStep {
        /// `StepExecutionId`.
        step_execution_id: String,
    },
}
