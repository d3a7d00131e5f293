//! The child executions of a map run: started a window at a time, taken in as they end.

use asl::Failure;
use serde::{Deserialize, Serialize};
use value::Value;

use super::{
    MapRun, child, close, complete, definition, exceeded, fail_exceeded, redrive, results, select,
    supply, uuid,
};
use crate::effect::{Effect, Status};
use crate::leave::too_large;
use crate::map_run::{ChildEnd, ChildKind, MapRunStatus};
use crate::payload::Payload;
use crate::run::Run;
use crate::state::{Doing, State, Step, TaskId, ThreadId, Visit};

/// How many children may be on their way without being known to have begun. Of express children
/// nobody says that they have begun; these count by bytes alone.
const STARTING_MAX: u64 = 256;
/// How many bytes the inputs of those may have together.
const STARTING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A child that has not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Open {
    /// Its number among the children.
    pub(super) number: u64,
    pub(super) name: String,
    /// How many items it has.
    pub(super) items: u64,
    /// Until it is known to have begun; of an express child to its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) input: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) map_item: Option<Value>,
    /// Which redrive redrives it, until it is known to have been.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) redrive: Option<u32>,
    /// When it began for the first time, if that was before this redrive.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) first_millis: Option<i64>,
}

/// Starts as many children as may run, or completes the state when there are no more.
pub(super) fn go_on(run: &mut Run<'_>, id: ThreadId) {
    if run.map_run(id).is_some_and(|map_run| map_run.closing.is_some()) {
        return close::go_on(run, id);
    }
    loop {
        run.reports.insert(id);
        let Some(map_run) = run.map_run(id) else { return };
        // Those of before come first, so that they are told from those that begin now.
        if map_run.redriving.is_some() {
            if redrive::go_on(run, id) {
                continue;
            }
            return;
        }
        if map_run.supply.next().is_none() {
            if map_run.supply.has_more() {
                supply::want_more(run, id);
                return;
            }
            if map_run.partial.is_none() {
                if map_run.open.is_empty() {
                    complete(run, id);
                }
                return;
            }
        }
        if map_run.is_full() {
            return;
        }
        if let Err(failure) = start(run, id) {
            redrive::spend(run, id);
            run.evaluation_failed(id, failure);
            return;
        }
    }
}

impl MapRun {
    /// Returns whether no further child may begin now.
    pub(super) fn is_full(&self) -> bool {
        let starting = match self.kind {
            ChildKind::Standard => self.starting,
            ChildKind::Express => 0,
        };
        self.window() <= self.open.len() as u64
            || STARTING_MAX <= starting
            || STARTING_BYTES_MAX <= self.starting_bytes
    }

    /// Takes a child in that is to begin or to be redriven.
    pub(super) fn open(&mut self, task: TaskId, open: Open) -> Effect {
        self.starting += 1;
        let input = open.input.as_ref();
        self.starting_bytes += input.map_or(0, |input| input.value().json_bytes());
        self.item_counts.running += open.items;
        self.execution_counts.running += 1;
        let wanted = child(self, task, &open);
        self.open.insert(task, open);
        Effect::Child(Box::new(wanted))
    }

    /// A child no longer counts among those that are about to begin.
    fn has_begun(&mut self, open: &mut Open) {
        let (input, redrive) = (open.input.take(), open.redrive.take());
        if input.is_some() || redrive.is_some() {
            self.starting = self.starting.saturating_sub(1);
        }
        let bytes = input.map_or(0, |input| input.value().json_bytes());
        self.starting_bytes = self.starting_bytes.saturating_sub(bytes);
    }
}

/// Starts the next child.
fn start(run: &mut Run<'_>, id: ThreadId) -> Result<(), Failure> {
    let Some(state) = run.visited(id) else { return Ok(()) };
    let Some((items, input, map_item)) = next_input(run, id)? else { return Ok(()) };
    if input.too_large() {
        return Err(too_large(&state.name));
    }
    let task = TaskId(run.number());
    let name = uuid(run);
    let Some(map_run) = run.map_run_mut(id) else { return Ok(()) };
    let (number, input) = (map_run.begun, Some(input));
    let (redrive, first_millis) = (None, None);
    let open = Open { number, name, items, input, map_item, redrive, first_millis };
    map_run.begun += 1;
    let counts = &mut map_run.item_counts;
    counts.pending -= items.min(counts.pending);
    let counts = &mut map_run.execution_counts;
    counts.pending = counts.pending.saturating_sub(1);
    let wanted = map_run.open(task, open);
    run.state.children.insert(task, id);
    run.effect(wanted);
    Ok(())
}

/// How many items a child takes, its input, and `Map.Item`.
type Input = (u64, Payload, Option<Value>);

/// Returns what the next child takes; none when a batch waits for more items.
pub(super) fn next_input(run: &mut Run<'_>, id: ThreadId) -> Result<Option<Input>, Failure> {
    let batching = run.map_run(id).and_then(|map_run| map_run.batching.clone());
    let Some(batching) = batching else {
        let (item, input) = next_item(run, id)?.unwrap_or_default();
        advance(run, id);
        return Ok(Some((1, input.into(), Some(item))));
    };
    let partial = run.map_run_mut(id).and_then(|map_run| map_run.partial.take());
    let mut batch = partial.unwrap_or_else(|| batching.open());
    let mut is_full = false;
    while let Some((_, item)) = next_item(run, id)? {
        if !batching.takes(&batch, &item) {
            is_full = true;
            break;
        }
        batch.push(item);
        advance(run, id);
    }
    if let Some(map_run) = run.map_run_mut(id)
        && !is_full
        && map_run.supply.has_more()
    {
        map_run.partial = Some(batch);
        return Ok(None);
    }
    let items = batch.items.len() as u64;
    Ok(Some((items, batching.input(batch.items).into(), None)))
}

/// Returns `Map.Item` of the next item, and what ItemSelector makes of it.
fn next_item(run: &mut Run<'_>, id: ThreadId) -> Result<Option<(Value, Value)>, Failure> {
    let Some(state) = run.visited(id) else { return Ok(None) };
    let Some((map, _)) = definition(state) else { return Ok(None) };
    let Some(map_run) = run.map_run(id) else { return Ok(None) };
    let Some(map_item) = map_run.supply.map_item() else { return Ok(None) };
    let selector_input = map_run.selector_input.clone();
    let input = select(run, id, map, &map_item, selector_input)?;
    Ok(Some((map_item, input)))
}

pub(super) fn advance(run: &mut Run<'_>, id: ThreadId) {
    if let Some(map_run) = run.map_run_mut(id) {
        map_run.supply.advance();
    }
}

/// A child has begun: its input is its own from here on.
pub(super) fn started(run: &mut Run<'_>, id: ThreadId, task: TaskId) {
    let Some(map_run) = run.map_run_mut(id) else { return };
    if map_run.kind == ChildKind::Express {
        return;
    }
    let Some(mut open) = map_run.open.remove(&task) else { return };
    map_run.has_begun(&mut open);
    open.map_item = None;
    map_run.open.insert(task, open);
    go_on(run, id);
}

/// A child came to its end.
pub(super) fn ended(run: &mut Run<'_>, id: ThreadId, task: TaskId, end: ChildEnd) {
    run.state.children.remove(&task);
    let is_exported = results::are_exported(run, id);
    let Some(map_run) = run.map_run_mut(id) else { return };
    let Some(mut open) = map_run.open.remove(&task) else { return };
    map_run.has_begun(&mut open);
    map_run.item_counts.end(end.status, open.items);
    map_run.execution_counts.end(end.status, 1);
    match map_run.kind {
        ChildKind::Express => {
            let kept = child_record(map_run, task, &open, &end);
            run.effect(kept);
        }
        ChildKind::Standard if end.status != Status::Succeeded && !end.is_redrivable => {
            map_run.item_counts.failures_not_redrivable += open.items;
            map_run.execution_counts.failures_not_redrivable += 1;
        }
        ChildKind::Standard => {}
    }
    let Some(map_run) = run.map_run_mut(id) else { return };
    if let (Status::Succeeded, Some(output), false) = (end.status, end.output, is_exported) {
        map_run.keep(open.number, output);
    }
    run.reports.insert(id);
    let Some(map_run) = run.map_run(id) else { return };
    if end.status != Status::Succeeded && exceeded(map_run) {
        fail_exceeded(run, id);
    } else {
        go_on(run, id);
    }
}

/// An express child leaves nothing but the record that its parent keeps of it. One that was started
/// again keeps its place among the others.
fn child_record(map_run: &MapRun, task: TaskId, open: &Open, end: &ChildEnd) -> Effect {
    let start_millis = open.first_millis.unwrap_or(end.start_millis);
    let end = ChildEnd { start_millis, ..end.clone() };
    Effect::ChildRecord { child: Box::new(child(map_run, task, open)), end: Box::new(end) }
}

/// Ends every open child of a map run that has ended or been given up. One that was given up still
/// writes its results.
pub(crate) fn stop_children(run: &mut Run<'_>, id: ThreadId) {
    let now = run.millis;
    let Some(map_run) = run.map_run_mut(id) else { return };
    map_run.stop_millis = Some(now);
    let is_given_up = map_run.status == MapRunStatus::Running;
    if is_given_up {
        map_run.status = MapRunStatus::Aborted;
    }
    let has_results = is_given_up && 0 < map_run.begun;
    stop_open(run, id);
    run.report(id);
    if has_results && results::are_exported(run, id) {
        close::behind(run, id);
    }
}

/// Ends every open child, and forgets whatever else is asked for.
pub(super) fn stop_open(run: &mut Run<'_>, id: ThreadId) {
    let now = run.millis;
    let Some(map_run) = run.map_run_mut(id) else { return };
    let mut wanted = Vec::new();
    let writing = map_run.writing.take().map(|(task, _)| task);
    let redriving = map_run.give_up_redrive();
    for task in map_run.supply.give_up().into_iter().chain(writing).chain(redriving) {
        wanted.push(Effect::CancelCall { task });
    }
    let mut stopping = Vec::new();
    for (task, open) in std::mem::take(&mut map_run.open) {
        map_run.item_counts.end(Status::Aborted, open.items);
        map_run.execution_counts.end(Status::Aborted, 1);
        match map_run.kind {
            ChildKind::Standard => stopping.push(child(map_run, task, &open)),
            ChildKind::Express => {
                let end = aborted(open.input.clone(), map_run.start_millis, now);
                wanted.push(child_record(map_run, task, &open, &end));
                wanted.push(Effect::CancelCall { task });
            }
        }
    }
    (map_run.starting, map_run.starting_bytes) = (0, 0);
    for child in stopping {
        run.state.children.remove(&child.task);
        run.effect(Effect::StopChild(Box::new(child.clone())));
        run.state.stopping.insert(child.task, child);
    }
    for effect in wanted {
        if let Effect::CancelCall { task } = &effect {
            run.state.children.remove(task);
        }
        run.effect(effect);
    }
}

fn aborted(input: Option<Payload>, start_millis: i64, stop_millis: i64) -> ChildEnd {
    ChildEnd {
        status: Status::Aborted,
        input: input.unwrap_or_else(|| Value::Null.into()),
        output: None,
        error: None,
        cause: None,
        start_millis,
        stop_millis,
        is_redrivable: true,
    }
}

/// Returns what map runs have asked for and not been answered.
pub(crate) fn outstanding(state: &State) -> impl Iterator<Item = Effect> {
    let threads = state.threads.values().chain(state.closing.values());
    let map_runs = threads.filter_map(|thread| match &thread.step {
        Step::In(Visit { doing: Doing::MapRun(map_run), .. }) => Some(map_run),
        Step::In(_) | Step::Enter { .. } => None,
    });
    let open = map_runs.flat_map(|map_run| {
        let open = map_run.open.iter();
        let open = open.map(|(task, open)| Effect::Child(Box::new(child(map_run, *task, open))));
        let writing = results::outstanding(&map_run.arn, map_run.writing.as_ref());
        let supply = map_run.supply.outstanding(&map_run.arn);
        open.chain(supply).chain(writing).chain(redrive::outstanding(map_run))
    });
    let stopping = state.stopping.values();
    open.chain(stopping.map(|child| Effect::StopChild(Box::new(child.clone()))))
}
