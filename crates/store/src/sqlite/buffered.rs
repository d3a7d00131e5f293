//! What one job writes, until it is known whether that is kept.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::log_record::Operation;
use super::merged::{Above, Merged, Overlay};
use crate::{Error, JournalEntry, Lease, Lsn, Read, Scan, Table, Transaction, Write};

type Rows = BTreeMap<String, Option<Vec<u8>>>;

/// Writes that lie over everything else.
#[derive(Default)]
struct Own {
    tables: BTreeMap<Table, Rows>,
}

impl Overlay for Own {
    fn find(&self, table: Table, key: &str) -> Above {
        let found = self.tables.get(&table).and_then(|rows| rows.get(key));
        found.map_or(Above::Nothing, Above::from)
    }

    fn range(
        &self,
        table: Table,
        from: Bound<&str>,
        prefix: &str,
        limit: usize,
    ) -> Vec<(String, Option<Vec<u8>>)> {
        let Some(rows) = self.tables.get(&table) else { return Vec::new() };
        rows.range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn entries(&self, _: u32, _: Lsn, _: usize) -> Vec<JournalEntry> {
        Vec::new()
    }

    fn truncated(&self, _: u32) -> Lsn {
        0
    }
}

/// A job's transaction.
pub(super) struct Buffered<'b> {
    base: &'b dyn Read,
    own: Own,
}

impl<'b> Buffered<'b> {
    pub(super) fn new(base: &'b dyn Read) -> Buffered<'b> {
        Buffered { base, own: Own::default() }
    }

    /// Returns what it has written.
    pub(super) fn into_operations(self) -> impl Iterator<Item = Operation> {
        self.own.tables.into_iter().flat_map(|(table, rows)| {
            rows.into_iter().map(move |(key, value)| {
                Operation::Row(match value {
                    Some(value) => Write::Put(table, key, value),
                    None => Write::Delete(table, key),
                })
            })
        })
    }

    fn merged(&self) -> Merged<'_> {
        Merged { base: self.base, over: &self.own }
    }
}

impl Read for Buffered<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.merged().get(table, key)
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        self.merged().scan(table, scan)
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        self.merged().journal(shard, after, limit)
    }

    fn tables(&self) -> Result<Vec<Table>, Error> {
        self.base.tables()
    }
}

/// Says that a job must have the store to itself for what it asks.
fn not_whole(what: &str) -> Error {
    Error::Backend(format!("only work on the whole store may {what}"))
}

impl Transaction for Buffered<'_> {
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error> {
        let rows = self.own.tables.entry(table).or_default();
        rows.insert(key.to_owned(), Some(value.to_vec()));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error> {
        let existed = self.get(table, key)?.is_some();
        if existed {
            self.own.tables.entry(table).or_default().insert(key.to_owned(), None);
        }
        Ok(existed)
    }

    fn append(&mut self, _: u32, _: &JournalEntry) -> Result<(), Error> {
        Err(not_whole("append to a journal"))
    }

    /// The directory has one owner for as long as it is open.
    fn expect_owner(&mut self, _: Lease) -> Result<(), Error> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Error> {
        Err(not_whole("empty it"))
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
