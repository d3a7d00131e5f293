//! Reads and writes of one transaction.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::connection::{Connection, Param};
use super::keys;
use super::pool::Pool;
use crate::{Error, JournalEntry, Lease, Lsn, Read, Scan, Table, Transaction, frame};

const GET: &str = "SELECT value FROM stepwell_rows WHERE tab = $1 AND key = $2";
const GET_ALL: &str = "SELECT key, value FROM stepwell_rows WHERE tab = $1 AND key = ANY($2)";
const PRESENT: &str = "SELECT key FROM stepwell_rows WHERE tab = $1 AND key = ANY($2)";
const SCAN_FROM: &str = "SELECT key, value FROM stepwell_rows \
    WHERE tab = $1 AND key >= $2 AND key < $4 ORDER BY key LIMIT $3";
const SCAN_BEHIND: &str = "SELECT key, value FROM stepwell_rows \
    WHERE tab = $1 AND key > $2 AND key < $4 ORDER BY key LIMIT $3";
const SCAN_FROM_WITHOUT_END: &str = "SELECT key, value FROM stepwell_rows \
    WHERE tab = $1 AND key >= $2 ORDER BY key LIMIT $3";
const SCAN_BEHIND_WITHOUT_END: &str = "SELECT key, value FROM stepwell_rows \
    WHERE tab = $1 AND key > $2 ORDER BY key LIMIT $3";
const JOURNAL: &str = "SELECT lsn, crc, bytes FROM stepwell_journal \
    WHERE shard = $1 AND lsn > $2 ORDER BY lsn LIMIT $3";
const PUT: &str = "INSERT INTO stepwell_rows (tab, key, value) VALUES ($1, $2, $3) \
    ON CONFLICT (tab, key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM stepwell_rows WHERE tab = $1 AND key = $2 RETURNING 1";
const APPEND: &str =
    "INSERT INTO stepwell_journal (shard, lsn, crc, bytes) VALUES ($1, $2, $3, $4)";
const OWNED: &str = "SELECT 1 FROM stepwell_shards WHERE shard = $1 AND epoch = $2";
const CLEAR: &str = "DELETE FROM stepwell_rows; DELETE FROM stepwell_journal";
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whoever can answer questions within one transaction.
pub(super) trait Ask {
    fn ask(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, Error>;
}

/// Returns a number as the database keeps it.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns a number that the database keeps.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Returns a column of a row.
pub(super) fn column<'r, T: FromSql<'r>>(row: &'r Row, number: usize) -> Result<T, Error> {
    row.try_get(number).map_err(|err| Error::Corrupt {
        place: format!("column {number} of an answer"),
        what: err.to_string(),
    })
}

fn opened(table: Table, key: &str, row: &Row, number: usize) -> Result<Vec<u8>, Error> {
    frame::open(table, key, column(row, number)?)
}

/// A transaction, read.
pub(super) struct Rows<A>(pub(super) A);

impl<A: Ask> Rows<A> {
    /// Returns which of some rows are there, in the order of the keys.
    pub(super) fn present(&self, table: Table, keys: &[&str]) -> Result<Vec<bool>, Error> {
        let wanted: Vec<_> = keys.iter().map(|key| keys::encode(key)).collect();
        let wanted: Vec<&str> = wanted.iter().map(|key| &**key).collect();
        let rows = self.0.ask(PRESENT, &[&table.id(), &wanted])?;
        let found = rows.iter().map(|row| column(row, 0)).collect::<Result<HashSet<&str>, _>>()?;
        Ok(wanted.iter().map(|key| found.contains(key)).collect())
    }
}

impl<A: Ask> Read for Rows<A> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let rows = self.0.ask(GET, &[&table.id(), &&*keys::encode(key)])?;
        rows.first().map(|row| opened(table, key, row, 0)).transpose()
    }

    fn get_all(&self, table: Table, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let wanted: Vec<_> = keys.iter().map(|key| keys::encode(key)).collect();
        let wanted: Vec<&str> = wanted.iter().map(|key| &**key).collect();
        let rows = self.0.ask(GET_ALL, &[&table.id(), &wanted])?;
        let named = |row| Ok((column::<&str>(row, 0)?, row));
        let found = rows.iter().map(named).collect::<Result<HashMap<&str, &Row>, Error>>()?;
        let value = |(key, kept): (&&str, &&str)| {
            found.get(kept).map(|row| opened(table, key, row, 1)).transpose()
        };
        keys.iter().zip(&wanted).map(value).collect()
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let (behind, from) = match scan.after {
            Some(after) if after >= scan.prefix => (true, after),
            Some(_) | None => (false, scan.prefix),
        };
        let (from, end) = (keys::encode(from), keys::end_of(&keys::encode(scan.prefix)));
        let (tab, from) = (table.id(), &*from);
        let limit = i64::try_from(scan.limit).unwrap_or(i64::MAX);
        let rows = match (behind, &end) {
            (false, Some(end)) => self.0.ask(SCAN_FROM, &[&tab, &from, &limit, end]),
            (true, Some(end)) => self.0.ask(SCAN_BEHIND, &[&tab, &from, &limit, end]),
            (false, None) => self.0.ask(SCAN_FROM_WITHOUT_END, &[&tab, &from, &limit]),
            (true, None) => self.0.ask(SCAN_BEHIND_WITHOUT_END, &[&tab, &from, &limit]),
        }?;
        let row = |row: &Row| {
            let key = keys::decode(column(row, 0)?);
            let value = opened(table, &key, row, 1)?;
            Ok((key, value))
        };
        rows.iter().map(row).collect()
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.0.ask(JOURNAL, &[&shard_number(shard), &integer(after), &limit])?;
        let entry = |row: &Row| {
            let lsn = unsigned(column(row, 0)?);
            let (crc, bytes): (i64, Vec<u8>) = (column(row, 1)?, column(row, 2)?);
            if i64::from(crc32fast::hash(&bytes)) == crc {
                return Ok(JournalEntry { lsn, bytes });
            }
            Err(Error::Corrupt {
                place: format!("journal {shard}/{lsn}"),
                what: "the checksum does not hold".into(),
            })
        };
        rows.iter().map(entry).collect()
    }
}

/// Returns a shard's number as the database keeps it.
pub(super) fn shard_number(shard: u32) -> i32 {
    i32::try_from(shard).unwrap_or(i32::MAX)
}

/// What is committed at the moment of the first question. Nothing is asked of the server before,
/// and its transaction begins on the way of that question.
pub(super) struct Snapshot<'p> {
    pool: &'p Pool,
    connection: RefCell<Option<Connection>>,
}

impl<'p> Snapshot<'p> {
    pub(super) fn new(pool: &'p Pool) -> Snapshot<'p> {
        Snapshot { pool, connection: RefCell::new(None) }
    }
}

impl Ask for Snapshot<'_> {
    fn ask(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, Error> {
        let mut kept = self.connection.borrow_mut();
        if let Some(connection) = kept.as_mut() {
            return connection.query(sql, params);
        }
        let mut connection = self.pool.take()?;
        let mut rows = connection.query_behind(BEGIN, sql, params);
        if rows.is_err() && connection.is_broken() {
            connection = self.pool.replace(connection)?;
            rows = connection.query_behind(BEGIN, sql, params);
        }
        *kept = Some(connection);
        rows
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            // Nothing was written: if this fails, whoever takes the connection next notices.
            if !connection.is_broken() {
                let _ = connection.post_batch("COMMIT");
            }
            self.pool.give_back(connection);
        }
    }
}

/// A single question, which needs no transaction around it: it sees what was committed before it.
pub(super) struct Question<'p> {
    pool: &'p Pool,
}

impl<'p> Question<'p> {
    pub(super) fn new(pool: &'p Pool) -> Question<'p> {
        Question { pool }
    }
}

impl Ask for Question<'_> {
    fn ask(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, Error> {
        let mut connection = self.pool.take()?;
        let mut rows = connection.query(sql, params);
        if rows.is_err() && connection.is_broken() {
            connection = self.pool.replace(connection)?;
            rows = connection.query(sql, params);
        }
        self.pool.give_back(connection);
        rows
    }
}

/// The transaction that a job writes in.
pub(super) struct Writing<'c>(RefCell<&'c mut Connection>);

impl Ask for Writing<'_> {
    fn ask(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, Error> {
        self.0.borrow_mut().query(sql, params)
    }
}

impl<'c> Rows<Writing<'c>> {
    pub(super) fn of(connection: &'c mut Connection) -> Rows<Writing<'c>> {
        Rows(Writing(RefCell::new(connection)))
    }
}

/// Writes are sent and not waited for: whoever ends the transaction hears if one has failed.
impl Transaction for Rows<Writing<'_>> {
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error> {
        let sealed = frame::seal(table, key, value.to_vec());
        self.0.0.get_mut().post(PUT, &[&table.id(), &&*keys::encode(key), &sealed])
    }

    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error> {
        let rows = self.0.ask(DELETE, &[&table.id(), &&*keys::encode(key)])?;
        Ok(!rows.is_empty())
    }

    fn append(&mut self, shard: u32, entry: &JournalEntry) -> Result<(), Error> {
        let (shard, lsn) = (shard_number(shard), integer(entry.lsn));
        let crc = i64::from(crc32fast::hash(&entry.bytes));
        self.0.0.get_mut().post(APPEND, &[&shard, &lsn, &crc, &entry.bytes])
    }

    /// No lock: another owner's changes of the control plane wait for this transaction's end, and
    /// those that did not have to are seen by this question.
    fn expect_owner(&mut self, lease: Lease) -> Result<(), Error> {
        let Lease { shard, epoch } = lease;
        let rows = self.0.ask(OWNED, &[&shard_number(shard), &integer(epoch)])?;
        if rows.is_empty() { Err(Error::Fenced { shard }) } else { Ok(()) }
    }

    fn clear(&mut self) -> Result<(), Error> {
        self.0.0.get_mut().batch(CLEAR)
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
