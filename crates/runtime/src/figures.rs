//! What the runtime counts about itself, for whoever watches it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use store::SHARDS;

use crate::Kind;

/// Counters that only grow, and how many executions are open.
#[derive(Debug, Default)]
pub struct Figures {
    executions_begun: AtomicU64,
    automations_begun: AtomicU64,
    stacks_begun: AtomicU64,
    finished: AtomicU64,
    facts: AtomicU64,
    effects: AtomicU64,
    express_begun: AtomicU64,
    /// Open executions of each shard that is this node's.
    open: [AtomicUsize; SHARDS as usize],
    /// Open automations of each shard that is this node's.
    open_automations: [AtomicUsize; SHARDS as usize],
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
    /// State-machine executions that have not ended, of the shards that are this node's.
    pub executions_open: usize,
}

impl Figures {
    pub(crate) fn begun(&self, shard: u32, kind: Kind) {
        self.opened(shard, kind);
        let counter = match kind {
            Kind::Execution => &self.executions_begun,
            Kind::Automation => &self.automations_begun,
            Kind::Stack => &self.stacks_begun,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn finished(&self, shard: u32, kind: Kind) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        if let Some(open) = self.open(shard, kind) {
            let less = |open: usize| Some(open.saturating_sub(1));
            // An update that always has a value cannot fail.
            let _ = open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// Notes a process that is there: begun, or found at the start.
    pub(crate) fn opened(&self, shard: u32, kind: Kind) {
        if let Some(open) = self.open(shard, kind) {
            open.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that nothing is known of a shard any more.
    pub(crate) fn forgot(&self, shard: u32) {
        for open in [Kind::Execution, Kind::Automation].map(|kind| self.open(shard, kind)) {
            open.inspect(|open| open.store(0, Ordering::Relaxed));
        }
    }

    /// Returns the counter of what is open of a kind in a shard.
    fn open(&self, shard: u32, kind: Kind) -> Option<&AtomicUsize> {
        match kind {
            Kind::Execution => self.open.get(shard as usize),
            Kind::Automation => self.open_automations.get(shard as usize),
            Kind::Stack => None,
        }
    }

    /// Returns how many executions are open in the shards that are this node's.
    pub(crate) fn executions_open(&self) -> usize {
        self.open.iter().map(|open| open.load(Ordering::Relaxed)).sum()
    }

    /// Returns the same of automations.
    pub(crate) fn automations_open(&self) -> usize {
        self.open_automations.iter().map(|open| open.load(Ordering::Relaxed)).sum()
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
            executions_open: self.executions_open(),
        }
    }
}
