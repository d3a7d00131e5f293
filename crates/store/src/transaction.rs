//! What work inside the store can do.

use crate::{Error, Lease, Table};

/// A position in the journal: grows by one with every entry of a shard, never reused.
pub type Lsn = u64;

/// How many rows one scan returns at most.
pub const SCAN_ROWS_MAX: usize = 10_000;

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its position.
    pub lsn: Lsn,
    /// What was appended.
    pub bytes: Vec<u8>,
}

/// Which rows of a table to read, in key order.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'k> {
    /// Keys that start with this.
    pub prefix: &'k str,
    /// Only keys greater than this one, for paging.
    pub after: Option<&'k str>,
    /// At most this many rows.
    pub limit: usize,
}

impl<'k> Scan<'k> {
    /// Returns a scan over all keys with this prefix.
    pub fn prefix(prefix: &'k str) -> Scan<'k> {
        Scan { prefix, after: None, limit: SCAN_ROWS_MAX }
    }

    /// Returns the scan, starting behind `key`.
    #[must_use]
    pub fn after(self, key: Option<&'k str>) -> Scan<'k> {
        Scan { after: key, ..self }
    }

    /// Returns the scan with at most `limit` rows.
    #[must_use]
    pub fn limit(self, limit: usize) -> Scan<'k> {
        Scan { limit: limit.min(SCAN_ROWS_MAX), ..self }
    }
}

/// Reads on a consistent snapshot.
pub trait Read {
    /// Returns the value at a key.
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Returns the values at some keys, in the order of the keys: one question, where each is a
    /// journey to a database.
    fn get_all(&self, table: Table, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        keys.iter().map(|key| self.get(table, key)).collect()
    }

    /// Returns rows in key order.
    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error>;

    /// Returns at most `limit` journal entries of a shard behind `after`, oldest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when an entry's checksum does not hold.
    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error>;

    /// Returns the tables that there are: a backup, or a directory that nobody has opened since,
    /// may be older than some.
    ///
    /// # Errors
    /// When the store failed.
    fn tables(&self) -> Result<Vec<Table>, Error> {
        Ok(Table::ALL.to_vec())
    }
}

/// Reads and writes that become durable together.
pub trait Transaction: Read {
    /// Sets the value at a key.
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error>;

    /// Removes a key; returns whether it was there.
    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error>;

    /// Adds a journal entry at its position. For restoring backups: shards use
    /// [`Store::commit`](crate::Store::commit).
    fn append(&mut self, shard: u32, entry: &JournalEntry) -> Result<(), Error>;

    /// Makes sure that the lease is the newest of its shard. Those that come after this transaction
    /// see what it has written.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another node owns the shard now.
    fn expect_owner(&mut self, lease: Lease) -> Result<(), Error>;

    /// Removes every row and every journal entry.
    fn clear(&mut self) -> Result<(), Error>;

    /// Returns this transaction for reading.
    fn as_read(&self) -> &dyn Read;
}

/// Reads of a store that could not be opened for reading: each answers with the reason.
pub(crate) struct Failed(pub(crate) Error);

impl Read for Failed {
    fn get(&self, _: Table, _: &str) -> Result<Option<Vec<u8>>, Error> {
        Err(self.0.clone())
    }

    fn scan(&self, _: Table, _: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        Err(self.0.clone())
    }

    fn journal(&self, _: u32, _: Lsn, _: usize) -> Result<Vec<JournalEntry>, Error> {
        Err(self.0.clone())
    }
}
