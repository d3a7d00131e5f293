//! What has happened.

use serde::{Deserialize, Serialize};
use value::Value;

use crate::map_run::{ChildOf, MapRunFact, MapRunUpdate};
use crate::payload::Payload;
use crate::state::{TaskId, TimerId};

/// When a fact happened, and the randomness that its consequences draw from.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Milliseconds since the Unix epoch.
    pub millis: i64,
    /// Fresh random bytes.
    pub entropy: [u8; 32],
}

/// Something that has happened and is durable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Fact {
    /// The execution was started.
    Started(Box<Started>),
    /// An activity's task waits for a worker.
    ActivityScheduled {
        /// Which task.
        task: TaskId,
    },
    /// A worker took an activity's task.
    ActivityStarted {
        /// Which task.
        task: TaskId,
        /// What the worker calls itself.
        worker: Option<String>,
    },
    /// The request of a `.sync` or `.waitForTaskToken` task was answered; its end is still to come.
    TaskSubmitted {
        /// Which task.
        task: TaskId,
        /// The answer.
        output: Value,
    },
    /// A task ended well.
    TaskSucceeded {
        /// Which task.
        task: TaskId,
        /// Its result.
        output: Value,
    },
    /// A task ended badly; both texts are as the user is to see them.
    TaskFailed {
        /// Which task.
        task: TaskId,
        /// The error name, e.g. `Iam.NoSuchEntityException`.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
    /// A task asks for something that is not there: the execution cannot go on.
    TaskImpossible {
        /// Which task.
        task: TaskId,
        /// Why, as a sentence.
        cause: String,
    },
    /// The job that a task submitted has not ended yet.
    JobRuns {
        /// Which task.
        task: TaskId,
        /// When it is to be looked at again; never, when somebody will tell of its end.
        again_seconds: Option<u32>,
    },
    /// A look at the job that a task submitted failed in a way that may pass.
    JobUnseen {
        /// Which task.
        task: TaskId,
        /// When it is to be looked at again, if it was seen before; later, the oftener it was not.
        again_seconds: u32,
        /// The error that the task ends with, when that goes on for too long.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
    /// The job that a task submitted may have ended.
    JobStirred {
        /// Which task.
        task: TaskId,
    },
    /// A worker sent a heartbeat.
    TaskHeartbeat {
        /// Which task.
        task: TaskId,
    },
    /// A timer's time has come.
    TimerFired {
        /// Which timer.
        timer: TimerId,
    },
    /// Something of a map run: `task` is the child's number.
    MapRun {
        /// Which child.
        task: TaskId,
        /// What.
        fact: MapRunFact,
    },
    /// `UpdateMapRun` was called.
    MapRunUpdated {
        /// Which map run.
        map_run_arn: String,
        /// What is to be different.
        update: MapRunUpdate,
    },
    /// `RedriveExecution` was called. Nothing, if the execution cannot be redriven, or has been by
    /// this token.
    Redriven {
        /// What tells this redrive from others.
        token: String,
    },
    /// The map run that this child execution belongs to was redriven. Nothing, if the child cannot
    /// be redriven, or has been by this redrive.
    RedrivenByMapRun {
        /// Which redrive of the map run, from 1.
        redrive: u32,
    },
    /// `StopExecution` was called.
    StopRequested {
        /// The error given.
        error: Option<String>,
        /// The cause given.
        cause: Option<String>,
    },
}

/// How an execution was started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Started {
    /// The input.
    pub input: Payload,
    /// The execution's ARN.
    pub execution_arn: String,
    /// The execution's name.
    pub execution_name: String,
    /// The role it acts as.
    pub role_arn: String,
    /// The state machine's ARN.
    pub state_machine_arn: String,
    /// The state machine's name.
    pub state_machine_name: String,
    /// The alias through which it was started.
    pub state_machine_alias_arn: Option<String>,
    /// The version through which it was started.
    pub state_machine_version_arn: Option<String>,
    /// The region, as `TaskScheduled` events show it.
    pub region: String,
    /// Whether its history is wanted.
    #[serde(default)]
    pub history: HistoryMode,
    /// What makes it a child execution of a map run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<Box<ChildOf>>,
}

/// Whether an execution's history events are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryMode {
    /// They are, for [`crate::Effect::Record`].
    #[default]
    Recorded,
    /// They are counted (failures name the event of their state's entry) but never made: an express
    /// execution without logging has no history to show.
    Counted,
}
