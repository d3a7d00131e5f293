//! What the runtime is asked to do.

use serde::{Deserialize, Serialize};
use value::Value;

use crate::history::HistoryEvent;
use crate::map_run::{Child, ChildEnd, ItemsWanted, MapRunReport, WriteResults};
use crate::payload::Payload;
use crate::state::{TaskId, TimerId};

/// A request to the runtime.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Append these events to the history.
    Record(Vec<HistoryEvent>),
    /// Carry out a task and answer with a fact.
    Call(Box<Call>),
    /// Forget a task: its answer no longer matters.
    CancelCall {
        /// Which task.
        task: TaskId,
    },
    /// Look how the job of a task is doing and answer with a fact; the job's number is the call's.
    Look(Box<Job>),
    /// What a task has begun elsewhere is no longer wanted: a place in an activity's queue, a job.
    Withdraw(Box<Job>),
    /// Fire a timer at a time.
    Timer {
        /// Which timer.
        timer: TimerId,
        /// When, in milliseconds since the Unix epoch.
        at_millis: i64,
    },
    /// Forget a timer.
    CancelTimer {
        /// Which timer.
        timer: TimerId,
    },
    /// Begin a child execution unless it has begun, follow it, and say when it has begun and how it
    /// ended.
    Child(Box<Child>),
    /// End a child execution that may have begun, and say when that is done.
    StopChild(Box<Child>),
    /// Keep the record of an express child execution that has ended.
    ChildRecord {
        /// Which.
        child: Box<Child>,
        /// How it ended.
        end: Box<ChildEnd>,
    },
    /// Read or bring items of a map run, and say so with a fact.
    Items {
        /// The number under which they are asked for.
        task: TaskId,
        /// Whose they are.
        map_run_arn: String,
        /// What is wanted.
        wanted: ItemsWanted,
    },
    /// Forget the items of a map run that lie ready: it will not go on.
    ItemsGone {
        /// Whose they are.
        map_run_arn: String,
        /// In how many pieces they lie.
        pieces: u32,
    },
    /// Keep the inputs of children that a map run never began, for its results, or forget them.
    Pending {
        /// Whose they are.
        map_run_arn: String,
        /// Which row of them.
        row: u32,
        /// The inputs, as JSON; none to forget them.
        inputs: Option<Vec<String>>,
    },
    /// Write the results of a map run, and say so with a fact.
    Results {
        /// The number under which that is asked for.
        task: TaskId,
        /// Whose they are.
        map_run_arn: String,
        /// Where and in which form.
        wanted: WriteResults,
    },
    /// Keep where a map run stands.
    MapRun(Box<MapRunReport>),
    /// The execution is over.
    Finish(Box<Finish>),
}

/// A task for the runtime.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its number within the execution; the answer names it.
    pub task: TaskId,
    /// The resource's ARN, as written in the definition.
    pub resource: String,
    /// The name of the state that asks.
    pub state_name: String,
    /// What is asked.
    pub arguments: Value,
    /// The token for callbacks: of activities and of `.waitForTaskToken`.
    pub task_token: Option<String>,
    /// When it was asked, in milliseconds since the Unix epoch.
    #[serde(default)]
    pub asked_millis: i64,
    /// The role of `Credentials`, to be used instead of the execution's.
    pub credentials_role_arn: Option<String>,
    /// How long the task may take.
    pub timeout_seconds: Option<i64>,
    /// How long may pass between heartbeats.
    pub heartbeat_seconds: Option<i64>,
}

/// What a task has begun elsewhere.
#[derive(Clone, Debug)]
pub struct Job {
    /// Under which number it is looked at; the task's own when its request is still on its way.
    pub number: TaskId,
    /// The task's request.
    pub call: Call,
    /// The answer of the request; none while it is still on its way.
    pub submitted: Option<Value>,
}

/// How an execution ended.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The final status.
    pub status: Status,
    /// The output of a success.
    pub output: Option<Payload>,
    /// The error of anything else.
    pub error: Option<String>,
    /// The cause of anything else.
    pub cause: Option<String>,
}

/// The status of an execution, in the API's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Still going, or not yet started.
    #[default]
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Ran out of `TimeoutSeconds`.
    TimedOut,
    /// Was stopped.
    Aborted,
}

impl Status {
    /// Returns the API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Running => "RUNNING",
            Status::Succeeded => "SUCCEEDED",
            Status::Failed => "FAILED",
            Status::TimedOut => "TIMED_OUT",
            Status::Aborted => "ABORTED",
        }
    }
}
