//! How requests end.

/// Why the runtime could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The store failed; nothing was kept.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// There is no running process of that id, or it has no such open task.
    #[error("the process is not running")]
    NotRunning,
    /// The definition that a process refers to cannot be used.
    #[error("the definition `{key}` cannot be used: {what}")]
    Definition {
        /// Its hash.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// The process belongs to a shard that this node does not own, and nobody else answers for it.
    #[error("no node answers for the process now; try again")]
    NotHere,
    /// The node that owns the process tried and failed.
    #[error("{0}")]
    Elsewhere(String),
    /// The node that owns the process cannot do it, and could not later.
    #[error("{0}")]
    Refused(String),
    /// As many express executions as may be are under way.
    #[error("too many express executions are under way")]
    ExpressLimit,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// What became of a request to begin a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It runs.
    New {
        /// Since when, in milliseconds since the epoch.
        at_millis: i64,
    },
    /// A process of this id runs or has run; nothing was done.
    AlreadyKnown,
    /// As `AlreadyKnown`, but this very request was asked before, and whoever was asked did not
    /// answer: he may have begun it.
    AskedBefore,
}
