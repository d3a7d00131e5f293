//! The store in memory: for tests, for servers that may forget, and below the simulator.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::lease::{self, NodeRow, ShardRow};
use crate::planted::{Bug, is_planted};
use crate::{
    Backend, Claim, Commit, Done, Error, Figures, Job, JournalEntry, Lease, Leases, Lsn, Read,
    SHARDS, Scan, Table, Transaction, Verdict, Write,
};

/// A store that lives and dies with the process.
#[derive(Default)]
pub struct Memory {
    content: Mutex<Content>,
    owners: Mutex<Owners>,
    figures: Arc<Figures>,
}

/// Who owns which shard.
#[derive(Default)]
struct Owners {
    shards: Vec<ShardRow>,
    nodes: Vec<NodeRow>,
}

type Rows = BTreeMap<String, Arc<[u8]>>;

#[derive(Default)]
struct Content {
    tables: BTreeMap<Table, Rows>,
    journal: BTreeMap<(u32, Lsn), Vec<u8>>,
    /// The last position of each shard; survives truncation.
    last: BTreeMap<u32, Lsn>,
    /// The newest epoch of each shard.
    epochs: Vec<u64>,
    /// How to take back what the running job did, newest last.
    undo: Vec<Undo>,
    /// How to take back the last commit.
    #[cfg(feature = "planted-bugs")]
    last_commit: Vec<Undo>,
}

enum Undo {
    Row(Table, String, Option<Arc<[u8]>>),
    #[cfg(feature = "planted-bugs")]
    Entry(u32, Lsn),
}

impl Memory {
    fn content(&self) -> MutexGuard<'_, Content> {
        // A job that panicked has been undone by nobody: its undo list is still there.
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.roll_back();
        content
    }

    fn owners(&self) -> MutexGuard<'_, Owners> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.shards.resize_with(SHARDS as usize, ShardRow::default);
        owners
    }

    /// Takes a node's turn at the leases, at a time that the caller tells.
    pub fn lease_at(&self, claim: &Claim, now_millis: i64) -> Leases {
        let Owners { shards, nodes } = &mut *self.owners();
        let leases = lease::turn(shards, nodes, claim, now_millis);
        self.content().epochs = shards.iter().map(|row| row.epoch).collect();
        leases
    }

    /// Writes what a shard did, if it may.
    ///
    /// # Errors
    /// [`Error::Fenced`] when the epoch is not the shard's, [`Error::Corrupt`] when the journal
    /// would get a gap.
    pub fn apply(&self, commit: Commit) -> Result<(), Error> {
        // Held until the commit is kept, so that nobody takes the shard in between.
        let owners = self.owners();
        let owned = owners.shards.get(commit.shard as usize).map(|row| row.epoch);
        if owned != Some(commit.epoch) && !is_planted(Bug::SkipFence) {
            return Err(Error::Fenced { shard: commit.shard });
        }
        self.content().apply(commit)
    }
}

#[cfg(feature = "planted-bugs")]
impl Memory {
    /// Does what a crash of a node does to the store: nothing, unless a bug is planted.
    pub fn crash(&self) {
        let mut content = self.content();
        if is_planted(Bug::LoseCommit) {
            content.undo = std::mem::take(&mut content.last_commit);
            content.roll_back();
        }
    }
}

impl Backend for Memory {
    fn submit(&self, job: Job) {
        let mut content = self.content();
        match (job.work)(&mut *content) {
            Verdict::Keep => content.undo.clear(),
            Verdict::Discard => content.roll_back(),
        }
        drop(content);
        self.figures.changed();
        self.figures.committed(1, std::time::Duration::ZERO);
        (job.done)(Ok(()));
    }

    fn commit(&self, commit: Commit, done: Done) {
        let outcome = self.apply(commit);
        self.figures.committed(1, std::time::Duration::ZERO);
        done(outcome);
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        work(&*self.content());
        Ok(())
    }

    fn lease(&self, claim: &Claim) -> Result<Leases, Error> {
        // Nobody else can see this store, so time does not matter.
        Ok(self.lease_at(claim, 0))
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn generation(&self) -> Option<u64> {
        Some(self.figures.generation())
    }

    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn reset(&self) -> Result<(), Error> {
        let outcome = self.content().clear();
        self.figures.changed();
        outcome
    }
}

impl Content {
    fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Row(table, key, Some(before)) => {
                    self.tables.entry(table).or_default().insert(key, before);
                }
                Undo::Row(table, key, None) => {
                    self.tables.entry(table).or_default().remove(&key);
                }
                #[cfg(feature = "planted-bugs")]
                Undo::Entry(shard, lsn) => {
                    self.journal.remove(&(shard, lsn));
                    self.last.insert(shard, lsn.saturating_sub(1));
                }
            }
        }
    }

    fn apply(&mut self, commit: Commit) -> Result<(), Error> {
        #[cfg(feature = "planted-bugs")]
        self.remember(&commit);
        let Commit { shard, entry, writes, truncate, .. } = commit;
        if let Some((lsn, bytes)) = entry {
            let last = self.last.entry(shard).or_default();
            if lsn != *last + 1 {
                return Err(Error::Corrupt {
                    place: format!("journal {shard}/{lsn}"),
                    what: format!("the last position is {last}"),
                });
            }
            *last = lsn;
            self.journal.insert((shard, lsn), bytes);
        }
        for write in writes {
            match write {
                Write::Put(table, key, bytes) => {
                    self.tables.entry(table).or_default().insert(key, Arc::from(bytes));
                }
                Write::Delete(table, key) => {
                    self.tables.entry(table).or_default().remove(&key);
                }
            }
        }
        if let Some(upto) = truncate {
            self.journal.retain(|(of, lsn), _| *of != shard || upto < *lsn);
        }
        Ok(())
    }
}

#[cfg(feature = "planted-bugs")]
impl Content {
    /// Remembers how to take a commit back; what it truncates stays truncated.
    fn remember(&mut self, commit: &Commit) {
        self.last_commit.clear();
        if let Some((lsn, _)) = &commit.entry {
            self.last_commit.push(Undo::Entry(commit.shard, *lsn));
        }
        for write in &commit.writes {
            let (Write::Put(table, key, _) | Write::Delete(table, key)) = write;
            let before = self.tables.get(table).and_then(|rows| rows.get(key)).cloned();
            self.last_commit.push(Undo::Row(*table, key.clone(), before));
        }
    }
}

impl Read for Content {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.tables.get(&table).and_then(|rows| rows.get(key)).map(|bytes| bytes.to_vec()))
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let Some(rows) = self.tables.get(&table) else { return Ok(Vec::new()) };
        let from = match scan.after {
            Some(after) if after >= scan.prefix => Bound::Excluded(after),
            Some(_) | None => Bound::Included(scan.prefix),
        };
        Ok(rows
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(scan.prefix))
            .take(scan.limit)
            .map(|(key, bytes)| (key.clone(), bytes.to_vec()))
            .collect())
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        let range = (Bound::Excluded((shard, after)), Bound::Included((shard, Lsn::MAX)));
        Ok(self
            .journal
            .range(range)
            .take(limit)
            .map(|((_, lsn), bytes)| JournalEntry { lsn: *lsn, bytes: bytes.clone() })
            .collect())
    }
}

impl Transaction for Content {
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error> {
        let before = self.tables.entry(table).or_default().insert(key.to_owned(), Arc::from(value));
        self.undo.push(Undo::Row(table, key.to_owned(), before));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error> {
        let before = self.tables.entry(table).or_default().remove(key);
        let existed = before.is_some();
        self.undo.push(Undo::Row(table, key.to_owned(), before));
        Ok(existed)
    }

    fn append(&mut self, shard: u32, entry: &JournalEntry) -> Result<(), Error> {
        self.last.insert(shard, entry.lsn);
        self.journal.insert((shard, entry.lsn), entry.bytes.clone());
        Ok(())
    }

    fn expect_owner(&mut self, lease: Lease) -> Result<(), Error> {
        match self.epochs.get(lease.shard as usize) {
            Some(epoch) if *epoch == lease.epoch => Ok(()),
            Some(_) | None => Err(Error::Fenced { shard: lease.shard }),
        }
    }

    fn clear(&mut self) -> Result<(), Error> {
        *self = Content { epochs: std::mem::take(&mut self.epochs), ..Content::default() };
        Ok(())
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
