//! How a node hands a message to the node that owns the process.

use std::pin::Pin;

use serde::{Deserialize, Serialize};
use value::Value;

use crate::{Begin, Error, Fact, ProcessId, Started};

/// Whether the id of a process that begins may have been used before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Novelty {
    /// It may: whoever takes it looks.
    #[default]
    Unknown,
    /// It was made at random for this one request.
    Fresh,
}

/// What whoever has a task's token says about the task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Callback {
    /// The token.
    pub token: String,
    /// What is said.
    pub report: Report,
    /// What is remembered with it, when a process says it: so that a repetition after a crash
    /// changes nothing and gives the same answer.
    pub answered: Option<Answered>,
}

/// What is said about a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Report {
    /// A worker takes an activity's task.
    Taken {
        /// What the worker calls itself.
        worker: Option<String>,
    },
    /// It ended well.
    Succeeded {
        /// Its result.
        output: Value,
    },
    /// It ended badly.
    Failed {
        /// The error name.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
    /// It is still going on.
    Heartbeat,
}

/// The answer to an effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answered {
    /// The effect's id.
    pub id: String,
    /// The answer.
    pub answer: Value,
}

/// A message from one node to another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Forwarded {
    /// Begin a process.
    Begin {
        /// Which.
        id: ProcessId,
        /// How.
        begin: Box<Begin>,
        /// Whether the id may have been used before.
        #[serde(default)]
        novelty: Novelty,
    },
    /// Hand a request to a running process.
    Request {
        /// Which.
        id: ProcessId,
        /// What.
        fact: Fact,
    },
    /// Hand what is said about a task to its execution.
    Callback {
        /// Which execution.
        id: ProcessId,
        /// What.
        callback: Box<Callback>,
    },
}

/// What the other node says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forward {
    /// A process began.
    New {
        /// When, in milliseconds since the epoch.
        at_millis: i64,
    },
    /// A process of this id runs or has run.
    AlreadyKnown,
    /// The request was taken.
    Taken,
    /// There is no running process of that id, or it has no such open task.
    NotRunning,
    /// It does not own the process, or cannot be reached: look again where it is.
    NotThere,
    /// It tried and failed; it may have done it all the same.
    Failed(String),
    /// It cannot do it, and could not later: a definition that it cannot use, a message that it
    /// does not understand. Nodes from before there was this answer say `Failed`.
    Refused(String),
}

impl Forward {
    /// Returns what a node says of a message that it has taken.
    pub fn of(taken: Result<Forward, Error>) -> Forward {
        match taken {
            Ok(answer) => answer,
            Err(Error::NotHere | Error::ShuttingDown) => Forward::NotThere,
            Err(Error::NotRunning) => Forward::NotRunning,
            Err(err @ (Error::Definition { .. } | Error::Refused(_))) => {
                Forward::Refused(err.to_string())
            }
            Err(err @ (Error::Store(_) | Error::Elsewhere(_) | Error::ExpressLimit)) => {
                Forward::Failed(err.to_string())
            }
        }
    }
}

impl From<Started> for Forward {
    fn from(started: Started) -> Forward {
        match started {
            Started::New { at_millis } => Forward::New { at_millis },
            Started::AlreadyKnown | Started::AskedBefore => Forward::AlreadyKnown,
        }
    }
}

/// An answer that takes time.
pub type Forwarding = Pin<Box<dyn Future<Output = Forward> + Send>>;

/// The way to other nodes.
pub trait Peers: Send + Sync {
    /// Hands a message to the node at an address.
    fn forward(&self, address: &str, message: &Forwarded) -> Forwarding;
}

/// There are no others.
pub struct NoPeers;

impl Peers for NoPeers {
    fn forward(&self, _: &str, _: &Forwarded) -> Forwarding {
        Box::pin(async { Forward::NotThere })
    }
}
