//! `apply`: one fact in, effects out.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use value::Value;

use crate::actions::{Answer, Outcome, Turn, Work};
use crate::effect::Effect;
use crate::fact::{Fact, Mode, Signal, Stamp, Started, StopType};
use crate::failure::Failure;
use crate::interpolate::Scope;
use crate::record::outputs_of;
use crate::runbook::{OnFailure, Runbook, Step};
use crate::state::{Phase, State, Status, StepExecution, Verdict};
use crate::{clock, notification, parameter};

/// How long the steps behind `onCancel` may take.
const CANCEL_FLOW_SECONDS_MAX: i64 = 120;

/// How often a step is tried at most; attempts that fail without asking for anything take no time.
const ATTEMPTS_MAX: u64 = 1000;

/// Brings an execution up to date with a fact and returns what is to be done because of it.
///
/// The same facts with the same stamps always give the same effects. A fact that was applied before,
/// answers something not asked, or comes after the end changes nothing.
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
            Fact::ScriptSucceeded { id, payload, log } => {
                self.answer(id, &Answer::Returned { payload, log });
            }
            Fact::ScriptFailed { id, text } => self.answer(id, &Answer::Raised(text)),
            Fact::TimerFired { id } => self.timer(id),
            Fact::StopRequested(stop) => self.stop(stop),
            Fact::Signal(signal) => self.signal(&signal),
        }
    }

    /// Goes on until something has to be waited for.
    ///
    /// INVARIANT: ends, for steps form no circle and attempts are bounded.
    fn drive(&mut self) {
        while let Some(todo) = self.todo.take() {
            match todo {
                Todo::Enter(index) => self.enter(index),
                Todo::Retry(index) => self.attempt(index),
            }
        }
    }

    fn start(&mut self, started: Started) {
        if self.state.phase != Phase::Idle {
            return;
        }
        let parameters = self.runbook.start_parameters(&started.parameters);
        self.state.start_millis = self.stamp.millis;
        self.state.started = Some(started);
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
        for variable in &self.runbook.variables {
            let default = variable.default.clone().unwrap_or_default();
            variables.set(variable.name.as_str(), parameter::typed(variable.kind, &default));
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
            Work::Unavailable => return,
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
        let timeout_id = self.state.steps.get(index).and_then(|step| step.timeout_id);
        if timeout_id != Some(id) {
            return self.answer(id, &Answer::Timer);
        }
        self.state.outstanding.remove(&id);
        let phrase = self.runbook.steps.get(index).map_or("", |step| step.action.phrase);
        self.attempt_over(index, Status::TimedOut, Failure::timed_out(phrase));
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
            (Phase::Idle | Phase::Offered(_) | Phase::Running(_) | Phase::Finished, _) => {}
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
        self.step_status(index, Status::Cancelled);
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
            self.step_status(index, Status::Cancelled);
            self.finish();
        }
    }

    /// Goes on at `next`; an interactive execution waits there for a signal.
    fn offer(&mut self, next: Next) {
        let interactive =
            self.state.started.as_ref().is_some_and(|it| it.mode == Mode::Interactive);
        match next {
            Next::Step(index) if interactive && index < self.runbook.steps.len() => {
                self.state.phase = Phase::Offered(index);
                self.execution_status(Status::Waiting);
            }
            Next::Step(index) => self.todo = Some(Todo::Enter(index)),
            Next::End => self.finish(),
        }
    }

    /// Begins the first attempt of the step at `index`.
    fn enter(&mut self, index: usize) {
        let Some(step) = self.runbook.steps.get(index) else { return self.finish() };
        self.state.phase = Phase::Running(index);
        let inputs = self.resolved_inputs(step);
        if let Some(execution) = self.state.steps.get_mut(index) {
            let id = std::mem::take(&mut execution.id);
            *execution = StepExecution { id, inputs, ..StepExecution::default() };
            execution.start_millis = Some(self.stamp.millis);
        }
        self.step_status(index, Status::InProgress);
        self.attempt(index);
    }

    fn attempt(&mut self, index: usize) {
        let Some(step) = self.runbook.steps.get(index) else { return };
        let timeout_id = step.attempt_timeout_seconds().map(|seconds| {
            let millis = i64::try_from(seconds).unwrap_or(i64::MAX / 2) * clock::MILLIS_PER_SECOND;
            self.timer_at(self.stamp.millis.saturating_add(millis))
        });
        if let Some(execution) = self.state.steps.get_mut(index) {
            execution.timeout_id = timeout_id;
            execution.attempt += 1;
            execution.memory = Value::Null;
        }
        let outcome = match step.action.work {
            Work::Available { begin, .. } => begin(&mut Turn { run: self, index, step }),
            Work::Unavailable => Outcome::Failed(Failure::action(&format!(
                "The action {} is not available in Stepwell yet",
                step.action.name
            ))),
        };
        self.settle(index, outcome);
    }

    /// Draws the consequences of what an action said.
    fn settle(&mut self, index: usize, outcome: Outcome) {
        match outcome {
            Outcome::InProgress => self.changed(),
            Outcome::Waiting => {
                self.step_status(index, Status::Waiting);
                self.execution_status(Status::Waiting);
            }
            Outcome::Done(outputs) => {
                self.withdraw_step();
                if let Some(execution) = self.state.steps.get_mut(index) {
                    execution.outputs = outputs;
                }
                self.step_status(index, Status::Success);
                self.resume_execution_status();
                let next = self.after(index);
                self.go_on(next);
            }
            Outcome::Jump(name) => {
                self.withdraw_step();
                self.step_status(index, Status::Success);
                let next = self.runbook.step_index(&name).map_or(Next::End, Next::Step);
                self.go_on(next);
            }
            Outcome::Failed(failure) => self.attempt_over(index, Status::Failed, failure),
        }
    }

    /// An attempt has failed or timed out: tries again or fails the step.
    fn attempt_over(&mut self, index: usize, status: Status, failure: Failure) {
        self.withdraw_step();
        let Some(step) = self.runbook.steps.get(index) else { return };
        let attempt = self.state.steps.get(index).map_or(1, |execution| execution.attempt);
        if attempt < step.max_attempts.min(ATTEMPTS_MAX) {
            self.todo = Some(Todo::Retry(index));
            return;
        }
        if let Some(execution) = self.state.steps.get_mut(index) {
            execution.failure = Some(failure.clone());
        }
        self.step_status(index, status);
        self.resume_execution_status();
        if step.fails_run() {
            self.state.failure = Some(failure);
            if self.state.verdict == Verdict::Success {
                let timed_out = status == Status::TimedOut;
                self.state.verdict = if timed_out { Verdict::TimedOut } else { Verdict::Failed };
            }
        }
        let next = match &step.on_failure {
            _ if step.is_end => Next::End,
            None | Some(OnFailure::Abort) => Next::End,
            Some(OnFailure::Continue) => self.after(index),
            Some(OnFailure::Step(name)) => {
                self.runbook.step_index(name).map_or(Next::End, Next::Step)
            }
        };
        self.go_on(next);
    }

    /// Returns where the flow goes after the step at `index` without a jump.
    fn after(&self, index: usize) -> Next {
        let Some(step) = self.runbook.steps.get(index) else { return Next::End };
        match &step.next_step {
            _ if step.is_end => Next::End,
            Some(name) => self.runbook.step_index(name).map_or(Next::End, Next::Step),
            None if index + 1 < self.runbook.steps.len() => Next::Step(index + 1),
            None => Next::End,
        }
    }

    fn go_on(&mut self, next: Next) {
        match self.state.stop {
            Some(StopType::Complete) => self.finish(),
            Some(StopType::Cancel) => match next {
                Next::Step(index) => self.todo = Some(Todo::Enter(index)),
                Next::End => self.finish(),
            },
            None => self.offer(next),
        }
    }

    fn finish(&mut self) {
        self.withdraw_all();
        self.state.phase = Phase::Finished;
        self.state.end_millis = Some(self.stamp.millis);
        self.state.outputs = outputs_of(self.runbook, self.state);
        let status = match (self.state.stop, self.state.verdict) {
            // UNVERIFIED: that a run stopped with Complete ends as Cancelled too.
            (Some(_), _) => Status::Cancelled,
            (None, Verdict::Success) => Status::Success,
            (None, Verdict::TimedOut) => Status::TimedOut,
            (None, Verdict::Failed) => Status::Failed,
        };
        self.execution_status(status);
        let failure_message = match status {
            Status::Failed | Status::TimedOut => self.state.failure.as_ref(),
            Status::Pending
            | Status::InProgress
            | Status::Waiting
            | Status::Success
            | Status::Cancelling
            | Status::Cancelled => None,
        };
        self.effects.push(Effect::Finish {
            status,
            failure_message: failure_message.map(|failure| failure.message.clone()),
            outputs: self.state.outputs.clone(),
        });
    }

    fn resolved_inputs(&self, step: &Step) -> Value {
        let scope = self.scope();
        let mut inputs = Value::object();
        for (name, value) in step.inputs.as_object().into_iter().flat_map(value::Map::iter) {
            let resolved = if step.is_code(name) { value.clone() } else { scope.value(value) };
            inputs.set(name.clone(), resolved);
        }
        inputs
    }

    /// Returns everything that references can name now.
    pub(crate) fn scope(&self) -> Scope<'_> {
        let pairs = self.runbook.steps.iter().zip(&self.state.steps);
        let outputs: HashMap<_, _> =
            pairs.map(|(step, it)| (step.name.as_str(), it.outputs.clone())).collect();
        Scope {
            parameters: self.state.parameters.clone(),
            variables: self.state.variables.clone(),
            outputs,
            started: self.state.started.as_ref(),
            millis: self.stamp.millis,
        }
    }

    /// Sets the execution's status and tells of it, if it is another one.
    fn execution_status(&mut self, status: Status) {
        if self.state.status == status {
            return;
        }
        self.state.status = status;
        self.changed();
        let event = notification::of_execution(self.state, self.stamp.millis);
        self.effects.push(Effect::Event(event));
    }

    /// Takes the execution out of Waiting when the step it waited for is over.
    fn resume_execution_status(&mut self) {
        if self.state.status == Status::Waiting {
            self.execution_status(Status::InProgress);
        }
    }

    /// Sets a step's status and tells of it, if it is another one.
    fn step_status(&mut self, index: usize, status: Status) {
        let Some(execution) = self.state.steps.get_mut(index) else { return };
        if execution.status == status {
            return;
        }
        execution.status = status;
        if status.is_terminal() {
            execution.end_millis = Some(self.stamp.millis);
            execution.memory = Value::Null;
            execution.timeout_id = None;
        }
        let execution = execution.clone();
        self.changed();
        if let Some(step) = self.runbook.steps.get(index) {
            let event = notification::of_step(self.state, step, &execution);
            self.effects.push(Effect::Event(event));
        }
    }

    /// Tells that the record is another one; once is enough.
    fn changed(&mut self) {
        if !self.effects.contains(&Effect::Record) {
            self.effects.push(Effect::Record);
        }
    }

    /// Asks for something that will be answered.
    pub(crate) fn ask(&mut self, effect: impl FnOnce(u64) -> Effect) -> u64 {
        self.state.last_id += 1;
        let id = self.state.last_id;
        let effect = effect(id);
        self.state.outstanding.insert(id, effect.clone());
        self.effects.push(effect);
        id
    }

    /// Asks for something whose answer nobody waits for.
    pub(crate) fn tell(&mut self, effect: impl FnOnce(u64) -> Effect) {
        self.state.last_id += 1;
        let effect = effect(self.state.last_id);
        self.effects.push(effect);
    }

    pub(crate) fn timer_at(&mut self, at_millis: i64) -> u64 {
        self.ask(|id| Effect::Timer { id, at_millis })
    }

    /// Withdraws everything the step has asked for, its timeout included.
    fn withdraw_step(&mut self) {
        let keep = self.state.cancel_deadline_id;
        let ids: Vec<u64> = self.state.outstanding.keys().copied().collect();
        for id in ids.into_iter().filter(|id| Some(*id) != keep) {
            self.withdraw(id);
        }
    }

    fn withdraw_all(&mut self) {
        self.state.cancel_deadline_id = None;
        self.withdraw_step();
    }

    fn withdraw(&mut self, id: u64) {
        match self.state.outstanding.remove(&id) {
            Some(Effect::Timer { .. }) => self.effects.push(Effect::CancelTimer { id }),
            Some(Effect::Call(_) | Effect::Script(_)) => self.effects.push(Effect::Cancel { id }),
            Some(
                Effect::CancelTimer { .. }
                | Effect::Cancel { .. }
                | Effect::Record
                | Effect::Event(_)
                | Effect::Finish { .. },
            )
            | None => {}
        }
    }

    /// Draws a version 4 UUID from the stamp.
    pub(crate) fn draw_uuid(&mut self) -> String {
        self.drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.stamp.entropy);
        hash.update(self.drawn.to_be_bytes());
        let digest = hash.finalize();
        let mut bits = [0_u8; 16];
        for (bit, drawn) in bits.iter_mut().zip(digest.iter()) {
            *bit = *drawn;
        }
        let number = u128::from_be_bytes(bits);
        let number = number & !(0xf << 76) | (0x4 << 76);
        let number = number & !(0x3 << 62) | (0x2 << 62);
        let hex = format!("{number:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }
}
