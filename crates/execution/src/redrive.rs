//! Redrive: an execution that ended badly goes on where it failed.
//!
//! AWS Step Functions developer guide, "Restarting state machine executions with redrive", and API
//! reference, "RedriveExecution" (read 2026-11).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use asl::{StateId, StateKind, StateMachineType};
use serde::{Deserialize, Serialize};

use crate::effect::Status;
use crate::history::Details;
use crate::run::Run;
use crate::state::{Doing, Shown, State, Step, Thread, ThreadId, Visit};
use crate::states::{map, map_run};

/// From here on a history is too long for a redrive (AWS's bound): it has to take the redrive and
/// one more event.
pub const REDRIVE_EVENTS_MAX: u64 = 24_999;
/// How long after its end an execution can be redriven, in milliseconds (AWS's bound: 14 days).
pub const REDRIVABLE_MILLIS: i64 = 14 * DAY_MILLIS;
/// How long after its start an execution may still run, in milliseconds (AWS's bound: a year).
pub const OPEN_MILLIS_MAX: i64 = 365 * DAY_MILLIS;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How many tokens of redrives are known again (AWS's bound).
const TOKENS_MAX: usize = 10;
/// How long a token is known again, in milliseconds (AWS's bound).
const TOKEN_MILLIS: i64 = 15 * 60 * 1000;

/// What a redrive goes on with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Remains {
    /// The lines of control as they were before the failure took them down.
    Threads(BTreeMap<ThreadId, Thread>),
    /// One of them was in a map run: before those could be redriven, nothing was kept.
    MapRun,
}

/// The redrives of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrives {
    /// How many there have been.
    pub count: u32,
    /// When the last one was, in milliseconds since the Unix epoch.
    pub last_millis: i64,
    /// The tokens of the last ones and when they came, oldest first.
    pub tokens: Vec<(String, i64)>,
    /// Of a child execution: which redrive of its map run was the last.
    #[serde(default)]
    pub map_run: u32,
}

impl Redrives {
    /// Returns when the redrive of a token was, as long as that is known.
    pub fn of_token(&self, token: &str, now_millis: i64) -> Option<i64> {
        let found = self.tokens.iter().rev().find(|(known, _)| known == token);
        found.map(|(_, millis)| *millis).filter(|millis| now_millis - millis < TOKEN_MILLIS)
    }
}

/// Why an execution cannot be redriven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRedrivable {
    /// It runs, or has ended well.
    Is(Status),
    /// Its history is too long.
    HistoryFull,
    /// It is a child execution of a map run, whose redrive redrives it.
    Child,
    /// Nothing was kept of it.
    NotKept,
}

impl fmt::Display for NotRedrivable {
    // UNVERIFIED: the ends of the sentences; those of `Is` are recorded, the others documented.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRedrivable::Is(status) => {
                write!(f, "Execution is {} and cannot be redriven", status.as_str())
            }
            NotRedrivable::HistoryFull => f.write_str("Execution history event limit exceeded"),
            // UNVERIFIED: that a child is refused, and AWS's wording.
            NotRedrivable::Child => f.write_str("Execution can only be redriven by its Map Run"),
            NotRedrivable::NotKept => {
                f.write_str("Execution was started before the launch of RedriveExecution")
            }
        }
    }
}

impl State {
    /// Returns its redrives; `None` when there was none.
    pub fn redrives(&self) -> Option<&Redrives> {
        self.redrives.as_ref()
    }

    /// Returns whether it can be redriven.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn redrivable(&self) -> Result<(), NotRedrivable> {
        match self.status {
            Status::Running | Status::Succeeded => return Err(NotRedrivable::Is(self.status)),
            Status::Failed | Status::TimedOut | Status::Aborted => {}
        }
        if REDRIVE_EVENTS_MAX <= self.last_event_id {
            return Err(NotRedrivable::HistoryFull);
        }
        match &self.remains {
            Some(Remains::Threads(_)) => Ok(()),
            Some(Remains::MapRun) | None => Err(NotRedrivable::NotKept),
        }
    }
}

impl Run<'_> {
    /// Returns whether anything of the execution is kept when it ends badly.
    fn keeps(&self) -> bool {
        self.machine_type() == StateMachineType::Standard
    }

    fn is_child(&self) -> bool {
        self.state.started.as_ref().is_some_and(|started| started.child.is_some())
    }

    /// Keeps a line of control as it is before a failure takes it down. What is known already is
    /// older, and stays.
    pub(crate) fn keep(&mut self, id: ThreadId) {
        if self.keeps()
            && !self.fallen.contains_key(&id)
            && let Some(thread) = self.state.threads.get(&id).and_then(kept)
        {
            self.fallen.insert(id, thread);
        }
    }

    /// Keeps a Map whose iteration has failed and is no longer among those that run.
    pub(crate) fn keep_with(&mut self, id: ThreadId, iteration: ThreadId) {
        self.keep(id);
        if let Some(thread) = self.fallen.get_mut(&id)
            && let Step::In(Visit { doing: Doing::Iterations(iterations), .. }) = &mut thread.step
        {
            iterations.children.running.insert(iteration);
        }
    }

    /// The failure was caught, retried or tolerated: the execution goes on without a redrive.
    pub(crate) fn forget_fallen(&mut self) {
        let fallen = std::mem::take(&mut self.fallen);
        self.forget_items(fallen.values());
    }

    /// Map runs that will not go on need their items no longer.
    fn forget_items<'t>(&mut self, threads: impl Iterator<Item = &'t Thread>) {
        for thread in threads {
            if let Step::In(Visit { doing: Doing::MapRun(map_run), .. }) = &thread.step
                && let Some(effect) = map_run.items_gone()
            {
                self.effect(effect);
            }
        }
    }

    /// Keeps what a redrive goes on with, of an execution that ends badly.
    pub(crate) fn keep_remains(&mut self) {
        let standing = self.state.threads.iter();
        let standing = standing.filter_map(|(id, thread)| Some((*id, kept(thread)?)));
        let mut threads: BTreeMap<_, _> = standing.collect();
        threads.extend(std::mem::take(&mut self.fallen));
        if self.keeps() && self.state.last_event_id < REDRIVE_EVENTS_MAX {
            self.state.remains = Some(Remains::Threads(threads));
        } else {
            self.forget_items(threads.values());
        }
    }

    /// `RedriveExecution` was called.
    pub(crate) fn redriven(&mut self, token: String) {
        let redrives = self.state.redrives.as_ref();
        let known = redrives.and_then(|redrives| redrives.of_token(&token, self.millis));
        if known.is_some() || self.is_child() || self.state.redrivable().is_err() {
            return;
        }
        let redrives = self.state.redrives.get_or_insert_default();
        redrives.tokens.push((token, self.millis));
        let surplus = redrives.tokens.len().saturating_sub(TOKENS_MAX);
        redrives.tokens.drain(..surplus);
        self.go_on_with_remains();
    }

    /// The map run that this child belongs to was redriven.
    pub(crate) fn redriven_by_map_run(&mut self, redrive: u32) {
        let last = self.state.redrives.as_ref().map_or(0, |redrives| redrives.map_run);
        if redrive <= last || !self.is_child() || self.state.redrivable().is_err() {
            return;
        }
        self.state.redrives.get_or_insert_default().map_run = redrive;
        self.go_on_with_remains();
    }

    fn go_on_with_remains(&mut self) {
        let Some(Remains::Threads(mut threads)) = self.state.remains.take() else { return };
        self.state.status = Status::Running;
        let redrives = self.state.redrives.get_or_insert_default();
        redrives.count += 1;
        redrives.last_millis = self.millis;
        let redrive_count = redrives.count;
        // UNVERIFIED: that the redrive follows the end, and what goes on follows the redrive.
        let event =
            self.append(self.state.last_event_id, || Details::ExecutionRedriven { redrive_count });
        if self.state.status != Status::Running {
            // It filled the history.
            return;
        }
        // AWS: timeouts of the state machine begin anew.
        self.arm_timeout();
        for thread in threads.values_mut() {
            thread.previous_event_id = event;
            self.enter_again(thread);
        }
        let ids: Vec<ThreadId> = threads.keys().copied().collect();
        self.state.threads = threads;
        for id in ids {
            // One that goes on may at once have taken others down.
            if !self.state.threads.contains_key(&id) {
                continue;
            }
            match self.visit(id).map(|visit| &visit.doing) {
                Some(Doing::Branches(_)) => {}
                Some(Doing::Iterations(_)) => {
                    let running = self.running_iterations(id);
                    map::redriven(self, id, &running);
                }
                Some(Doing::MapRun(_)) => map_run::redriven(self, id),
                Some(_) | None => self.state.runnable.push_back(id),
            }
        }
    }

    /// AWS: a Fail state is entered again. Other states are not: their entry has no exit yet.
    fn enter_again(&self, thread: &mut Thread) {
        let Step::In(Visit { state, input, .. }) = &thread.step else { return };
        let kind = self.definition.state(StateId(*state)).map(|definition| &definition.kind);
        if let Some(StateKind::Fail(_)) = kind {
            thread.step = Step::Enter { state: *state, input: input.clone() };
        }
    }

    /// Returns which iterations of a Map go on.
    fn running_iterations(&self, id: ThreadId) -> BTreeSet<usize> {
        let parents = self.state.threads.values().filter_map(|thread| thread.parent);
        parents.filter(|parent| parent.thread == id).map(|parent| parent.index).collect()
    }
}

/// Returns what a redrive needs of a line of control. Whatever it waits for is asked for again, and
/// its retriers count anew. None of one within a map run of before iterations were executions of
/// their own; such a map run begins anew.
fn kept(thread: &Thread) -> Option<Thread> {
    if thread.shown == Shown::Nowhere {
        return None;
    }
    let step = match &thread.step {
        Step::Enter { .. } => thread.step.clone(),
        Step::In(visit) => Step::In(Visit {
            state: visit.state,
            input: visit.input.clone(),
            entered_event_id: visit.entered_event_id,
            before_event_id: visit.before_event_id,
            entered_millis: visit.entered_millis,
            attempts: Vec::new(),
            doing: kept_doing(&visit.doing),
        }),
    };
    Some(Thread {
        parent: thread.parent,
        shown: thread.shown,
        previous_event_id: thread.previous_event_id,
        variables: thread.variables.clone(),
        map_item: thread.map_item.clone(),
        step,
    })
}

fn kept_doing(doing: &Doing) -> Doing {
    match doing {
        Doing::MapRun(map_run) => {
            map_run.kept().map_or(Doing::Beginning, |map_run| Doing::MapRun(Box::new(map_run)))
        }
        Doing::Iterations(iterations) if iterations.distributed => Doing::Beginning,
        Doing::Branches(_) | Doing::Iterations(_) => doing.clone(),
        Doing::Beginning | Doing::Task(_) | Doing::Waiting(_) | Doing::Retrying(_) => {
            Doing::Beginning
        }
    }
}
