//! The store in a directory: SQLite with a write-ahead log, synced at every commit.
//!
//! One thread writes. It takes every job that is waiting, runs each in a savepoint, commits once
//! and then tells everybody: the slower the disk, the larger the commits. Readers have connections
//! of their own and see the last commit.

mod rows;
mod writer;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};

use crate::{Backend, Error, Job, Read, Table, Verdict};

/// The format this code writes; a directory of a newer one is refused.
const FORMAT: i64 = 1;
/// How many idle read connections are kept.
const READERS_KEPT_MAX: usize = 4;
/// Prepared statements kept by each connection.
const STATEMENTS_KEPT_MAX: usize = 128;
/// Page cache of each connection, in KiB.
const CACHE_KIB: i64 = 2048;

impl From<rusqlite::Error> for Error {
    fn from(err: rusqlite::Error) -> Error {
        Error::Backend(err.to_string())
    }
}

pub(crate) struct Sqlite {
    writer: writer::Writer,
    readers: Mutex<Vec<Connection>>,
    file: std::path::PathBuf,
    /// Held for the life of the process, so that nobody else opens the directory.
    _lock: File,
}

impl Sqlite {
    pub(crate) fn open(directory: &Path) -> Result<Sqlite, Error> {
        let failed = |what: &str, err: std::io::Error| {
            Error::Backend(format!("cannot {what} in `{}`: {err}", directory.display()))
        };
        std::fs::create_dir_all(directory).map_err(|err| failed("create the directory", err))?;
        let lock = File::create(directory.join("lock")).map_err(|err| failed("write", err))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse(directory.display().to_string()));
            }
            Err(TryLockError::Error(err)) => return Err(failed("lock", err)),
        }
        let file = directory.join("stepwell.sqlite");
        let connection = Connection::open(&file)?;
        tune(&connection)?;
        create(&connection)?;
        let writer = writer::Writer::start(connection)?;
        Ok(Sqlite { writer, readers: Mutex::new(Vec::new()), file, _lock: lock })
    }

    fn reader(&self) -> Result<Connection, Error> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
        Ok(connection)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS_KEPT_MAX {
            idle.push(connection);
        }
    }
}

fn tune(connection: &Connection) -> Result<(), Error> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    Ok(())
}

/// Creates what is missing and refuses a format from the future.
fn create(connection: &Connection) -> Result<(), Error> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > FORMAT {
        return Err(Error::Format { found, known: FORMAT });
    }
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
        "BEGIN; CREATE TABLE IF NOT EXISTS journal \
         (shard INTEGER NOT NULL, lsn INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL, \
         PRIMARY KEY (shard, lsn)) WITHOUT ROWID; \
         CREATE TABLE IF NOT EXISTS journal_last \
         (shard INTEGER PRIMARY KEY, lsn INTEGER NOT NULL); \
         {} PRAGMA user_version = {FORMAT}; COMMIT;",
        tables.concat()
    ))?;
    Ok(())
}

impl Backend for Sqlite {
    fn submit(&self, job: Job) {
        self.writer.submit(job);
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        let mut connection = self.reader()?;
        {
            let snapshot = connection.transaction()?;
            work(&rows::Rows::new(&snapshot));
            snapshot.finish()?;
        }
        self.keep(connection);
        Ok(())
    }

    fn reset(&self) -> Result<(), Error> {
        let (done_in, done_out) = std::sync::mpsc::sync_channel(1);
        self.submit(Job {
            work: Box::new(|tx| match rows::clear(tx) {
                Ok(()) => Verdict::Keep,
                Err(_) => Verdict::Discard,
            }),
            done: Box::new(move |outcome| {
                let _ = done_in.send(outcome);
            }),
        });
        done_out.recv().map_err(|_| Error::Closed)?
    }
}
