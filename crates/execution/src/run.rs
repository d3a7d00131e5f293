//! One `apply`: a fact goes in, lines of control go on until they wait, effects come out.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use asl::{
    Definition, Evaluation, Failure, Scope, StateId, StateKind, StateMachineType, error_name,
};
use jsonata::Moment;
use value::Value;

use crate::effect::{Effect, Finish, Status};
use crate::fact::{HistoryMode, Stamp};
use crate::history::{Details, HistoryEvent, StateType};
use crate::map_run::ChildKind;
use crate::payload::Payload;
use crate::state::{
    Doing, Purpose, ROOT, Shown, State, Step, Thread, ThreadId, Timer, TimerId, Visit,
};
use crate::{context, states};

/// How many visits of states one `apply` carries out before it lets others run.
pub const STEPS_MAX: usize = 1_000;

/// The most events of one execution's history (AWS's quota).
pub const HISTORY_EVENTS_MAX: u64 = 25_000;
/// How many history events an express execution counts at most.
// DIFFERS: AWS bounds express executions by time alone; a machine that goes round in circles
// without ever waiting would keep a core busy for its five minutes.
const EXPRESS_EVENTS_MAX: u64 = 2_000_000;

/// Why a line of control cannot go on.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) kind: FaultKind,
}

/// Where a [`Fault`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A task's call.
    Task,
    /// A task that sent no heartbeat in time.
    Heartbeat,
    /// A Fail state, a branch, an iteration.
    State,
    /// The definition met data that it cannot handle: nothing catches that.
    Runtime,
}

/// What an `apply` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An execution.
    Execution,
    /// A state that is tested by itself.
    Test,
}

/// An `apply` under way.
pub(crate) struct Run<'a> {
    pub(crate) subject: Subject,
    pub(crate) definition: &'a Definition,
    pub(crate) state: &'a mut State,
    pub(crate) millis: i64,
    pub(crate) entropy: [u8; 32],
    pub(crate) moment: Moment,
    /// The context object of a test, instead of the execution's own.
    pub(crate) context: Option<Value>,
    /// `Execution` and `StateMachine` of the context object, once something has read them.
    pub(crate) base_context: OnceCell<Value>,
    pub(crate) history: HistoryMode,
    /// Map runs that stand elsewhere than the runtime knows.
    pub(crate) reports: BTreeSet<ThreadId>,
    /// What a failure is taking down, as it was.
    pub(crate) fallen: BTreeMap<ThreadId, Thread>,
    events: Vec<HistoryEvent>,
    effects: Vec<Effect>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(definition: &'a Definition, state: &'a mut State, stamp: &Stamp) -> Run<'a> {
        let history =
            state.started.as_ref().map_or(HistoryMode::Recorded, |started| started.history);
        Run {
            subject: Subject::Execution,
            definition,
            state,
            millis: stamp.millis,
            entropy: stamp.entropy,
            moment: Moment::new(stamp.millis, stamp.entropy),
            context: None,
            base_context: OnceCell::new(),
            history,
            reports: BTreeSet::new(),
            fallen: BTreeMap::new(),
            events: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Lets lines of control go on until all wait, then returns what is to be done.
    pub(crate) fn settle(mut self) -> Vec<Effect> {
        let mut steps = 0;
        while let Some(thread) = self.next_runnable() {
            if steps == STEPS_MAX {
                self.state.runnable.push_front(thread);
                self.timer(self.millis, Purpose::GoOn);
                break;
            }
            steps += 1;
            self.go_on(thread);
        }
        for map_run in std::mem::take(&mut self.reports) {
            self.report(map_run);
        }
        if !self.events.is_empty() {
            self.effects.insert(0, Effect::Record(self.events));
        }
        self.effects
    }

    /// Returns what kind of execution this is: a child may be another than its machine.
    pub(crate) fn machine_type(&self) -> StateMachineType {
        let child = self.state.started.as_ref().and_then(|started| started.child.as_ref());
        match child.map(|child| child.kind) {
            Some(ChildKind::Standard) => StateMachineType::Standard,
            Some(ChildKind::Express) => StateMachineType::Express,
            None => self.definition.machine_type(),
        }
    }

    fn next_runnable(&mut self) -> Option<ThreadId> {
        if self.state.status != Status::Running {
            return None;
        }
        self.state.runnable.pop_front()
    }

    /// Carries out one step of a line of control.
    pub(crate) fn go_on(&mut self, id: ThreadId) {
        let Some(thread) = self.state.threads.get_mut(&id) else { return };
        match &mut thread.step {
            Step::Enter { state, input } => {
                // What is left is replaced by the visit.
                let (state, input) = (*state, std::mem::replace(input, Value::Null.into()));
                self.enter(id, state, input);
            }
            Step::In(_) => self.begin(id),
        }
    }

    /// Enters a state.
    fn enter(&mut self, id: ThreadId, number: u32, mut input: Payload) {
        let Some(definition) = self.definition.state(StateId(number)) else {
            // INVARIANT: ids come from this definition; another one is our bug, shown as a failure.
            self.end_badly(Status::Failed, Some(error_name::RUNTIME.into()), None);
            return;
        };
        let before_event_id = self.previous(id);
        let entered_event_id = self.record(id, || Details::StateEntered {
            state_type: StateType::of(&definition.kind),
            name: definition.name.clone(),
            input: input.print(),
        });
        let visit = Visit {
            state: number,
            input,
            entered_event_id,
            before_event_id,
            entered_millis: self.millis,
            attempts: Vec::new(),
            doing: Doing::Beginning,
        };
        if let Some(thread) = self.state.threads.get_mut(&id) {
            thread.step = Step::In(visit);
        }
        self.begin(id);
    }

    /// Begins the work of the state that a line of control is in: on entry and on every retry.
    fn begin(&mut self, id: ThreadId) {
        let Some(definition) = self.visited(id) else { return };
        let outcome = match &definition.kind {
            StateKind::Pass(pass) => states::pass::begin(self, id, definition, pass),
            StateKind::Task(task) => states::task::begin(self, id, definition, task),
            StateKind::Choice(choice) => states::choice::begin(self, id, definition, choice),
            StateKind::Wait(wait) => states::wait::begin(self, id, wait),
            StateKind::Succeed => states::succeed::begin(self, id, definition),
            StateKind::Fail(fail) => states::fail::begin(self, id, fail),
            StateKind::Parallel(parallel) => {
                states::parallel::begin(self, id, definition, parallel)
            }
            StateKind::Map(map) => states::map::begin(self, id, definition, map),
        };
        if let Err(failure) = outcome {
            self.evaluation_failed(id, failure);
        }
    }

    /// Returns the definition of the state that a line of control is in.
    pub(crate) fn visited(&self, id: ThreadId) -> Option<&'a asl::State> {
        self.definition.state(StateId(self.visit(id)?.state))
    }

    pub(crate) fn visit(&self, id: ThreadId) -> Option<&Visit> {
        match &self.state.thread(id)?.step {
            Step::In(visit) => Some(visit),
            Step::Enter { .. } => None,
        }
    }

    pub(crate) fn visit_mut(&mut self, id: ThreadId) -> Option<&mut Visit> {
        match &mut self.state.thread_mut(id)?.step {
            Step::In(visit) => Some(visit),
            Step::Enter { .. } => None,
        }
    }

    pub(crate) fn doing(&mut self, id: ThreadId, doing: Doing) {
        if let Some(visit) = self.visit_mut(id) {
            visit.input.forget_print();
            visit.doing = doing;
        }
    }

    /// Returns what the expressions of the visited state can read.
    pub(crate) fn scope(&self, id: ThreadId) -> Scope {
        let thread = self.state.thread(id);
        let input = self.visit(id).map(|visit| visit.input.value().clone()).unwrap_or_default();
        let variables = match thread.map(|thread| thread.variables.clone()) {
            Some(Value::Object(map)) => map,
            Some(_) | None => std::sync::Arc::default(),
        };
        let context = match self.visited(id) {
            Some(state) if !state.reads_context => Value::Null,
            Some(_) | None => context::object(self, id),
        };
        Scope { input, context, result: None, error_output: None, variables }
    }

    /// Returns what the visited state works on, with the input's spelling where it is the input.
    pub(crate) fn effective(
        &mut self,
        id: ThreadId,
        definition: &asl::State,
    ) -> Result<Payload, Failure> {
        if definition.takes_whole_input()
            && let Some(visit) = self.visit(id)
        {
            return Ok(visit.input.clone());
        }
        let scope = self.scope(id);
        let effective =
            self.evaluate(&scope, |evaluation| definition.effective_input(evaluation))?;
        Ok(self.as_input(id, effective))
    }

    /// Returns a value as a payload: the visited state's input itself where it is equal.
    pub(crate) fn as_input(&self, id: ThreadId, value: Value) -> Payload {
        match self.visit(id) {
            Some(visit) if *visit.input.value() == value => visit.input.clone(),
            Some(_) | None => value.into(),
        }
    }

    /// Runs `evaluate` over a scope with this run's time and randomness.
    pub(crate) fn evaluate<T>(
        &mut self,
        scope: &Scope,
        evaluate: impl FnOnce(&mut Evaluation<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        evaluate(&mut Evaluation::new(scope, &mut self.moment))
    }

    // History ----------------------------------------------------------------------------------

    pub(crate) fn previous(&self, id: ThreadId) -> u64 {
        self.state.threads.get(&id).map_or(0, |thread| thread.previous_event_id)
    }

    /// Records what happened in a line of control; its next event follows this one.
    pub(crate) fn record(&mut self, id: ThreadId, details: impl FnOnce() -> Details) -> u64 {
        let event = self.record_aside(id, self.previous(id), details);
        self.follow(id, event);
        event
    }

    /// Records an event that the next one will not follow: AWS links around some.
    pub(crate) fn record_aside(
        &mut self,
        id: ThreadId,
        previous_event_id: u64,
        details: impl FnOnce() -> Details,
    ) -> u64 {
        match self.state.threads.get(&id).map(|thread| thread.shown) {
            Some(Shown::Nowhere) => self.previous(id) + 1,
            Some(Shown::InHistory) | None => self.append(previous_event_id, details),
        }
    }

    /// Makes the next event of a line of control follow `event`.
    pub(crate) fn follow(&mut self, id: ThreadId, event: u64) {
        if let Some(thread) = self.state.threads.get_mut(&id) {
            thread.previous_event_id = event;
        }
    }

    /// Returns whether events of a line of control are made.
    pub(crate) fn records(&self, id: ThreadId) -> bool {
        let shown = self.state.threads.get(&id).is_none_or(|thread| match thread.shown {
            Shown::InHistory => true,
            Shown::Nowhere => false,
        });
        shown && self.history == HistoryMode::Recorded
    }

    /// Appends an event; its details are only made when there is a history.
    pub(crate) fn append(
        &mut self,
        previous_event_id: u64,
        details: impl FnOnce() -> Details,
    ) -> u64 {
        self.state.last_event_id += 1;
        let id = self.state.last_event_id;
        let timestamp_millis = self.millis;
        match self.history {
            HistoryMode::Recorded => {
                let details = details();
                self.events.push(HistoryEvent { id, previous_event_id, timestamp_millis, details });
            }
            HistoryMode::Counted => {}
        }
        let events_max = match self.machine_type() {
            StateMachineType::Standard => HISTORY_EVENTS_MAX,
            StateMachineType::Express => EXPRESS_EVENTS_MAX,
        };
        if id + 1 == events_max && self.state.status == Status::Running {
            self.end_badly(
                Status::Failed,
                Some(error_name::RUNTIME.into()),
                // UNVERIFIED: AWS's wording for a full history.
                Some(format!(
                    "The execution reached the maximum number of history events ({events_max})."
                )),
            );
        }
        id
    }

    /// Returns how the execution ended, if it did in this `apply`.
    pub(crate) fn finished(&self) -> Option<&Finish> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Finish(finish) => Some(&**finish),
            Effect::Record(_)
            | Effect::Call(_)
            | Effect::CancelCall { .. }
            | Effect::Look(_)
            | Effect::Withdraw(_)
            | Effect::Timer { .. }
            | Effect::CancelTimer { .. }
            | Effect::Child(_)
            | Effect::StopChild(_)
            | Effect::ChildRecord { .. }
            | Effect::Items { .. }
            | Effect::ItemsGone { .. }
            | Effect::Pending { .. }
            | Effect::Results { .. }
            | Effect::MapRun(_) => None,
        })
    }

    // Effects ----------------------------------------------------------------------------------

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn number(&mut self) -> u32 {
        self.state.last_number += 1;
        self.state.last_number
    }

    pub(crate) fn timer(&mut self, at_millis: i64, purpose: Purpose) -> TimerId {
        let timer = TimerId(self.number());
        self.state.timers.insert(timer, Timer { at_millis, purpose });
        self.effects.push(Effect::Timer { timer, at_millis });
        timer
    }

    pub(crate) fn cancel_timer(&mut self, timer: TimerId) {
        if self.state.timers.remove(&timer).is_some() {
            self.effects.push(Effect::CancelTimer { timer });
        }
    }

    // Lines of control -------------------------------------------------------------------------

    /// Starts a branch or an iteration: it reads its outer line's variables.
    pub(crate) fn spawn(&mut self, thread: Thread) -> ThreadId {
        let id = ThreadId(self.number());
        self.state.threads.insert(id, thread);
        self.state.runnable.push_back(id);
        id
    }

    /// Sends a line of control to its next state.
    pub(crate) fn move_on(&mut self, id: ThreadId, state: StateId, input: Payload) {
        if let Some(thread) = self.state.threads.get_mut(&id) {
            thread.step = Step::Enter { state: state.0, input };
            self.state.runnable.push_back(id);
        }
    }

    /// Ends the execution well.
    pub(crate) fn succeed(&mut self, mut output: Payload) {
        let previous = self.previous(ROOT);
        self.state.status = Status::Succeeded;
        self.append(previous, || Details::ExecutionSucceeded { output: output.print() });
        self.finish(Finish {
            status: Status::Succeeded,
            output: Some(output),
            error: None,
            cause: None,
        });
    }

    /// Ends the execution in any other way.
    pub(crate) fn end_badly(
        &mut self,
        status: Status,
        error: Option<String>,
        cause: Option<String>,
    ) {
        if self.state.status != Status::Running {
            return;
        }
        self.state.status = status;
        // Recorded: what comes from outside follows no event.
        let (previous, details) = match status {
            Status::Aborted => {
                (0, Details::ExecutionAborted { error: error.clone(), cause: cause.clone() })
            }
            Status::TimedOut => (0, Details::ExecutionTimedOut),
            Status::Running | Status::Succeeded | Status::Failed => (
                self.previous(ROOT),
                Details::ExecutionFailed { error: error.clone(), cause: cause.clone() },
            ),
        };
        self.append(previous, || details);
        self.keep_remains();
        self.finish(Finish { status, output: None, error, cause });
    }

    /// Forgets everything that was still to come.
    fn finish(&mut self, finish: Finish) {
        let threads: Vec<ThreadId> = self.state.threads.keys().copied().collect();
        for id in threads {
            states::map_run::stop_children(self, id);
        }
        let threads = std::mem::take(&mut self.state.threads);
        for thread in threads.into_values() {
            if let Step::In(Visit { doing: Doing::Task(task), .. }) = thread.step {
                states::task::take_back(self, *task);
            }
        }
        let timers: Vec<_> = std::mem::take(&mut self.state.timers).into_keys().collect();
        self.effects.extend(timers.into_iter().map(|timer| Effect::CancelTimer { timer }));
        self.state.tasks.clear();
        self.state.runnable.clear();
        self.effects.push(Effect::Finish(Box::new(finish)));
    }
}
