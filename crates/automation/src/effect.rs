//! What an execution asks the runtime to do.

use serde::{Deserialize, Serialize};
use value::Value;

use crate::state::Status;

/// A request to the runtime. Ids are unique within the execution and never used again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Call an AWS operation as [`crate::State::assume_role`], or as the caller without one.
    Call(Call),
    /// Run a script in its own process, with the credentials of the assumed role.
    Script(Box<Script>),
    /// See to a child execution and send [`crate::Fact::ChildEnded`] when it has ended; asked for
    /// again, it is the newer wish that counts.
    Child(Box<Child>),
    /// Send [`crate::Fact::TimerFired`] at this time.
    Timer {
        /// The timer's id.
        id: u64,
        /// When, in milliseconds since the Unix epoch.
        at_millis: i64,
    },
    /// The timer is not wanted any more; a fact that comes all the same changes nothing.
    CancelTimer {
        /// The timer's id.
        id: u64,
    },
    /// The call or script is not wanted any more: end it if it still runs.
    Cancel {
        /// The id of the call or script.
        id: u64,
    },
    /// [`crate::record`] gives another answer than before: project it.
    Record,
    /// Put an event on the default bus.
    Event(StatusChange),
    /// The execution is over.
    Finish {
        /// The final status.
        status: Status,
        /// Why it failed.
        failure_message: Option<String>,
        /// `Outputs`: name to list of strings.
        outputs: Value,
    },
}

/// One AWS API call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The id that the answer names.
    pub id: u64,
    /// The service as boto3 spells it in lower case: `iam`, `ec2`.
    pub service: String,
    /// The operation in the model's spelling, or as the runbook's author spelled it
    /// (`describe_instances` and `describeInstances` are accepted by AWS too).
    pub operation: String,
    /// The request.
    pub input: Value,
    /// As whom.
    #[serde(default, skip_serializing_if = "Identity::is_worker")]
    pub identity: Identity,
}

/// As whom a call is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// As [`crate::State::assume_role`], or as the starter without one.
    #[default]
    Worker,
    /// As whoever started the execution, who starts another one by it.
    Starter,
}

impl Identity {
    /// Returns whether it is the usual one.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_worker(&self) -> bool {
        *self == Identity::Worker
    }
}

/// The execution of the same runbook for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// The id that the end names.
    pub id: u64,
    /// Its `AutomationExecutionId`: whoever begins it twice begins one.
    pub execution_id: String,
    /// Its `Target`.
    pub target: String,
    /// The parameters that it has besides those of its parent.
    pub parameters: Value,
    /// What is to become of it.
    pub wish: ChildWish,
}

/// What is to become of a child execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChildWish {
    /// It is to run: begin it unless it was begun.
    Run,
    /// It is to be stopped, as by `StopAutomationExecution`.
    Stop,
}

/// One script run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// The id that the answer names.
    pub id: u64,
    /// `python3.11`, `PowerShell 7.4` …
    pub runtime: String,
    /// `function` or `file.function`; PowerShell has none.
    pub handler: Option<String>,
    /// The script's text; empty when it comes from an attachment.
    pub text: String,
    /// The name of the attachment that holds the script.
    pub attachment: Option<String>,
    /// The handler's first argument.
    pub payload: Value,
    /// The handler's second argument: the `global:` and `automation:` variables.
    pub context: Value,
    /// The longest that the process may run. The engine has a timer of its own and cancels the
    /// script when it fires; this is the bound for processes that nobody cancels any more.
    pub timeout_seconds: u64,
    /// The path that tracebacks show, `/tmp/<id>-<time>/customer_script.py`.
    pub file: String,
    /// The SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// Whether [`crate::Fact::ScriptBegun`] has told that it was started: it must not be started
    /// again then, for nobody knows how far it came.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
}

/// An EventBridge event of source `aws.ssm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusChange {
    /// `EC2 Automation Step Status-change Notification` or the same of the execution.
    pub detail_type: String,
    /// The execution's ARN and the automation definition's.
    pub resources: Vec<String>,
    /// The detail.
    pub detail: Value,
}

impl Effect {
    /// Returns the id that an answer to this effect names, for effects that are answered.
    pub fn awaited_id(&self) -> Option<u64> {
        match self {
            Effect::Call(call) => Some(call.id),
            Effect::Script(script) => Some(script.id),
            Effect::Child(child) => Some(child.id),
            Effect::Timer { id, .. } => Some(*id),
            Effect::CancelTimer { .. }
            | Effect::Cancel { .. }
            | Effect::Record
            | Effect::Event(_)
            | Effect::Finish { .. } => None,
        }
    }
}
