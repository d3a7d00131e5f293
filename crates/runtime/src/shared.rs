//! What the shards of a node share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use store::{SHARDS, Store};
use tokio::sync::{Semaphore, mpsc};

use crate::activities::Queues;
use crate::alarms::Alarms;
use crate::followers::Followers;
use crate::node::Ownership;
use crate::scripts::{Interpreters, Turns};
use crate::shard::{Envelope, Message};
use crate::timers::Timers;
use crate::{
    AwsEndpoint, Busy, Clock, Definitions, Error, Figures, Kind, Novelty, Peers, ProcessId,
    Scripts, express,
};

/// What shards share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) timers: Timers,
    pub(crate) alarms: Alarms,
    pub(crate) queues: Queues,
    pub(crate) definitions: Definitions,
    pub(crate) endpoint: OnceLock<Arc<dyn AwsEndpoint>>,
    pub(crate) peers: OnceLock<Arc<dyn Peers>>,
    pub(crate) node: Ownership,
    pub(crate) figures: Figures,
    pub(crate) inboxes: Vec<mpsc::Sender<Envelope>>,
    pub(crate) epoch: AtomicU64,
    pub(crate) calls: Semaphore,
    pub(crate) scripts: Turns,
    pub(crate) interpreters: OnceLock<Interpreters>,
    pub(crate) express: express::UnderWay,
    pub(crate) followers: Followers,
    pub(crate) checkpoint_lines: AtomicUsize,
}

impl Shared {
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    pub(crate) fn endpoint(&self) -> Option<Arc<dyn AwsEndpoint>> {
        self.endpoint.get().cloned()
    }

    pub(crate) fn interpreters(&self) -> &Interpreters {
        self.interpreters.get_or_init(|| Interpreters::new(Scripts::default()))
    }

    pub(crate) fn events_committed(&self) {
        if let Some(endpoint) = self.endpoint.get() {
            endpoint.events_committed();
        }
    }

    /// Tells whoever follows executions from outside that one has ended.
    pub(crate) fn ended(&self, id: &ProcessId) {
        if let (Kind::Execution, Some(endpoint)) = (id.kind(), self.endpoint.get()) {
            endpoint.execution_ended(id.name());
        }
    }

    /// Returns whether a process of this id runs or has run.
    pub(crate) fn is_known(
        &self,
        id: &ProcessId,
        novelty: Novelty,
        in_memory: bool,
    ) -> Result<bool, Error> {
        if novelty == Novelty::Fresh && !in_memory {
            return Ok(false);
        }
        let table = id.kind().record_table();
        Ok(in_memory || self.store.get(table, id.name())?.is_some())
    }

    /// Sends to the shard of the message's process; false when the server is shutting down.
    pub(crate) async fn send(&self, message: Message, epoch: u64, busy: Busy) -> bool {
        let shard = match &message {
            Message::Begin { id, .. }
            | Message::Request { id, .. }
            | Message::Callback { id, .. }
            | Message::Answered { id, .. }
            | Message::ScriptBegins { id, .. }
            | Message::ScriptEnded { id, .. }
            | Message::Child { id, .. }
            | Message::TimerFired { id, .. } => id.shard(SHARDS),
            Message::Own { .. }
            | Message::Lost
            | Message::Release
            | Message::Reset { .. }
            | Message::Stop { .. } => 0,
        };
        self.send_to(shard, message, epoch, busy).await
    }

    pub(crate) async fn send_to(
        &self,
        shard: u32,
        message: Message,
        epoch: u64,
        busy: Busy,
    ) -> bool {
        match self.inboxes.get(shard as usize) {
            Some(inbox) => inbox.send(Envelope { message, epoch, busy }).await.is_ok(),
            None => false,
        }
    }
}
