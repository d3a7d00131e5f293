//! What an execution still has to do elsewhere, kept as a start would find it.

use std::collections::{BTreeMap, BTreeSet};

use asl::Resource;
use execution::Job;
use runtime::{ErrandDone, Watcher};
use value::{Value, value};

/// Where the numbers of errands begin.
const FIRST: u64 = 1 << 32;

/// The errands of an execution.
#[derive(Default, serde::Deserialize)]
pub(super) struct Errands {
    count: u64,
    /// By number; an object of one member, the kind.
    open: BTreeMap<u64, Value>,
    watchers: BTreeSet<Watcher>,
}

impl Errands {
    fn add(&mut self, number: Option<u64>, kind: &str) {
        let number = number.unwrap_or(FIRST + self.count);
        self.count += 1;
        self.open.insert(number, value!({}).with(kind, Value::Null));
    }

    pub(super) fn watched(&mut self, watcher: Watcher) {
        self.watchers.insert(watcher);
    }

    /// A Task is over before its job.
    pub(super) fn withdrawn(&mut self, job: &Job) {
        if let Some(Resource::Activity(_)) = Resource::parse(&job.call.resource) {
            return;
        }
        match job.submitted {
            Some(_) => self.add(None, "Stop"),
            None => self.add(Some(job.call.task.0.into()), "Undo"),
        }
    }

    /// The execution has ended.
    pub(super) fn ended(&mut self) {
        for _ in std::mem::take(&mut self.watchers) {
            self.add(None, "Tell");
        }
    }

    pub(super) fn done(&mut self, done: &ErrandDone) {
        let errand = self.open.remove(&done.number);
        if errand.is_some_and(|errand| errand.get("Undo").is_some()) && done.output.is_some() {
            self.add(None, "Stop");
        }
    }

    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Returns the numbers of those that are calls.
    pub(super) fn calls(&self) -> impl Iterator<Item = u64> {
        let calls = self.open.iter().filter(|(_, errand)| errand.get("Tell").is_none());
        calls.map(|(number, _)| *number)
    }
}
