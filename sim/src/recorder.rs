//! A transaction that remembers what was written in it.

use store::{Error, JournalEntry, Lease, Lsn, Read, Scan, Table, Transaction};

/// Passes everything on, and remembers it.
pub(crate) struct Recorder<'t> {
    inner: &'t mut dyn Transaction,
    /// What was put, in order.
    pub(crate) puts: Vec<(Table, String)>,
    /// What was deleted, in order.
    pub(crate) deletes: Vec<(Table, String)>,
}

impl<'t> Recorder<'t> {
    pub(crate) fn new(inner: &'t mut dyn Transaction) -> Recorder<'t> {
        Recorder { inner, puts: Vec::new(), deletes: Vec::new() }
    }
}

impl Read for Recorder<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(table, key)
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        self.inner.scan(table, scan)
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        self.inner.journal(shard, after, limit)
    }
}

impl Transaction for Recorder<'_> {
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error> {
        self.puts.push((table, key.to_owned()));
        self.inner.put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error> {
        self.deletes.push((table, key.to_owned()));
        self.inner.delete(table, key)
    }

    fn expect_owner(&mut self, lease: Lease) -> Result<(), Error> {
        self.inner.expect_owner(lease)
    }

    fn append(&mut self, shard: u32, entry: &JournalEntry) -> Result<(), Error> {
        self.inner.append(shard, entry)
    }

    fn clear(&mut self) -> Result<(), Error> {
        self.inner.clear()
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
