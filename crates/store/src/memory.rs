//! The store in memory: for tests, and for servers that may forget.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Backend, Error, Job, JournalEntry, Lsn, Read, Scan, Table, Transaction, Verdict};

#[derive(Default)]
pub(crate) struct Memory {
    content: Mutex<Content>,
}

type Rows = BTreeMap<String, Arc<[u8]>>;

#[derive(Default)]
struct Content {
    tables: BTreeMap<Table, Rows>,
    journal: BTreeMap<(u32, Lsn), Vec<u8>>,
    /// The last position given out in each shard; survives truncation.
    last: BTreeMap<u32, Lsn>,
    /// How to take back what the running job did, newest last.
    undo: Vec<Undo>,
}

enum Undo {
    Row(Table, String, Option<Arc<[u8]>>),
    Appended(u32, Lsn),
    Truncated(u32, Lsn, Vec<u8>),
}

impl Memory {
    fn content(&self) -> MutexGuard<'_, Content> {
        // A job that panicked has been undone by nobody: its undo list is still there.
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.roll_back();
        content
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
        (job.done)(Ok(()));
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        work(&*self.content());
        Ok(())
    }

    fn reset(&self) -> Result<(), Error> {
        *self.content() = Content::default();
        Ok(())
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
                Undo::Appended(shard, lsn) => {
                    self.journal.remove(&(shard, lsn));
                    self.last.insert(shard, lsn - 1);
                }
                Undo::Truncated(shard, lsn, bytes) => {
                    self.journal.insert((shard, lsn), bytes);
                }
            }
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

    fn append(&mut self, shard: u32, bytes: &[u8]) -> Result<Lsn, Error> {
        let last = self.last.entry(shard).or_default();
        *last += 1;
        let lsn = *last;
        self.journal.insert((shard, lsn), bytes.to_vec());
        self.undo.push(Undo::Appended(shard, lsn));
        Ok(lsn)
    }

    fn truncate(&mut self, shard: u32, upto: Lsn) -> Result<(), Error> {
        let gone: Vec<Lsn> =
            self.journal.range((shard, 0)..=(shard, upto)).map(|((_, lsn), _)| *lsn).collect();
        for lsn in gone {
            if let Some(bytes) = self.journal.remove(&(shard, lsn)) {
                self.undo.push(Undo::Truncated(shard, lsn, bytes));
            }
        }
        Ok(())
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
