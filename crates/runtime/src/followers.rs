//! What those share who begin other processes and follow them to their end: map runs, and runbooks
//! over many targets.
//!
//! Whatever happens to a node, a parent asks for its child again. A child that has begun is not
//! begun a second time, for its id is its own; that it has ended is read from its record, so
//! nothing is lost between the two.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Load, SHARDS, Table};
use tokio::sync::oneshot;
use value::Value;

use crate::clock::{Busy, Clock};
use crate::node::Place;
use crate::process::{Begin, Fact};
use crate::{Error, ProcessId, Runtime, Shared};

/// How long to wait before something is tried again that failed, in milliseconds.
pub(crate) const TRY_AGAIN_MILLIS: u64 = 1_000;
/// How often another node is asked again that tries and fails. Long before, one that has lost its
/// store has lost its shards too, and others are asked.
const ASKED_ELSEWHERE_MAX: u32 = 600;
/// How often a child is looked at that runs on another node, in milliseconds.
const LOOK_ELSEWHERE_MILLIS: u64 = 1_000;
/// How often a child is looked at that runs here, in milliseconds: its shard tells when it has
/// ended, unless it has gone elsewhere.
const LOOK_HERE_MILLIS: u64 = 10_000;

/// Who waits for the end of which process.
#[derive(Default)]
pub(crate) struct Followers {
    waiting: Mutex<HashMap<ProcessId, Vec<oneshot::Sender<Busy>>>>,
}

impl Followers {
    fn waiting(&self) -> MutexGuard<'_, HashMap<ProcessId, Vec<oneshot::Sender<Busy>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everyone who waits that the process has ended.
    pub(crate) fn tell(&self, id: &ProcessId, clock: &Clock) {
        for follower in self.waiting().remove(id).unwrap_or_default() {
            // Whoever has stopped waiting does not need to know.
            let _ = follower.send(clock.busy());
        }
    }

    fn wait(&self, id: &ProcessId) -> oneshot::Receiver<Busy> {
        let (follower, told) = oneshot::channel();
        let mut waiting = self.waiting();
        let followers = waiting.entry(id.clone()).or_default();
        followers.retain(|follower| !follower.is_closed());
        followers.push(follower);
        told
    }

    fn forget(&self, id: &ProcessId) {
        let mut waiting = self.waiting();
        if let Some(followers) = waiting.get_mut(id) {
            followers.retain(|follower| !follower.is_closed());
            if followers.is_empty() {
                waiting.remove(id);
            }
        }
    }
}

/// Begins a process, unless it has begun.
///
/// # Errors
/// Why it can never begin.
pub(crate) async fn begin(
    shared: &Arc<Shared>,
    id: &ProcessId,
    begin: &Begin,
) -> Result<(), Error> {
    let runtime = Runtime { shared: shared.clone() };
    let begun = until_settled(&shared.clock, id, || runtime.begin(id.clone(), begin.clone())).await;
    begun.map(drop)
}

/// Tells a process something that it takes in once, however often it is told.
///
/// # Errors
/// [`Error::NotRunning`] if it has ended and that is nothing it could still take in, or why it can
/// never be told.
pub(crate) async fn request(
    shared: &Arc<Shared>,
    id: &ProcessId,
    fact: &Fact,
) -> Result<(), Error> {
    let runtime = Runtime { shared: shared.clone() };
    until_settled(&shared.clock, id, || runtime.request(id.clone(), fact.clone())).await
}

/// Tries until what comes out would come out again.
async fn until_settled<T, Attempt: Future<Output = Result<T, Error>>>(
    clock: &Clock,
    id: &ProcessId,
    mut attempt: impl FnMut() -> Attempt,
) -> Result<T, Error> {
    let mut elsewhere = 0;
    loop {
        let err = match attempt().await {
            Ok(done) => return Ok(done),
            Err(err) => err,
        };
        match err {
            Error::NotRunning | Error::Definition { .. } | Error::Refused(_) => return Err(err),
            Error::Elsewhere(_) if elsewhere == ASKED_ELSEWHERE_MAX => return Err(err),
            Error::Elsewhere(_) => elsewhere += 1,
            // The store is away, or the shard is changing hands: neither lasts, and without its own
            // store this node could tell nobody. The life of the shard that asked ends this too.
            Error::Store(_) | Error::NotHere | Error::ShuttingDown | Error::ExpressLimit => {}
        }
        tracing::debug!(process = %id, error = %err, "it is tried again");
        clock.sleep(TRY_AGAIN_MILLIS).await;
    }
}

/// A process that is followed to its end.
pub(crate) struct Following<'a> {
    shared: &'a Arc<Shared>,
    table: Table,
    id: &'a ProcessId,
    /// What keeps a virtual clock where it is while something is under way.
    busy: Option<Busy>,
    /// Tells that it has ended; none before it was looked at.
    told: Option<oneshot::Receiver<Busy>>,
}

impl<'a> Following<'a> {
    /// Begins to follow a process whose record is in the table.
    pub(crate) fn new(
        shared: &'a Arc<Shared>,
        (table, id): (Table, &'a ProcessId),
        busy: Busy,
    ) -> Following<'a> {
        Following { shared, table, id, busy: Some(busy), told: None }
    }

    /// Returns the record: at once, and from then on when it may be another one.
    pub(crate) async fn record(&mut self) -> Value {
        loop {
            if let Some(told) = self.told.take() {
                self.wait(told).await;
            }
            self.told = Some(self.shared.followers.wait(self.id));
            let record = self.shared.store.read(|tx| tx.load(self.table, self.id.name()));
            // It has begun, so that one without a record is the store's failure: it is read again.
            if let Ok(Some(record)) = record {
                return record;
            }
        }
    }

    async fn wait(&mut self, told: oneshot::Receiver<Busy>) {
        drop(self.busy.take());
        let millis = match self.shared.node.place(self.id.shard(SHARDS)) {
            Place::Here => LOOK_HERE_MILLIS,
            Place::There(_) | Place::Nowhere => LOOK_ELSEWHERE_MILLIS,
        };
        tokio::select! {
            biased;
            told = told => self.busy = told.ok(),
            () = self.shared.clock.sleep(millis) => {}
        }
    }

    /// Returns what keeps the clock where it is until somebody has been told of the record.
    pub(crate) fn busy(&mut self) -> Busy {
        self.busy.take().unwrap_or_else(|| self.shared.clock.busy())
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        drop(self.told.take());
        self.shared.followers.forget(self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::Kind;

    /// Tries what goes wrong so every time until no more is tried, or `tries_max` times; returns
    /// what came out, and how often it was tried.
    async fn tried(err: Error, tries_max: u32) -> (Option<Error>, u32) {
        let clock = Clock::simulated(0, 0);
        let (id, tries) = (ProcessId::new(Kind::Automation, "a"), Cell::new(0));
        let settled = until_settled(&clock, &id, || {
            tries.set(tries.get() + 1);
            let err = err.clone();
            async { Err::<(), _>(err) }
        });
        let passing = async {
            while tries.get() < tries_max {
                tokio::task::yield_now().await;
                clock.pass(clock.next_waking_millis().unwrap_or_default());
            }
        };
        tokio::select! {
            biased;
            settled = settled => (settled.err(), tries.get()),
            () = passing => (None, tries.get()),
        }
    }

    #[tokio::test]
    async fn another_node_is_not_asked_for_ever() {
        let (err, tries) = tried(Error::Elsewhere("no".into()), 10_000).await;
        assert!(matches!(err, Some(Error::Elsewhere(_))), "{err:?}");
        assert_eq!(tries, ASKED_ELSEWHERE_MAX + 1);
    }

    #[tokio::test]
    async fn what_never_succeeds_is_tried_once_and_what_may_pass_until_it_does() {
        for err in [Error::Refused("no".into()), Error::NotRunning] {
            let (settled, tries) = tried(err, 10_000).await;
            assert!(settled.is_some() && tries == 1);
        }
        let (settled, tries) = tried(Error::NotHere, 2_000).await;
        assert!(settled.is_none() && tries == 2_000);
    }
}
