//! The running state of an execution: small, self-contained, serialisable.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use value::Value;

use crate::effect::{Call, Effect, Job, Status};
use crate::fact::Started;
use crate::map_run::Child;
use crate::payload::Payload;
use crate::redrive::{Redrives, Remains};
use crate::states::map_run::MapRun;
use crate::token::TaskToken;

/// The number of a task within its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId(pub u32);

/// The number of a timer within its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerId(pub u32);

/// The number of a line of control: the execution itself, a branch, an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ThreadId(pub(crate) u32);

/// The line of control that the execution itself is.
pub(crate) const ROOT: ThreadId = ThreadId(0);

/// One execution. Begins as `State::default()`; the first fact is [`crate::Fact::Started`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) status: Status,
    pub(crate) started: Option<Box<Started>>,
    pub(crate) started_millis: i64,
    /// The id of the last history event.
    pub(crate) last_event_id: u64,
    /// The last number given to a task, timer or thread.
    pub(crate) last_number: u32,
    pub(crate) threads: BTreeMap<ThreadId, Thread>,
    /// Threads that can go on at once, in order.
    pub(crate) runnable: VecDeque<ThreadId>,
    pub(crate) timers: BTreeMap<TimerId, Timer>,
    /// Which thread waits for which task.
    pub(crate) tasks: BTreeMap<TaskId, ThreadId>,
    /// Which thread's map run has which child execution.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) children: BTreeMap<TaskId, ThreadId>,
    /// Child executions of map runs that are over, until they have been told to end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) stopping: BTreeMap<TaskId, Child>,
    /// Map runs that were given up and are still to write their results, each with the line of
    /// control that it belonged to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) closing: BTreeMap<ThreadId, Thread>,
    /// What a redrive goes on with, once it has ended badly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remains: Option<Remains>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redrives: Option<Redrives>,
}

impl State {
    /// Returns the status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Returns how the execution was started; `None` before it was.
    pub fn started(&self) -> Option<&Started> {
        self.started.as_deref()
    }

    /// Returns whether nothing more can happen: it has ended, every child of it was told to, and
    /// what is to be written of them is written.
    pub fn is_over(&self) -> bool {
        self.status != Status::Running && self.stopping.is_empty() && self.closing.is_empty()
    }

    /// Returns whether it waits for child executions.
    pub fn has_children(&self) -> bool {
        !self.children.is_empty() || !self.stopping.is_empty()
    }

    /// Returns a line of control, or what is left of one.
    pub(crate) fn thread(&self, id: ThreadId) -> Option<&Thread> {
        self.threads.get(&id).or_else(|| self.closing.get(&id))
    }

    pub(crate) fn thread_mut(&mut self, id: ThreadId) -> Option<&mut Thread> {
        self.threads.get_mut(&id).or_else(|| self.closing.get_mut(&id))
    }

    /// Returns how many history events there are.
    pub fn history_events(&self) -> u64 {
        self.last_event_id
    }

    /// Returns what an open task asked for; `None` when it is answered or was never asked.
    pub fn open_call(&self, task: TaskId) -> Option<&Call> {
        let thread = self.threads.get(self.tasks.get(&task)?)?;
        thread.open_call().filter(|call| call.task == task)
    }

    /// Returns the job that is being looked at under a number; `None` when that does not matter
    /// any more.
    pub fn job(&self, number: TaskId) -> Option<Job> {
        let thread = self.threads.get(self.tasks.get(&number)?)?;
        thread.open_task()?.job().filter(|job| job.number == number)
    }

    /// Returns whether an open task waits for a worker.
    pub fn can_be_taken(&self, task: TaskId) -> bool {
        let thread = self.tasks.get(&task).and_then(|thread| self.threads.get(thread));
        let open = thread.and_then(Thread::open_task).filter(|open| open.call.task == task);
        open.is_some_and(|open| match open.progress {
            Progress::Asked | Progress::Waits => true,
            Progress::Taken | Progress::Job(_) => false,
        })
    }

    /// Returns the task that a callback with this token answers, while it is open.
    pub fn task_of_token(&self, token: &str) -> Option<TaskId> {
        let task = TaskToken::parse(token)?.task;
        let call = self.open_call(task)?;
        (call.task_token.as_deref() == Some(token)).then_some(task)
    }
}

/// A timer that has not fired.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Timer {
    pub(crate) at_millis: i64,
    pub(crate) purpose: Purpose,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// A Wait is over.
    Wait(ThreadId),
    /// A retry is due.
    Retry(ThreadId),
    /// A task takes too long.
    TaskTimeout(ThreadId),
    /// A task sent no heartbeat.
    Heartbeat(ThreadId),
    /// A task's job is to be looked at.
    Look(ThreadId),
    /// The execution takes too long.
    ExecutionTimeout,
    /// The last `apply` used up its steps.
    GoOn,
}

/// One line of control.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Thread {
    /// The Parallel or Map it belongs to; none for the execution itself.
    pub(crate) parent: Option<Parent>,
    /// Whether its events are part of the execution's history.
    pub(crate) shown: Shown,
    /// The event that the next one follows; of a hidden line of control its own count of events.
    pub(crate) previous_event_id: u64,
    /// The variables in reach; inner lines of control begin with their outer one's.
    pub(crate) variables: Value,
    /// `Map.Item` of the context object.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) map_item: Option<Value>,
    pub(crate) step: Step,
}

/// Whether the events of a line of control are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// They are.
    InHistory,
    /// It is an iteration of a map run, or within one.
    /// Only of map runs that began before their iterations were executions of their own.
    Nowhere,
}

/// Where a branch or an iteration belongs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Parent {
    pub(crate) thread: ThreadId,
    /// Which branch, or which iteration.
    pub(crate) index: usize,
}

/// Where a line of control stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    /// About to enter a state.
    Enter {
        /// The state's number in the definition.
        state: u32,
        input: Payload,
    },
    /// In a state.
    In(Visit),
}

/// A visit of a state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) state: u32,
    pub(crate) input: Payload,
    pub(crate) entered_event_id: u64,
    /// What the `…StateEntered` event followed: evaluation failures follow that, too.
    pub(crate) before_event_id: u64,
    pub(crate) entered_millis: i64,
    /// How often each retrier has been used.
    pub(crate) attempts: Vec<i64>,
    pub(crate) doing: Doing,
}

impl Visit {
    /// Returns how often the state was retried during this visit.
    pub(crate) fn retry_count(&self) -> i64 {
        self.attempts.iter().sum()
    }
}

/// What a visit waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Doing {
    /// Nothing: it goes on at once.
    Beginning,
    /// A task.
    Task(Box<TaskVisit>),
    /// The timer of a Wait.
    Waiting(TimerId),
    /// The timer of a retry.
    Retrying(TimerId),
    /// Branches.
    Branches(Children),
    /// Iterations.
    Iterations(Box<Iterations>),
    /// A map run.
    MapRun(Box<MapRun>),
}

/// An open task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TaskVisit {
    pub(crate) call: Call,
    pub(crate) timeout: Option<TimerId>,
    pub(crate) heartbeat: Option<TimerId>,
    #[serde(default)]
    pub(crate) progress: Progress,
}

/// How far an open task has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// Its request is on its way.
    #[default]
    Asked,
    /// A worker's end of it is awaited: it waits in an activity's queue, or for a callback.
    Waits,
    /// An activity's worker has it.
    Taken,
    /// The end of a job is awaited.
    Job(JobVisit),
}

/// A job that was submitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobVisit {
    /// The answer of the request.
    pub(crate) submitted: Value,
    pub(crate) look: Look,
    /// How many looks have failed since one did not.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub(crate) unseen: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it asks about by reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// When a job is looked at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Look {
    /// Now, under this number; once more afterwards, if it has stirred meanwhile.
    Now { number: TaskId, again: bool },
    /// When this timer fires.
    At(TimerId),
    /// When it stirs.
    Told,
}

impl TaskVisit {
    /// Returns the job that is being looked at.
    pub(crate) fn job(&self) -> Option<Job> {
        let Progress::Job(JobVisit { submitted, look: Look::Now { number, .. }, .. }) =
            &self.progress
        else {
            return None;
        };
        let submitted = Some(submitted.clone());
        Some(Job { number: *number, call: self.call.clone(), submitted })
    }

    /// Returns what the task is still to be answered: its request, or how its job is doing.
    pub(crate) fn outstanding(&self) -> Option<Effect> {
        match &self.progress {
            Progress::Asked => Some(Effect::Call(Box::new(self.call.clone()))),
            Progress::Waits | Progress::Taken => None,
            Progress::Job(_) => self.job().map(|job| Effect::Look(Box::new(job))),
        }
    }
}

/// The branches or iterations of a visit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Children {
    /// Those still running.
    pub(crate) running: BTreeSet<ThreadId>,
    /// What each has handed on, by index.
    pub(crate) outputs: Vec<Option<Payload>>,
}

/// The iterations of a Map.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Iterations {
    pub(crate) children: Children,
    pub(crate) items: Value,
    /// The index of the next item to start.
    pub(crate) next: usize,
    /// Items before that one that a redrive starts once more: failures that were tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) again: Vec<usize>,
    pub(crate) concurrency_max: usize,
    /// `$states.input` for ItemSelector: the state's effective input.
    pub(crate) selector_input: Value,
    /// Whether this is a map run of before its iterations were executions of their own.
    pub(crate) distributed: bool,
    /// The event of the last iteration that succeeded.
    pub(crate) last_event_id: Option<u64>,
    pub(crate) failed: usize,
    pub(crate) tolerated: usize,
}

impl Thread {
    /// Returns the task that the thread waits for.
    pub(crate) fn open_task(&self) -> Option<&TaskVisit> {
        match &self.step {
            Step::In(Visit { doing: Doing::Task(task), .. }) => Some(task),
            Step::In(_) | Step::Enter { .. } => None,
        }
    }

    /// Returns what that task asked for.
    pub(crate) fn open_call(&self) -> Option<&Call> {
        self.open_task().map(|task| &task.call)
    }
}
