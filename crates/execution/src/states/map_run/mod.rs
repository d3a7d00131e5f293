//! A distributed Map: a map run whose iterations are executions of their own. AWS pages:
//! "Distributed mode", "Map Run" (read 2026-11).
//!
//! The map run lives in the visit of its state. It starts a bounded number of children at a time,
//! keeps the input of those that are not yet known to have begun, and takes in how each ended; so
//! its size does not depend on how many items there are.

mod batch;
mod children;
mod close;
mod redrive;
mod results;
mod supply;

use std::collections::BTreeMap;

use asl::{Distributed, Failure, Field, Map, State, StateMachineType, error_name};
use serde::{Deserialize, Serialize};
use value::Value;

use super::map;
use crate::effect::Effect;
use crate::history::{Details, StateType};
use crate::map_run::{
    Child, ChildKind, Counts, MapRunFact, MapRunReport, MapRunStatus, MapRunUpdate, WriteResults,
};
use crate::payload::{PAYLOAD_BYTES_MAX, Payload};
use crate::run::{Fault, FaultKind, Run};
use crate::state::{Doing, TaskId, ThreadId};

pub(crate) use batch::inputs as batches;
pub(crate) use children::{outstanding, stop_children};
pub(crate) use redrive::redriven;

/// How many children of a map run run at the same time (AWS's bound).
const MAP_RUN_CONCURRENCY_MAX: u64 = 10_000;
/// How many map runs of one execution may be open at once (AWS's quota is 1,000 for an account).
const OPEN_MAP_RUNS_MAX: usize = 1_000;

/// A map run under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MapRun {
    pub(crate) arn: String,
    status: MapRunStatus,
    start_millis: i64,
    /// When it ended, the last time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    stop_millis: Option<i64>,
    kind: ChildKind,
    /// The number of the state that the item processor starts at.
    processor: u32,
    /// 0 is no bound of its own.
    concurrency_max: u64,
    tolerated_count: Option<u64>,
    tolerated_percentage: Option<f64>,
    /// What ItemSelector works on: the state's effective input.
    selector_input: Value,
    batching: Option<batch::Batching>,
    supply: supply::Supply,
    /// A batch that waits for more items.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    partial: Option<batch::Batch>,
    /// Children that have not ended.
    open: BTreeMap<TaskId, children::Open>,
    /// How many children there have been.
    begun: u64,
    /// How many children are not yet known to have begun.
    starting: u64,
    /// How many bytes the inputs have that are kept until their children have begun.
    starting_bytes: usize,
    /// The results, while they are being written, and under which number that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    writing: Option<(TaskId, WriteResults)>,
    /// What children have handed on, by number.
    outputs: BTreeMap<u64, Payload>,
    /// How many bytes that is; once it is more than an output may have, none are kept.
    output_bytes: usize,
    item_counts: Counts,
    execution_counts: Counts,
    /// How often it was redriven, and when it last was.
    #[serde(default)]
    redrives: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    redrive_millis: Option<i64>,
    /// Children that wait to be redriven.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    redriving: Option<Box<redrive::Redriving>>,
    /// What is left to do once it is known that it fails.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    closing: Option<Box<close::Closing>>,
    /// Whether a redrive begins a new map run instead.
    #[serde(default)]
    is_spent: bool,
}

/// Begins a map run, once `MapStateStarted` is recorded.
pub(crate) fn begin(
    run: &mut Run<'_>,
    id: ThreadId,
    map: &Map,
    distributed: &Distributed,
    selector_input: Value,
    items: &Value,
) -> Result<(), Failure> {
    let reader = distributed.item_reader.as_ref();
    if run.open_map_runs() >= OPEN_MAP_RUNS_MAX {
        // UNVERIFIED: AWS's wording.
        let cause = format!("No more than {OPEN_MAP_RUNS_MAX} Map Runs can be open");
        return Err(Failure::runtime(cause));
    }
    let concurrency_max = natural(run, id, map.max_concurrency.as_ref(), "MaxConcurrency")?;
    let count = map.tolerated_failure_count.as_ref();
    let tolerated_count = natural(run, id, count, "ToleratedFailureCount")?;
    let tolerated_percentage = map::percentage(run, id, map)?;
    let batching = batch::of(run, id, distributed)?;
    let supply = supply::Supply::of(items);
    let length = supply.at_hand();
    let arn = arn(run, distributed.label.as_deref());
    let map_run_arn = arn.clone();
    run.record(id, || Details::MapRunStarted { map_run_arn });
    let pending = |pending| Counts { pending, ..Counts::default() };
    let executions = batching.as_ref().map_or(length, |batching| batching.batches(length));
    let map_run = MapRun {
        arn,
        status: MapRunStatus::Running,
        start_millis: run.millis,
        stop_millis: None,
        kind: match distributed.execution_type {
            StateMachineType::Standard => ChildKind::Standard,
            StateMachineType::Express => ChildKind::Express,
        },
        processor: map.processor.0,
        concurrency_max: concurrency_max.unwrap_or(0),
        tolerated_count,
        tolerated_percentage,
        selector_input,
        batching,
        supply,
        partial: None,
        open: BTreeMap::new(),
        begun: 0,
        starting: 0,
        starting_bytes: 0,
        writing: None,
        outputs: BTreeMap::new(),
        output_bytes: 0,
        item_counts: pending(length),
        execution_counts: pending(executions),
        redrives: 0,
        redrive_millis: None,
        redriving: None,
        closing: None,
        is_spent: false,
    };
    run.doing(id, Doing::MapRun(Box::new(map_run)));
    // Reading its items may take long.
    run.reports.insert(id);
    match reader {
        Some(reader) => supply::read(run, id, reader).inspect_err(|_| redrive::spend(run, id))?,
        None => children::go_on(run, id),
    }
    Ok(())
}

fn natural(
    run: &mut Run<'_>,
    id: ThreadId,
    scalar: Option<&asl::Scalar<i64>>,
    field: &str,
) -> Result<Option<u64>, Failure> {
    let found = map::integer(run, id, scalar, field)?;
    let natural = |number| {
        let negative = |_| Failure::runtime(format!("{field} cannot be negative."));
        u64::try_from(number).map_err(negative)
    };
    found.map(natural).transpose()
}

/// Makes up the ARN of a map run.
fn arn(run: &mut Run<'_>, label: Option<&str>) -> String {
    let machine = run.state.started.as_ref().map(|started| started.state_machine_arn.clone());
    let machine = machine.unwrap_or_default().replacen(":stateMachine:", ":mapRun:", 1);
    // A child's machine is named after its map run already: AWS names the inner one anew.
    let machine = machine.split('/').next().unwrap_or_default().to_owned();
    let label = label.map_or_else(|| uuid(run), str::to_owned);
    format!("{machine}/{label}:{}", uuid(run))
}

/// A random UUID (version 4).
fn uuid(run: &mut Run<'_>) -> String {
    let bits = u128::from_be_bytes(run.moment.bytes());
    let bits = bits & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let mut text = format!("{bits:032x}");
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// Takes in what a map run of this execution has heard.
pub(crate) fn heard(run: &mut Run<'_>, task: TaskId, fact: MapRunFact) {
    if run.state.stopping.contains_key(&task) {
        match fact {
            MapRunFact::ChildStopped => redrive::stopped(run, task, None),
            MapRunFact::ChildEnded(end) => redrive::stopped(run, task, Some(*end)),
            MapRunFact::ChildStarted
            | MapRunFact::ItemsRead { .. }
            | MapRunFact::ItemsLoaded { .. }
            | MapRunFact::ItemsFailed { .. }
            | MapRunFact::ChildrenFound { .. }
            | MapRunFact::ResultsWritten { .. }
            | MapRunFact::ResultsFailed { .. } => {}
        }
        return;
    }
    let Some(id) = run.state.children.get(&task).copied() else { return };
    match fact {
        MapRunFact::ChildStarted => children::started(run, id, task),
        MapRunFact::ChildEnded(end) => children::ended(run, id, task, *end),
        // Nobody was asked to.
        MapRunFact::ChildStopped => {}
        MapRunFact::ChildrenFound { children, behind } => {
            redrive::found(run, id, task, children, behind);
        }
        MapRunFact::ItemsRead { .. }
        | MapRunFact::ItemsLoaded { .. }
        | MapRunFact::ItemsFailed { .. }
            if !supply::awaits(run, id, task) => {}
        MapRunFact::ResultsWritten { .. } | MapRunFact::ResultsFailed { .. }
            if !results::came(run, id, task) => {}
        MapRunFact::ResultsWritten { bucket, key } => results::written(run, id, &bucket, &key),
        MapRunFact::ResultsFailed { cause } => results::not_written(run, id, cause),
        MapRunFact::ItemsRead { items, pieces } => supply::were_read(run, id, items, pieces),
        MapRunFact::ItemsLoaded { items } => supply::loaded(run, id, &items),
        MapRunFact::ItemsFailed { error, cause } => supply::cannot_come(run, id, error, cause),
    }
}

/// Changes the bounds of an open map run.
pub(crate) fn update(run: &mut Run<'_>, map_run_arn: &str, update: &MapRunUpdate) {
    let threads = run.state.threads.keys().copied();
    let found = threads.filter(|id| run.map_run(*id).is_some_and(|open| open.arn == map_run_arn));
    let Some(id) = found.min() else { return };
    let Some(map_run) = run.map_run_mut(id) else { return };
    let MapRunUpdate { concurrency_max, tolerated_count, tolerated_percentage } = *update;
    map_run.concurrency_max = concurrency_max.unwrap_or(map_run.concurrency_max);
    map_run.tolerated_count = tolerated_count.or(map_run.tolerated_count);
    map_run.tolerated_percentage = tolerated_percentage.or(map_run.tolerated_percentage);
    let exceeds = exceeded(map_run) && map_run.closing.is_none();
    run.reports.insert(id);
    if exceeds { fail_exceeded(run, id) } else { children::go_on(run, id) }
}

impl MapRun {
    /// Returns how many items may fail.
    pub(crate) fn tolerated(&self) -> u64 {
        let total = self.item_counts.total() as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count is a count"
        )]
        let share = self.tolerated_percentage.map(|share| (total * share / 100.0) as u64);
        // Whichever bound is reached first counts.
        match (self.tolerated_count, share) {
            (Some(count), Some(share)) => count.min(share),
            (Some(bound), None) | (None, Some(bound)) => bound,
            (None, None) => 0,
        }
    }

    /// Returns how many children may be open.
    fn window(&self) -> u64 {
        match self.concurrency_max {
            0 => MAP_RUN_CONCURRENCY_MAX,
            wanted => wanted.min(MAP_RUN_CONCURRENCY_MAX),
        }
    }

    /// Returns the map run as others see it.
    fn report(&self, state_name: &str, now_millis: i64) -> MapRunReport {
        let has_ended = self.status != MapRunStatus::Running;
        MapRunReport {
            arn: self.arn.clone(),
            state_name: state_name.to_owned(),
            status: self.status,
            start_millis: self.start_millis,
            stop_millis: has_ended.then(|| self.stop_millis.unwrap_or(now_millis)),
            concurrency_max: self.concurrency_max,
            tolerated_count: self.tolerated_count.unwrap_or(0),
            tolerated_percentage: self.tolerated_percentage.unwrap_or(0.0),
            pieces: self.supply.pieces(),
            redrives: self.redrives,
            redrive_millis: self.redrive_millis,
            items: self.item_counts,
            executions: self.execution_counts,
        }
    }

    fn keep(&mut self, number: u64, output: Payload) {
        self.output_bytes += output.value().json_bytes() + 1;
        if self.output_bytes > PAYLOAD_BYTES_MAX {
            self.outputs.clear();
        } else {
            self.outputs.insert(number, output);
        }
    }
}

/// Returns whether more items have failed than may.
fn exceeded(map_run: &MapRun) -> bool {
    let Counts { failed, timed_out, aborted, .. } = map_run.item_counts;
    map_run.tolerated() < failed + timed_out + aborted
}

/// More children failed than may.
fn fail_exceeded(run: &mut Run<'_>, id: ThreadId) {
    let error = error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD.to_owned();
    // UNVERIFIED: AWS's wording for a map run; it is that of TestState.
    let cause = "The specified tolerated failure threshold was exceeded".to_owned();
    if results::are_exported(run, id) {
        close::begin(run, id, Some((error, cause)));
    } else {
        fail(run, id, error, cause);
    }
}

/// The map run failed, and its state with it.
fn fail(run: &mut Run<'_>, id: ThreadId, error: String, cause: String) {
    let (error, cause) = (Some(error), Some(cause));
    let fault = Fault { error: error.clone(), cause: cause.clone(), kind: FaultKind::State };
    run.record(id, || Details::MapRunFailed { error, cause });
    run.fail(id, fault);
}

/// Every child has ended.
fn complete(run: &mut Run<'_>, id: ThreadId) {
    if results::are_exported(run, id) {
        if let Err(failure) = results::write(run, id) {
            redrive::spend(run, id);
            run.evaluation_failed(id, failure);
        }
        return;
    }
    let Some(map_run) = run.map_run_mut(id) else { return };
    if map_run.output_bytes > PAYLOAD_BYTES_MAX {
        let name = run.visited(id).map(|state| state.name.to_string()).unwrap_or_default();
        let failure = crate::leave::too_large(&name);
        redrive::spend(run, id);
        return fail(run, id, failure.error, failure.cause);
    }
    let outputs: Vec<Payload> = std::mem::take(&mut map_run.outputs).into_values().collect();
    let output = results::transformed(run, id, &outputs);
    complete_with(run, id, output);
}

/// The map run has succeeded, and its state goes on with this result.
fn complete_with(run: &mut Run<'_>, id: ThreadId, result: Payload) {
    let Some(map_run) = run.map_run_mut(id) else { return };
    map_run.status = MapRunStatus::Succeeded;
    run.report(id);
    run.doing(id, Doing::Beginning);
    // DIFFERS: recordings since November 2024 let the exit follow MapRunStarted; most, and the
    // older ones, show this.
    run.record(id, || Details::MapRunSucceeded);
    let previous = run.previous(id);
    // Recorded: the exit follows the end of the map run, not this event.
    run.record_aside(id, previous, || Details::StateSucceeded { state_type: StateType::Map });
    if let Err(failure) = run.complete(id, result) {
        run.evaluation_failed(id, failure);
    }
}

/// What a map run is told when its state fails: it has failed, too, and not just been given up.
pub(crate) fn state_failed(run: &mut Run<'_>, id: ThreadId) {
    if let Some(map_run) = run.map_run_mut(id) {
        map_run.status = MapRunStatus::Failed;
    }
}

impl Run<'_> {
    pub(crate) fn map_run(&self, id: ThreadId) -> Option<&MapRun> {
        match &self.visit(id)?.doing {
            Doing::MapRun(map_run) => Some(map_run),
            Doing::Beginning
            | Doing::Task(_)
            | Doing::Waiting(_)
            | Doing::Retrying(_)
            | Doing::Branches(_)
            | Doing::Iterations(_) => None,
        }
    }

    pub(crate) fn map_run_mut(&mut self, id: ThreadId) -> Option<&mut MapRun> {
        match &mut self.visit_mut(id)?.doing {
            Doing::MapRun(map_run) => Some(map_run),
            Doing::Beginning
            | Doing::Task(_)
            | Doing::Waiting(_)
            | Doing::Retrying(_)
            | Doing::Branches(_)
            | Doing::Iterations(_) => None,
        }
    }

    fn open_map_runs(&self) -> usize {
        let threads = self.state.threads.keys();
        threads.filter(|id| self.map_run(**id).is_some()).count()
    }

    /// Tells the runtime where a map run stands.
    pub(crate) fn report(&mut self, id: ThreadId) {
        self.reports.remove(&id);
        let (Some(map_run), Some(state)) = (self.map_run(id), self.visited(id)) else { return };
        let report = map_run.report(&state.name, self.millis);
        self.effect(Effect::MapRun(Box::new(report)));
    }
}

/// Fills in ItemSelector for an item.
fn select(
    run: &mut Run<'_>,
    id: ThreadId,
    map: &Map,
    map_item: &Value,
    selector_input: Value,
) -> Result<Value, Failure> {
    let Some(selector) = &map.item_selector else {
        return Ok(map_item.get("Value").cloned().unwrap_or_default());
    };
    let mut scope = run.scope(id);
    scope.input = selector_input;
    scope.context.set("Map", Value::object().with("Item", map_item));
    run.evaluate(&scope, |evaluation| selector.evaluate(evaluation, Field::Top("ItemSelector")))
}

/// Returns the map of a visited state, and what is distributed about it.
fn definition(state: &State) -> Option<(&Map, &Distributed)> {
    let asl::StateKind::Map(map) = &state.kind else { return None };
    match &map.mode {
        asl::MapMode::Distributed(distributed) => Some((map, distributed)),
        asl::MapMode::Inline => None,
    }
}

/// A child that the runtime is asked for.
fn child(map_run: &MapRun, task: TaskId, open: &children::Open) -> Child {
    let of = crate::map_run::ChildOf {
        map_run_arn: map_run.arn.clone(),
        state: map_run.processor,
        kind: map_run.kind,
        items: open.items,
        map_item: open.map_item.clone(),
        number: Some(open.number),
        redrives: map_run.redrives,
    };
    let (name, input) = (open.name.clone(), open.input.clone());
    Child { task, name, of, input, redrive: open.redrive }
}
