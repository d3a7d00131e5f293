//! `apply`: one fact in, effects out.

mod asks;
mod flow;
mod rate;

use value::Value;

use crate::actions::{Answer, Turn, Work};
use crate::effect::Effect;
use crate::fact::{Fact, Signal, Stamp, Started, StopType};
use crate::failure::Failure;
use crate::runbook::Runbook;
use crate::state::{Phase, State, Status, StepExecution, Verdict};
use crate::{clock, parameter};

/// How long the steps behind `onCancel` may take.
const CANCEL_FLOW_SECONDS_MAX: i64 = 120;

/// How often a step is tried at most; attempts that fail without asking for anything take no time.
const ATTEMPTS_MAX: u64 = 1000;

/// Brings an execution up to date with a fact and returns what is to be done because of it.
///
/// The same facts with the same stamps always give the same effects. A fact that was applied
/// before, answers something not asked, or comes after the end changes nothing.
pub fn apply(runbook: &Runbook, state: &mut State, stamp: &Stamp, fact: Fact) -> Vec<Effect> {
    let mut run = Run { runbook, state, stamp, effects: Vec::new(), drawn: 0, todo: None };
    run.fact(fact);
    run.drive();
    run.effects
}

/// One `apply` on its way.
pub(crate) struct Run<'a> {
    pub(crate) runbook: &'a Runbook,
    pub(crate) state: &'a mut State,
    pub(crate) stamp: &'a Stamp,
    effects: Vec<Effect>,
    drawn: u64,
    /// What begins when the current transition is complete.
    todo: Option<Todo>,
}

/// What begins next.
enum Todo {
    /// The first attempt of the step at this index.
    Enter(usize),
    /// Another attempt of the step at this index.
    Retry(usize),
}

/// Where the flow goes.
#[derive(Clone, Copy)]
enum Next {
    /// To the step at this index.
    Step(usize),
    /// To the end.
    End,
}

impl Run<'_> {
    fn fact(&mut self, fact: Fact) {
        match fact {
            Fact::Started(started) => self.start(*started),
            Fact::CallSucceeded { id, output, request_id } => {
                self.answer(id, &Answer::Output { output, request_id });
            }
            Fact::CallFailed { id, error } => self.answer(id, &Answer::Error(error)),
            Fact::ScriptBegun { id } => self.script_begun(id),
            Fact::ScriptSucceeded { id, payload, log } => {
                self.answer(id, &Answer::Returned { payload, log });
            }
            Fact::ScriptFailed { id, text } => self.answer(id, &Answer::Raised(text)),
            Fact::ChildEnded { id, end } => self.child_ended(id, end),
            Fact::TimerFired { id } => self.timer(id),
            Fact::StopRequested(stop) => self.stop(stop),
            Fact::Signal(signal) => self.signal(&signal),
        }
    }

    fn start(&mut self, started: Started) {
        if self.state.phase != Phase::Idle {
            return;
        }
        let parameters = self.runbook.start_parameters(&started.parameters);
        let over_targets = started.rate.is_some();
        self.state.start_millis = self.stamp.millis;
        self.state.parameters = started.parameters.clone();
        self.state.started = Some(started);
        if over_targets {
            self.execution_status(Status::InProgress);
            return self.begin_fleet();
        }
        self.state.variables = self.initial_variables();
        for _step in &self.runbook.steps {
            let id = self.draw_uuid();
            self.state.steps.push(StepExecution { id, ..StepExecution::default() });
        }
        self.execution_status(Status::InProgress);
        match parameters {
            Ok(parameters) => {
                self.state.parameters = parameters;
                self.offer(Next::Step(0));
            }
            Err(err) => {
                self.state.failure = Some(Failure::inputs(&err.to_string()));
                self.state.verdict = Verdict::Failed;
                self.finish();
            }
        }
    }

    fn initial_variables(&self) -> Value {
        let mut variables = Value::object();
        // UNVERIFIED: a variable without a default has no value yet, and reads as an empty text.
        for variable in &self.runbook.variables {
            if let Some(default) = &variable.default {
                variables.set(variable.name.as_str(), parameter::typed(variable.kind, default));
            }
        }
        variables
    }

    /// Gives an answer to the step that waits for it.
    fn answer(&mut self, id: u64, answer: &Answer) {
        let Phase::Running(index) = self.state.phase else { return };
        if self.state.outstanding.remove(&id).is_none() {
            return;
        }
        let Some(step) = self.runbook.steps.get(index) else { return };
        let outcome = match step.action.work {
            Work::Available { resume, .. } => resume(&mut Turn { run: self, index, step }, answer),
            Work::Loop { .. } | Work::Unknown => return,
        };
        self.settle(index, outcome);
    }

    fn timer(&mut self, id: u64) {
        if !self.state.outstanding.contains_key(&id) {
            return;
        }
        if self.state.cancel_deadline_id == Some(id) {
            self.state.outstanding.remove(&id);
            return self.break_off();
        }
        let Phase::Running(index) = self.state.phase else { return };
        let is_timeout = |at: &usize| {
            self.state.steps.get(*at).is_some_and(|execution| execution.timeout_id == Some(id))
        };
        // A loop that takes too long ends while a step of its body runs.
        let Some(late) = self.runbook.with_loops(index).find(is_timeout) else {
            return self.answer(id, &Answer::Timer);
        };
        self.state.outstanding.remove(&id);
        for inner in self.runbook.with_loops(index).take_while(|at| *at != late) {
            self.withdraw_step(inner);
            self.step_status(inner, Status::Cancelled);
        }
        // UNVERIFIED: what the step has started elsewhere goes on; only a cancellation stops it.
        let phrase = self.runbook.steps.get(late).map_or("", |step| step.action.phrase);
        self.attempt_over(late, Status::TimedOut, Failure::timed_out(phrase));
    }

    fn signal(&mut self, signal: &Signal) {
        match (self.state.phase, signal) {
            (Phase::Offered(index), Signal::StartStep { step_name }) => {
                let step = self.runbook.steps.get(index);
                if step_name.as_ref().is_none_or(|name| step.is_some_and(|it| it.name == *name)) {
                    self.execution_status(Status::InProgress);
                    self.todo = Some(Todo::Enter(index));
                }
            }
            (Phase::Running(index), Signal::StopStep { step_execution_id }) => {
                if self.state.steps.get(index).is_some_and(|it| it.id == *step_execution_id) {
                    self.stop(StopType::Cancel);
                }
            }
            (
                Phase::Running(index),
                Signal::Approve { .. } | Signal::Reject { .. } | Signal::Resume { .. },
            ) => self.signal_step(index, signal),
            (
                Phase::Idle
                | Phase::Offered(_)
                | Phase::Running(_)
                | Phase::Fleet
                | Phase::Finished,
                _,
            ) => {}
        }
    }

    fn signal_step(&mut self, index: usize, signal: &Signal) {
        let Some(step) = self.runbook.steps.get(index) else { return };
        let waits = self.state.steps.get(index).is_some_and(|it| it.status == Status::Waiting);
        if let Signal::Resume { step_name: Some(name) } = signal
            && *name != step.name
        {
            return;
        }
        if let (true, Work::Available { resume, .. }) = (waits, &step.action.work) {
            let answer = Answer::Signal(signal.clone());
            let outcome = resume(&mut Turn { run: self, index, step }, &answer);
            self.settle(index, outcome);
        }
    }

    fn stop(&mut self, stop: StopType) {
        match (self.state.phase, stop) {
            (Phase::Idle | Phase::Finished, _) => {}
            (Phase::Fleet, _) => self.stop_fleet(stop),
            (Phase::Offered(_), _) => {
                self.state.stop = Some(stop);
                self.finish();
            }
            // Stopping what is being stopped already changes nothing.
            (Phase::Running(_), _) if self.state.stop == Some(StopType::Cancel) => {}
            (Phase::Running(_), StopType::Complete) => {
                self.state.stop = Some(StopType::Complete);
                self.changed();
            }
            (Phase::Running(index), StopType::Cancel) => self.cancel(index),
        }
    }

    /// Cancels the running step and goes on with what its `onCancel` names.
    fn cancel(&mut self, index: usize) {
        self.state.stop = Some(StopType::Cancel);
        self.withdraw_all();
        self.execution_status(Status::Cancelling);
        let step = self.runbook.steps.get(index);
        if let Some(step) = step
            && let Work::Available { cancel, .. } = step.action.work
        {
            cancel(&mut Turn { run: self, index, step });
        }
        for at in self.runbook.with_loops(index) {
            self.step_status(at, Status::Cancelled);
        }
        let after = step.and_then(|step| step.on_cancel.as_deref());
        match after.and_then(|name| self.runbook.step_index(name)) {
            Some(next) => {
                let due = CANCEL_FLOW_SECONDS_MAX * clock::MILLIS_PER_SECOND;
                let id = self.timer_at(self.stamp.millis + due);
                self.state.cancel_deadline_id = Some(id);
                self.todo = Some(Todo::Enter(next));
            }
            None => self.finish(),
        }
    }

    /// Ends a cancellation flow that took too long.
    fn break_off(&mut self) {
        if let Phase::Running(index) = self.state.phase {
            self.withdraw_all();
            for at in self.runbook.with_loops(index) {
                self.step_status(at, Status::Cancelled);
            }
            self.finish();
        }
    }
}
