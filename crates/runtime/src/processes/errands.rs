//! What an execution still has to do elsewhere, whatever becomes of it: stop the jobs of Tasks that
//! were over before them, and tell executions that wait for its end. An execution that has ended
//! stays until its errands are run, so that a crash forgets none.

use std::collections::{BTreeMap, BTreeSet};

use asl::Resource;
use execution::Job;
use serde::{Deserialize, Serialize};
use value::Value;

use crate::endpoint::CallError;

/// Errands are numbered from here on; tasks and timers have numbers of 32 bits.
const FIRST: u64 = 1 << 32;

/// The errands of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Errands {
    /// How many there have been.
    count: u64,
    pub(crate) open: BTreeMap<u64, Errand>,
    /// Who is to be told of the end.
    pub(crate) watchers: BTreeSet<Watcher>,
}

/// An execution whose Task waits for the end of another execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Watcher {
    /// Its ARN.
    pub execution_arn: String,
    /// The number of its Task.
    pub task: u32,
}

/// Something to be done elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Errand {
    /// Tell that the execution has ended.
    Tell(Watcher),
    /// Stop a job.
    Stop { call: execution::Call, submitted: Value },
    /// Stop the job that a request submits which is still on its way.
    Undo { call: execution::Call },
}

/// An errand was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrandDone {
    /// Which.
    pub number: u64,
    /// What a request that was still on its way has submitted.
    pub output: Option<Value>,
}

impl Errands {
    /// Takes an errand on; returns its number. A request on its way keeps its own.
    pub(crate) fn add(&mut self, errand: Errand) -> u64 {
        let number = match &errand {
            Errand::Undo { call } => u64::from(call.task.0),
            Errand::Tell(_) | Errand::Stop { .. } => FIRST + self.count,
        };
        self.count += 1;
        self.open.insert(number, errand);
        number
    }
}

impl Errand {
    /// Returns the errand that takes a job back.
    pub(crate) fn withdrawing(job: Job) -> Errand {
        match job.submitted {
            Some(submitted) => Errand::Stop { call: job.call, submitted },
            None => Errand::Undo { call: job.call },
        }
    }

    /// Returns what came of the errand. One that fails is not run again: a job that cannot be
    /// stopped goes on, as on AWS.
    pub(crate) fn done(
        &self,
        number: u64,
        execution: &str,
        answer: Result<Value, CallError>,
    ) -> ErrandDone {
        let failed = |err: &CallError| {
            tracing::warn!(%execution, code = %err.code, "an errand failed: {}", err.message);
        };
        let output = match (self, answer) {
            (Errand::Undo { call }, Ok(output)) => {
                let resource = Resource::parse(&call.resource);
                resource.and_then(|_| crate::integrations::submitted(&call.resource, output))
            }
            // What was never submitted needs no stopping.
            (Errand::Undo { .. }, Err(_)) | (Errand::Tell(_) | Errand::Stop { .. }, Ok(_)) => None,
            (Errand::Tell(_) | Errand::Stop { .. }, Err(err)) => {
                failed(&err);
                None
            }
        };
        ErrandDone { number, output }
    }
}
