//! State-machine executions on the runtime.

use std::sync::Arc;

use asl::{Definition, Resource};
use execution::{
    Child, ChildEnd, ChildOf, Counts, Effect as Wanted, Fact, Finish, Job, MapRunFact,
    MapRunReport, MapRunStatus, Payload, Started, State, Status, TaskId, TimerId,
};
use serde::{Deserialize, Serialize};
use store::Table;
use value::{SerdeError, Value, value};

use super::errands::{Errand, ErrandDone, Errands, Watcher};
use super::{newest_first, restored};
use crate::activities::{self, Place};
use crate::children::ChildTask;
use crate::definitions::Definitions;
use crate::endpoint::{Call, CallError};
use crate::integrations::{self, Acting};
use crate::items::{self, ItemsTask};
use crate::logging::Logging;
use crate::peers::{Callback, Report};
use crate::process::{Effect, Stamp, StatusChange, put};
use crate::results::{self, ResultsTask};
use crate::{Error, Kind, ProcessId};

/// How a state-machine execution begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BeginExecution {
    /// The execution's name.
    pub name: String,
    /// Its state machine.
    pub state_machine_arn: String,
    /// The state machine's name.
    pub state_machine_name: String,
    /// Key of the definition's text in `Table::Definitions`.
    pub definition: String,
    /// The role it acts as.
    pub role_arn: String,
    /// The region it runs in.
    pub region: String,
    /// The input, byte for byte.
    pub input: String,
    /// The state machine as it was at the start, for DescribeStateMachineForExecution. A child
    /// execution has its parent's.
    pub machine: Value,
    /// The version that it was started from, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_machine_version_arn: Option<String>,
    /// The alias that it was started by, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_machine_alias_arn: Option<String>,
    /// What makes it a child execution of a map run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<Box<ChildOf>>,
    /// The span that it was started in, as a `traceparent`; none while nothing is traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// A running state-machine execution.
pub(crate) struct ExecutionProcess {
    definition: Arc<Definition>,
    logging: Option<Logging>,
    pub(super) kept: Kept,
}

/// What a snapshot holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) arn: String,
    pub(super) begin: BeginExecution,
    pub(super) start_millis: i64,
    pub(super) state: State,
    /// What is still to be done elsewhere, also when the execution has ended.
    #[serde(default)]
    errands: Errands,
}

impl ExecutionProcess {
    pub(crate) fn begin(
        arn: &str,
        begin: &BeginExecution,
        stamp: &Stamp,
        definitions: &Definitions,
        effects: &mut Vec<Effect>,
    ) -> Result<ExecutionProcess, Error> {
        let definition = definitions.machine(&begin.definition)?;
        let input = Payload::parse(&begin.input).map_err(|err| Error::Definition {
            key: begin.definition.clone(),
            what: format!("the input is not JSON: {err}"),
        })?;
        let started = Started {
            input,
            execution_arn: arn.to_owned(),
            execution_name: begin.name.clone(),
            role_arn: begin.role_arn.clone(),
            state_machine_arn: begin.state_machine_arn.clone(),
            state_machine_name: begin.state_machine_name.clone(),
            state_machine_alias_arn: begin.state_machine_alias_arn.clone(),
            state_machine_version_arn: begin.state_machine_version_arn.clone(),
            region: begin.region.clone(),
            history: execution::HistoryMode::Recorded,
            child: begin.child.clone(),
        };
        let kept = Kept {
            arn: arn.to_owned(),
            begin: begin.clone(),
            start_millis: stamp.millis,
            state: State::default(),
            errands: Errands::default(),
        };
        let logging = Logging::of(&begin.machine);
        let mut process = ExecutionProcess { definition, logging, kept };
        effects.push(Effect::Write(listed(begin, arn, stamp.millis)));
        effects.push(Effect::StatusChanged(Box::new(StatusChange { stamp: *stamp, finish: None })));
        process.apply(stamp, Fact::Started(Box::new(started)), effects);
        // Whoever has ended already has written his record.
        if !process.has_ended() {
            effects.push(Effect::Write(process.record(None)));
        }
        Ok(process)
    }

    pub(crate) fn apply(&mut self, stamp: &Stamp, fact: Fact, effects: &mut Vec<Effect>) {
        if let Fact::ActivityStarted { task, .. } = &fact
            && let Some(call) = self.kept.state.open_call(*task)
        {
            effects.push(Effect::Write(activities::leave(call)));
        }
        let moment = execution::Stamp { millis: stamp.millis, entropy: stamp.entropy };
        let redrives = self.redrive_count();
        let wanted = execution::apply(&self.definition, &mut self.kept.state, &moment, fact);
        if redrives < self.redrive_count() {
            effects.push(Effect::Write(self.record(None)));
            let change = StatusChange { stamp: *stamp, finish: None };
            effects.push(Effect::StatusChanged(Box::new(change)));
        }
        for wanted in wanted {
            self.effect(wanted, stamp, effects);
        }
    }

    fn effect(&mut self, wanted: Wanted, stamp: &Stamp, effects: &mut Vec<Effect>) {
        match wanted {
            Wanted::Record(events) => {
                let Some(first) = events.first() else { return };
                let key = format!("{}/{:08}", self.kept.arn, first.id);
                let bytes = execution::HistoryEvent::list_to_json(&events).into_bytes();
                effects.push(Effect::Write(store::Write::Put(Table::History, key, bytes)));
                if let Some(logging) = &self.logging {
                    let rows = logging.rows(&self.kept.arn, &events, self.redrive_count());
                    effects.extend(rows.into_iter().map(Effect::Write));
                }
            }
            Wanted::CancelCall { task } => {
                effects.push(Effect::Cancel { number: task.0.into() });
            }
            Wanted::Withdraw(job) => {
                if let Some(Resource::Activity(_)) = Resource::parse(&job.call.resource) {
                    effects.push(Effect::Cancel { number: job.call.task.0.into() });
                    effects.push(Effect::Write(activities::leave(&job.call)));
                } else if integrations::is_stoppable(&job.call.resource) {
                    self.run_errand(Errand::withdrawing(*job), effects);
                } else {
                    effects.push(Effect::Cancel { number: job.call.task.0.into() });
                }
            }
            wanted @ (Wanted::Call(_)
            | Wanted::Look(_)
            | Wanted::Timer { .. }
            | Wanted::Child(_)
            | Wanted::StopChild(_)
            | Wanted::Items { .. }
            | Wanted::Results { .. }) => effects.extend(self.asked(wanted)),
            Wanted::ChildRecord { child, end } => self.keep_child(*child, *end, effects),
            Wanted::ItemsGone { map_run_arn, pieces } => {
                effects.extend(items::gone(&map_run_arn, pieces).map(Effect::Write));
            }
            Wanted::Pending { map_run_arn, row, inputs } => {
                effects.push(Effect::Write(results::pending(&map_run_arn, row, inputs)));
            }
            Wanted::MapRun(report) => self.keep_map_run(&report, stamp, effects),
            Wanted::CancelTimer { timer } => effects.push(Effect::Disarm { timer: timer.0.into() }),
            Wanted::Finish(finish) => {
                effects.push(Effect::Write(self.record(Some((&finish, stamp.millis)))));
                let change = StatusChange { stamp: *stamp, finish: Some(finish) };
                effects.push(Effect::StatusChanged(Box::new(change)));
                for watcher in std::mem::take(&mut self.kept.errands.watchers) {
                    self.run_errand(Errand::Tell(watcher), effects);
                }
                effects.push(Effect::Finished);
            }
        }
    }

    /// Returns what is to be asked again after a crash, as long as there was no answer.
    fn asked(&self, wanted: Wanted) -> Option<Effect> {
        Some(match wanted {
            Wanted::Call(call) => self.call(&call),
            Wanted::Look(job) => self.look(&job),
            Wanted::Timer { timer, at_millis } => Effect::Arm { timer: timer.0.into(), at_millis },
            Wanted::Child(child) => {
                let number = child.task.0.into();
                Effect::Child { number, child: Box::new(self.child_task(*child)) }
            }
            Wanted::StopChild(child) => {
                let number = child.task.0.into();
                Effect::StopChild { number, child: Box::new(self.child_task(*child)) }
            }
            Wanted::Items { task, map_run_arn, wanted } => {
                let (definition, caller) =
                    (self.definition.clone(), integrations::caller(&self.acting()));
                let (number, process) = (task.0.into(), self.process_id());
                let task = ItemsTask { map_run_arn, wanted, definition, caller, process };
                Effect::Items { number, task: Box::new(task) }
            }
            Wanted::Results { task, map_run_arn, wanted } => {
                let (definition, caller) =
                    (self.definition.clone(), integrations::caller(&self.acting()));
                let (number, process) = (task.0.into(), self.process_id());
                let task = ResultsTask { map_run_arn, wanted, definition, caller, process };
                Effect::Results { number, task: Box::new(task) }
            }
            Wanted::Record(_)
            | Wanted::CancelCall { .. }
            | Wanted::CancelTimer { .. }
            | Wanted::Withdraw(_)
            | Wanted::ChildRecord { .. }
            | Wanted::ItemsGone { .. }
            | Wanted::Pending { .. }
            | Wanted::MapRun(_)
            | Wanted::Finish(_) => return None,
        })
    }

    /// Returns the write of what DescribeExecution answers.
    fn record(&self, finish: Option<(&Finish, i64)>) -> store::Write {
        let Kept { arn, begin, start_millis, state, .. } = &self.kept;
        let mut record = record(arn, begin, *start_millis, finish);
        if finish.is_some() {
            let refusal = state.redrivable().err().map(|reason| reason.to_string());
            record = record.with_some("notRedrivable", refusal);
            record.set("isRedrivable", state.redrivable().is_ok());
        }
        if let Some(redrives) = state.redrives() {
            let token = |(token, millis): &(String, i64)| value!([&**token, *millis]);
            record = record
                .with("redriveCount", redrives.count)
                .with("redriveDate", redrives.last_millis as f64 / 1000.0)
                .with("redriveTokens", redrives.tokens.iter().map(token).collect::<Value>());
            if let Some(child) = &begin.child {
                record.set("mapRunRedrives", redrives.map_run.max(child.redrives));
            }
        }
        put(Table::Executions, arn.as_str(), &record)
    }

    /// Returns what the runtime needs to know of a child execution.
    fn child_task(&self, child: Child) -> ChildTask {
        let Kept { begin, .. } = &self.kept;
        ChildTask::new(child, begin)
    }

    /// Keeps the record of an express child: it has no process that could.
    fn keep_child(&self, child: Child, end: ChildEnd, effects: &mut Vec<Effect>) {
        let child = Child { input: Some(end.input), ..child };
        let ChildTask { id, begin, .. } = self.child_task(child);
        let Some(begin) = begin else { return };
        let ChildEnd { status, output, error, cause, start_millis, stop_millis, .. } = end;
        let finish = Finish { status, output, error, cause };
        let mut record = record(id.name(), &begin, start_millis, Some((&finish, stop_millis)));
        if status != Status::Succeeded {
            // What it is started again with.
            let map_item = begin.child.as_ref().and_then(|child| child.map_item.clone());
            record = record.with_some("mapItem", map_item);
        }
        effects.push(Effect::Write(put(Table::Executions, id.name(), &record)));
        effects.push(Effect::Write(listed(&begin, id.name(), start_millis)));
    }

    /// Keeps where a map run stands.
    fn keep_map_run(&self, report: &MapRunReport, stamp: &Stamp, effects: &mut Vec<Effect>) {
        let Kept { arn, begin, .. } = &self.kept;
        if report.start_millis == stamp.millis {
            let start = newest_first(report.start_millis);
            let key = format!("{arn}/{start}/{}", report.arn);
            let listed = put(Table::MapRunsByExecution, key, &report.arn.as_str().into());
            effects.push(Effect::Write(listed));
        }
        if report.status == MapRunStatus::Succeeded {
            // Nobody asks for them any more; a redrive of any other may.
            effects.extend(items::gone(&report.arn, report.pieces).map(Effect::Write));
        }
        let counts = |counts: &Counts| {
            value!({
                "pending": counts.pending,
                "running": counts.running,
                "succeeded": counts.succeeded,
                "failed": counts.failed,
                "timedOut": counts.timed_out,
                "aborted": counts.aborted,
                "total": counts.total(),
                "resultsWritten": counts.results_written,
                "failuresNotRedrivable": counts.failures_not_redrivable,
                "pendingRedrive": counts.pending_redrive,
            })
        };
        let record = value!({
            "mapRunArn": &report.arn,
            "executionArn": arn,
            "stateMachineArn": &begin.state_machine_arn,
            "stateName": &report.state_name,
            "status": report.status.as_str(),
            "startDate": report.start_millis as f64 / 1000.0,
            "maxConcurrency": report.concurrency_max,
            "toleratedFailurePercentage": report.tolerated_percentage,
            "toleratedFailureCount": report.tolerated_count,
            "itemCounts": counts(&report.items),
            "executionCounts": counts(&report.executions),
        });
        let seconds = |millis: i64| millis as f64 / 1000.0;
        let record = record
            .with_some("stopDate", report.stop_millis.map(seconds))
            .with("redriveCount", report.redrives)
            .with_some("redriveDate", report.redrive_millis.map(seconds));
        effects.push(Effect::Write(put(Table::MapRuns, report.arn.as_str(), &record)));
    }

    /// Returns the fact that something of a child execution is.
    pub(crate) fn child(number: u64, fact: MapRunFact) -> Fact {
        // Children are numbered in 32 bits; this one came from there.
        Fact::MapRun { task: TaskId(u32::try_from(number).unwrap_or(u32::MAX)), fact }
    }

    pub(crate) fn has_children(&self) -> bool {
        self.kept.state.has_children()
    }

    fn call(&self, call: &execution::Call) -> Effect {
        let number = u64::from(call.task.0);
        if let Some(Resource::Activity(_)) = Resource::parse(&call.resource) {
            return Effect::Enqueue { number, place: Box::new(Place::of(call)) };
        }
        match integrations::call(call, &self.acting(), Some(self.effect_id(number))) {
            Ok(call) => {
                let trace = self.kept.begin.trace.clone();
                Effect::Call { number, call: Box::new(Call { trace, ..call }) }
            }
            // Answered in a turn of its own, as a fact like any other.
            Err(err) => Effect::Answer { number, err },
        }
    }

    /// Returns what calls of this execution are recorded under.
    fn process_id(&self) -> Arc<str> {
        ProcessId::new(Kind::Execution, &self.kept.arn).to_string().into()
    }

    fn acting(&self) -> Acting<'_> {
        Acting {
            execution: &self.kept.arn,
            role: &self.kept.begin.role_arn,
            state_machine: &self.kept.begin.state_machine_arn,
        }
    }

    fn look(&self, job: &Job) -> Effect {
        let number = u64::from(job.number.0);
        match integrations::look(job, &self.acting()) {
            Ok(call) => Effect::Look { number, call: Box::new(call), job: Box::new(job.clone()) },
            Err(err) => Effect::Answer { number, err },
        }
    }

    /// Takes an errand on.
    fn run_errand(&mut self, errand: Errand, effects: &mut Vec<Effect>) {
        let number = self.kept.errands.add(errand);
        match self.kept.errands.open.get(&number) {
            // The request is on its way; it must not be made twice.
            Some(Errand::Undo { .. }) | None => {}
            Some(errand) => effects.push(self.errand(number, errand)),
        }
    }

    fn errand(&self, number: u64, errand: &Errand) -> Effect {
        let made = match errand {
            Errand::Tell(watcher) => {
                return Effect::Tell { number, watcher: Box::new(watcher.clone()) };
            }
            // It was on its way before a crash.
            Errand::Undo { call } => {
                integrations::call(call, &self.acting(), Some(self.effect_id(number)))
            }
            Errand::Stop { call, submitted } => {
                let (number_of_task, submitted) = (call.task, Some(submitted.clone()));
                let job = Job { number: number_of_task, call: call.clone(), submitted };
                integrations::stop(&job, &self.acting(), self.effect_id(number))
            }
        };
        match made {
            Ok(call) => Effect::Call { number, call: Box::new(call) },
            Err(err) => Effect::Answer { number, err },
        }
    }

    /// Lets another execution hear of the end of this one; false when it has ended.
    pub(crate) fn watch(&mut self, watcher: Watcher) {
        if !self.has_ended() {
            self.kept.errands.watchers.insert(watcher);
        }
    }

    /// An errand was run.
    pub(crate) fn errand_done(&mut self, done: ErrandDone, effects: &mut Vec<Effect>) {
        let errand = self.kept.errands.open.remove(&done.number);
        if let (Some(Errand::Undo { call }), Some(submitted)) = (errand, done.output) {
            self.run_errand(Errand::Stop { call, submitted }, effects);
        }
    }

    pub(crate) fn effect_id(&self, number: u64) -> String {
        format!("{}/{number}", self.kept.arn)
    }

    /// Returns the fact that an answered call is; `None` when nothing waits for it any more.
    pub(crate) fn answered(
        &self,
        call: u64,
        answer: Result<Value, CallError>,
    ) -> Option<crate::Fact> {
        if let Some(errand) = self.kept.errands.open.get(&call) {
            return Some(crate::Fact::ErrandDone(errand.done(call, &self.kept.arn, answer)));
        }
        let task = TaskId(u32::try_from(call).ok()?);
        integrations::answered(&self.kept.state, task, answer).map(crate::Fact::Execution)
    }

    /// Returns the fact that a callback is; `None` when its token is of no open task, or a worker
    /// asks for one that another worker has.
    pub(crate) fn called_back(&self, callback: &Callback) -> Option<Fact> {
        let state = &self.kept.state;
        let task = state.task_of_token(&callback.token)?;
        Some(match callback.report.clone() {
            Report::Taken { worker } => {
                if !state.can_be_taken(task) {
                    return None;
                }
                Fact::ActivityStarted { task, worker }
            }
            Report::Succeeded { output } => Fact::TaskSucceeded { task, output },
            Report::Failed { error, cause } => Fact::TaskFailed { task, error, cause },
            Report::Heartbeat => Fact::TaskHeartbeat { task },
        })
    }

    pub(crate) fn timer_fired(timer: u64) -> Fact {
        // Timers are numbered in 32 bits; this one came from there.
        Fact::TimerFired { timer: TimerId(u32::try_from(timer).unwrap_or(u32::MAX)) }
    }

    pub(crate) fn outstanding(&self) -> Vec<Effect> {
        let wanted = execution::outstanding(&self.kept.state).into_iter();
        let wanted = wanted.filter_map(|wanted| self.asked(wanted));
        let errands = self.kept.errands.open.iter();
        wanted.chain(errands.map(|(number, errand)| self.errand(*number, errand))).collect()
    }

    pub(crate) fn snapshot(&self) -> Result<Value, SerdeError> {
        value::to_value(&self.kept)
    }

    pub(crate) fn restore(
        name: &str,
        snapshot: Value,
        definitions: &Definitions,
    ) -> Result<ExecutionProcess, Error> {
        let kept: Kept = restored(name, snapshot)?;
        let definition = definitions.machine(&kept.begin.definition)?;
        let logging = Logging::of(&kept.begin.machine);
        Ok(ExecutionProcess { definition, logging, kept })
    }

    /// Returns what a redrive goes on with, of an execution that can be redriven.
    pub(crate) fn remains(&self) -> Option<Result<Value, SerdeError>> {
        self.kept.state.redrivable().is_ok().then(|| self.snapshot())
    }

    pub(super) fn redrive_count(&self) -> u32 {
        self.kept.state.redrives().map_or(0, |redrives| redrives.count)
    }

    /// Returns whether nothing more can happen: it has ended, and so have its errands.
    pub(crate) fn is_finished(&self) -> bool {
        self.kept.state.is_over() && self.kept.errands.open.is_empty()
    }

    /// Returns whether it has ended, though it may still have children or errands.
    fn has_ended(&self) -> bool {
        self.kept.state.status() != Status::Running
    }
}

/// Returns the row under which an execution is listed: that of its machine, or of its map run.
fn listed(begin: &BeginExecution, arn: &str, start_millis: i64) -> store::Write {
    let of = begin.child.as_ref().map_or(&begin.state_machine_arn, |child| &child.map_run_arn);
    let key = format!("{of}/{}/{arn}", newest_first(start_millis));
    put(Table::ExecutionsByStart, key, &arn.into())
}

/// Returns what DescribeExecution answers, but of redrives.
fn record(
    arn: &str,
    begin: &BeginExecution,
    start_millis: i64,
    finish: Option<(&Finish, i64)>,
) -> Value {
    let status = finish.map_or(Status::Running, |(finish, _)| finish.status);
    let mut record = value!({
        "executionArn": arn,
        "stateMachineArn": &begin.state_machine_arn,
        "name": &begin.name,
        "status": status.as_str(),
        "startDate": start_millis as f64 / 1000.0,
        "input": &begin.input,
        "machine": &begin.machine,
    })
    .with_some("stateMachineVersionArn", begin.state_machine_version_arn.as_ref())
    .with_some("stateMachineAliasArn", begin.state_machine_alias_arn.as_ref())
    .with_some("trace", begin.trace.as_ref());
    if let Some((finish, stop_millis)) = finish {
        record = record
            .with("stopDate", stop_millis as f64 / 1000.0)
            .with_some("output", finish.output.as_ref().map(Payload::text))
            .with_some("error", finish.error.as_ref())
            .with_some("cause", finish.cause.as_ref());
    }
    if let Some(child) = &begin.child {
        record = record
            .with("mapRunArn", &child.map_run_arn)
            .with("itemCount", child.items)
            .with_some("childNumber", child.number)
            .with("mapRunRedrives", child.redrives);
    }
    record
}
