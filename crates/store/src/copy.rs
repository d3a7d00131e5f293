//! Everything a store holds, from one to another: backups, and bringing them back.
//!
//! A copy is made within one snapshot of the one and one transaction of the other, whatever the
//! backends are. What was read is counted and summed up; a backup carries the sum, so that one that
//! has lost anything is refused before anything is written.

use std::fmt;
use std::path::Path;

use crate::{Error, JournalEntry, Lsn, Read, SHARDS, Scan, Store, Table, Transaction, sqlite};

/// How many rows or entries are read at a time; each may be as large as a state may.
const READ_AT_ONCE: usize = 128;

/// What a copy holds, or what of it has been seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of all tables.
    pub rows: u64,
    /// Entries of all journals.
    pub entries: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// CRC-32 of everything, in order.
    pub checksum: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { rows, entries, bytes, checksum } = self;
        write!(f, "{rows} rows, {entries} entries, {bytes} bytes with the sum {checksum:08x}")
    }
}

/// Why a backup was not brought back. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RestoreError {
    /// One of the stores failed, or the backup is damaged.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is something in the store already.
    #[error("the store is not empty: backups are brought back into an empty one only")]
    NotEmpty,
    /// The backup is whole by the look of it, but holds something else than was put into it.
    #[error("the backup is damaged: {found} was read, {sealed} was written")]
    Different {
        /// What it holds.
        found: Counts,
        /// What it says it holds.
        sealed: Counts,
    },
}

/// What is copied.
enum Item<'a> {
    Row(Table, &'a str, &'a [u8]),
    Entry(u32, &'a JournalEntry),
}

/// Looks at everything in order; `seen` hears after every few how much that was. The names of
/// `tables` are summed too: those of the place that keeps the sum. What an older server wrote may
/// lack some of them.
fn walk(
    from: &dyn Read,
    tables: &[Table],
    mut take: impl FnMut(Item<'_>) -> Result<(), Error>,
    mut seen: impl FnMut(Counts),
) -> Result<Counts, Error> {
    let mut counts = Counts::default();
    let mut sum = crc32fast::Hasher::new();
    let there = from.tables()?;
    for &table in tables {
        sum.update(table.name().as_bytes());
        if !there.contains(&table) {
            continue;
        }
        let mut after: Option<String> = None;
        loop {
            let scan = Scan::prefix("").after(after.as_deref()).limit(READ_AT_ONCE);
            let rows = from.scan(table, scan)?;
            for (key, value) in &rows {
                counts.rows += 1;
                counts.add(&mut sum, key.as_bytes());
                counts.add(&mut sum, value);
                take(Item::Row(table, key, value))?;
            }
            seen(counts);
            let Some((last, _)) = rows.into_iter().next_back() else { break };
            after = Some(last);
        }
    }
    for shard in 0..SHARDS {
        let mut after: Lsn = 0;
        loop {
            let entries = from.journal(shard, after, READ_AT_ONCE)?;
            for entry in &entries {
                counts.entries += 1;
                counts.add(&mut sum, &entry.lsn.to_be_bytes());
                counts.add(&mut sum, &entry.bytes);
                take(Item::Entry(shard, entry))?;
            }
            seen(counts);
            let Some(last) = entries.last() else { break };
            after = last.lsn;
        }
    }
    counts.checksum = sum.finalize();
    Ok(counts)
}

impl Counts {
    fn add(&mut self, sum: &mut crc32fast::Hasher, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        sum.update(&(bytes.len() as u64).to_be_bytes());
        sum.update(bytes);
    }
}

/// Copies everything that a snapshot holds into a transaction on an empty store.
///
/// # Errors
/// When one of the two failed, or what is read is damaged.
pub fn copy(
    from: &dyn Read,
    to: &mut dyn Transaction,
    seen: impl FnMut(Counts),
) -> Result<Counts, Error> {
    copy_tables(from, to, &from.tables()?, seen)
}

fn copy_tables(
    from: &dyn Read,
    to: &mut dyn Transaction,
    tables: &[Table],
    seen: impl FnMut(Counts),
) -> Result<Counts, Error> {
    let put = |item: Item<'_>| match item {
        Item::Row(table, key, value) => to.put(table, key, value),
        Item::Entry(shard, entry) => to.append(shard, entry),
    };
    walk(from, tables, put, seen)
}

/// Returns whether there is nothing in a store.
///
/// # Errors
/// When the store failed.
pub fn is_empty(store: &dyn Read) -> Result<bool, Error> {
    for table in Table::ALL {
        if !store.scan(*table, Scan::prefix("").limit(1))?.is_empty() {
            return Ok(false);
        }
    }
    for shard in 0..SHARDS {
        if !store.journal(shard, 0, 1)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A backup that was read from end to end.
pub struct Backup {
    store: Store,
    counts: Counts,
}

impl Backup {
    /// Opens a backup and reads all of it: every checksum, and the sum of everything.
    ///
    /// # Errors
    /// When it is no backup, of another format, or damaged; the error names the place.
    pub fn open(file: &Path, seen: impl FnMut(Counts)) -> Result<Backup, RestoreError> {
        let (backend, sealed) = sqlite::open_backup(file)?;
        let store = Store::on(std::sync::Arc::new(backend));
        let found = store.read(|tx| walk(tx, &tx.tables()?, |_| Ok(()), seen))?;
        if found != sealed {
            return Err(RestoreError::Different { found, sealed });
        }
        Ok(Backup { store, counts: found })
    }

    /// Returns the id of the key that its secrets are sealed with; `None` when they are not.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn key_id(&self) -> Result<Option<String>, Error> {
        self.store.key_id()
    }

    /// Returns what it holds.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl Store {
    /// Writes everything that the store holds at this moment into a new file; others may write to
    /// the store meanwhile. What is sealed in the store is sealed in the file, which appears under
    /// its name when it is whole and on disk.
    ///
    /// # Errors
    /// When there is a file of this name, the disk is full, or what is read is damaged.
    pub fn back_up(&self, file: &Path, mut seen: impl FnMut(Counts)) -> Result<Counts, Error> {
        self.as_kept().read(|from| {
            sqlite::write_backup(file, &mut |to: &mut dyn Transaction| {
                let tables = to.tables()?;
                copy_tables(from, to, &tables, &mut seen)
            })
        })
    }

    /// Brings a backup back, if the store is empty: all of it, or nothing.
    ///
    /// # Errors
    /// When the store is not empty or failed; then nothing was changed.
    pub async fn restore(
        &self,
        backup: Backup,
        seen: impl FnMut(Counts) + Send + 'static,
    ) -> Result<Counts, RestoreError> {
        let Backup { store, counts: sealed } = backup;
        let kept = self.as_kept();
        let written = kept.write_whole(move |to| -> Result<Counts, RestoreError> {
            if !is_empty(to.as_read())? {
                return Err(RestoreError::NotEmpty);
            }
            let found = store.read(|from| copy(from, to, seen))?;
            // Read once already, but the disk may have changed its mind.
            if found == sealed { Ok(found) } else { Err(RestoreError::Different { found, sealed }) }
        });
        written.await?
    }
}
