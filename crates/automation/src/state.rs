//! Where an execution stands; what a crash must not lose.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use value::{Value, value};

use crate::effect::Effect;
use crate::fact::{Started, StopType};
use crate::failure::Failure;
use crate::rate::Fleet;

/// One execution. The default is one that has not started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Who and what; absent before the first fact.
    pub(crate) started: Option<Started>,
    pub(crate) status: Status,
    pub(crate) start_millis: i64,
    pub(crate) end_millis: Option<i64>,
    /// The parameters with their types.
    pub(crate) parameters: Value,
    /// The variables with their types.
    pub(crate) variables: Value,
    /// One for each step of the runbook, in its order.
    pub(crate) steps: Vec<StepExecution>,
    /// Runs of loop steps in iterations before the current one, with the index of their step.
    pub(crate) earlier: Vec<(usize, StepExecution)>,
    /// The current iteration of each loop that runs or ran, by the index of its step.
    pub(crate) iterations: BTreeMap<usize, Iteration>,
    /// What `{{ Loop.… }}` names; it outlives the loop.
    pub(crate) loop_scope: Value,
    pub(crate) phase: Phase,
    /// The children of an execution over many targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fleet: Option<Fleet>,
    /// Effects that have no answer yet, by id.
    pub(crate) outstanding: BTreeMap<u64, Effect>,
    pub(crate) last_id: u64,
    pub(crate) stop: Option<StopType>,
    /// The timer that ends the steps behind `onCancel`.
    pub(crate) cancel_deadline_id: Option<u64>,
    pub(crate) failure: Option<Failure>,
    /// The worst that a critical step has made of the final status.
    pub(crate) verdict: Verdict,
    /// `Outputs` once the execution is over.
    pub(crate) outputs: Value,
}

/// What the execution does at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Not started.
    #[default]
    Idle,
    /// An interactive execution waits to be told to start the step at this index.
    Offered(usize),
    /// The step at this index runs.
    Running(usize),
    /// Children run, one for each target.
    Fleet,
    /// Over.
    Finished,
}

/// What failed critical steps have made of the final status so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// No critical step has failed.
    #[default]
    Success,
    /// One timed out, and none before it failed otherwise.
    TimedOut,
    /// One failed.
    Failed,
}

/// `AutomationExecutionStatus`, for executions and for steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Not begun.
    #[default]
    Pending,
    /// At work.
    InProgress,
    /// Waiting for somebody.
    Waiting,
    /// Done.
    Success,
    /// Took too long.
    TimedOut,
    /// A stop was asked for and is under way.
    Cancelling,
    /// Stopped.
    Cancelled,
    /// Failed.
    Failed,
}

impl Status {
    /// Returns the name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pending => "Pending",
            Status::InProgress => "InProgress",
            Status::Waiting => "Waiting",
            Status::Success => "Success",
            Status::TimedOut => "TimedOut",
            Status::Cancelling => "Cancelling",
            Status::Cancelled => "Cancelled",
            Status::Failed => "Failed",
        }
    }

    /// Returns the status of this name in the API.
    pub fn parse(name: &str) -> Option<Status> {
        let all = [
            Status::Pending,
            Status::InProgress,
            Status::Waiting,
            Status::Success,
            Status::TimedOut,
            Status::Cancelling,
            Status::Cancelled,
            Status::Failed,
        ];
        all.into_iter().find(|status| status.name() == name)
    }

    /// Returns whether nothing will follow.
    pub fn is_terminal(self) -> bool {
        match self {
            Status::Success | Status::TimedOut | Status::Cancelled | Status::Failed => true,
            Status::Pending | Status::InProgress | Status::Waiting | Status::Cancelling => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One step of one execution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StepExecution {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) start_millis: Option<i64>,
    pub(crate) end_millis: Option<i64>,
    /// The inputs with their references resolved.
    pub(crate) inputs: Value,
    /// The outputs with their types, for references.
    pub(crate) outputs: Value,
    /// What the current attempt is, from 1.
    pub(crate) attempt: u64,
    /// What the action remembers between facts; its own affair.
    pub(crate) memory: Value,
    /// The timer that ends the attempt.
    pub(crate) timeout_id: Option<u64>,
    pub(crate) failure: Option<Failure>,
    /// The iteration that a step inside a loop runs in.
    pub(crate) iteration: Option<Iteration>,
}

/// One turn of a loop.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Iteration {
    /// From 1.
    pub(crate) number: u64,
    /// The element of `Iterators`.
    pub(crate) value: Option<Value>,
}

impl Iteration {
    /// Returns what references to the loop find.
    pub(crate) fn scope(&self) -> Value {
        value!({"CurrentIteration": self.number.cast_signed()})
            .with_some("CurrentIteratorValue", self.value.clone())
    }
}

impl State {
    /// Returns the role whose credentials make the calls; `None` means the caller's own session.
    pub fn assume_role(&self) -> Option<&str> {
        self.started.as_ref()?.assume_role.as_deref()
    }

    /// Returns who started the execution.
    pub fn executed_by(&self) -> Option<&str> {
        Some(self.started.as_ref()?.executed_by.as_str())
    }

    /// Returns `AutomationExecutionStatus`.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Returns whether a child execution is to answer this effect.
    pub fn awaits_child(&self, id: u64) -> bool {
        matches!(self.outstanding.get(&id), Some(Effect::Child(_)))
    }

    /// Returns the effects that were asked for and not answered, to be asked for again after a
    /// crash.
    pub fn outstanding(&self) -> Vec<Effect> {
        self.outstanding.values().cloned().collect()
    }
}
