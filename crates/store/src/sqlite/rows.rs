//! Reads and writes of one SQLite transaction.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{Error, JournalEntry, Lsn, Read, Scan, Table, Transaction};

/// Reads on whatever transaction the connection is in; writes too, on the writer's.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection) -> Rows<'c> {
        Rows { connection }
    }
}

fn integer(lsn: Lsn) -> i64 {
    i64::try_from(lsn).unwrap_or(i64::MAX)
}

fn position(lsn: i64) -> Lsn {
    Lsn::try_from(lsn).unwrap_or(0)
}

/// Empties everything but the last journal positions, which are never given out twice.
pub(super) fn clear(tx: &mut dyn Transaction) -> Result<(), Error> {
    for table in Table::ALL {
        loop {
            let rows = tx.scan(*table, Scan::prefix(""))?;
            if rows.is_empty() {
                break;
            }
            for (key, _) in rows {
                tx.delete(*table, &key)?;
            }
        }
    }
    (0..SHARDS_CLEARED).try_for_each(|shard| tx.truncate(shard, Lsn::MAX))
}

/// More shards than any configuration has.
const SHARDS_CLEARED: u32 = 256;

impl Read for Rows<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let sql = format!("SELECT value FROM {} WHERE key = ?1", table.name());
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let (operator, from) = match scan.after {
            Some(after) if after >= scan.prefix => (">", after),
            Some(_) | None => (">=", scan.prefix),
        };
        let sql = format!(
            "SELECT key, value FROM {} WHERE key {operator} ?1 ORDER BY key LIMIT ?2",
            table.name()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![from, i64::try_from(scan.limit).unwrap_or(0)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            if !key.starts_with(scan.prefix) {
                break;
            }
            found.push((key, row.get(1)?));
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
}

impl Transaction for Rows<'_> {
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error> {
        let sql = format!(
            "INSERT INTO {} (key, value) VALUES (?1, ?2) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            table.name()
        );
        self.connection.prepare_cached(&sql)?.execute(params![key, value])?;
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error> {
        let sql = format!("DELETE FROM {} WHERE key = ?1", table.name());
        Ok(self.connection.prepare_cached(&sql)?.execute([key])? > 0)
    }

    fn append(&mut self, shard: u32, bytes: &[u8]) -> Result<Lsn, Error> {
        let lsn: i64 = self
            .connection
            .prepare_cached(
                "INSERT INTO journal_last (shard, lsn) VALUES (?1, 1) \
                 ON CONFLICT (shard) DO UPDATE SET lsn = lsn + 1 RETURNING lsn",
            )?
            .query_row([shard], |row| row.get(0))?;
        self.connection
            .prepare_cached("INSERT INTO journal (shard, lsn, crc, bytes) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![shard, lsn, crc32fast::hash(bytes), bytes])?;
        Ok(position(lsn))
    }

    fn truncate(&mut self, shard: u32, upto: Lsn) -> Result<(), Error> {
        self.connection
            .prepare_cached("DELETE FROM journal WHERE shard = ?1 AND lsn <= ?2")?
            .execute(params![shard, integer(upto)])?;
        Ok(())
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
