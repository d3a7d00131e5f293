//! The runtime: facts in, effects out.
//!
//! What it is: [`Runtime`], which owns every running process (a state-machine execution, a runbook
//! execution, a stack operation). Processes are spread over shards; a shard turns messages into
//! facts, applies them, commits what came out, and only then performs effects: calls of an
//! [`AwsEndpoint`], scripts, timers. A crash is a replay. What it is not: it knows no AWS operation
//! and no protocol; whoever starts processes has authorised that.
//!
//! ```
//! use std::sync::Arc;
//! use runtime::{Answering, AwsEndpoint, Call, Caller, Clock, ClockMode, Environment, Opened};
//!
//! /// An endpoint that knows everybody.
//! struct Everybody;
//!
//! impl AwsEndpoint for Everybody {
//!     fn call(&self, call: Call) -> Answering {
//!         Box::pin(async move { Ok(call.input) })
//!     }
//!     fn script_environment(&self, _: Caller) -> Environment {
//!         Box::pin(async { Ok(Vec::new()) })
//!     }
//!     fn events_committed(&self) {}
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let opened = Opened::open(store::Store::memory(), Clock::new(ClockMode::Virtual)).unwrap();
//! let runtime = opened.handle();
//! opened.start(Arc::new(Everybody));
//! assert_eq!(runtime.timers_armed(), 0);
//! runtime.stop().await;
//! # });
//! ```
//!
//! May depend on: `value`, `policy` (for who calls), the engines, `asl`, `events`, `store`, `wire`.

mod clock;
mod definitions;
mod endpoint;
mod express;
pub mod integrations;
mod process;
mod processes;
mod scripts;
mod shard;
mod timers;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use store::Store;
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use clock::{Busy, Clock, ClockMode, wall_millis};
pub use definitions::{Definitions, definition_key};
pub use endpoint::{Answering, AwsEndpoint, Call, CallError, Caller, Environment};
pub use express::{EXPRESS_UNDER_WAY_MAX, Ended};
pub use process::{Begin, Fact, Kind, ProcessId};
pub use processes::{BeginAutomation, BeginExecution, BeginStack};

use shard::{Envelope, Message, Shard};
use timers::Timers;

/// How many shards there are. Part of the stored format: a process belongs to the shard that its id
/// hashes to.
const SHARDS: u32 = 8;
/// How many messages may wait for one shard; beyond that senders wait.
const INBOX_MESSAGES_MAX: usize = 8_192;
/// How many calls may be under way at once; further ones wait their turn.
const CALLS_UNDER_WAY_MAX: usize = 256;
/// How many scripts may run at once; further ones wait their turn.
const SCRIPTS_UNDER_WAY_MAX: usize = 16;

/// Why the runtime could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The store failed; nothing was kept.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// There is no running process of that id.
    #[error("the process is not running")]
    NotRunning,
    /// The definition that a process refers to cannot be used.
    #[error("the definition `{key}` cannot be used: {what}")]
    Definition {
        /// Its hash.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// As many express executions as may be are under way.
    #[error("too many express executions are under way")]
    ExpressLimit,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// What became of a request to begin a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It runs.
    New,
    /// A process of this id runs or has run; nothing was done.
    AlreadyKnown,
}

/// What shards share.
pub(crate) struct Shared {
    store: Store,
    clock: Clock,
    timers: Timers,
    definitions: Definitions,
    endpoint: OnceLock<Arc<dyn AwsEndpoint>>,
    inboxes: Vec<mpsc::Sender<Envelope>>,
    epoch: AtomicU64,
    calls: Semaphore,
    scripts: Semaphore,
    express: express::UnderWay,
}

impl Shared {
    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn endpoint(&self) -> Option<Arc<dyn AwsEndpoint>> {
        self.endpoint.get().cloned()
    }

    fn events_committed(&self) {
        if let Some(endpoint) = self.endpoint.get() {
            endpoint.events_committed();
        }
    }

    /// Returns whether a process of this id runs or has run.
    fn is_known(&self, id: &ProcessId, in_memory: bool) -> Result<bool, Error> {
        let table = id.kind().record_table();
        Ok(in_memory || self.store.read(|tx| tx.get(table, id.name()))?.is_some())
    }

    /// Sends to the shard of the message's process; false when the server is shutting down.
    async fn send(&self, message: Message, epoch: u64, busy: Busy) -> bool {
        let shard = match &message {
            Message::Begin { id, .. }
            | Message::Request { id, .. }
            | Message::Answered { id, .. }
            | Message::ScriptEnded { id, .. }
            | Message::TimerFired { id, .. } => id.shard(SHARDS),
            Message::Reset { .. } | Message::Stop { .. } => 0,
        };
        match self.inboxes.get(shard as usize) {
            Some(inbox) => inbox.send(Envelope { message, epoch, busy }).await.is_ok(),
            None => false,
        }
    }
}

/// A handle on everything that runs; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

/// A runtime that has read what is durable, and waits to be told where effects go.
pub struct Opened {
    shared: Arc<Shared>,
    shards: Vec<Shard>,
}

impl Opened {
    /// Reads everything durable.
    ///
    /// # Errors
    /// When stored data is damaged; nothing runs then.
    pub fn open(store: Store, clock: Clock) -> Result<Opened, Error> {
        let (inboxes, receivers): (Vec<_>, Vec<_>) =
            (0..SHARDS).map(|_| mpsc::channel(INBOX_MESSAGES_MAX)).unzip();
        let shared = Arc::new(Shared {
            definitions: Definitions::new(store.clone()),
            store,
            clock,
            timers: Timers::default(),
            endpoint: OnceLock::new(),
            inboxes,
            epoch: AtomicU64::new(0),
            calls: Semaphore::new(CALLS_UNDER_WAY_MAX),
            scripts: Semaphore::new(SCRIPTS_UNDER_WAY_MAX),
            express: express::UnderWay::default(),
        });
        let shards = (0..SHARDS)
            .zip(receivers)
            .map(|(number, inbox)| Shard::open(number, shared.clone(), inbox))
            .collect::<Result<_, _>>()?;
        Ok(Opened { shared, shards })
    }

    /// Returns the handle, for whoever serves calls.
    pub fn handle(&self) -> Runtime {
        Runtime { shared: self.shared.clone() }
    }

    /// Starts: effects go to `endpoint` from now on, those that a crash interrupted first.
    pub fn start(self, endpoint: Arc<dyn AwsEndpoint>) {
        // Set before any shard runs, and never again.
        let _ = self.shared.endpoint.set(endpoint);
        for shard in self.shards {
            tokio::spawn(shard.run());
        }
        tokio::spawn(timers::keep(self.shared));
    }
}

impl Runtime {
    /// Returns the clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Returns how many timers are armed.
    pub fn timers_armed(&self) -> usize {
        self.shared.timers.len()
    }

    /// Begins a process; on return it is durable, or was known before.
    ///
    /// # Errors
    /// When the store failed or the definition cannot be used.
    pub async fn begin(&self, id: ProcessId, begin: Begin) -> Result<Started, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Begin { id, begin: Box::new(begin), reply }).await?;
        answer.await.map_err(|_| Error::ShuttingDown)?
    }

    /// Hands a request to a running process; on return what it changed is durable.
    ///
    /// # Errors
    /// [`Error::NotRunning`], or the store failed.
    pub async fn request(&self, id: ProcessId, fact: Fact) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Request { id, fact, reply }).await?;
        answer.await.map_err(|_| Error::ShuttingDown)?
    }

    async fn send(&self, message: Message) -> Result<(), Error> {
        let (busy, epoch) = (self.shared.clock.busy(), self.shared.epoch());
        if self.shared.send(message, epoch, busy).await { Ok(()) } else { Err(Error::ShuttingDown) }
    }

    /// Ends every process without a trace and empties the store.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn reset(&self) -> Result<(), Error> {
        self.shared.epoch.fetch_add(1, Ordering::SeqCst);
        self.tell_all(|reply| Message::Reset { reply }).await;
        self.shared.express.forget();
        self.shared.timers.clear();
        self.shared.definitions.clear();
        Ok(self.shared.store.reset()?)
    }

    /// Ends the shards in order: each finishes its turn and writes a checkpoint.
    pub async fn stop(&self) {
        self.tell_all(|reply| Message::Stop { reply }).await;
    }

    async fn tell_all(&self, message: impl Fn(oneshot::Sender<()>) -> Message) {
        let mut answers = Vec::new();
        for inbox in &self.shared.inboxes {
            let (reply, answer) = oneshot::channel();
            let (busy, epoch) = (self.shared.clock.busy(), self.shared.epoch());
            let envelope = Envelope { message: message(reply), epoch, busy };
            if inbox.send(envelope).await.is_ok() {
                answers.push(answer);
            }
        }
        for answer in answers {
            // A shard that has ended has nothing left to do.
            let _ = answer.await;
        }
    }
}
