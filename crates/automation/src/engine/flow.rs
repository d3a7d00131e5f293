//! How the flow goes from step to step.

use std::collections::HashMap;

use value::Value;

use super::{ATTEMPTS_MAX, Next, Run, Todo};
use crate::actions::{FOR_NEXT_ATTEMPT, LOOP_SCOPE, Outcome, Turn, Work};
use crate::clock;
use crate::effect::Effect;
use crate::fact::{Mode, StopType};
use crate::failure::Failure;
use crate::interpolate::Scope;
use crate::record::outputs_of;
use crate::runbook::{OnFailure, Step};
use crate::state::{Phase, Status, StepExecution, Verdict};

impl Run<'_> {
    /// Goes on until something has to be waited for.
    ///
    /// INVARIANT: ends, for steps form no circle and attempts are bounded.
    pub(super) fn drive(&mut self) {
        while let Some(todo) = self.todo.take() {
            match todo {
                Todo::Enter(index) => self.enter(index),
                Todo::Retry(index) => self.attempt(index),
            }
        }
    }

    /// Goes on at `next`; an interactive execution waits there for a signal.
    pub(super) fn offer(&mut self, next: Next) {
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
        let fresh_id = self.draw_uuid();
        let iteration = step.parent.and_then(|parent| self.state.iterations.get(&parent).cloned());
        if let Some(execution) = self.state.steps.get_mut(index) {
            let id = if execution.status == Status::Pending {
                execution.id.clone()
            } else {
                // The step ran in an earlier iteration of its loop.
                self.state.earlier.push((index, execution.clone()));
                fresh_id
            };
            let start_millis = Some(self.stamp.millis);
            *execution =
                StepExecution { id, start_millis, inputs, iteration, ..StepExecution::default() };
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
            let kept = execution.memory.get(FOR_NEXT_ATTEMPT);
            let kept = kept.map(|kept| Value::object().with(FOR_NEXT_ATTEMPT, kept));
            execution.memory = kept.unwrap_or_default();
        }
        let outcome = match step.action.work {
            Work::Available { begin, .. } | Work::Loop { begin, .. } => {
                begin(&mut Turn { run: self, index, step })
            }
            // A document that an older Stepwell accepted may hold anything.
            Work::Unknown => Outcome::Failed(Failure::inputs("The step has no known action")),
        };
        self.settle(index, outcome);
    }

    /// Draws the consequences of what an action said.
    pub(super) fn settle(&mut self, index: usize, outcome: Outcome) {
        match outcome {
            Outcome::InProgress => self.changed(),
            Outcome::Waiting => {
                self.step_status(index, Status::Waiting);
                self.execution_status(Status::Waiting);
            }
            Outcome::Body => match self.runbook.first_of_body(index) {
                Some(first) => self.offer(Next::Step(first)),
                None => self.settle(index, Outcome::Done(Value::object())),
            },
            Outcome::Done(outputs) => {
                self.withdraw_step(index);
                if let Some(execution) = self.state.steps.get_mut(index) {
                    execution.outputs = outputs;
                }
                self.step_status(index, Status::Success);
                self.resume_execution_status();
                let next = self.after(index);
                self.go_on(index, next);
            }
            Outcome::Jump(name) => {
                self.withdraw_step(index);
                self.step_status(index, Status::Success);
                let next = self.runbook.step_index(&name).map_or(Next::End, Next::Step);
                self.go_on(index, next);
            }
            Outcome::Failed(failure) => self.attempt_over(index, Status::Failed, failure),
        }
    }

    /// An attempt has failed or timed out: tries again or fails the step.
    pub(super) fn attempt_over(&mut self, index: usize, status: Status, failure: Failure) {
        self.withdraw_step(index);
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
        let aborts = matches!(step.on_failure, None | Some(OnFailure::Abort)) && !step.is_end;
        if let (true, Some(parent)) = (aborts, step.parent) {
            // A step that breaks off the body fails the loop, whose own properties count then.
            return self.attempt_over(parent, status, failure);
        }
        // UNVERIFIED: that the first critical failure, not the last, gives status and message.
        if step.fails_run() && self.state.verdict == Verdict::Success {
            let timed_out = status == Status::TimedOut;
            self.state.verdict = if timed_out { Verdict::TimedOut } else { Verdict::Failed };
            self.state.failure = Some(failure);
        }
        let next = match &step.on_failure {
            _ if step.is_end => Next::End,
            None | Some(OnFailure::Abort) => Next::End,
            Some(OnFailure::Continue) => self.after(index),
            Some(OnFailure::Step(name)) => {
                self.runbook.step_index(name).map_or(Next::End, Next::Step)
            }
        };
        self.go_on(index, next);
    }

    /// Returns where the flow goes after the step at `index` without a jump.
    fn after(&self, index: usize) -> Next {
        let Some(step) = self.runbook.steps.get(index) else { return Next::End };
        match &step.next_step {
            _ if step.is_end => Next::End,
            Some(name) => self.runbook.step_index(name).map_or(Next::End, Next::Step),
            None => step.following.map_or(Next::End, Next::Step),
        }
    }

    /// Goes on from the step at `index`, out of its loop if the flow leads there.
    fn go_on(&mut self, index: usize, next: Next) {
        let parent = self.runbook.steps.get(index).and_then(|step| step.parent);
        match (self.state.stop, next, parent) {
            (Some(StopType::Complete), ..) => self.finish(),
            (_, Next::End, Some(parent)) => self.body_over(parent),
            (_, Next::Step(target), Some(_)) => {
                self.leave_loops(index, target);
                self.go_to(next);
            }
            (_, _, None) => self.go_to(next),
        }
    }

    fn go_to(&mut self, next: Next) {
        match (self.state.stop, next) {
            // A cancellation flow does not wait to be told.
            (Some(_), Next::Step(index)) => self.todo = Some(Todo::Enter(index)),
            (Some(_), Next::End) => self.finish(),
            (None, next) => self.offer(next),
        }
    }

    /// An iteration of the loop at `index` is over.
    fn body_over(&mut self, index: usize) {
        let Some(step) = self.runbook.steps.get(index) else { return };
        if let Work::Loop { body_over, .. } = step.action.work {
            self.state.phase = Phase::Running(index);
            let outcome = body_over(&mut Turn { run: self, index, step });
            self.settle(index, outcome);
        }
    }

    /// Ends the loops around `index` that a jump to `target` leaves.
    fn leave_loops(&mut self, index: usize, target: usize) {
        let stays: Vec<usize> = self.runbook.with_loops(target).collect();
        let left = self.runbook.with_loops(index).skip(1).take_while(|at| !stays.contains(at));
        for at in left.collect::<Vec<_>>() {
            self.withdraw_step(at);
            self.step_status(at, Status::Success);
        }
    }

    pub(super) fn finish(&mut self) {
        self.withdraw_all();
        let busy =
            |step: &StepExecution| matches!(step.status, Status::InProgress | Status::Waiting);
        // Loops around the last step, when the run is told to stop.
        for index in 0..self.state.steps.len() {
            if self.state.steps.get(index).is_some_and(busy) {
                self.step_status(index, Status::Cancelled);
            }
        }
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
            let resolved = if step.is_verbatim(name) { value.clone() } else { scope.value(value) };
            inputs.set(name.clone(), resolved);
        }
        inputs
    }

    /// Returns everything that references can name now.
    pub(crate) fn scope(&self) -> Scope<'_> {
        let pairs = self.runbook.steps.iter().zip(&self.state.steps);
        let mut outputs: HashMap<_, _> =
            pairs.map(|(step, it)| (step.name.as_str(), it.outputs.clone())).collect();
        // AWS's own example names the loop by its step's name, its documents say `Loop`; of two
        // loops, one inside the other, only the name tells which is meant.
        for (index, iteration) in &self.state.iterations {
            if let Some(step) = self.runbook.steps.get(*index) {
                outputs.insert(step.name.as_str(), iteration.scope());
            }
        }
        outputs.insert(LOOP_SCOPE, self.state.loop_scope.clone());
        Scope {
            parameters: self.state.parameters.clone(),
            variables: self.state.variables.clone(),
            outputs,
            started: self.state.started.as_ref(),
            millis: self.stamp.millis,
        }
    }
}
