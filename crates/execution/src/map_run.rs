//! What the runtime and a map run tell each other: child executions, items, results.

use serde::{Deserialize, Serialize};
use value::Value;

use crate::effect::Status;
use crate::payload::Payload;
use crate::state::TaskId;

/// Makes an execution a child of a map run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChildOf {
    /// The map run.
    pub map_run_arn: String,
    /// The number of the state that its item processor starts at.
    pub state: u32,
    /// What kind of execution it is.
    pub kind: ChildKind,
    /// How many items it takes.
    pub items: u64,
    /// `Map.Item` of its context object; batches have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub map_item: Option<Value>,
    /// Its number among the children of the map run; none if it began before that was kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u64>,
    /// How often the map run had been redriven when it began.
    #[serde(default)]
    pub redrives: u32,
}

/// `ProcessorConfig.ExecutionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChildKind {
    /// Durable, with a history.
    Standard,
    /// In memory; begun again when the node dies.
    Express,
}

/// A child execution that the runtime is to begin, follow or end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Child {
    /// Its number within the parent; answers name it.
    pub task: TaskId,
    /// Its name, made up for it.
    pub name: String,
    /// What makes it a child.
    pub of: ChildOf,
    /// Its input; none once it is known to have begun.
    pub input: Option<Payload>,
    /// Which redrive of its map run redrives it, until it is known to have been; it has begun long
    /// ago.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub redrive: Option<u32>,
}

/// How a child execution ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChildEnd {
    /// Its status.
    pub status: Status,
    /// Its input.
    pub input: Payload,
    /// The output of a success.
    pub output: Option<Payload>,
    /// The error of anything else.
    pub error: Option<String>,
    /// The cause of anything else.
    pub cause: Option<String>,
    /// When it began, in milliseconds since the epoch.
    pub start_millis: i64,
    /// When it ended.
    pub stop_millis: i64,
    /// Whether it can be redriven.
    #[serde(default)]
    pub is_redrivable: bool,
}

/// A child execution that ended badly, as a redrive of its map run finds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unsuccessful {
    /// Its name.
    pub name: String,
    /// Its number among the children of the map run, if that was kept.
    pub number: Option<u64>,
    /// How many items it has.
    pub items: u64,
    /// How it ended.
    pub status: Status,
    /// Whether it can be redriven.
    pub is_redrivable: bool,
    /// When it began, in milliseconds since the epoch.
    pub start_millis: i64,
    /// Its input, if it is to be started again.
    pub input: Option<Payload>,
    /// `Map.Item` of its context object, if it is to be started again.
    pub map_item: Option<Value>,
}

/// What a map run hears of the world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum MapRunFact {
    /// The child has begun and is durable.
    ChildStarted,
    /// The child has ended.
    ChildEnded(Box<ChildEnd>),
    /// The child was stopped, or never was.
    ChildStopped,
    /// The items were read and lie ready, in so many pieces.
    ItemsRead {
        /// How many there are.
        items: u64,
        /// In how many pieces.
        pieces: u32,
    },
    /// A piece of the items.
    ItemsLoaded {
        /// The items: `{"Runs": [{"Source": …, "Items": […]}, …]}`, or a bare array.
        items: Value,
    },
    /// Children that ended badly, for a redrive.
    ChildrenFound {
        /// Some of them.
        children: Vec<Unsuccessful>,
        /// Behind which key there may be more; none at the end.
        behind: Option<String>,
    },
    /// The results were written.
    ResultsWritten {
        /// Into this bucket.
        bucket: String,
        /// Where their manifest is.
        key: String,
    },
    /// The results could not be written.
    ResultsFailed {
        /// The cause.
        cause: String,
    },
    /// Items could not be read.
    ItemsFailed {
        /// The error.
        error: String,
        /// The cause.
        cause: String,
    },
}

/// What a ResultWriter writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WriteResults {
    /// The number of the state, whose definition says in which form.
    pub state: u32,
    /// Bucket and prefix.
    pub arguments: Value,
}

/// What a map run waits for, besides its children.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ItemsWanted {
    /// Read the items and lay them ready.
    Read(Box<ReadItems>),
    /// Bring a piece of them.
    Piece(u32),
    /// Find children that ended badly, for a redrive.
    Children {
        /// What kind of executions they are.
        kind: ChildKind,
        /// Behind which key to go on; none at the beginning.
        behind: Option<String>,
    },
}

/// What an ItemReader reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadItems {
    /// The name of the state, whose definition says how they are read.
    pub state: u32,
    /// Bucket, key, prefix …
    pub arguments: Value,
    /// How many items are read at most.
    pub items_max: Option<u64>,
}

/// `MapRunStatus`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapRunStatus {
    /// Under way.
    #[default]
    Running,
    /// Every child has ended, and not too many badly.
    Succeeded,
    /// Too many children ended badly, or items or results could not be read or written.
    Failed,
    /// Its execution ended before it.
    Aborted,
}

impl MapRunStatus {
    /// Returns the API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            MapRunStatus::Running => "RUNNING",
            MapRunStatus::Succeeded => "SUCCEEDED",
            MapRunStatus::Failed => "FAILED",
            MapRunStatus::Aborted => "ABORTED",
        }
    }
}

/// How many items or child executions stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Not yet started.
    pub pending: u64,
    /// Under way.
    pub running: u64,
    /// Ended well.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Ran out of time.
    pub timed_out: u64,
    /// Stopped.
    pub aborted: u64,
    /// Written by a ResultWriter.
    pub results_written: u64,
    /// Ended badly, and wait to be redriven.
    #[serde(default)]
    pub pending_redrive: u64,
    /// Of those that ended badly, how many cannot be redriven.
    #[serde(default)]
    pub failures_not_redrivable: u64,
}

impl Counts {
    /// Returns how many there are.
    pub fn total(&self) -> u64 {
        self.pending + self.running + self.pending_redrive + self.ended()
    }

    pub(crate) fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.timed_out + self.aborted
    }

    /// Moves `many` from those under way to where `status` belongs.
    pub(crate) fn end(&mut self, status: Status, many: u64) {
        self.running -= many.min(self.running);
        *self.of(status) += many;
    }

    /// Returns how many ended like this.
    pub(crate) fn of(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Succeeded => &mut self.succeeded,
            Status::TimedOut => &mut self.timed_out,
            Status::Aborted => &mut self.aborted,
            Status::Failed | Status::Running => &mut self.failed,
        }
    }
}

/// A map run as DescribeMapRun shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MapRunReport {
    /// Its ARN.
    pub arn: String,
    /// The name of the Map state.
    pub state_name: String,
    /// Where it stands.
    pub status: MapRunStatus,
    /// When it began, in milliseconds since the epoch.
    pub start_millis: i64,
    /// When it ended.
    pub stop_millis: Option<i64>,
    /// `maxConcurrency`; 0 is no bound of its own.
    pub concurrency_max: u64,
    /// `toleratedFailureCount`.
    pub tolerated_count: u64,
    /// `toleratedFailurePercentage`.
    pub tolerated_percentage: f64,
    /// In how many pieces its items lie ready.
    pub pieces: u32,
    /// How often it was redriven.
    pub redrives: u32,
    /// When it last was.
    pub redrive_millis: Option<i64>,
    /// How the items fare.
    pub items: Counts,
    /// How the child executions fare.
    pub executions: Counts,
}

/// What UpdateMapRun changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MapRunUpdate {
    /// `maxConcurrency`.
    pub concurrency_max: Option<u64>,
    /// `toleratedFailureCount`.
    pub tolerated_count: Option<u64>,
    /// `toleratedFailurePercentage`.
    pub tolerated_percentage: Option<f64>,
}
