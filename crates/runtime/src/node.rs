//! This process among others on one store: which shards are its own, and where the others are.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use store::{Claim, Lease, Leases, SHARDS};
use tokio::sync::Notify;

use crate::Shared;
use crate::shard::Message;

/// How often a node takes its turn at the leases, in milliseconds. Several turns fit into the life
/// of a lease.
const TURN_MILLIS: u64 = 1_000;
/// The number of a shard's epoch while it is not this node's.
const NOT_OURS: u64 = 0;

/// What other nodes know of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Names it as long as its process lives.
    pub id: String,
    /// Where it is reached: `http://127.0.0.1:4566`.
    pub address: String,
}

impl Node {
    /// Returns the node of a process that shares its store with nobody.
    pub fn alone() -> Node {
        Node { id: "alone".into(), address: String::new() }
    }
}

/// Where a shard is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Here,
    /// On the node that is reached at this address.
    There(String),
    /// Nobody has it just now.
    Nowhere,
}

/// The node's view of the shards.
pub(crate) struct Ownership {
    node: Node,
    /// The epoch of each shard that is ours.
    epochs: Vec<AtomicU64>,
    /// Where the others are.
    owners: RwLock<Vec<(u32, String)>>,
    /// Shards to be given back at the next turn.
    given_back: Mutex<Vec<u32>>,
    /// How many nodes lived at the last turn.
    nodes: AtomicUsize,
    /// Asks for a turn before it is due.
    wake: Notify,
    /// Whether the process is ending: it takes nothing any more.
    leaving: AtomicBool,
}

impl Ownership {
    pub(crate) fn new(node: Node) -> Ownership {
        Ownership {
            node,
            epochs: (0..SHARDS).map(|_| AtomicU64::new(NOT_OURS)).collect(),
            owners: RwLock::default(),
            given_back: Mutex::default(),
            nodes: AtomicUsize::new(0),
            wake: Notify::new(),
            leaving: AtomicBool::new(false),
        }
    }

    /// Says that the shard was put down and is to be given back: to whoever takes it, this node
    /// under a new epoch included. So a commit that is still on its way is refused. That happens at
    /// the next turn. A node that has been given the shard anew meanwhile keeps it.
    pub(crate) fn put_down(&self, lease: Lease) {
        let mut given_back = self.given_back();
        let Some(epoch) = self.epochs.get(lease.shard as usize) else { return };
        let ours =
            epoch.compare_exchange(lease.epoch, NOT_OURS, Ordering::SeqCst, Ordering::SeqCst);
        if ours.is_ok() {
            given_back.push(lease.shard);
        }
    }

    fn given_back(&self) -> MutexGuard<'_, Vec<u32>> {
        self.given_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the process is ending: no turn takes anything any more.
    pub(crate) fn begin_to_leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }

    /// Asks for a turn at once: what was put down can be taken.
    pub(crate) fn hurry(&self) {
        self.wake.notify_one();
    }

    /// Takes note of a lease; returns whether it is a new one. A shard that was put down since the
    /// turn was taken is not taken up again under the same epoch.
    fn take(&self, lease: Lease) -> bool {
        let given_back = self.given_back();
        !given_back.contains(&lease.shard)
            && self
                .epochs
                .get(lease.shard as usize)
                .is_some_and(|epoch| epoch.swap(lease.epoch, Ordering::SeqCst) != lease.epoch)
    }

    /// Returns the epoch of a shard that is ours.
    pub(crate) fn epoch(&self, shard: u32) -> Option<u64> {
        let epoch = self.epochs.get(shard as usize)?.load(Ordering::SeqCst);
        (epoch != NOT_OURS).then_some(epoch)
    }

    /// Returns where a shard is.
    pub(crate) fn place(&self, shard: u32) -> Place {
        if self.epoch(shard).is_some() {
            return Place::Here;
        }
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        match owners.iter().find(|(number, _)| *number == shard) {
            Some((_, address)) if *address != self.node.address => Place::There(address.clone()),
            Some(_) | None => Place::Nowhere,
        }
    }

    /// Returns how many shards are ours.
    pub(crate) fn held(&self) -> usize {
        (0..SHARDS).filter(|shard| self.epoch(*shard).is_some()).count()
    }

    /// Returns how many nodes lived at the last turn.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.load(Ordering::Relaxed)
    }
}

/// Takes one turn at the leases without telling the shards: for the start.
pub(crate) fn first_turn(shared: &Shared) -> Result<Vec<Lease>, store::Error> {
    let leases = claim(shared, Vec::new(), false)?;
    Ok(leases.held.into_iter().filter(|lease| shared.node.take(*lease)).collect())
}

/// Takes one turn at the leases and tells the shards what changed.
pub(crate) async fn turn(shared: &Arc<Shared>) {
    let node = &shared.node;
    if node.leaving.load(Ordering::SeqCst) {
        return;
    }
    let released = std::mem::take(&mut *node.given_back());
    let leases = match claim(shared, released.clone(), false) {
        Ok(leases) => leases,
        Err(err) => {
            tracing::warn!(error = %err, "no turn at the leases");
            return node.given_back().extend(released);
        }
    };
    for shard in 0..SHARDS {
        let ours = leases.held.iter().find(|lease| lease.shard == shard);
        match ours {
            Some(lease) if node.take(*lease) => {
                tracing::info!(shard, epoch = lease.epoch, "the shard is this node's now");
                tell(shared, shard, Message::Own { epoch: lease.epoch }).await;
            }
            None if node.epoch(shard).is_some() => {
                tracing::info!(shard, "the shard is another node's now");
                node.put_down_for_others(shard);
                tell(shared, shard, Message::Lost).await;
            }
            Some(_) | None => {}
        }
    }
    for shard in leases.shed {
        tracing::info!(shard, "the shard is put down for another node");
        // Not waited for: a shard that is slow must not cost the others their leases. It asks for
        // the next turn when it is put down.
        tell(shared, shard, Message::Release).await;
    }
}

impl Ownership {
    /// Another node has taken the shard: there is nothing to give back.
    fn put_down_for_others(&self, shard: u32) {
        if let Some(epoch) = self.epochs.get(shard as usize) {
            epoch.store(NOT_OURS, Ordering::SeqCst);
        }
    }
}

fn claim(shared: &Shared, released: Vec<u32>, leaving: bool) -> Result<Leases, store::Error> {
    let Node { id, address } = shared.node.node.clone();
    let leases = shared.store.lease(&Claim { node: id, address, released, leaving })?;
    let mut owners = shared.node.owners.write().unwrap_or_else(PoisonError::into_inner);
    owners.clone_from(&leases.owners);
    shared.node.nodes.store(leases.nodes, Ordering::Relaxed);
    Ok(leases)
}

async fn tell(shared: &Arc<Shared>, shard: u32, message: Message) {
    let (busy, epoch) = (shared.clock.busy(), shared.epoch());
    shared.send_to(shard, message, epoch, busy).await;
}

/// Gives everything back: the shards have ended.
pub(crate) fn leave(shared: &Shared) {
    if let Err(err) = claim(shared, Vec::new(), true) {
        tracing::warn!(error = %err, "the leases were not given back; they run out by themselves");
    }
}

/// Keeps the leases, for ever.
pub(crate) async fn keep(shared: Arc<Shared>) {
    loop {
        // A shard that was put down waits for the next turn, unless that was done in order: if it
        // is the disk that is full, or the database that is gone, trying at once would only heat
        // the machine.
        tokio::select! {
            biased;
            () = shared.node.wake.notified() => {}
            () = shared.clock.sleep(TURN_MILLIS) => {}
        }
        turn(&shared).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(epoch: u64) -> Lease {
        Lease { shard: 3, epoch }
    }

    #[test]
    fn a_shard_that_was_given_anew_is_not_given_back_for_its_old_epoch() {
        let ownership = Ownership::new(Node::alone());
        assert!(ownership.take(lease(1)));
        assert!(ownership.take(lease(2)));
        // The shard hears of its new epoch only after its commit under the old one was refused.
        ownership.put_down(lease(1));
        assert_eq!(ownership.epoch(3), Some(2));
        assert!(ownership.given_back().is_empty());
    }

    #[test]
    fn a_shard_put_down_during_a_turn_is_not_taken_up_under_the_same_epoch() {
        let ownership = Ownership::new(Node::alone());
        assert!(ownership.take(lease(1)));
        ownership.put_down(lease(1));
        // What the turn heard before it was put down.
        assert!(!ownership.take(lease(1)));
        assert_eq!(ownership.epoch(3), None);
        assert_eq!(std::mem::take(&mut *ownership.given_back()), [3]);
        assert!(ownership.take(lease(2)));
    }
}
