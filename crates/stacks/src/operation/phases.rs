//! The course of an operation: forward, back, and away with what is left.

use std::collections::BTreeSet;

use value::Value;

use super::{
    CallFailure, Effect, Engine, Failed, Job, Kind, OnFailure, Phase, Progress, Random, Running,
    Stamp, Task,
};
use crate::change::{evaluate_properties, outputs};
use crate::resources::Work;
use crate::state::Retention;
use crate::{Change, ResourceRecord, State, Status, graph};

/// Begins a creation.
pub(super) fn create(
    state: &mut State,
    stamp: &Stamp,
    token: String,
    change: Box<Change>,
    on_failure: OnFailure,
) -> Vec<Effect> {
    if state.status != Status::ReviewInProgress {
        return Vec::new();
    }
    let jobs = deploy_jobs(&change);
    state.deployed = Some(*change);
    run(state, stamp, Running { on_failure, jobs, ..Running::new(token, Kind::Create) }, |engine| {
        engine.stack_event(Status::CreateInProgress, Some("User Initiated".to_owned()));
    })
}

/// Begins an update.
pub(super) fn update(
    state: &mut State,
    stamp: &Stamp,
    token: String,
    change: Box<Change>,
    on_failure: OnFailure,
) -> Vec<Effect> {
    let jobs = deploy_jobs(&change);
    let running =
        Running { jobs, on_failure, change: Some(change), ..Running::new(token, Kind::Update) };
    run(state, stamp, running, |engine| {
        engine.stack_event(Status::UpdateInProgress, Some("User Initiated".to_owned()));
    })
}

/// Begins a deletion.
pub(super) fn delete(
    state: &mut State,
    stamp: &Stamp,
    token: String,
    retain: Vec<String>,
) -> Vec<Effect> {
    let running = Running { retain, ..Running::new(token, Kind::Delete) };
    run(state, stamp, running, |engine| {
        engine.stack_event(Status::DeleteInProgress, Some("User Initiated".to_owned()));
        engine.doom_everything();
        engine.begin_deletion();
    })
}

/// Takes the answer to a call; one that is not out is ignored.
pub(super) fn answer(
    state: &mut State,
    stamp: &Stamp,
    id: &str,
    answer: Result<Value, CallFailure>,
) -> Vec<Effect> {
    let Some(running) = state.running.take() else { return Vec::new() };
    let at = running.jobs.iter().position(|job| job.progress.call_id() == Some(id));
    let Some(at) = at else {
        state.running = Some(running);
        return Vec::new();
    };
    drive(state, stamp, running, |engine| engine.take_answer(at, answer))
}

/// Begins an operation, unless one is going on or it is the one that came last.
fn run(
    state: &mut State,
    stamp: &Stamp,
    running: Running,
    begin: impl FnOnce(&mut Engine<'_>),
) -> Vec<Effect> {
    let repeated = state.last_token.as_ref() == Some(&running.token);
    if state.running.is_some() || repeated || state.status == Status::DeleteComplete {
        return Vec::new();
    }
    state.last_token = Some(running.token.clone());
    drive(state, stamp, running, begin)
}

/// Takes a step and goes on as far as possible without an answer.
fn drive(
    state: &mut State,
    stamp: &Stamp,
    running: Running,
    step: impl FnOnce(&mut Engine<'_>),
) -> Vec<Effect> {
    let random = Random::new(&stamp.entropy);
    let mut engine = Engine { state, running, stamp, random, effects: Vec::new() };
    step(&mut engine);
    let over = engine.advance();
    let Engine { state, running, effects, .. } = engine;
    if over == Course::Goes {
        state.running = Some(running);
    }
    effects
}

fn deploy_jobs(change: &Change) -> Vec<Job> {
    // INVARIANT: `Change::prepare` has sorted the same template before.
    let order = graph::order(&change.template, &change.conditions).unwrap_or_default();
    order.into_iter().map(|(name, needs)| Job::new(name, Task::Deploy, needs)).collect()
}

impl Running {
    fn new(token: String, kind: Kind) -> Running {
        Running {
            token,
            kind,
            phase: Phase::Forward,
            on_failure: OnFailure::Rollback,
            change: None,
            jobs: Vec::new(),
            failed: Vec::new(),
            before: Vec::new(),
            created: Vec::new(),
            doomed: Vec::new(),
            retain: Vec::new(),
            calls: 0,
        }
    }
}

/// Whether the operation goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    Goes,
    Over,
}

impl Engine<'_> {
    /// Starts every job that can start, and goes to the next phase when all have ended.
    fn advance(&mut self) -> Course {
        // INVARIANT: ends, because every round starts a waiting job, or ends a phase, and there
        // are at most three phases.
        loop {
            if self.running.phase == Phase::Forward && !self.running.failed.is_empty() {
                (0..self.running.jobs.len()).for_each(|at| self.cancel(at));
            }
            if let Some(at) = self.ready().or_else(|| self.tied()) {
                self.start(at);
                continue;
            }
            if self.running.jobs.iter().any(|job| job.progress.call_id().is_some()) {
                return Course::Goes;
            }
            if self.end_phase() == Course::Over {
                return Course::Over;
            }
        }
    }

    /// Returns a waiting job whose needs are met.
    fn ready(&self) -> Option<usize> {
        let jobs = &self.running.jobs;
        let is_open = |job: &&Job| job.progress != Progress::Done;
        let open: BTreeSet<&str> =
            jobs.iter().filter(is_open).map(|job| job.logical_id.as_str()).collect();
        let met = |job: &Job, need: &String| *need == job.logical_id || !open.contains(&**need);
        jobs.iter().position(|job| {
            job.progress == Progress::Waiting && job.needs.iter().all(|need| met(job, need))
        })
    }

    /// Returns a job to start although it waits: deletions that wait for each other in a circle,
    /// which a failed update can leave behind.
    fn tied(&self) -> Option<usize> {
        let running = &self.running;
        let busy = running.jobs.iter().any(|job| job.progress.call_id().is_some());
        if busy || running.phase != Phase::Delete || !running.failed.is_empty() {
            return None;
        }
        running.jobs.iter().position(|job| job.progress == Progress::Waiting)
    }

    fn end_phase(&mut self) -> Course {
        match (self.running.phase, self.running.kind) {
            (Phase::Forward, Kind::Create) => self.end_create(),
            (Phase::Forward, Kind::Update) => self.end_update(),
            (Phase::Forward, Kind::Delete) => Course::Over,
            (Phase::Revert, _) => self.end_revert(),
            (Phase::Delete, _) => self.end_deletion(),
        }
    }

    fn end_create(&mut self) -> Course {
        if self.running.failed.is_empty() {
            match self.evaluate_outputs() {
                Ok(()) => return self.finish(Status::CreateComplete, None),
                Err(reason) => return self.abandon_create(&reason),
            }
        }
        let names = self.failed_names(&[Task::Create, Task::Deploy]);
        self.abandon_create(&format!(
            "The following resource(s) failed to create: [{}].",
            names.join(", ")
        ))
    }

    fn abandon_create(&mut self, reason: &str) -> Course {
        let (status, wish) = match self.running.on_failure {
            OnFailure::DoNothing => {
                return self.finish(Status::CreateFailed, Some(format!("{reason} ")));
            }
            OnFailure::Rollback => (Status::RollbackInProgress, "Rollback"),
            OnFailure::Delete => (Status::DeleteInProgress, "Delete"),
        };
        self.stack_event(status, Some(format!("{reason} {wish} requested by user.")));
        self.doom_everything();
        self.begin_deletion();
        Course::Goes
    }

    fn end_update(&mut self) -> Course {
        let outputs = if self.running.failed.is_empty() { self.evaluate_outputs() } else { Ok(()) };
        if let Err(reason) = outputs {
            return self.abandon_update(reason);
        }
        if !self.running.failed.is_empty() {
            let reason = self.update_failures();
            return self.abandon_update(reason);
        }
        if let Some(change) = self.running.change.take() {
            self.state.deployed = Some(*change);
        }
        self.doom_leftovers();
        self.stack_event(Status::UpdateCompleteCleanupInProgress, None);
        self.begin_deletion();
        Course::Goes
    }

    fn update_failures(&self) -> String {
        let created = self.failed_names(&[Task::Create, Task::Deploy]);
        let updated = self.failed_names(&[Task::Update, Task::Replace]);
        let sentences = [(created, "create"), (updated, "update")]
            .into_iter()
            .filter(|(names, _)| !names.is_empty())
            .map(|(names, verb)| {
                let names = names.join(", ");
                format!("The following resource(s) failed to {verb}: [{names}]. ")
            });
        sentences.collect()
    }

    fn abandon_update(&mut self, reason: String) -> Course {
        if self.running.on_failure == OnFailure::DoNothing {
            return self.finish(Status::UpdateFailed, Some(reason));
        }
        self.stack_event(Status::UpdateRollbackInProgress, Some(reason));
        self.running.phase = Phase::Revert;
        self.running.failed = Vec::new();
        let jobs = std::mem::take(&mut self.running.jobs);
        for before in std::mem::take(&mut self.running.before) {
            let job = jobs.iter().find(|job| job.logical_id == before.logical_id);
            let replaces = job.is_some_and(|job| job.task == Task::Replace);
            if replaces { self.drop_replacement(&before) } else { self.undo_update(before) }
        }
        for logical_id in &self.running.created {
            let created = self.state.resource(logical_id).cloned();
            self.running.doomed.extend(created);
        }
        Course::Goes
    }

    /// Takes a resource back to what it was, and dooms what was to replace it, if that exists.
    fn drop_replacement(&mut self, before: &ResourceRecord) {
        let Some(now) = self.state.resource_mut(&before.logical_id) else { return };
        let replacement = std::mem::replace(now, before.clone());
        if replacement.physical_id != before.physical_id {
            self.running.doomed.push(replacement);
        }
        self.resource_event(before, Status::UpdateComplete, None, None);
    }

    /// Updates a resource back to what it was.
    fn undo_update(&mut self, before: ResourceRecord) {
        let previous = self.attempted(&before);
        let Some(now) = self.state.resource_mut(&before.logical_id) else { return };
        now.needs.clone_from(&before.needs);
        now.deletion_policy = before.deletion_policy;
        now.replace_policy = before.replace_policy;
        let mut job = Job::new(&before.logical_id, Task::Update, before.needs.clone());
        job.work = Some(Work {
            resource_type: before.resource_type,
            name: before.physical_id.clone(),
            physical_id: before.physical_id,
            properties: before.properties,
            previous,
            answers: Vec::new(),
        });
        self.running.jobs.push(job);
    }

    /// Returns the properties that the update was after, whether it got there or not.
    fn attempted(&self, before: &ResourceRecord) -> Value {
        let now = self.state.resource(&before.logical_id).map(|now| now.properties.clone());
        if let Some(now) = now.filter(|now| *now != before.properties) {
            return now;
        }
        let change = self.running.change.as_deref();
        let scope = change.map(|c| c.scope(&self.state.identity, &self.state.resources));
        let wanted = scope.and_then(|scope| evaluate_properties(&scope, &before.logical_id).ok());
        wanted.unwrap_or_else(|| before.properties.clone())
    }

    fn end_revert(&mut self) -> Course {
        if !self.running.failed.is_empty() {
            let names = self.failed_names(&[Task::Update]).join(", ");
            let reason = format!("The following resource(s) failed to update: [{names}]. ");
            return self.finish(Status::UpdateRollbackFailed, Some(reason));
        }
        self.stack_event(Status::UpdateRollbackCompleteCleanupInProgress, None);
        self.begin_deletion();
        Course::Goes
    }

    /// After an update: what the template no longer has, and what was replaced.
    fn doom_leftovers(&mut self) {
        let wanted: Vec<String> =
            self.running.jobs.iter().map(|job| job.logical_id.clone()).collect();
        for before in std::mem::take(&mut self.running.before) {
            let now = self.state.resource(&before.logical_id);
            if now.is_some_and(|now| now.physical_id != before.physical_id) {
                let deletion_policy = before.replace_policy;
                self.running.doomed.push(ResourceRecord { deletion_policy, ..before });
            }
        }
        let unwanted = self.state.resources.iter().filter(|record| {
            record.status != Status::DeleteComplete && !wanted.contains(&record.logical_id)
        });
        self.running.doomed.extend(unwanted.cloned());
    }

    fn doom_everything(&mut self) {
        let live = self.state.resources.iter().filter(|record| {
            !matches!(record.status, Status::DeleteComplete | Status::DeleteSkipped)
        });
        self.running.doomed = live.cloned().collect();
    }

    /// Begins to delete what is doomed, each resource after those that need it.
    fn begin_deletion(&mut self) {
        self.running.phase = Phase::Delete;
        self.running.failed = Vec::new();
        self.running.jobs = Vec::new();
        let doomed = std::mem::take(&mut self.running.doomed);
        for target in doomed.iter().rev() {
            let dependants = doomed
                .iter()
                .filter(|other| other.needs.contains(&target.logical_id))
                .map(|other| other.logical_id.clone());
            let mut job = Job::new(&target.logical_id, Task::Delete, dependants.collect());
            job.target = Some(Box::new(target.clone()));
            if self.is_kept(target) {
                self.resource_event(target, Status::DeleteSkipped, None, None);
                job.progress = Progress::Done;
            }
            self.running.jobs.push(job);
        }
    }

    fn is_kept(&self, target: &ResourceRecord) -> bool {
        let rolls_back =
            self.running.kind != Kind::Delete && self.running.created.contains(&target.logical_id);
        let by_policy = match target.deletion_policy {
            Retention::Delete => false,
            Retention::Retain => true,
            Retention::RetainExceptOnCreate => !rolls_back,
        };
        (by_policy && !target.physical_id.is_empty())
            || self.running.retain.contains(&target.logical_id)
    }

    fn end_deletion(&mut self) -> Course {
        let names = self.failed_names(&[Task::Delete]).join(", ");
        let failed = !names.is_empty();
        let reason =
            failed.then(|| format!("The following resource(s) failed to delete: [{names}]. "));
        match (self.running.kind, self.state.status) {
            (Kind::Update, Status::UpdateRollbackCompleteCleanupInProgress) => {
                self.forget_deleted();
                self.finish(Status::UpdateRollbackComplete, None)
            }
            (Kind::Update, _) => {
                self.forget_deleted();
                self.finish(Status::UpdateComplete, None)
            }
            (Kind::Create, Status::RollbackInProgress) if failed => {
                self.finish(Status::RollbackFailed, reason)
            }
            (Kind::Create, Status::RollbackInProgress) => {
                self.finish(Status::RollbackComplete, None)
            }
            (Kind::Create | Kind::Delete, _) if failed => self.finish(Status::DeleteFailed, reason),
            (Kind::Create | Kind::Delete, _) => self.finish(Status::DeleteComplete, None),
        }
    }

    /// After an update the stack lists only what it has.
    fn forget_deleted(&mut self) {
        self.state.resources.retain(|record| {
            !matches!(record.status, Status::DeleteComplete | Status::DeleteSkipped)
        });
    }

    fn evaluate_outputs(&mut self) -> Result<(), String> {
        let change = self.running.change.as_deref().or(self.state.deployed.as_ref());
        let Some(change) = change else { return Ok(()) };
        let outputs = outputs(&change.scope(&self.state.identity, &self.state.resources))?;
        self.state.outputs = outputs;
        Ok(())
    }

    fn failed_names(&self, tasks: &[Task]) -> Vec<String> {
        let failed = self.running.failed.iter().filter(|failed| tasks.contains(&failed.task));
        failed.map(|Failed { logical_id, .. }| logical_id.clone()).collect()
    }

    fn finish(&mut self, status: Status, reason: Option<String>) -> Course {
        self.stack_event(status, reason.clone());
        self.effects.push(Effect::Finish { status, reason });
        Course::Over
    }
}
