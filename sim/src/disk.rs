//! The store that all nodes of a world share, and each node's way to it.
//!
//! What a node submits waits until the scheduler says that the disk gets to it; whether it is kept,
//! and what the node hears of it, are two questions.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use store::{
    Backend, Claim, Commit, Done, Error, Figures, Job, Leases, Memory, Read, Table, Verdict, Work,
};

use crate::ledger::Ledger;
use crate::random::Random;
use crate::recorder::Recorder;
use crate::trace::{Trace, locked};

/// What all nodes share.
pub(crate) struct Disk {
    pub(crate) memory: Memory,
    pub(crate) ledger: Mutex<Ledger>,
    trace: Trace,
    /// The store's own clock, on which leases run.
    now_millis: AtomicI64,
}

/// What waits for the disk.
pub(crate) enum Unit {
    Job(Job),
    Commit(Box<Commit>, Done),
}

/// What the disk has done and its node has not heard.
pub(crate) struct Unheard {
    done: Done,
    outcome: Result<(), Error>,
}

impl Unheard {
    pub(crate) fn tell(self) {
        (self.done)(self.outcome);
    }
}

/// How a round of the disk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything is kept and said to be.
    Kept,
    /// Nothing is kept.
    Failed,
    /// Everything is kept and said to have failed: the connection broke after the commit.
    KeptUnheard,
}

impl Disk {
    pub(crate) fn new(trace: &Trace) -> Arc<Disk> {
        Arc::new(Disk {
            memory: Memory::default(),
            ledger: Mutex::new(Ledger::new(trace.clone())),
            trace: trace.clone(),
            now_millis: AtomicI64::new(0),
        })
    }

    pub(crate) fn at(&self, now_millis: i64) {
        self.now_millis.store(now_millis, Ordering::SeqCst);
    }

    /// Reads what is durable, past all faults.
    pub(crate) fn look<T>(&self, mut work: impl FnMut(&dyn Read) -> T) -> Option<T> {
        let mut answer = None;
        // Reading memory does not fail.
        let _ = self.memory.read(&mut |tx| answer = Some(work(tx)));
        answer
    }

    /// Writes rows without anybody's leave: for the beginning of the world.
    pub(crate) fn furnish(&self, rows: &[(Table, String, Vec<u8>)]) {
        let rows = rows.to_vec();
        self.memory.submit(Job::new(
            move |tx| {
                let put = rows.iter().try_for_each(|(table, key, row)| tx.put(*table, key, row));
                if put.is_ok() { Verdict::Keep } else { Verdict::Discard }
            },
            |_| {},
        ));
    }

    /// Writes what a shard did, if it may.
    pub(crate) fn commit(&self, who: &str, commit: Commit) -> Result<(), Error> {
        let copy = commit.clone();
        let outcome = self.memory.apply(commit);
        let Commit { shard, epoch, entry, writes, .. } = &copy;
        let lsn = entry.as_ref().map_or(0, |(lsn, _)| *lsn);
        let result = match &outcome {
            Ok(()) => "kept",
            Err(Error::Fenced { .. }) => "fenced",
            Err(_) => "refused",
        };
        let rows = writes.len();
        self.trace.say(format_args!(
            "{who} commits shard {shard} epoch {epoch} lsn {lsn} rows {rows}: {result}"
        ));
        match &outcome {
            Ok(()) => locked(&self.ledger).committed(&copy),
            Err(Error::Fenced { .. }) => {}
            Err(err) => self.trace.violated(format_args!("a commit does not fit: {err}")),
        }
        outcome
    }

    fn job(&self, who: &str, work: Work) {
        let found = Arc::new(Mutex::new(None));
        let inside = found.clone();
        self.memory.submit(Job::new(
            move |tx| {
                let mut recorder = Recorder::new(tx);
                let verdict = work(&mut recorder);
                if verdict == Verdict::Keep {
                    *locked(&inside) = Some((recorder.puts, recorder.deletes));
                }
                verdict
            },
            |_| {},
        ));
        let kept = locked(&found).take();
        if let Some((puts, deletes)) = kept {
            self.trace.say(format_args!("{who} writes {} rows", puts.len() + deletes.len()));
            locked(&self.ledger).written(&puts, &deletes);
        }
    }
}

/// How often a node's way to the store fails, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    pub(crate) read: usize,
    pub(crate) lease: usize,
}

/// One life of one node, as the store sees it.
pub(crate) struct NodeDisk {
    disk: Arc<Disk>,
    name: String,
    way: Mutex<Way>,
    figures: Figures,
}

struct Way {
    waiting: VecDeque<Unit>,
    random: Random,
    troubles: Troubles,
    /// Nothing comes through.
    is_cut: bool,
    /// Turns at the leases do not come through.
    is_deposed: bool,
}

impl NodeDisk {
    pub(crate) fn new(
        disk: &Arc<Disk>,
        name: &str,
        random: Random,
        troubles: Troubles,
    ) -> Arc<NodeDisk> {
        let way =
            Way { waiting: VecDeque::new(), random, troubles, is_cut: false, is_deposed: false };
        Arc::new(NodeDisk {
            disk: disk.clone(),
            name: name.to_owned(),
            way: Mutex::new(way),
            figures: Figures::default(),
        })
    }

    pub(crate) fn set_cut(&self, is_cut: bool) {
        locked(&self.way).is_cut = is_cut;
    }

    pub(crate) fn set_deposed(&self, is_deposed: bool) {
        locked(&self.way).is_deposed = is_deposed;
    }

    pub(crate) fn is_cut(&self) -> bool {
        locked(&self.way).is_cut
    }

    pub(crate) fn set_troubles(&self, troubles: Troubles) {
        locked(&self.way).troubles = troubles;
    }

    pub(crate) fn world(&self) -> Arc<Disk> {
        self.disk.clone()
    }

    pub(crate) fn waiting(&self) -> usize {
        locked(&self.way).waiting.len()
    }

    /// Takes the next units off the queue.
    pub(crate) fn take(&self, count: usize) -> Vec<Unit> {
        let mut way = locked(&self.way);
        let count = count.min(way.waiting.len());
        way.waiting.drain(..count).collect()
    }

    /// Does what was submitted, as one transaction of the disk: jobs first, then commits.
    pub(crate) fn perform(&self, units: Vec<Unit>, ending: Ending) -> Vec<Unheard> {
        let broken = || Err(Error::Backend("simulated".into()));
        let (mut unheard, mut commits) = (Vec::new(), Vec::new());
        if ending != Ending::Kept {
            self.disk.trace.say(format_args!("{}'s disk: {ending:?}", self.name));
        }
        for unit in units {
            match unit {
                Unit::Job(Job { work, done, .. }) => {
                    let outcome = match ending {
                        Ending::Kept => Ok(()),
                        Ending::Failed | Ending::KeptUnheard => broken(),
                    };
                    if ending != Ending::Failed {
                        self.disk.job(&self.name, work);
                    }
                    unheard.push(Unheard { done, outcome });
                }
                Unit::Commit(commit, done) => commits.push((commit, done)),
            }
        }
        for (commit, done) in commits {
            let outcome = match ending {
                Ending::Kept => self.disk.commit(&self.name, *commit),
                Ending::Failed => broken(),
                Ending::KeptUnheard => {
                    self.disk.commit(&self.name, *commit).and_then(|()| broken())
                }
            };
            unheard.push(Unheard { done, outcome });
        }
        unheard
    }
}

impl Backend for NodeDisk {
    fn submit(&self, job: Job) {
        locked(&self.way).waiting.push_back(Unit::Job(job));
    }

    fn commit(&self, commit: Commit, done: Done) {
        locked(&self.way).waiting.push_back(Unit::Commit(Box::new(commit), done));
    }

    fn lease(&self, claim: &Claim) -> Result<Leases, Error> {
        let (fails, is_lost) = {
            let Way { random, troubles, is_cut, is_deposed, .. } = &mut *locked(&self.way);
            let fails = *is_cut || *is_deposed || random.chance(troubles.lease);
            (fails, random.chance(troubles.lease / 2))
        };
        if fails {
            self.disk.trace.say(format_args!("{} gets no turn at the leases", self.name));
            return Err(Error::Backend("simulated".into()));
        }
        let leases = self.disk.memory.lease_at(claim, self.disk.now_millis.load(Ordering::SeqCst));
        locked(&self.disk.ledger).granted(&leases.held);
        if is_lost {
            self.disk.trace.say(format_args!("{} does not hear of its turn", self.name));
            return Err(Error::Backend("simulated".into()));
        }
        let held: Vec<String> =
            leases.held.iter().map(|lease| format!("{}:{}", lease.shard, lease.epoch)).collect();
        self.disk.trace.say(format_args!("{} holds {}", self.name, held.join(" ")));
        Ok(leases)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        let fails = {
            let Way { random, troubles, is_cut, .. } = &mut *locked(&self.way);
            *is_cut || random.chance(troubles.read)
        };
        if fails {
            self.disk.trace.say(format_args!("{} cannot read", self.name));
            return Err(Error::Backend("simulated".into()));
        }
        self.disk.memory.read(work)
    }

    fn reset(&self) -> Result<(), Error> {
        Err(Error::Closed)
    }
}
