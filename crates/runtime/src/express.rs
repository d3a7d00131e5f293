//! Express executions: they run in memory, touch no disk, and are gone with the process.
//!
//! An execution that waits for nothing is one `apply` in the task of its caller. One that waits
//! goes on in a task of its own, which its caller's leaving does not end.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asl::Definition;
use execution::{Effect, Fact, Finish, HistoryMode, Stamp, Started, State, TaskId, TimerId, apply};
use store::{Job, Verdict, Write};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tracing::Instrument;
use tracing::field::Empty;
use value::Value;

use crate::clock::Busy;
use crate::endpoint::CallError;
use crate::integrations::{self, Acting};
use crate::logging::{self, Logging};
use crate::process::Stamp as Moment;
use crate::timers::Sleeper;
use crate::{Error, Kind, ProcessId, Runtime, Shared};

/// How many express executions may be under way at once, unless somebody says otherwise; further
/// ones are refused.
pub const EXPRESS_UNDER_WAY_MAX: usize = 10_000;
/// How many calls of one express execution may be under way at once; further ones wait their turn.
/// They do not share the turns of other executions: a call that starts an execution and waits for
/// it must not take the turn which that execution needs.
const CALLS_OF_ONE_MAX: usize = 40;

/// How an express execution ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// When it began, in milliseconds since the epoch.
    pub start_millis: i64,
    /// When it ended.
    pub stop_millis: i64,
    /// How.
    pub finish: Finish,
}

/// The express executions under way.
pub(crate) struct UnderWay {
    places: Arc<Semaphore>,
    /// How many places there are.
    max: AtomicUsize,
    /// Where timers of executions that wait are told to.
    wakers: Mutex<HashMap<ProcessId, mpsc::UnboundedSender<Wake>>>,
}

/// A timer of an express execution fell due.
struct Wake {
    timer: u64,
    busy: Busy,
}

impl Default for UnderWay {
    fn default() -> UnderWay {
        let places = Arc::new(Semaphore::new(EXPRESS_UNDER_WAY_MAX));
        let max = AtomicUsize::new(EXPRESS_UNDER_WAY_MAX);
        UnderWay { places, max, wakers: Mutex::default() }
    }
}

impl UnderWay {
    fn wakers(&self) -> MutexGuard<'_, HashMap<ProcessId, mpsc::UnboundedSender<Wake>>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells an express execution that its timer fell due.
    pub(crate) fn wake(&self, id: &ProcessId, timer: u64, busy: Busy) {
        if let Some(waker) = self.wakers().get(id) {
            // An execution that has just ended needs no timer.
            drop(waker.send(Wake { timer, busy }));
        }
    }

    /// Returns how many are under way.
    pub(crate) fn len(&self) -> usize {
        self.max.load(Ordering::Relaxed).saturating_sub(self.places.available_permits())
    }

    /// Says how many may be under way, while none is.
    pub(crate) fn limit(&self, max: usize) {
        let before = self.max.swap(max, Ordering::Relaxed);
        self.places.add_permits(max.saturating_sub(before));
        self.places.forget_permits(before.saturating_sub(max));
    }

    /// Ends every execution that waits; whoever waits for it hears that it is not running.
    pub(crate) fn forget(&self) {
        self.wakers().clear();
    }
}

impl Runtime {
    /// Runs an express execution to its end. The caller keeps the clock busy, as every request and
    /// every call does.
    ///
    /// # Errors
    /// [`Error::ExpressLimit`], the definition cannot be used, or the server was emptied meanwhile.
    pub async fn run_express(
        &self,
        definition: &str,
        started: Started,
        logging: Option<Logging>,
    ) -> Result<Ended, Error> {
        let mut express = self.express(definition, logging)?;
        let effects = express.start(started);
        if let Some(ended) = express.ended(&effects) {
            return Ok(ended);
        }
        let busy = self.shared.clock.busy();
        let running = tokio::spawn(express.go_on(effects, busy));
        let resting = self.shared.clock.rest();
        let outcome = running.await;
        // The clock is busy on behalf of the caller again before the execution lets go of it.
        drop(resting);
        outcome.map_err(|_| Error::NotRunning)?.0
    }

    /// Begins an express execution and does not wait for its end.
    ///
    /// # Errors
    /// [`Error::ExpressLimit`], or the definition cannot be used.
    pub fn start_express(
        &self,
        definition: &str,
        started: Started,
        logging: Option<Logging>,
    ) -> Result<(), Error> {
        let mut express = self.express(definition, logging)?;
        let busy = self.shared.clock.busy();
        tokio::spawn(async move {
            let effects = express.start(started);
            express.go_on(effects, busy).await
        });
        Ok(())
    }

    /// Runs an express child execution of a map run to its end; dropping this ends it.
    ///
    /// # Errors
    /// As [`Runtime::run_express`].
    // DIFFERS: AWS logs the express children of a map run too, when their machine logs.
    pub(crate) async fn run_express_child(
        &self,
        definition: &str,
        started: Started,
        busy: Busy,
    ) -> Result<(Ended, Option<Busy>), Error> {
        // The machine around it is a standard one.
        let definition = self.shared.definitions.machine(definition)?;
        let mut express = self.express_of(definition, None)?;
        let effects = express.start(started);
        let (ended, busy) = express.go_on(effects, busy).await;
        Ok((ended?, busy))
    }

    fn express(&self, definition: &str, logging: Option<Logging>) -> Result<Express, Error> {
        self.express_of(self.shared.definitions.express(definition)?, logging)
    }

    fn express_of(
        &self,
        definition: Arc<Definition>,
        logging: Option<Logging>,
    ) -> Result<Express, Error> {
        let shared = self.shared.clone();
        let place = shared.express.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Error::ExpressLimit)?;
        shared.figures.express_begun();
        let (state, times) = (State::default(), (0, 0));
        Ok(Express { shared, definition, logging, state, times, _place: place })
    }
}

/// An express execution.
struct Express {
    shared: Arc<Shared>,
    definition: Arc<Definition>,
    logging: Option<Logging>,
    state: State,
    /// When its first and its last fact happened.
    times: (i64, i64),
    _place: OwnedSemaphorePermit,
}

impl Express {
    /// Starts it, without a history unless it is logged: nobody can ask for one.
    fn start(&mut self, started: Started) -> Vec<Effect> {
        let history = match self.logging {
            Some(_) => HistoryMode::Recorded,
            None => HistoryMode::Counted,
        };
        let started = Started { history, ..started };
        self.take(Fact::Started(Box::new(started)))
    }

    /// Takes a fact into account.
    fn take(&mut self, fact: Fact) -> Vec<Effect> {
        let Moment { millis, entropy } = Moment::now(&self.shared.clock);
        let first = if self.state.started().is_none() { millis } else { self.times.0 };
        self.times = (first, millis);
        let stamp = Stamp { millis, entropy };
        let effects = apply(&self.definition, &mut self.state, &stamp, fact);
        self.log(&effects);
        effects
    }

    /// Hands what is to be logged to the store and does not wait for it.
    fn log(&self, effects: &[Effect]) {
        let (Some(logging), Some(started)) = (&self.logging, self.state.started()) else { return };
        let mut rows: Vec<Write> = Vec::new();
        for effect in effects {
            if let Effect::Record(events) = effect {
                rows.extend(logging.rows(&started.execution_arn, events, 0));
            }
        }
        if rows.is_empty() {
            return;
        }
        let execution = started.execution_arn.clone();
        self.shared.store.submit(Job::new(
            move |tx| match logging::write(tx, &rows) {
                Ok(()) => Verdict::Keep,
                Err(_) => Verdict::Discard,
            },
            move |outcome| {
                if let Err(err) = outcome {
                    tracing::warn!(%execution, error = %err, "events could not be logged");
                }
            },
        ));
    }

    /// Returns how the execution ended, if it did.
    fn ended(&self, effects: &[Effect]) -> Option<Ended> {
        let Some(Effect::Finish(finish)) = effects.last() else { return None };
        let (start_millis, stop_millis) = self.times;
        Some(Ended { start_millis, stop_millis, finish: (**finish).clone() })
    }

    /// Performs effects and takes in what comes of them, to the end. The clock is busy except while
    /// there is nothing to do but to wait.
    async fn go_on(
        mut self,
        mut effects: Vec<Effect>,
        mut busy: Busy,
    ) -> (Result<Ended, Error>, Option<Busy>) {
        let arn = self.state.started().map(|started| started.execution_arn.clone());
        let id = ProcessId::new(Kind::Execution, &arn.unwrap_or_default());
        let mut waits = Waits::new(&self.shared, id);
        loop {
            if let Some(ended) = self.ended(&effects) {
                return (Ok(ended), Some(busy));
            }
            waits.perform(effects, &self.state);
            let Some((came, kept)) = waits.next(busy).await else {
                return (Err(Error::NotRunning), None);
            };
            busy = kept;
            let fact = match came {
                Came::Timer(timer) => Some(Fact::TimerFired { timer }),
                Came::Answer(task, answer) => integrations::answered(&self.state, task, answer),
            };
            effects = fact.map(|fact| self.take(fact)).unwrap_or_default();
        }
    }
}

/// What an express execution waits for; dropping it takes everything back.
struct Waits {
    shared: Arc<Shared>,
    id: ProcessId,
    // At most as many wakes as the execution has timers.
    wakes: mpsc::UnboundedReceiver<Wake>,
    timers: HashSet<u64>,
    calls: JoinSet<(TaskId, Result<Value, CallError>)>,
    open: HashMap<TaskId, Open>,
    turns: Arc<Semaphore>,
    /// Answers to calls that cannot be made.
    known: VecDeque<(TaskId, CallError)>,
}

/// A call under way.
struct Open {
    handle: AbortHandle,
    busy: Busy,
}

/// What an execution has waited for.
enum Came {
    Timer(TimerId),
    Answer(TaskId, Result<Value, CallError>),
}

impl Waits {
    fn sleeper(&self) -> Sleeper {
        Sleeper::Express(self.id.clone())
    }

    fn new(shared: &Arc<Shared>, id: ProcessId) -> Waits {
        let (waker, wakes) = mpsc::unbounded_channel();
        shared.express.wakers().insert(id.clone(), waker);
        Waits {
            shared: shared.clone(),
            id,
            wakes,
            timers: HashSet::new(),
            calls: JoinSet::new(),
            open: HashMap::new(),
            turns: Arc::new(Semaphore::new(CALLS_OF_ONE_MAX)),
            known: VecDeque::new(),
        }
    }

    fn perform(&mut self, effects: Vec<Effect>, state: &State) {
        for effect in effects {
            match effect {
                Effect::Call(call) => self.call(&call, state),
                Effect::CancelCall { task } => {
                    if let Some(open) = self.open.remove(&task) {
                        open.handle.abort();
                    }
                }
                Effect::Timer { timer, at_millis } => {
                    let (timer, clock) = (u64::from(timer.0), &self.shared.clock);
                    self.timers.insert(timer);
                    self.shared.timers.arm((self.sleeper(), timer), at_millis, clock);
                }
                Effect::CancelTimer { timer } => {
                    let timer = u64::from(timer.0);
                    self.timers.remove(&timer);
                    self.shared.timers.cancel(&(self.sleeper(), timer));
                }
                // No history is built, an end is seen before effects are performed, and express
                // machines have neither jobs, activities nor map runs.
                Effect::Record(_)
                | Effect::Finish(_)
                | Effect::Look(_)
                | Effect::Withdraw(_)
                | Effect::Child(_)
                | Effect::StopChild(_)
                | Effect::ChildRecord { .. }
                | Effect::Items { .. }
                | Effect::ItemsGone { .. }
                | Effect::Pending { .. }
                | Effect::Results { .. }
                | Effect::MapRun(_) => {}
            }
        }
    }

    /// Makes a call. It has no effect id: nothing of this execution is ever repeated.
    fn call(&mut self, asked: &execution::Call, state: &State) {
        let (task, Some(started)) = (asked.task, state.started()) else { return };
        let acting = Acting {
            execution: &started.execution_arn,
            role: &started.role_arn,
            state_machine: &started.state_machine_arn,
        };
        let made = integrations::call(asked, &acting, None).and_then(|mut call| {
            call.process = Some(self.id.to_string().into());
            let endpoint = self.shared.endpoint();
            endpoint.map(|endpoint| (endpoint, call)).ok_or_else(failed)
        });
        let (endpoint, call) = match made {
            Ok(made) => made,
            Err(err) => return self.known.push_back((task, err)),
        };
        let turns = self.turns.clone();
        let span = tracing::error_span!("effect", process = %self.id, request_id = Empty);
        let calling = async move {
            let _turn = turns.acquire().await;
            (task, endpoint.call(call).await)
        };
        let handle = self.calls.spawn(calling.instrument(span));
        self.open.insert(task, Open { handle, busy: self.shared.clock.busy() });
    }

    /// Waits for what comes next, letting go of `busy` meanwhile, and returns it with what keeps
    /// the clock busy from there on; `None` when the execution has been forgotten.
    async fn next(&mut self, busy: Busy) -> Option<(Came, Busy)> {
        if let Some((task, err)) = self.known.pop_front() {
            return Some((Came::Answer(task, Err(err)), busy));
        }
        drop(busy);
        loop {
            tokio::select! {
                wake = self.wakes.recv() => {
                    let Wake { timer, busy } = wake?;
                    self.timers.remove(&timer);
                    // Timers are numbered in 32 bits; this one came from there.
                    let timer = TimerId(u32::try_from(timer).unwrap_or(u32::MAX));
                    return Some((Came::Timer(timer), busy));
                }
                Some(joined) = self.calls.join_next() => {
                    let (task, answer) = match joined {
                        Ok(answered) => answered,
                        Err(err) => match self.broken(&err) {
                            Some(task) => (task, Err(failed())),
                            // Called back.
                            None => continue,
                        },
                    };
                    if let Some(open) = self.open.remove(&task) {
                        return Some((Came::Answer(task, answer), open.busy));
                    }
                }
            }
        }
    }

    /// Returns the call that ended in a panic: that is an answer, not a silence.
    fn broken(&self, err: &JoinError) -> Option<TaskId> {
        let mut calls = self.open.iter();
        calls.find(|(_, open)| open.handle.id() == err.id()).map(|(task, _)| *task)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.shared.express.wakers().remove(&self.id);
        let sleeper = self.sleeper();
        for timer in self.timers.drain() {
            self.shared.timers.cancel(&(sleeper.clone(), timer));
        }
    }
}

fn failed() -> CallError {
    CallError::internal(String::new())
}
