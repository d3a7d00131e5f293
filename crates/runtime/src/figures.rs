//! What the runtime counts about itself, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Kind;

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Figures {
    executions_begun: AtomicU64,
    automations_begun: AtomicU64,
    stacks_begun: AtomicU64,
    finished: AtomicU64,
    facts: AtomicU64,
    effects: AtomicU64,
    express_begun: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// State-machine executions begun.
    pub executions_begun: u64,
    /// Runbook executions begun.
    pub automations_begun: u64,
    /// Stack operations begun.
    pub stacks_begun: u64,
    /// Processes of all kinds that have ended.
    pub finished: u64,
    /// Facts applied.
    pub facts: u64,
    /// Calls and scripts performed.
    pub effects: u64,
    /// Express executions begun.
    pub express_begun: u64,
}

impl Figures {
    pub(crate) fn begun(&self, kind: Kind) {
        let counter = match kind {
            Kind::Execution => &self.executions_begun,
            Kind::Automation => &self.automations_begun,
            Kind::Stack => &self.stacks_begun,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn finished(&self, processes: usize) {
        self.finished.fetch_add(processes as u64, Ordering::Relaxed);
    }

    pub(crate) fn applied(&self) {
        self.facts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn performed(&self) {
        self.effects.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn express_begun(&self) {
        self.express_begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the counters as they stand.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            executions_begun: read(&self.executions_begun),
            automations_begun: read(&self.automations_begun),
            stacks_begun: read(&self.stacks_begun),
            finished: read(&self.finished),
            facts: read(&self.facts),
            effects: read(&self.effects),
            express_begun: read(&self.express_begun),
        }
    }
}
