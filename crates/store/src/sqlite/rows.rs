//! Reads and writes of one SQLite transaction.

use std::collections::HashSet;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, params};

use crate::{Error, JournalEntry, Lease, Lsn, Read, Scan, Table, Transaction, frame};

/// Reads on whatever transaction the connection is in; writes too, on the writer's.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection) -> Rows<'c> {
        Rows { connection }
    }
}

/// The statements on one table.
struct Statements {
    get: String,
    put: String,
    delete: String,
    scan_from: String,
    scan_behind: String,
}

static STATEMENTS: LazyLock<Vec<Statements>> = LazyLock::new(|| {
    let of = |table: &Table| {
        let name = table.name();
        let scan = |operator| {
            format!("SELECT key, value FROM {name} WHERE key {operator} ?1 ORDER BY key LIMIT ?2")
        };
        Statements {
            get: format!("SELECT value FROM {name} WHERE key = ?1"),
            put: format!("INSERT OR REPLACE INTO {name} (key, value) VALUES (?1, ?2)"),
            delete: format!("DELETE FROM {name} WHERE key = ?1"),
            scan_from: scan(">="),
            scan_behind: scan(">"),
        }
    };
    Table::ALL.iter().map(of).collect()
});

fn statements(table: Table) -> Result<&'static Statements, Error> {
    let found = STATEMENTS.get(table as usize);
    found.ok_or_else(|| Error::Backend(format!("there is no table {}", table.name())))
}

fn integer(lsn: Lsn) -> i64 {
    i64::try_from(lsn).unwrap_or(i64::MAX)
}

fn position(lsn: i64) -> Lsn {
    Lsn::try_from(lsn).unwrap_or(0)
}

/// Sets a row.
pub(super) fn put(
    connection: &Connection,
    table: Table,
    key: &str,
    value: Vec<u8>,
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(&statements(table)?.put)?;
    statement.execute(params![key, frame::seal(table, key, value)])?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, table: Table, key: &str) -> Result<bool, Error> {
    Ok(connection.prepare_cached(&statements(table)?.delete)?.execute([key])? > 0)
}

pub(super) fn append(
    connection: &Connection,
    shard: u32,
    lsn: Lsn,
    bytes: &[u8],
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO journal (shard, lsn, crc, bytes) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![shard, integer(lsn), crc32fast::hash(bytes), bytes])?;
    Ok(())
}

pub(super) fn truncate(connection: &Connection, shard: u32, upto: Lsn) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM journal WHERE shard = ?1 AND lsn <= ?2")?
        .execute(params![shard, integer(upto)])?;
    Ok(())
}

impl Read for Rows<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let mut statement = self.connection.prepare_cached(&statements(table)?.get)?;
        let found: Option<Vec<u8>> = statement.query_row([key], |row| row.get(0)).optional()?;
        found.map(|sealed| frame::open(table, key, sealed)).transpose()
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let statements = statements(table)?;
        let (sql, from) = match scan.after {
            Some(after) if after >= scan.prefix => (&statements.scan_behind, after),
            Some(_) | None => (&statements.scan_from, scan.prefix),
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![from, i64::try_from(scan.limit).unwrap_or(0)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            // The row that ends the scan is looked at too: its key may be a damaged one.
            let value = frame::open(table, &key, row.get(1)?)?;
            if !key.starts_with(scan.prefix) {
                break;
            }
            found.push((key, value));
        }
        Ok(found)
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT lsn, crc, bytes FROM journal WHERE shard = ?1 AND lsn > ?2 \
             ORDER BY lsn LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![shard, integer(after), limit])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let lsn = position(row.get(0)?);
            let crc: u32 = row.get(1)?;
            let bytes: Vec<u8> = row.get(2)?;
            if crc32fast::hash(&bytes) != crc {
                return Err(Error::Corrupt {
                    place: format!("journal {shard}/{lsn}"),
                    what: "the checksum does not hold".into(),
                });
            }
            entries.push(JournalEntry { lsn, bytes });
        }
        Ok(entries)
    }

    fn tables(&self) -> Result<Vec<Table>, Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let names = statement.query_map([], |row| row.get(0))?;
        let names: HashSet<String> = names.collect::<Result<_, _>>()?;
        Ok(Table::ALL.iter().copied().filter(|table| names.contains(table.name())).collect())
    }
}

impl Transaction for Rows<'_> {
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error> {
        put(self.connection, table, key, value.to_vec())
    }

    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error> {
        delete(self.connection, table, key)
    }

    fn append(&mut self, shard: u32, entry: &JournalEntry) -> Result<(), Error> {
        append(self.connection, shard, entry.lsn, &entry.bytes)
    }

    /// The directory has one owner for as long as it is open.
    fn expect_owner(&mut self, _: Lease) -> Result<(), Error> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Error> {
        let deletes: Vec<String> =
            Table::ALL.iter().map(|table| format!("DELETE FROM {};", table.name())).collect();
        self.connection.execute_batch(&format!("{} DELETE FROM journal;", deletes.concat()))?;
        Ok(())
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
