//! Redrive of a map run: what ended badly goes on, what never began is started. AWS page:
//! "Redriving Map Runs in Step Functions executions" (read 2026-11).
//!
//! Whoever ended badly is found by his record, a page at a time, so that the map run's size does
//! not depend on how many there are. It waits until all of its children know that they were
//! stopped: only then is it known how each ended.

use std::collections::VecDeque;

use asl::{Failure, error_name};
use serde::{Deserialize, Serialize};

use super::children::{self, Open};
use super::{MapRun, close, definition, exceeded, fail_exceeded, supply};
use crate::effect::{Effect, Status};
use crate::history::Details;
use crate::map_run::{Child, ChildEnd, ChildKind, Counts, ItemsWanted, MapRunStatus, Unsuccessful};
use crate::redrive::Remains;
use crate::run::Run;
use crate::state::{Doing, Step, TaskId, Thread, ThreadId, Visit};

/// How often a map run can be redriven (AWS's bound).
const REDRIVES_MAX: u32 = 1_000;

/// The children that a redrive has still to go through.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Redriving {
    /// Those at hand, in order.
    found: VecDeque<Unsuccessful>,
    /// Where the others are.
    others: Others,
    /// Under which number they were asked for.
    waits: Option<TaskId>,
    /// How those who wait ended, by item and by child.
    items: Counts,
    executions: Counts,
}

/// Children that are not at hand.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Others {
    /// There may be some behind this key.
    Behind(Option<String>),
    /// There are none.
    None,
}

impl Default for Others {
    fn default() -> Others {
        Others::Behind(None)
    }
}

impl MapRun {
    /// Returns the map run as a redrive finds it; none when a new one is to begin instead.
    pub(crate) fn kept(&self) -> Option<MapRun> {
        if self.is_spent {
            return None;
        }
        let mut kept = self.clone();
        kept.forget_closing();
        if kept.status == MapRunStatus::Running {
            kept.status = MapRunStatus::Aborted;
        }
        // Those not asked for again are forgotten with who asked.
        let _ = (kept.give_up_redrive(), kept.supply.give_up(), kept.writing.take());
        for open in std::mem::take(&mut kept.open).into_values() {
            kept.item_counts.end(Status::Aborted, open.items);
            kept.execution_counts.end(Status::Aborted, 1);
        }
        (kept.starting, kept.starting_bytes) = (0, 0);
        Some(kept)
    }

    /// Returns what has the items forgotten that lie ready.
    pub(crate) fn items_gone(&self) -> Option<Effect> {
        let (map_run_arn, pieces) = (self.arn.clone(), self.supply.pieces());
        (0 < pieces).then_some(Effect::ItemsGone { map_run_arn, pieces })
    }

    /// Lets everyone wait who ended badly.
    fn begin_redrive(&mut self) {
        let waits = |counts: &mut Counts| {
            let mut waiting = Counts::default();
            for status in [Status::Failed, Status::TimedOut, Status::Aborted] {
                *waiting.of(status) = std::mem::take(counts.of(status));
            }
            counts.pending_redrive = waiting.ended();
            counts.failures_not_redrivable = 0;
            waiting
        };
        let items = waits(&mut self.item_counts);
        let executions = waits(&mut self.execution_counts);
        self.redriving = Some(Box::new(Redriving { items, executions, ..Redriving::default() }));
    }

    /// Lets nobody wait any more: who did has ended as before. Returns the number under which
    /// others were asked for.
    pub(super) fn give_up_redrive(&mut self) -> Option<TaskId> {
        let mut redriving = *self.redriving.take()?;
        for status in [Status::Failed, Status::TimedOut, Status::Aborted] {
            *self.item_counts.of(status) += *redriving.items.of(status);
            *self.execution_counts.of(status) += *redriving.executions.of(status);
        }
        // AWS: the count is 0 once a map run has ended.
        self.item_counts.pending_redrive = 0;
        self.execution_counts.pending_redrive = 0;
        redriving.waits
    }

    /// Somebody waits no longer.
    fn take_on(&mut self, status: Status, items: u64) {
        let Some(redriving) = &mut self.redriving else { return };
        let less = |count: &mut u64, many| *count = count.saturating_sub(many);
        less(redriving.items.of(status), items);
        less(redriving.executions.of(status), 1);
        less(&mut self.item_counts.pending_redrive, items);
        less(&mut self.execution_counts.pending_redrive, 1);
    }

    /// Somebody cannot be redriven, and counts among those who failed.
    fn leave(&mut self, status: Status, items: u64) {
        *self.item_counts.of(status) += items;
        *self.execution_counts.of(status) += 1;
        self.item_counts.failures_not_redrivable += items;
        self.execution_counts.failures_not_redrivable += 1;
    }

    /// Takes in that a child that was stopped had ended before it heard of that.
    fn correct(&mut self, child: &Child, end: ChildEnd) {
        let (items, status) = (child.of.items, end.status);
        if let Some(redriving) = &mut self.redriving {
            let aborted = &mut redriving.executions.aborted;
            *aborted = aborted.saturating_sub(1);
            let aborted = &mut redriving.items.aborted;
            *aborted = aborted.saturating_sub(items);
            if status == Status::Succeeded {
                self.item_counts.pending_redrive -= items.min(self.item_counts.pending_redrive);
                self.execution_counts.pending_redrive -=
                    1.min(self.execution_counts.pending_redrive);
                self.item_counts.succeeded += items;
                self.execution_counts.succeeded += 1;
            } else {
                *redriving.executions.of(status) += 1;
                *redriving.items.of(status) += items;
            }
        } else {
            self.item_counts.aborted -= items.min(self.item_counts.aborted);
            self.execution_counts.aborted -= 1.min(self.execution_counts.aborted);
            *self.item_counts.of(status) += items;
            *self.execution_counts.of(status) += 1;
        }
        if let (Status::Succeeded, Some(output)) = (status, end.output) {
            let number = child.of.number.unwrap_or_else(|| self.next_number());
            self.keep(number, output);
        }
    }

    fn next_number(&mut self) -> u64 {
        self.begun += 1;
        self.begun - 1
    }
}

/// A redrive of the map run would end as this attempt did: it begins a new one. AWS: after
/// `States.DataLimitExceeded`, and after what the definition cannot be filled in with.
pub(super) fn spend(run: &mut Run<'_>, id: ThreadId) {
    let Some(map_run) = run.map_run_mut(id) else { return };
    map_run.is_spent = true;
    if let Some(effect) = map_run.items_gone() {
        run.effect(effect);
    }
}

/// Its execution was redriven.
pub(crate) fn redriven(run: &mut Run<'_>, id: ThreadId) {
    let now = run.millis;
    let Some(map_run) = run.map_run_mut(id) else { return };
    if REDRIVES_MAX <= map_run.redrives {
        // UNVERIFIED: AWS's wording.
        let cause = format!("Map Run exceeded the limit of {REDRIVES_MAX} redrives");
        return run.end_badly(Status::Failed, Some(error_name::RUNTIME.to_owned()), Some(cause));
    }
    (map_run.status, map_run.stop_millis) = (MapRunStatus::Running, None);
    map_run.redrives += 1;
    map_run.redrive_millis = Some(now);
    let (map_run_arn, redrive_count) = (map_run.arn.clone(), map_run.redrives);
    // UNVERIFIED: that it follows the redrive of the execution.
    run.record(id, || Details::MapRunRedriven { map_run_arn, redrive_count });
    if let Err(failure) = begin(run, id) {
        spend(run, id);
        run.evaluation_failed(id, failure);
    }
}

fn begin(run: &mut Run<'_>, id: ThreadId) -> Result<(), Failure> {
    let reader = run.visited(id).and_then(definition);
    let reader = reader.and_then(|(_, distributed)| distributed.item_reader.as_ref());
    run.reports.insert(id);
    let Some(map_run) = run.map_run_mut(id) else { return Ok(()) };
    // AWS: where no child was started, the items are read again.
    if let (Some(reader), 0) = (reader, map_run.begun) {
        map_run.partial = None;
        return supply::read(run, id, reader);
    }
    if 0 < map_run.begun {
        map_run.begin_redrive();
    }
    children::go_on(run, id);
    Ok(())
}

/// Goes on with the next child that waits; false when there is nothing to do now.
pub(super) fn go_on(run: &mut Run<'_>, id: ThreadId) -> bool {
    let Some(map_run) = run.map_run_mut(id) else { return false };
    let is_full = map_run.is_full();
    let Some(redriving) = &mut map_run.redriving else { return false };
    if is_full && !redriving.found.is_empty() {
        return false;
    }
    if let Some(child) = redriving.found.pop_front() {
        return take_on(run, id, child);
    }
    if redriving.waits.is_some() {
        return false;
    }
    match redriving.others.clone() {
        Others::Behind(behind) => {
            // They have another record soon, and what was given up writes its results first.
            if !are_stopping(run, id) && !close::is_behind(run, id) {
                ask(run, id, behind);
            }
            false
        }
        Others::None => settle(run, id),
    }
}

/// Redrives a child, or starts it again.
fn take_on(run: &mut Run<'_>, id: ThreadId, child: Unsuccessful) -> bool {
    let task = TaskId(run.number());
    let Some(map_run) = run.map_run_mut(id) else { return false };
    let Unsuccessful { name, number, items, status, start_millis, input, map_item, .. } = child;
    map_run.take_on(status, items);
    let can = match map_run.kind {
        ChildKind::Standard => child.is_redrivable,
        ChildKind::Express => input.is_some(),
    };
    if !can {
        map_run.leave(status, items);
        let exceeds = exceeded(map_run);
        if exceeds {
            fail_exceeded(run, id);
        }
        return !exceeds;
    }
    let redrive = (map_run.kind == ChildKind::Standard).then_some(map_run.redrives);
    let number = number.unwrap_or_else(|| map_run.next_number());
    let first_millis = Some(start_millis);
    let open = Open { number, name, items, input, map_item, redrive, first_millis };
    let wanted = map_run.open(task, open);
    run.state.children.insert(task, id);
    run.effect(wanted);
    true
}

/// Everyone was found. Of who was not, nothing is left that could be redriven.
fn settle(run: &mut Run<'_>, id: ThreadId) -> bool {
    let Some(map_run) = run.map_run_mut(id) else { return false };
    let Some(redriving) = &map_run.redriving else { return false };
    map_run.item_counts.failures_not_redrivable += redriving.items.ended();
    map_run.execution_counts.failures_not_redrivable += redriving.executions.ended();
    map_run.give_up_redrive();
    let exceeds = exceeded(map_run);
    if exceeds {
        fail_exceeded(run, id);
    }
    !exceeds
}

fn ask(run: &mut Run<'_>, id: ThreadId, behind: Option<String>) {
    let task = TaskId(run.number());
    let Some(map_run) = run.map_run_mut(id) else { return };
    let Some(redriving) = &mut map_run.redriving else { return };
    redriving.waits = Some(task);
    redriving.others = Others::Behind(behind);
    let effect = outstanding(map_run);
    run.state.children.insert(task, id);
    if let Some(effect) = effect {
        run.effect(effect);
    }
}

/// Returns what is asked for and not there.
pub(super) fn outstanding(map_run: &MapRun) -> Option<Effect> {
    let redriving = map_run.redriving.as_ref()?;
    let (Some(task), Others::Behind(behind)) = (redriving.waits, redriving.others.clone()) else {
        return None;
    };
    let wanted = ItemsWanted::Children { kind: map_run.kind, behind };
    Some(Effect::Items { task, map_run_arn: map_run.arn.clone(), wanted })
}

/// Children that ended badly were found.
pub(super) fn found(
    run: &mut Run<'_>,
    id: ThreadId,
    task: TaskId,
    children: Vec<Unsuccessful>,
    behind: Option<String>,
) {
    let Some(map_run) = run.map_run_mut(id) else { return };
    let Some(redriving) = &mut map_run.redriving else { return };
    if redriving.waits != Some(task) {
        return;
    }
    redriving.waits = None;
    redriving.found = children.into();
    redriving.others = match behind {
        Some(_) => Others::Behind(behind),
        None => Others::None,
    };
    run.state.children.remove(&task);
    children::go_on(run, id);
}

/// Returns whether children of a map run have not yet heard that they are to stop.
pub(super) fn are_stopping(run: &Run<'_>, id: ThreadId) -> bool {
    let Some(map_run) = run.map_run(id) else { return false };
    run.state.stopping.values().any(|child| child.of.map_run_arn == map_run.arn)
}

/// A child that was to be stopped has been, or had ended before.
pub(super) fn stopped(run: &mut Run<'_>, task: TaskId, end: Option<ChildEnd>) {
    let Some(child) = run.state.stopping.remove(&task) else { return };
    let arn = &child.of.map_run_arn;
    let is_corrected = end.as_ref().is_some_and(|end| end.status != Status::Aborted);
    let is_last = run.state.stopping.values().all(|other| other.of.map_run_arn != *arn);
    if !is_corrected && !is_last {
        return;
    }
    if let Some(end) = end.filter(|_| is_corrected) {
        for map_run in every(run, arn) {
            map_run.correct(&child, end.clone());
        }
    }
    if is_last {
        resume(run, arn);
    }
}

/// Lets whoever waited for children of this map run go on.
pub(super) fn resume(run: &mut Run<'_>, arn: &str) {
    let ids: Vec<ThreadId> =
        run.state.closing.keys().chain(run.state.threads.keys()).copied().collect();
    for id in ids {
        let waits = |it: &MapRun| it.redriving.is_some() || it.closing.is_some();
        if run.map_run(id).is_some_and(|it| it.arn == arn && waits(it)) {
            children::go_on(run, id);
        }
    }
}

/// Returns the map run of this ARN: as it runs, as it may yet be redriven, as it writes its
/// results.
fn every<'r>(run: &'r mut Run<'_>, arn: &str) -> impl Iterator<Item = &'r mut MapRun> {
    let state = &mut *run.state;
    let remains = match &mut state.remains {
        Some(Remains::Threads(threads)) => Some(threads.values_mut()),
        Some(Remains::MapRun) | None => None,
    };
    let threads = state.threads.values_mut().chain(state.closing.values_mut());
    let threads = threads.chain(remains.into_iter().flatten());
    threads.filter_map(of_thread).filter(move |map_run| map_run.arn == arn)
}

/// Returns whether a map run has been redriven oftener than so.
pub(super) fn has_later(run: &mut Run<'_>, arn: &str, redrives: u32) -> bool {
    every(run, arn).any(|map_run| redrives < map_run.redrives)
}

fn of_thread(thread: &mut Thread) -> Option<&mut MapRun> {
    match &mut thread.step {
        Step::In(Visit { doing: Doing::MapRun(map_run), .. }) => Some(map_run),
        Step::In(_) | Step::Enter { .. } => None,
    }
}
