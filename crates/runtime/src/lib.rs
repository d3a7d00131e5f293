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
//! use runtime::{
//!     Answering, AwsEndpoint, Call, Caller, Clock, ClockMode, Environment, NoPeers, Node, Opened,
//! };
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
//!     fn hears(&self, _: &str) -> bool {
//!         true
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let clock = Clock::new(ClockMode::Virtual);
//! let opened = Opened::open(store::Store::memory(), clock, Node::alone()).unwrap();
//! let runtime = opened.handle();
//! opened.start(Arc::new(Everybody), Arc::new(NoPeers));
//! assert_eq!(runtime.timers_armed(), 0);
//! runtime.stop().await;
//! # });
//! ```
//!
//! May depend on: `value`, `policy` (for who calls), the engines, `asl`, `events`, `store`, `wire`.

mod activities;
mod alarms;
mod attachments;
pub mod cage;
mod children;
mod clock;
mod definitions;
mod endpoint;
mod entropy;
mod error;
mod express;
mod figures;
mod fleet;
mod followers;
pub mod integrations;
mod items;
mod logging;
mod node;
mod peers;
mod process;
mod process_group;
mod processes;
mod results;
mod scripts;
mod shard;
mod shared;
mod tasks;
mod timers;
mod unsuccessful;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use execution::TaskToken;
use store::{SHARDS, Store};
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use activities::{ActivityTask, PollError, Worker};
pub use attachments::Attachments;
pub use cage::Share;
pub use clock::{Busy, Clock, ClockMode, wall_millis};
pub use definitions::{Definitions, content_key, definition_key};
pub use endpoint::{
    Answering, AwsEndpoint, Call, CallError, Caller, EXECUTE_API, Environment, HTTP_TASK, IN_DOUBT,
    NO_ANSWER, SEVERAL_CALLS,
};
pub use entropy::entropy;
pub use error::{Error, Started};
pub use express::{EXPRESS_UNDER_WAY_MAX, Ended};
pub use figures::{Figures, Snapshot};
pub use items::items_of_text;
pub use logging::Logging;
pub use node::Node;
pub use peers::{
    Answered, Callback, Forward, Forwarded, Forwarding, NoPeers, Novelty, Peers, Report,
};
pub use process::{Begin, Fact, Kind, ProcessId};
pub use process_group::ProcessGroup;
pub use processes::{
    BeginAutomation, BeginExecution, BeginStack, ErrandDone, Watcher, automation_tags_key,
    newest_first, stack_event_key,
};
pub use scripts::{ScriptPolicy, Scripts};
pub use tasks::finished;

use activities::Queues;
use alarms::Alarms;
use followers::Followers;
use node::{Ownership, Place};
use scripts::{Interpreters, Turns};
use shard::{Envelope, Message, Shard};
pub(crate) use shared::Shared;
use timers::Timers;

/// How many messages may wait for one shard; beyond that senders wait.
const INBOX_MESSAGES_MAX: usize = 8_192;
/// How many calls may be under way at once; further ones wait their turn.
const CALLS_UNDER_WAY_MAX: usize = 256;
/// After how many journal lines a shard writes every process down and starts a new journal; more,
/// when it has more processes than that in memory.
const CHECKPOINT_LINES: usize = 1_000;
/// How often a message is sent again to a shard that is on its way from one node to another.
const ROUTE_TRIES_MAX: usize = 150;
/// How long to wait before sending it again, in milliseconds.
const ROUTE_WAIT_MILLIS: u64 = 100;

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
    /// Reads everything durable of the shards that are this node's.
    ///
    /// # Errors
    /// When stored data is damaged; nothing runs then.
    pub fn open(store: Store, clock: Clock, node: Node) -> Result<Opened, Error> {
        let (inboxes, receivers): (Vec<_>, Vec<_>) =
            (0..SHARDS).map(|_| mpsc::channel(INBOX_MESSAGES_MAX)).unzip();
        let shared = Arc::new(Shared {
            definitions: Definitions::new(store.clone()),
            store,
            clock,
            timers: Timers::default(),
            alarms: Alarms::default(),
            queues: Queues::default(),
            endpoint: OnceLock::new(),
            peers: OnceLock::new(),
            node: Ownership::new(node),
            figures: Figures::default(),
            inboxes,
            epoch: AtomicU64::new(0),
            calls: Semaphore::new(CALLS_UNDER_WAY_MAX),
            scripts: Turns::default(),
            interpreters: OnceLock::new(),
            express: express::UnderWay::default(),
            followers: Followers::default(),
            checkpoint_lines: AtomicUsize::new(CHECKPOINT_LINES),
        });
        let leases = node::first_turn(&shared)?;
        let began = Instant::now();
        let mut shards = Vec::new();
        for (number, inbox) in (0..SHARDS).zip(receivers) {
            let mut shard = Shard::new(number, shared.clone(), inbox);
            if let Some(lease) = leases.iter().find(|lease| lease.shard == number) {
                shard.recover(lease.epoch)?;
            }
            shards.push(shard);
        }
        tracing::info!(
            shards = leases.len(),
            processes_in_memory = shards.iter().map(Shard::processes).sum::<usize>(),
            processes_waiting = shared.timers.processes(),
            millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "recovered what was running"
        );
        Ok(Opened { shared, shards })
    }

    /// Writes every process down after so many lines of a shard's journal, instead of
    /// [`CHECKPOINT_LINES`]: for tests, which are short.
    #[must_use]
    pub fn with_checkpoint_every(self, lines: usize) -> Opened {
        self.shared.checkpoint_lines.store(lines, Ordering::Relaxed);
        self
    }

    /// Runs scripts in this way, instead of the default one.
    #[must_use]
    pub fn with_scripts(self, scripts: Scripts) -> Opened {
        // Set before any shard runs, and never again.
        let _ = self.shared.interpreters.set(Interpreters::new(scripts));
        self
    }

    /// Returns the handle, for whoever serves calls.
    pub fn handle(&self) -> Runtime {
        Runtime { shared: self.shared.clone() }
    }

    /// Starts: effects go to `endpoint` from now on, those that a crash interrupted first, and
    /// messages for other nodes to `peers`.
    pub fn start(self, endpoint: Arc<dyn AwsEndpoint>, peers: Arc<dyn Peers>) {
        let shared = self.shared.clone();
        self.start_without_keeper(endpoint, peers);
        tokio::spawn(node::keep(shared));
    }

    /// Starts, but takes no turns at the leases: whoever calls this calls
    /// [`Runtime::lease_turn`].
    pub fn start_without_keeper(self, endpoint: Arc<dyn AwsEndpoint>, peers: Arc<dyn Peers>) {
        // Set before any shard runs, and never again.
        let _ = self.shared.endpoint.set(endpoint);
        let _ = self.shared.peers.set(peers);
        for shard in self.shards {
            tokio::spawn(shard.run(self.shared.clock.busy()));
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

    /// Returns when the next timer falls due, in milliseconds since the epoch.
    pub fn next_timer_millis(&self) -> Option<i64> {
        self.shared.timers.next_at()
    }

    /// Returns what the runtime counts about itself.
    pub fn figures(&self) -> Snapshot {
        self.shared.figures.snapshot()
    }

    /// Says how many express executions may be under way; before any is.
    pub fn limit_express(&self, under_way_max: usize) {
        self.shared.express.limit(under_way_max);
    }

    /// Returns how many state-machine executions are open in the shards that are this node's.
    pub fn executions_open(&self) -> usize {
        self.shared.figures.executions_open()
    }

    /// Returns how many automations are open in the shards that are this node's.
    pub fn automations_open(&self) -> usize {
        self.shared.figures.automations_open()
    }

    /// Returns how many express executions are under way.
    pub fn express_under_way(&self) -> usize {
        self.shared.express.len()
    }

    /// Returns how many shards are this node's, and how many nodes lived at its last turn at the
    /// leases.
    pub fn shards_and_nodes(&self) -> (usize, usize) {
        (self.shared.node.held(), self.shared.node.nodes())
    }

    /// Returns how many messages wait for each shard.
    pub fn inbox_depths(&self) -> Vec<usize> {
        let inboxes = self.shared.inboxes.iter();
        inboxes.map(|inbox| inbox.max_capacity() - inbox.capacity()).collect()
    }

    /// Returns whether what is done once for all nodes is done here: whoever owns the first shard
    /// does it.
    pub fn is_leader(&self) -> bool {
        self.shared.node.epoch(0).is_some()
    }

    /// Takes one turn at the leases.
    pub async fn lease_turn(&self) {
        node::turn(&self.shared).await;
    }

    /// Begins a process, wherever it belongs; on return it is durable, or was known before.
    ///
    /// # Errors
    /// When the store failed, the definition cannot be used, or no node answers for it.
    pub async fn begin(&self, id: ProcessId, begin: Begin) -> Result<Started, Error> {
        self.begin_as(id, begin, Novelty::Unknown).await
    }

    /// Begins a process whose id was made at random for it, wherever it belongs; on return it is
    /// durable.
    ///
    /// # Errors
    /// As [`Runtime::begin`].
    pub async fn begin_fresh(&self, id: ProcessId, begin: Begin) -> Result<Started, Error> {
        self.begin_as(id, begin, Novelty::Fresh).await
    }

    async fn begin_as(
        &self,
        id: ProcessId,
        begin: Begin,
        novelty: Novelty,
    ) -> Result<Started, Error> {
        let message = Forwarded::Begin { id, begin: Box::new(begin), novelty };
        match self.deliver(message).await? {
            (Forward::New { at_millis }, _) => Ok(Started::New { at_millis }),
            (Forward::AlreadyKnown, Attempt::First) => Ok(Started::AlreadyKnown),
            (Forward::AlreadyKnown, Attempt::Again) => Ok(Started::AskedBefore),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Hands a request to a running process, wherever it is; on return what it changed is durable.
    ///
    /// # Errors
    /// [`Error::NotRunning`], the store failed, or no node answers for it.
    pub async fn request(&self, id: ProcessId, fact: Fact) -> Result<(), Error> {
        match self.deliver(Forwarded::Request { id, fact }).await? {
            (Forward::Taken, _) => Ok(()),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Hands what is said about a task to the execution that its token leads to; on return what it
    /// changed is durable.
    ///
    /// # Errors
    /// [`Error::NotRunning`] when the token is of no open task, the store failed, or no node
    /// answers for it.
    pub async fn call_back(&self, callback: Callback) -> Result<(), Error> {
        let token = TaskToken::parse(&callback.token).ok_or(Error::NotRunning)?;
        let id = ProcessId::new(Kind::Execution, &token.execution_arn);
        match self.deliver(Forwarded::Callback { id, callback: Box::new(callback) }).await? {
            (Forward::Taken, _) => Ok(()),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Brings a message to the shard that it belongs to, and again if that is just changing hands.
    async fn deliver(&self, mut message: Forwarded) -> Result<(Forward, Attempt), Error> {
        let mut attempt = Attempt::First;
        for _ in 0..ROUTE_TRIES_MAX {
            let place = self.shared.node.place(message.shard());
            // A letter may arrive when its sender has given up and the process, begun on a second
            // attempt, has ended or left memory: whoever takes it looks.
            if let (Forwarded::Begin { novelty, .. }, Place::There(_)) = (&mut message, &place) {
                *novelty = Novelty::Unknown;
            }
            let answer = match place {
                Place::Here => self.take(message.clone()).await,
                Place::There(address) => match self.shared.peers.get() {
                    Some(peers) => Ok(peers.forward(&address, &message).await),
                    None => Ok(Forward::NotThere),
                },
                Place::Nowhere => Ok(Forward::NotThere),
            };
            match answer {
                Ok(Forward::NotThere) | Err(Error::NotHere) => {}
                // Whoever did not answer may have taken it all the same.
                Ok(Forward::NotRunning) | Err(Error::NotRunning)
                    if attempt == Attempt::Again
                        && matches!(message, Forwarded::Callback { .. }) =>
                {
                    return Err(Error::NotHere);
                }
                Ok(Forward::NotRunning) => return Err(Error::NotRunning),
                Ok(Forward::Failed(what)) => return Err(Error::Elsewhere(what)),
                Ok(Forward::Refused(what)) => return Err(Error::Refused(what)),
                other => return other.map(|answer| (answer, attempt)),
            }
            attempt = Attempt::Again;
            // Who did not answer may have begun it all the same.
            if let Forwarded::Begin { novelty, .. } = &mut message {
                *novelty = Novelty::Unknown;
            }
            self.shared.clock.sleep(ROUTE_WAIT_MILLIS).await;
        }
        Err(Error::NotHere)
    }

    /// Takes a message for a process of this node: from another node, or from a caller here.
    ///
    /// # Errors
    /// [`Error::NotHere`] when the process belongs to another node, or as [`Runtime::begin`] and
    /// [`Runtime::request`].
    pub async fn take(&self, message: Forwarded) -> Result<Forward, Error> {
        match message {
            Forwarded::Begin { id, begin, novelty } => {
                let (reply, answer) = oneshot::channel();
                self.send(Message::Begin { id, begin, novelty, reply }).await?;
                answer.await.map_err(|_| Error::ShuttingDown)?.map(Forward::from)
            }
            Forwarded::Request { id, fact } => {
                let (reply, answer) = oneshot::channel();
                self.send(Message::Request { id, fact, reply }).await?;
                answer.await.map_err(|_| Error::ShuttingDown)?.map(|()| Forward::Taken)
            }
            Forwarded::Callback { id, callback } => {
                let (reply, answer) = oneshot::channel();
                self.send(Message::Callback { id, callback, reply }).await?;
                answer.await.map_err(|_| Error::ShuttingDown)?.map(|()| Forward::Taken)
            }
        }
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
        let mut emptied = Vec::new();
        self.tell_all(|reply| {
            let (when, then) = oneshot::channel();
            emptied.push(when);
            Message::Reset { reply, emptied: then }
        })
        .await;
        self.shared.express.forget();
        self.shared.timers.clear();
        self.shared.definitions.clear();
        let outcome = self.shared.store.reset();
        for shard in emptied {
            // A shard that has ended waits for nothing.
            let _ = shard.send(());
        }
        Ok(outcome?)
    }

    /// Lets the scripts under way end, but waits no longer than that, and begins no other: one that
    /// waits for its turn goes on where these shards run next. Returns how many have not ended;
    /// they end with this process.
    pub async fn end_scripts(&self, longest: Duration) -> usize {
        self.shared.scripts.end(longest).await
    }

    /// Ends the shards in order: each finishes its turn and writes a checkpoint. Then gives the
    /// leases back.
    pub async fn stop(&self) {
        self.shared.node.begin_to_leave();
        self.tell_all(|reply| Message::Stop { reply }).await;
        node::leave(&self.shared);
    }

    async fn tell_all(&self, mut message: impl FnMut(oneshot::Sender<()>) -> Message) {
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

/// Whether a message was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    First,
    Again,
}

/// An answer to another question is a bug of the node that gave it.
fn unexpected(answer: &Forward) -> Error {
    Error::Refused(format!("another node gave an answer that does not fit: {answer:?}"))
}

impl Forwarded {
    /// Returns the shard that the message belongs to.
    fn shard(&self) -> u32 {
        match self {
            Forwarded::Begin { id, .. }
            | Forwarded::Request { id, .. }
            | Forwarded::Callback { id, .. } => id.shard(SHARDS),
        }
    }
}
