//! The formats of a directory, and the way from each to the next.
//!
//! 1. Values bare; the last journal positions in a table of their own.
//! 2. Values sealed with a checksum; a shard's last position is that of its checkpoint, a row among
//!    the settings of the runtime, or of its last journal entry.
//! 3. Secrets may be sealed with a key (`sealed`). Nothing else differs, so that backups of format
//!    2 are read as they are.
//! 4. What was committed last may stand in the commit log only; a table of one row says up to where
//!    the others have it. Backups have everything in the tables.
//!
//! A newer format is refused. An older one is brought up to date in one transaction, so that a
//! crash leaves the old one.

use rusqlite::{Connection, TransactionBehavior, params};

use crate::{Error, SHARDS, Table, frame};

/// The format this code writes; a directory of a newer one is refused.
const FORMAT: i64 = 4;
/// The format since which there is a commit log.
const LOG_SINCE: i64 = 4;
/// The oldest format that is read without being brought up to date.
const READABLE_MIN: i64 = 2;

/// Returns the key of the setting that holds the position up to which a shard's journal was
/// truncated.
fn checkpoint_key(shard: u32) -> String {
    format!("checkpoint/{shard:04}")
}

/// Creates what is missing, and brings an older format up to date.
///
/// # Errors
/// When the format is newer than this code.
pub(super) fn to_current(connection: &mut Connection) -> Result<(), Error> {
    let found = expect_known(connection)?;
    // Whoever cannot write does not start, although there may be nothing to write yet.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    create(&tx)?;
    if found == 1 {
        seal_values(&tx)?;
        keep_positions(&tx)?;
    }
    // Setting it writes even when it is the same.
    if found != FORMAT {
        tx.pragma_update(None, "user_version", FORMAT)?;
    }
    tx.commit()?;
    Ok(())
}

/// Refuses formats newer than this code; returns which one it is.
pub(super) fn expect_known(connection: &Connection) -> Result<i64, Error> {
    match format(connection)? {
        found if FORMAT < found => Err(Error::Format { found, known: FORMAT }),
        found => Ok(found),
    }
}

/// Refuses formats that cannot be read as they are. Returns whether there may be a commit log.
pub(super) fn expect_readable(connection: &Connection) -> Result<bool, Error> {
    match format(connection)? {
        found @ READABLE_MIN..=FORMAT => Ok(LOG_SINCE <= found),
        found if found < READABLE_MIN => Err(Error::Backend(format!(
            "the data directory has format {found}: start a server on it once, which brings it up \
             to format {FORMAT}"
        ))),
        found => Err(Error::Format { found, known: FORMAT }),
    }
}

fn format(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn create(connection: &Connection) -> Result<(), Error> {
    let tables: Vec<String> = Table::ALL
        .iter()
        .map(|table| {
            format!(
                "CREATE TABLE IF NOT EXISTS {} (key TEXT PRIMARY KEY, value BLOB NOT NULL) \
                 WITHOUT ROWID;",
                table.name()
            )
        })
        .collect();
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS journal \
         (shard INTEGER NOT NULL, lsn INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL, \
         PRIMARY KEY (shard, lsn)) WITHOUT ROWID; \
         CREATE TABLE IF NOT EXISTS commit_log (number INTEGER NOT NULL, salt INTEGER NOT NULL); \
         INSERT INTO commit_log (number, salt) SELECT 0, random() & 0xffffffff \
         WHERE NOT EXISTS (SELECT 1 FROM commit_log); {}",
        tables.concat()
    ))?;
    Ok(())
}

/// From 1 to 2: puts a checksum behind every value.
fn seal_values(connection: &Connection) -> Result<(), Error> {
    for table in Table::ALL {
        let name = table.name();
        let mut rows = connection.prepare(&format!("SELECT key, value FROM {name}"))?;
        let rows: Vec<(String, Vec<u8>)> =
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut update =
            connection.prepare(&format!("UPDATE {name} SET value = ?2 WHERE key = ?1"))?;
        for (key, value) in rows {
            let sealed = frame::seal(*table, &key, value);
            update.execute(params![key, sealed])?;
        }
    }
    Ok(())
}

/// From 1 to 2: the position behind which each journal begins becomes a setting.
fn keep_positions(connection: &Connection) -> Result<(), Error> {
    for shard in 0..SHARDS {
        let truncated: i64 = connection.query_row(
            "SELECT coalesce((SELECT min(lsn) - 1 FROM journal WHERE shard = ?1), \
                 (SELECT lsn FROM journal_last WHERE shard = ?1), 0)",
            [shard],
            |row| row.get(0),
        )?;
        let (table, key) = (Table::RuntimeSettings, checkpoint_key(shard));
        let sealed = frame::seal(table, &key, truncated.to_string().into_bytes());
        let insert = format!("INSERT INTO {} (key, value) VALUES (?1, ?2)", table.name());
        connection.execute(&insert, params![key, sealed])?;
    }
    connection.execute_batch("DROP TABLE journal_last")?;
    Ok(())
}
