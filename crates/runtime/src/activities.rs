//! Activities: queues of tasks that wait for workers, and workers that wait for tasks.
//!
//! A task's place in a queue is a row, so any node can hand it out. It is handed out by the
//! execution that it belongs to: whoever reads the row asks its shard, which lets one worker have
//! it, writes that down, and removes the row with the same commit. A row whose task is over is a
//! leftover that the next worker clears away.

use std::collections::{HashMap, HashSet};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::{Lease, Load, Scan, Table, Transaction};
use tokio::sync::{Notify, watch};
use value::{Value, value};

use crate::alarms::Alarm;
use crate::clock::{Busy, ClockMode, Resting};
use crate::peers::{Answered, Callback, Report};
use crate::process::put;
use crate::{Error, Runtime, Shared};

/// How long a worker waits for a task (API reference, "GetActivityTask").
const POLL_MILLIS: u64 = 60_000;
/// How many workers may wait for tasks of one activity at once (Step Functions quotas: pollers per
/// activity).
const POLLERS_MAX: usize = 1_000;
/// How often a waiting worker looks at what other nodes have put into the queue, in milliseconds.
const LOOK_MILLIS: u64 = 250;
/// How long a virtual clock stands still for a worker that has begun to wait, in milliseconds of
/// the machine: whoever is about to give it something to do is not overtaken by his own timeouts.
const STAND_STILL_MILLIS: u64 = 1_000;
/// How much of a token tells it from every other: its version, number and secret.
const TOKEN_CHARACTERS: usize = 48;

/// Who waits here for tasks.
pub(crate) struct Queues {
    waiting: Mutex<Waiting>,
    /// Whether workers are sent home.
    closed: watch::Sender<bool>,
}

#[derive(Default)]
struct Waiting {
    /// By activity, as long as somebody waits.
    activities: HashMap<String, Pollers>,
    /// Rows that a worker here is asking for.
    asked_for: HashSet<String>,
}

struct Pollers {
    bell: Arc<Notify>,
    count: usize,
}

impl Default for Queues {
    fn default() -> Queues {
        Queues { waiting: Mutex::default(), closed: watch::Sender::new(false) }
    }
}

impl Queues {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes who waits for tasks of an activity.
    fn ring(&self, activity_arn: &str) {
        if let Some(pollers) = self.waiting().activities.get(activity_arn) {
            pollers.bell.notify_waiters();
        }
    }

    /// Sends every worker home, and everyone who comes later.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }
}

/// A task that a worker has been given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityTask {
    /// With what the worker reports on it.
    pub token: String,
    /// Its input, as JSON.
    pub input: String,
}

impl ActivityTask {
    /// Returns what GetActivityTask answers.
    pub fn to_value(&self) -> Value {
        value!({ "taskToken": &self.token, "input": &self.input })
    }
}

/// Why a worker gets nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PollError {
    /// As many workers as may wait for this activity.
    #[error("too many workers wait for tasks of the activity")]
    TooManyWorkers,
    /// The runtime could not do it.
    #[error(transparent)]
    Runtime(#[from] Error),
}

impl From<store::Error> for PollError {
    fn from(err: store::Error) -> PollError {
        PollError::Runtime(err.into())
    }
}

/// A place in the queue of an activity.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) activity_arn: String,
    key: String,
    row: Vec<u8>,
}

impl Place {
    /// Returns the place of a task.
    pub(crate) fn of(call: &execution::Call) -> Place {
        let token = call.task_token.as_deref().unwrap_or_default();
        let row = value!({ "token": token, "input": call.arguments.to_json() });
        Place {
            activity_arn: call.resource.clone(),
            key: key(call),
            row: row.to_json().into_bytes(),
        }
    }

    /// Takes the place, if there is such an activity.
    fn take(&self, tx: &mut dyn Transaction, lease: Option<Lease>) -> Result<bool, store::Error> {
        if let Some(lease) = lease {
            tx.expect_owner(lease)?;
        }
        if tx.as_read().get(Table::Activities, &self.activity_arn)?.is_none() {
            return Ok(false);
        }
        tx.put(Table::ActivityTasks, &self.key, &self.row)?;
        Ok(true)
    }

    /// Takes the place and tells the workers; false when there is no such activity.
    pub(crate) async fn enqueue(
        self,
        shared: &Shared,
        lease: Option<Lease>,
    ) -> Result<bool, store::Error> {
        let activity_arn = self.activity_arn.clone();
        let taken = shared.store.write(move |tx: &mut dyn Transaction| self.take(tx, lease));
        let taken = taken.await??;
        shared.queues.ring(&activity_arn);
        Ok(taken)
    }
}

/// Returns the key of a task's place: whoever was asked first comes first.
fn key(call: &execution::Call) -> String {
    let token = call.task_token.as_deref().unwrap_or_default();
    let beginning = token.get(..TOKEN_CHARACTERS).unwrap_or(token);
    format!("{}/{:013}/{beginning}", call.resource, call.asked_millis)
}

/// Returns the write that gives a task's place up.
pub(crate) fn leave(call: &execution::Call) -> store::Write {
    store::Write::Delete(Table::ActivityTasks, key(call))
}

/// Who takes a task.
#[derive(Clone, Debug, Default)]
pub struct Worker {
    /// What the worker calls itself.
    pub name: Option<String>,
    /// The effect for which it asks, when a process is the worker.
    pub effect_id: Option<String>,
}

impl Runtime {
    /// Waits for a task of an activity and takes it; none when there was none for a minute. The
    /// caller keeps the clock busy, as every request and every call does.
    ///
    /// # Errors
    /// [`PollError::TooManyWorkers`], or the store failed.
    pub async fn poll_activity(
        &self,
        activity_arn: &str,
        worker: Worker,
    ) -> Result<Option<ActivityTask>, PollError> {
        let poller = Poller::enter(&self.shared, activity_arn)?;
        let mut patience = Patience::new(&self.shared, &worker);
        loop {
            let mut bell = pin!(poller.bell.notified());
            // From here on no task comes unheard.
            bell.as_mut().enable();
            while let Some(claim) = self.next_claim(activity_arn)? {
                if let Some(task) = self.take_task(claim, &worker).await? {
                    return Ok(Some(task));
                }
            }
            if !patience.wait(bell).await {
                return Ok(None);
            }
        }
    }

    /// Sends workers that wait for tasks home: the server is about to end.
    pub fn dismiss_workers(&self) {
        self.shared.queues.close();
    }

    /// Returns the first task of an activity that no other worker here is asking for.
    fn next_claim(&self, activity_arn: &str) -> Result<Option<Claim>, store::Error> {
        let prefix = format!("{activity_arn}/");
        let mut behind: Option<String> = None;
        loop {
            let scan = Scan::prefix(&prefix).after(behind.as_deref()).limit(1);
            let rows: Vec<(String, Value)> =
                self.shared.store.read(|tx| tx.load_all(Table::ActivityTasks, scan))?;
            let Some((key, row)) = rows.into_iter().next() else { return Ok(None) };
            if self.shared.queues.waiting().asked_for.insert(key.clone()) {
                return Ok(Some(Claim { shared: self.shared.clone(), key, row }));
            }
            behind = Some(key);
        }
    }

    /// Asks the execution for its task; none when it is over or somebody else's.
    async fn take_task(
        &self,
        claim: Claim,
        worker: &Worker,
    ) -> Result<Option<ActivityTask>, PollError> {
        let text = |member: &str| {
            claim.row.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let task = ActivityTask { token: text("token"), input: text("input") };
        let effect = worker.effect_id.as_ref();
        let answered = effect.map(|id| Answered { id: id.clone(), answer: task.to_value() });
        let report = Report::Taken { worker: worker.name.clone() };
        let callback = Callback { token: task.token.clone(), report, answered };
        match self.call_back(callback).await {
            Ok(()) => Ok(Some(task)),
            Err(Error::NotRunning) => {
                claim.clear_away().await?;
                Ok(None)
            }
            Err(err) => Err(err.into()),
        }
    }
}

/// A row that a worker is asking for.
struct Claim {
    shared: Arc<Shared>,
    key: String,
    row: Value,
}

impl Claim {
    /// Removes the row: nobody will ever get its task.
    async fn clear_away(&self) -> Result<(), store::Error> {
        let key = self.key.clone();
        let gone = move |tx: &mut dyn Transaction| tx.delete(Table::ActivityTasks, &key);
        self.shared.store.write(gone).await??;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.shared.queues.waiting().asked_for.remove(&self.key);
    }
}

/// A worker that waits.
struct Poller {
    shared: Arc<Shared>,
    activity_arn: String,
    bell: Arc<Notify>,
}

impl Poller {
    fn enter(shared: &Arc<Shared>, activity_arn: &str) -> Result<Poller, PollError> {
        let mut waiting = shared.queues.waiting();
        let fresh = || Pollers { bell: Arc::new(Notify::new()), count: 0 };
        let pollers = waiting.activities.entry(activity_arn.to_owned()).or_insert_with(fresh);
        if POLLERS_MAX <= pollers.count {
            return Err(PollError::TooManyWorkers);
        }
        pollers.count += 1;
        let bell = pollers.bell.clone();
        drop(waiting);
        Ok(Poller { shared: shared.clone(), activity_arn: activity_arn.to_owned(), bell })
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        let mut waiting = self.shared.queues.waiting();
        let Some(pollers) = waiting.activities.get_mut(&self.activity_arn) else { return };
        pollers.count -= 1;
        if pollers.count == 0 {
            waiting.activities.remove(&self.activity_arn);
        }
    }
}

/// How long a worker waits. One from outside waits a minute of the machine's time, as its
/// connection does; a process waits a minute of the server's time.
struct Patience {
    shared: Arc<Shared>,
    ends: End,
    closed: watch::Receiver<bool>,
    /// Whether a virtual clock has stood still for it.
    has_stood: bool,
    /// What keeps the clock busy once the alarm has rung.
    rung: Option<Busy>,
}

enum End {
    Asleep(Pin<Box<dyn Future<Output = ()> + Send>>),
    Alarm(Alarm),
}

impl Patience {
    fn new(shared: &Arc<Shared>, worker: &Worker) -> Patience {
        let clock = shared.clock.clone();
        let ends = if worker.effect_id.is_some() {
            let minute = i64::try_from(POLL_MILLIS).unwrap_or(i64::MAX);
            End::Alarm(Alarm::at(shared, clock.now_millis().saturating_add(minute)))
        } else {
            End::Asleep(Box::pin(async move { clock.sleep(POLL_MILLIS).await }))
        };
        let closed = shared.queues.closed.subscribe();
        Patience { shared: shared.clone(), ends, closed, has_stood: false, rung: None }
    }

    /// Waits for the bell; false when there was enough waiting.
    async fn wait(&mut self, bell: Pin<&mut tokio::sync::futures::Notified<'_>>) -> bool {
        let mut bell = bell;
        if self.shared.clock.mode() == ClockMode::Virtual && !self.has_stood {
            self.has_stood = true;
            let still = Duration::from_millis(STAND_STILL_MILLIS);
            if tokio::time::timeout(still, bell.as_mut()).await.is_ok() {
                return true;
            }
        }
        let resting: Resting = self.shared.clock.rest();
        let looks = self.shared.store.is_shared();
        let clock = self.shared.clock.clone();
        let look = async move {
            if !looks {
                return std::future::pending().await;
            }
            clock.sleep(LOOK_MILLIS).await;
        };
        let goes_on = tokio::select! {
            biased;
            () = bell => true,
            () = look => true,
            _ = self.closed.wait_for(|closed| *closed) => false,
            busy = ended(&mut self.ends) => {
                self.rung = busy;
                false
            }
        };
        drop(resting);
        goes_on
    }
}

async fn ended(ends: &mut End) -> Option<Busy> {
    match ends {
        End::Asleep(sleep) => {
            sleep.as_mut().await;
            None
        }
        End::Alarm(alarm) => Some(alarm.rings().await),
    }
}

/// Returns the row that says what a callback for an effect was answered.
pub(crate) fn answer_row(answered: &Answered) -> store::Write {
    put(Table::Applied, &*answered.id, &answered.answer)
}
