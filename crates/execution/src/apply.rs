//! Facts in, effects out.

use asl::{Definition, StateMachineType};
use value::Value;

use crate::effect::{Effect, Status};
use crate::fact::{Fact, Stamp, Started};
use crate::history::Details;
use crate::run::{FaultKind, Run};
use crate::state::{Doing, Purpose, ROOT, Shown, State, Step, TaskVisit, Thread, TimerId};
use crate::states::{job, map_run, task, wait};

/// Takes a fact into account and returns what is to be done.
///
/// The same facts in the same order give the same state and effects, for ever. A fact about a task
/// or timer that is over, or about an execution that is, changes nothing.
pub fn apply(definition: &Definition, state: &mut State, stamp: &Stamp, fact: Fact) -> Vec<Effect> {
    let mut run = Run::new(definition, state, stamp);
    match fact {
        Fact::Started(started) => run.started(*started),
        Fact::ActivityStarted { task, worker } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                task::taken(&mut run, thread, worker);
            }
        }
        Fact::TaskSubmitted { task, output } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                task::submitted(&mut run, thread, &output);
            }
        }
        Fact::TaskSucceeded { task, output } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                task::succeeded(&mut run, thread, output);
            }
        }
        Fact::TaskFailed { task, error, cause } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                task::failed(&mut run, thread, error, cause);
            }
        }
        Fact::ActivityScheduled { task } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                task::queued(&mut run, thread);
            }
        }
        Fact::TaskImpossible { task, cause } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                task::impossible(&mut run, thread, cause);
            }
        }
        Fact::JobRuns { task, again_seconds } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                job::runs(&mut run, thread, again_seconds);
            }
        }
        Fact::JobUnseen { task, again_seconds, error, cause } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                job::unseen(&mut run, thread, again_seconds, (error, cause));
            }
        }
        Fact::JobStirred { task } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                job::stirred(&mut run, thread);
            }
        }
        Fact::TaskHeartbeat { task } => {
            if let Some(thread) = run.state.tasks.get(&task).copied() {
                task::heartbeat(&mut run, thread);
            }
        }
        Fact::MapRun { task, fact } => map_run::heard(&mut run, task, fact),
        Fact::MapRunUpdated { map_run_arn, update } => {
            map_run::update(&mut run, &map_run_arn, &update);
        }
        Fact::TimerFired { timer } => run.fired(timer),
        Fact::Redriven { token } => run.redriven(token),
        Fact::RedrivenByMapRun { redrive } => run.redriven_by_map_run(redrive),
        Fact::StopRequested { error, cause } => run.stopped(error, cause),
    }
    run.settle()
}

/// Returns the calls and timers that were asked for and not yet answered: after a crash they are to
/// be asked for again. What waits for a callback asks for nothing.
pub fn outstanding(state: &State) -> Vec<Effect> {
    let tasks = state.threads.values().filter_map(Thread::open_task);
    let calls = tasks.filter_map(TaskVisit::outstanding);
    let timers = state
        .timers
        .iter()
        .map(|(timer, open)| Effect::Timer { timer: *timer, at_millis: open.at_millis });
    calls.chain(timers).chain(map_run::outstanding(state)).collect()
}

/// How long an express execution may take (AWS's quota: five minutes).
const EXPRESS_SECONDS_MAX: i64 = 300;

/// A child execution has no time limit of its own.
fn timeout_seconds(run: &Run<'_>, is_child: bool) -> Option<i64> {
    let own = run.definition.timeout_seconds().filter(|_| !is_child);
    match run.machine_type() {
        StateMachineType::Standard => own,
        StateMachineType::Express => {
            Some(own.map_or(EXPRESS_SECONDS_MAX, |own| own.min(EXPRESS_SECONDS_MAX)))
        }
    }
}

impl Run<'_> {
    fn started(&mut self, mut started: Started) {
        if self.state.started.is_some() {
            return;
        }
        self.history = started.history;
        self.state.started_millis = self.millis;
        let mut input = started.input.clone();
        self.append(0, || Details::ExecutionStarted {
            input: input.print(),
            role_arn: started.role_arn.clone(),
            state_machine_alias_arn: started.state_machine_alias_arn.clone(),
            state_machine_version_arn: started.state_machine_version_arn.clone(),
        });
        started.input.forget_print();
        let child = started.child.clone();
        self.state.started = Some(Box::new(started));
        self.arm_timeout();
        let state = child.as_ref().map_or(self.definition.start().0, |child| child.state);
        let root = Thread {
            parent: None,
            shown: Shown::InHistory,
            // Recorded: the first state follows no event.
            previous_event_id: 0,
            variables: Value::object(),
            // UNVERIFIED: that the states of a child read the item, as those of an iteration do.
            map_item: child.as_ref().and_then(|child| child.map_item.clone()),
            step: Step::Enter { state, input },
        };
        self.state.threads.insert(ROOT, root);
        self.state.runnable.push_back(ROOT);
    }

    /// Lets the time of the execution's `TimeoutSeconds` begin.
    pub(crate) fn arm_timeout(&mut self) {
        let is_child = self.state.started.as_ref().is_some_and(|started| started.child.is_some());
        if let Some(seconds) = timeout_seconds(self, is_child) {
            let at_millis = self.millis.saturating_add(seconds * 1_000);
            self.timer(at_millis, Purpose::ExecutionTimeout);
        }
    }

    fn fired(&mut self, timer: TimerId) {
        let Some(fired) = self.state.timers.remove(&timer) else { return };
        match fired.purpose {
            Purpose::Wait(thread) => wait::over(self, thread),
            Purpose::Retry(thread) => {
                self.doing(thread, Doing::Beginning);
                self.state.runnable.push_back(thread);
            }
            Purpose::TaskTimeout(thread) => task::timed_out(self, thread, FaultKind::Task),
            Purpose::Heartbeat(thread) => task::timed_out(self, thread, FaultKind::Heartbeat),
            Purpose::Look(thread) => job::look(self, thread),
            Purpose::ExecutionTimeout => self.end_badly(Status::TimedOut, None, None),
            Purpose::GoOn => {}
        }
    }

    fn stopped(&mut self, error: Option<String>, cause: Option<String>) {
        if self.state.started.is_some() {
            self.end_badly(Status::Aborted, error, cause);
        }
    }
}
