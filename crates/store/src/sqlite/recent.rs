//! What stands in the commit log and not yet in the tables, in memory.
//!
//! Each value carries the number of the record that wrote it, so that whoever began to read before
//! goes on seeing what was there.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::log_record::Operation;
use super::merged::{Above, Overlay};
use crate::{JournalEntry, Lsn, Table, Write};

/// The values of a key, by the record that wrote each; `None` is a removal.
struct Versions {
    newest: Version,
    /// Oldest first.
    older: Vec<Version>,
}

struct Version {
    number: u64,
    value: Option<Vec<u8>>,
}

impl Versions {
    fn put(&mut self, version: Version) {
        if self.newest.number == version.number {
            self.newest = version;
        } else {
            self.older.push(std::mem::replace(&mut self.newest, version));
        }
    }

    fn as_of(&self, number: u64) -> Option<&Option<Vec<u8>>> {
        let all = std::iter::once(&self.newest).chain(self.older.iter().rev());
        all.into_iter().find(|version| version.number <= number).map(|version| &version.value)
    }
}

#[derive(Default)]
struct Content {
    tables: BTreeMap<Table, BTreeMap<String, Versions>>,
    /// Entries by shard and position, each with the record that wrote it.
    journal: BTreeMap<(u32, Lsn), (u64, Vec<u8>)>,
    /// What was truncated: shard, by which record, up to where.
    truncated: Vec<(u32, u64, Lsn)>,
    /// The last record.
    last: Option<u64>,
}

/// What a stretch of the commit log holds.
#[derive(Default)]
pub(super) struct Recent {
    content: RwLock<Content>,
}

impl Recent {
    fn content(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what records do, which are in the order of their numbers.
    pub(super) fn of(records: Vec<(u64, Vec<Operation>)>) -> Recent {
        let recent = Recent::default();
        for (number, operations) in records {
            recent.add(number, operations);
        }
        recent
    }

    /// Adds what a record does. Records come in the order of their numbers.
    pub(super) fn add(&self, number: u64, operations: impl IntoIterator<Item = Operation>) {
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        for operation in operations {
            content.last = Some(number);
            match operation {
                Operation::Row(Write::Put(table, key, value)) => {
                    content.put(table, key, Version { number, value: Some(value) });
                }
                Operation::Row(Write::Delete(table, key)) => {
                    content.put(table, key, Version { number, value: None });
                }
                Operation::Entry(shard, lsn, bytes) => {
                    content.journal.insert((shard, lsn), (number, bytes));
                }
                Operation::Truncate(shard, upto) => content.truncated.push((shard, number, upto)),
            }
        }
    }

    /// Forgets a record that did not get into the log, the last that was added.
    pub(super) fn forget(&self, number: u64) {
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        for rows in content.tables.values_mut() {
            rows.retain(|_, versions| {
                if versions.newest.number != number {
                    return true;
                }
                match versions.older.pop() {
                    Some(before) => {
                        versions.newest = before;
                        true
                    }
                    None => false,
                }
            });
        }
        content.journal.retain(|_, (by, _)| *by != number);
        content.truncated.retain(|(_, by, _)| *by != number);
        if content.last == Some(number) {
            // Numbers grow, so that one before it says as much as the true one.
            content.last = number.checked_sub(1);
        }
        if content.is_empty() {
            content.last = None;
        }
    }

    /// Returns the number of its last record; none when it is empty.
    pub(super) fn last(&self) -> Option<u64> {
        self.content().last
    }

    /// Hands over the last value of each key, in order of table and key, then the journal's
    /// entries and, last, what of it is no longer needed.
    ///
    /// # Errors
    /// The first that `take` returns.
    pub(super) fn each<E>(&self, mut take: impl FnMut(Item<'_>) -> Result<(), E>) -> Result<(), E> {
        let content = self.content();
        for (table, rows) in &content.tables {
            for (key, versions) in rows {
                take(Item::Row(*table, key, versions.newest.value.as_deref()))?;
            }
        }
        for ((shard, lsn), (_, bytes)) in &content.journal {
            if content.truncated(*shard, u64::MAX).is_none_or(|upto| upto < *lsn) {
                take(Item::Entry(*shard, *lsn, bytes))?;
            }
        }
        for (shard, _, upto) in &content.truncated {
            take(Item::Truncate(*shard, *upto))?;
        }
        Ok(())
    }
}

/// What is left of a stretch of the log.
pub(super) enum Item<'r> {
    Row(Table, &'r str, Option<&'r [u8]>),
    Entry(u32, Lsn, &'r [u8]),
    Truncate(u32, Lsn),
}

impl Content {
    fn is_empty(&self) -> bool {
        self.tables.values().all(BTreeMap::is_empty)
            && self.journal.is_empty()
            && self.truncated.is_empty()
    }

    fn put(&mut self, table: Table, key: String, version: Version) {
        use std::collections::btree_map::Entry;
        match self.tables.entry(table).or_default().entry(key) {
            Entry::Occupied(mut versions) => versions.get_mut().put(version),
            Entry::Vacant(free) => {
                free.insert(Versions { newest: version, older: Vec::new() });
            }
        }
    }

    fn truncated(&self, shard: u32, number: u64) -> Option<Lsn> {
        let known = self.truncated.iter().filter(|(of, by, _)| *of == shard && *by <= number);
        known.map(|(_, _, upto)| *upto).max()
    }
}

/// The log as of one record: what is being written to, and what is being carried to the tables.
#[derive(Clone)]
pub(super) struct View {
    /// Newest first.
    pub(super) parts: [Option<Arc<Recent>>; 2],
    /// The last record that it sees.
    pub(super) number: u64,
}

impl View {
    fn parts(&self) -> impl Iterator<Item = &Recent> {
        self.parts.iter().flatten().map(|part| &**part)
    }
}

impl View {
    /// Returns the position of a shard's last entry; zero when there is none.
    pub(super) fn last_entry(&self, shard: u32) -> Lsn {
        let all = (shard, 0)..=(shard, Lsn::MAX);
        let last =
            |part: &Recent| part.content().journal.range(all.clone()).next_back().map(|at| at.0.1);
        self.parts().filter_map(last).max().unwrap_or(0)
    }
}

impl Overlay for View {
    fn find(&self, table: Table, key: &str) -> Above {
        let found = self.parts().find_map(|part| {
            let content = part.content();
            let versions = content.tables.get(&table)?.get(key)?;
            versions.as_of(self.number).map(Above::from)
        });
        found.unwrap_or(Above::Nothing)
    }

    fn range(
        &self,
        table: Table,
        from: Bound<&str>,
        prefix: &str,
        limit: usize,
    ) -> Vec<(String, Option<Vec<u8>>)> {
        let mut found: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
        for part in self.parts() {
            let content = part.content();
            let Some(rows) = content.tables.get(&table) else { continue };
            let rows = rows
                .range::<str, _>((from, Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .filter_map(|(key, versions)| Some((key, versions.as_of(self.number)?)))
                .take(limit);
            for (key, value) in rows {
                // The newer part comes first.
                if !found.contains_key(key) {
                    found.insert(key.clone(), value.clone());
                }
            }
        }
        found.into_iter().take(limit).collect()
    }

    fn entries(&self, shard: u32, after: Lsn, limit: usize) -> Vec<JournalEntry> {
        let mut found = Vec::new();
        // Positions grow, so that the older part comes first.
        for part in self.parts.iter().rev().flatten() {
            let content = part.content();
            let range = (Bound::Excluded((shard, after)), Bound::Included((shard, Lsn::MAX)));
            let entries = content.journal.range(range);
            let seen = entries.filter(|(_, (by, _))| *by <= self.number);
            let left = limit.saturating_sub(found.len());
            found.extend(
                seen.take(left)
                    .map(|((_, lsn), (_, bytes))| JournalEntry { lsn: *lsn, bytes: bytes.clone() }),
            );
        }
        found
    }

    fn truncated(&self, shard: u32) -> Lsn {
        let known = self.parts().filter_map(|part| part.content().truncated(shard, self.number));
        known.max().unwrap_or(0)
    }
}
