//! How a node hands a message to the node that owns the process.

use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::{Begin, Fact, ProcessId, Started};

/// Whether the id of a process that begins may have been used before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Novelty {
    /// It may: whoever takes it looks.
    #[default]
    Unknown,
    /// It was made at random for this one request.
    Fresh,
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
    /// There is no running process of that id.
    NotRunning,
    /// It does not own the process, or cannot be reached: look again where it is.
    NotThere,
    /// It tried and failed.
    Failed(String),
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
