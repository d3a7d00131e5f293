//! Leaving a state: well, by being caught, or by failing the line of control.

use std::collections::BTreeSet;
use std::sync::Arc;

use asl::{
    Catcher, Evaluation, FailedIn, Failure, Field, QueryLanguage, Retrier, StateKind, Template,
    Transition, assigned, error_name, matches,
};
use value::{Map, Value};

use crate::effect::Status;
use crate::history::{Details, StateType};
use crate::payload::Payload;
use crate::run::{Fault, FaultKind, Run};
use crate::state::{Doing, Purpose, ROOT, Shown, ThreadId};
use crate::states;

impl Run<'_> {
    /// Leaves the visited state with its result: evaluates Assign and Output side by side, records
    /// the exit, and goes where the state's transition leads.
    pub(crate) fn complete(&mut self, id: ThreadId, result: Payload) -> Result<(), Failure> {
        let Some(definition) = self.visited(id) else { return Ok(()) };
        let mut scope = self.scope(id);
        // Only these types have a `$states.result`.
        scope.result = match &definition.kind {
            StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_) => {
                Some(result.value().clone())
            }
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => None,
        };
        let assign = definition.assign.as_ref();
        let (variables, output) = self.evaluate(&scope, |evaluation| {
            let variables = definition.assigned(evaluation, assign, result.value(), "Assign")?;
            let selected = definition.effective_result(evaluation, result.value().clone())?;
            Ok((variables, definition.output(evaluation, selected)?))
        })?;
        // What hands its result on hands its spelling on.
        let output = if output == *result.value() { result } else { output.into() };
        self.leave(id, output, variables, definition.transition)
    }

    /// Records the exit of the visited state and goes on.
    pub(crate) fn leave(
        &mut self,
        id: ThreadId,
        mut output: Payload,
        variables: Option<Arc<Map>>,
        transition: Transition,
    ) -> Result<(), Failure> {
        let Some(definition) = self.visited(id) else { return Ok(()) };
        if self.records(id) {
            // Printed once: the quota, this exit and the next entry share it.
            output.print();
        }
        if output.too_large() {
            return Err(too_large(&definition.name));
        }
        self.record(id, || Details::StateExited {
            state_type: StateType::of(&definition.kind),
            name: definition.name.clone(),
            output: output.print(),
            assigned_variables: variables.clone().map(Value::Object),
        });
        if let (Some(assigned), Some(thread)) = (variables, self.state.threads.get_mut(&id)) {
            for (name, value) in assigned.iter() {
                thread.variables.set(name.clone(), value.clone());
            }
        }
        match transition {
            Transition::Next(next) => self.move_on(id, next, output),
            Transition::End => self.arrive(id, output),
        }
        Ok(())
    }

    /// A line of control has come to its end.
    fn arrive(&mut self, id: ThreadId, output: Payload) {
        let Some(thread) = self.state.threads.get(&id) else { return };
        let previous = thread.previous_event_id;
        let Some(parent) = thread.parent else { return self.succeed(output) };
        self.state.threads.remove(&id);
        match self.visited(parent.thread).map(|definition| &definition.kind) {
            Some(StateKind::Map(_)) => {
                states::map::iteration_arrived(self, parent, id, previous, output);
            }
            Some(_) | None => states::parallel::branch_arrived(self, parent, id, previous, output),
        }
    }

    /// Something in the definition could not be evaluated: records that where AWS does, then fails
    /// the state.
    pub(crate) fn evaluation_failed(&mut self, id: ThreadId, failure: Failure) {
        let fault = self.evaluation_fault(id, failure);
        self.fail(id, fault);
    }

    /// Words a failure to evaluate as the user sees it, and records it where AWS does.
    fn evaluation_fault(&mut self, id: ThreadId, failure: Failure) -> Fault {
        let (Some(definition), Some(visit)) = (self.visited(id), self.visit(id)) else {
            let (error, cause) = (Some(failure.error), Some(failure.cause));
            return Fault { error, cause, kind: FaultKind::State };
        };
        let name = definition.name.to_string();
        let entered = visit.entered_event_id;
        let located = failure.error != error_name::DATA_LIMIT_EXCEEDED;
        let cause = if located {
            format!(
                "An error occurred while executing the state '{name}' (entered at the event id \
                 #{entered}). {}",
                failure.cause
            )
        } else {
            failure.cause
        };
        let kind = if failure.error == error_name::RUNTIME {
            FaultKind::Runtime
        } else {
            FaultKind::State
        };
        if failure.error == error_name::QUERY_EVALUATION_ERROR {
            // Recorded: an expression's failure follows what the state's entry followed, while a
            // Timestamp's follows the entry; events in between are not linked to.
            let links_around =
                self.previous(id) == entered && failure.location.as_deref() != Some("Timestamp");
            let previous = if links_around { visit.before_event_id } else { self.previous(id) };
            let event = self.record_aside(id, previous, || Details::EvaluationFailed {
                state: name,
                error: failure.error.clone(),
                cause: cause.clone(),
                location: failure.location,
            });
            self.follow(id, event);
        }
        Fault { error: Some(failure.error), cause: Some(cause), kind }
    }

    /// The visited state failed: retries, catches, or fails its line of control.
    pub(crate) fn fail(&mut self, id: ThreadId, fault: Fault) {
        states::map_run::state_failed(self, id);
        if fault.kind == FaultKind::Runtime {
            if self.state.threads.get(&id).is_some_and(|thread| thread.shown == Shown::InHistory) {
                self.follow(ROOT, self.previous(id));
            }
            return self.end_badly(Status::Failed, fault.error, fault.cause);
        }
        self.keep(id);
        let Some(definition) = self.visited(id) else { return };
        let (retry, catch): (&[Retrier], &[Catcher]) = match &definition.kind {
            StateKind::Task(task) => (&task.retry, &task.catch),
            StateKind::Parallel(parallel) => (&parallel.retry, &parallel.catch),
            StateKind::Map(map) => (&map.retry, &map.catch),
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => (&[], &[]),
        };
        self.abandon(id);
        if self.retries(id, retry, &fault) {
            self.forget_fallen();
            return;
        }
        if matches!(definition.kind, StateKind::Parallel(_) | StateKind::Map(_)) {
            let state_type = StateType::of(&definition.kind);
            self.record(id, || Details::StateFailed { state_type });
        }
        let error = fault.error.as_deref().unwrap_or_default();
        let catcher = catch
            .iter()
            .enumerate()
            .find(|(_, catcher)| matches(&catcher.error_equals, error, fault.failed_in()));
        match catcher {
            Some((index, catcher)) => self.caught(id, index, catcher, fault),
            None => self.fail_thread(id, fault),
        }
    }

    /// Schedules a retry if a retrier allows one more.
    fn retries(&mut self, id: ThreadId, retry: &[Retrier], fault: &Fault) -> bool {
        let error = fault.error.as_deref().unwrap_or_default();
        let found = retry
            .iter()
            .enumerate()
            .find(|(_, retrier)| matches(&retrier.error_equals, error, fault.failed_in()));
        let Some((index, retrier)) = found else { return false };
        let unit = self.unit();
        let Some(visit) = self.visit_mut(id) else { return false };
        visit.attempts.resize(retry.len(), 0);
        let Some(attempts) = visit.attempts.get_mut(index) else { return false };
        if *attempts >= retrier.max_attempts {
            return false;
        }
        let delay = retrier.delay_millis(*attempts, unit);
        *attempts += 1;
        let at_millis = self.millis.saturating_add(delay);
        let timer = self.timer(at_millis, Purpose::Retry(id));
        self.doing(id, Doing::Retrying(timer));
        true
    }

    /// Draws a number from 0 up to 1 for jitter.
    fn unit(&mut self) -> f64 {
        // The first 32 bits of the fact's entropy, told apart by how many numbers were given out.
        let mut bits = [0_u8; 4];
        for (bit, byte) in bits.iter_mut().zip(self.entropy) {
            *bit = byte;
        }
        let mixed =
            u32::from_be_bytes(bits).wrapping_add(self.state.last_number.wrapping_mul(0x9E37_79B9));
        f64::from(mixed) / (f64::from(u32::MAX) + 1.0)
    }

    /// A catcher takes the failure over.
    fn caught(&mut self, id: ThreadId, index: usize, catcher: &Catcher, fault: Fault) {
        let Some(definition) = self.visited(id) else { return };
        let error_output =
            Value::object().with_some("Error", fault.error).with_some("Cause", fault.cause);
        let mut scope = self.scope(id);
        scope.error_output = Some(error_output.clone());
        let field = |name: &str| format!("Catch[{index}]/{name}");
        let assign = catcher.assign.as_ref();
        let evaluated = self.evaluate(&scope, |evaluation| {
            let variables =
                definition.assigned(evaluation, assign, &error_output, &field("Assign"))?;
            let output = match definition.query_language {
                QueryLanguage::Jsonata => match &catcher.output {
                    Some(output) => output.evaluate(evaluation, Field::Top(&field("Output")))?,
                    None => error_output.clone(),
                },
                QueryLanguage::JsonPath => {
                    catcher.result_path.place(&evaluation.scope().input, error_output.clone())?
                }
            };
            Ok((variables, output))
        });
        let left = evaluated.and_then(|(variables, output)| {
            self.leave(id, output.into(), variables, Transition::Next(catcher.next))
        });
        match left {
            Ok(()) => self.forget_fallen(),
            Err(failure) => {
                // Nothing catches the failure of a catcher.
                let fault = self.evaluation_fault(id, failure);
                self.fail_thread(id, fault);
            }
        }
    }

    /// A line of control failed: the execution, or the Parallel or Map around it.
    fn fail_thread(&mut self, id: ThreadId, fault: Fault) {
        let Some(thread) = self.state.threads.get(&id) else { return };
        let previous = thread.previous_event_id;
        let Some(parent) = thread.parent else {
            return self.end_badly(Status::Failed, fault.error, fault.cause);
        };
        match self.visited(parent.thread).map(|definition| &definition.kind) {
            Some(StateKind::Map(_)) => {
                states::map::iteration_failed(self, parent, id, previous, fault);
            }
            Some(_) | None => states::parallel::branch_failed(self, parent, id, previous, fault),
        }
    }

    /// Takes back everything that a visit still waits for.
    pub(crate) fn abandon(&mut self, id: ThreadId) {
        states::map_run::stop_children(self, id);
        let Some(visit) = self.visit_mut(id) else { return };
        match std::mem::replace(&mut visit.doing, Doing::Beginning) {
            // The children of a map run were told above.
            Doing::Beginning | Doing::MapRun(_) => {}
            Doing::Task(task) => states::task::take_back(self, *task),
            Doing::Waiting(timer) | Doing::Retrying(timer) => self.cancel_timer(timer),
            Doing::Branches(children) => self.abort_all(&children.running),
            Doing::Iterations(iterations) => self.abort_all(&iterations.children.running),
        }
    }

    /// Ends lines of control whose Parallel or Map failed.
    pub(crate) fn abort_all(&mut self, threads: &BTreeSet<ThreadId>) {
        for id in threads {
            self.abort(*id);
        }
        let open = &self.state.threads;
        self.state.runnable.retain(|runnable| open.contains_key(runnable));
    }

    fn abort(&mut self, id: ThreadId) {
        self.keep(id);
        self.abandon(id);
        if let Some(definition) = self.visited(id) {
            let state_type = StateType::of(&definition.kind);
            let waits = matches!(
                definition.kind,
                StateKind::Task(_)
                    | StateKind::Wait(_)
                    | StateKind::Parallel(_)
                    | StateKind::Map(_)
            );
            if waits {
                self.record(id, || Details::StateAborted { state_type });
            }
        }
        self.state.threads.remove(&id);
    }
}

impl Fault {
    fn failed_in(&self) -> FailedIn {
        match self.kind {
            FaultKind::Task => FailedIn::Task,
            FaultKind::Heartbeat => FailedIn::Heartbeat,
            FaultKind::State | FaultKind::Runtime => FailedIn::Other,
        }
    }
}

/// The failure of a payload beyond the quota; `what` is the state or the task's resource.
pub(crate) fn too_large(what: &str) -> Failure {
    Failure::named(
        error_name::DATA_LIMIT_EXCEEDED,
        format!(
            "The state/task '{what}' returned a result with a size exceeding the maximum number of \
             bytes service limit."
        ),
    )
}

/// Evaluates what a rule or a state without a result assigns.
pub(crate) fn assign(
    template: Option<&Template>,
    evaluation: &mut Evaluation<'_>,
    field: &str,
) -> Result<Option<Arc<Map>>, Failure> {
    assigned(template, evaluation, field)
}
