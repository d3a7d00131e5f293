//! The store in a directory: SQLite, and before it a log that every commit goes into.
//!
//! One at a time writes, and a commit is one record at the end of the log (`commit_log`). What the
//! tables do not have yet is in memory (`recent`) until a thread has carried it over (`ahead`).
//! Readers have connections of their own and see the last commit (`snapshot`).

mod ahead;
mod backup;
mod buffered;
mod check;
mod commit_log;
mod disk;
mod log_record;
mod merged;
mod migrate;
mod positions;
mod recent;
mod rows;
mod session;
#[cfg(test)]
mod simulated;
mod snapshot;
mod tables;
mod wal;

use std::fs::{DirBuilder, File, TryLockError};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use ahead::Ahead;
pub(crate) use backup::{open_backup, write_backup};
pub use check::{Checked, FINDINGS_MAX, Finding, check};
use commit_log::CommitLog;
use disk::{Directory, Disk};
use merged::{Above, Overlay};
use recent::Recent;
use snapshot::{Over, Snapshot};
use tables::Tables;

use crate::writer::{WhoWrites, Writer};
use crate::{
    Backend, Claim, Commit, Done, Error, Figures, Job, Lease, Leases, Read, SHARDS, Table, Verdict,
};

/// The file in the directory.
const FILE: &str = "stepwell.sqlite";
/// The file whose lock says that the directory is in use.
const LOCK: &str = "lock";
/// How long to wait for the lock.
const LOCK_WAIT_MAX: Duration = Duration::from_millis(200);
/// How many idle read connections are kept.
const READERS_KEPT_MAX: usize = 4;
/// Prepared statements kept by each connection.
const STATEMENTS_KEPT_MAX: usize = 256;
/// Page cache of each reader, in KiB.
const READER_CACHE_KIB: i64 = 2_048;
/// Page cache of the writer, in KiB: most pages it changes it has changed before.
const WRITER_CACHE_KIB: i64 = 8_192;
/// Bytes of a page. A history of a few events fits into one with others; on smaller pages each
/// would take a page of its own.
const PAGE_BYTES: i64 = 8_192;
/// After how many pages the write-ahead log is carried into the database: fewer, larger rounds
/// write pages that change often less often.
const LOG_PAGES: i64 = 2_048;
/// The fencing number of the only owner that there can be.
const EPOCH: u64 = 1;

impl From<rusqlite::Error> for Error {
    fn from(err: rusqlite::Error) -> Error {
        let damaged = matches!(
            err.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ) || matches!(err, rusqlite::Error::InvalidColumnType(..));
        if damaged {
            Error::Corrupt { place: FILE.into(), what: err.to_string() }
        } else {
            Error::Backend(err.to_string())
        }
    }
}

pub(crate) struct Sqlite {
    /// Dropped first: nobody writes any more.
    writer: Writer,
    carrier: Carrier,
    readers: Readers,
    figures: Arc<Figures>,
    /// Held for the life of the process, so that nobody else opens the directory.
    _lock: File,
}

impl Sqlite {
    pub(crate) fn open(directory: &Path) -> Result<Sqlite, Error> {
        let failed = |what: &str, err: std::io::Error| {
            Error::Backend(format!("cannot {what} in `{}`: {err}", directory.display()))
        };
        // What users gave it to keep lies there in clear: it is nobody else's to read.
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(directory);
        made.map_err(|err| failed("create the directory", err))?;
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        let lock = options.open(directory.join(LOCK)).map_err(|err| failed("write", err))?;
        match take(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse(directory.display().to_string()));
            }
            Err(TryLockError::Error(err)) => return Err(failed("lock", err)),
        }
        let file = directory.join(FILE);
        expect_used_or_new(&lock, &file)?;
        let mut tables = Connection::open(&file)?;
        tune(&tables, WRITER_CACHE_KIB)?;
        migrate::expect_known(&tables)?;
        // Before anything is written: that would lie over what was left out.
        let left_out = wal::settle(&tables, &directory.join(format!("{FILE}-wal")))?;
        migrate::to_current(&mut tables)?;
        let disk: Arc<dyn Disk> = Arc::new(Directory::new(directory));
        let ahead = Arc::new(open_log(&*disk, &tables, left_out)?);
        mark_used(&lock).map_err(|err| failed("write", err))?;
        let figures = Arc::new(Figures::default());
        let place = directory.display().to_string();
        let connection = Connection::open(&file)?;
        tune(&connection, READER_CACHE_KIB)?;
        let tables = Tables::new(tables, disk);
        let carrier = Carrier::start(ahead.clone(), tables, figures.clone(), place.clone())?;
        let session = session::Session::new(ahead.clone(), carrier.tables.clone(), connection);
        let writer = Writer::start(session, WhoWrites::WhoeverComes, place, figures.clone())?;
        let readers = Readers::new(file, Over::Ahead(ahead));
        Ok(Sqlite { writer, carrier, readers, figures, _lock: lock })
    }
}

/// Takes the lock of a directory. A process that is just ending, or one that it was starting when
/// it ended, may hold it for a moment.
fn take(lock: &File) -> Result<(), TryLockError> {
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_WAIT_MAX => {
                std::thread::sleep(LOCK_WAIT_MAX / 20);
            }
            outcome => return outcome,
        }
    }
}

/// Opens the commit log; what stands in it only is read, and carried over later.
fn open_log(disk: &dyn Disk, tables: &Connection, left_out: u64) -> Result<Ahead, Error> {
    let position = ahead::position(tables)?;
    let contents = commit_log::read(disk, position)?;
    if contents.is_torn || 0 < left_out {
        tracing::warn!(
            directory = %disk.place("").display(),
            pages = left_out,
            "what was written last was not whole and was left out. After a power cut that is as it \
             should be: nothing of it was acknowledged. On a damaged disk something may be lost; \
             `stepwell restore` brings a backup back"
        );
    }
    let last = contents.last().unwrap_or(position.number);
    let log = CommitLog::open(disk, last, position.salt, &contents.stretches)?;
    let found = contents.last().map(|_| Recent::of(contents.records));
    Ok(Ahead::new(log, found, last))
}

/// The thread that carries what stands in the log to the tables.
struct Carrier {
    ahead: Arc<Ahead>,
    /// Their connection has what it wrote last in its cache.
    tables: Arc<Mutex<Tables>>,
    thread: Option<JoinHandle<()>>,
}

impl Carrier {
    fn start(
        ahead: Arc<Ahead>,
        tables: Tables,
        figures: Arc<Figures>,
        place: String,
    ) -> Result<Carrier, Error> {
        let tables = Arc::new(Mutex::new(tables));
        let (of, at) = (ahead.clone(), tables.clone());
        let thread = std::thread::Builder::new()
            .name("store-carrier".into())
            .spawn(move || of.carry_on(&at, &figures, &place))
            .map_err(|err| Error::Backend(format!("cannot start the carrier thread: {err}")))?;
        Ok(Carrier { ahead, tables, thread: Some(thread) })
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.ahead.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Refuses a directory that has been used and whose database is gone: an empty one in its place
/// would look as if nothing had ever been there.
fn expect_used_or_new(lock: &File, file: &Path) -> Result<(), Error> {
    let is_used = lock.metadata().is_ok_and(|lock| 0 < lock.len());
    let is_there = file.metadata().is_ok_and(|file| 0 < file.len());
    if is_used && !is_there {
        return Err(Error::Corrupt {
            place: file.display().to_string(),
            what: "the file is gone or empty, and this directory has been used; to begin anew, \
                   remove the whole directory"
                .into(),
        });
    }
    Ok(())
}

fn mark_used(mut lock: &File) -> std::io::Result<()> {
    if lock.metadata()?.len() == 0 {
        lock.write_all(b"This directory belongs to a Stepwell server.\n")?;
        lock.sync_all()?;
    }
    Ok(())
}

fn tune(connection: &Connection, cache_kib: i64) -> Result<(), Error> {
    // Takes effect on new files only.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    keep_statements(connection)
}

/// Lets a connection keep the statements that it has prepared.
fn keep_statements(connection: &Connection) -> Result<(), Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    // Otherwise SQLite plans for the values that are bound, and prepares a statement with a LIMIT
    // anew each time that another is.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Read connections, made on demand.
struct Readers {
    file: PathBuf,
    over: Over,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn new(file: PathBuf, over: Over) -> Readers {
        Readers { file, over, idle: Mutex::new(Vec::new()) }
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        let connection = self.take()?;
        let snapshot = Snapshot::new(&connection, &self.over);
        work(&snapshot);
        snapshot.end()?;
        self.keep(connection);
        Ok(())
    }

    fn take(&self) -> Result<Connection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        keep_statements(&connection)?;
        Ok(connection)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS_KEPT_MAX {
            idle.push(connection);
        }
    }
}

impl Backend for Sqlite {
    fn submit(&self, job: Job) {
        self.writer.submit(job);
    }

    fn commit(&self, commit: Commit, done: Done) {
        self.writer.commit(commit, done);
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        self.readers.read(work)
    }

    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.carrier.ahead.view().find(table, key) {
            Above::Value(value) => return Ok(Some(value)),
            Above::Removed => return Ok(None),
            Above::Nothing => {}
        }
        if let Ok(mut tables) = self.carrier.tables.try_lock() {
            return tables.get(table, key);
        }
        let mut row = Ok(None);
        self.read(&mut |tx| row = tx.get(table, key))?;
        row
    }

    fn generation(&self) -> Option<u64> {
        Some(self.figures.generation())
    }

    /// The lock on the directory is the lease.
    fn lease(&self, claim: &Claim) -> Result<Leases, Error> {
        if claim.leaving {
            return Ok(Leases::default());
        }
        let held = (0..SHARDS).map(|shard| Lease { shard, epoch: EPOCH }).collect();
        Ok(Leases { held, nodes: 1, ..Leases::default() })
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn reset(&self) -> Result<(), Error> {
        let (done_in, done_out) = std::sync::mpsc::sync_channel(1);
        self.submit(Job {
            work: Box::new(|tx| match tx.clear() {
                Ok(()) => Verdict::Keep,
                Err(_) => Verdict::Discard,
            }),
            done: Box::new(move |outcome| {
                let _ = done_in.send(outcome);
            }),
            is_whole_store: true,
        });
        done_out.recv().map_err(|_| Error::Closed)?
    }

    /// Writes the database anew, without its free pages, and empties both logs unless somebody
    /// reads what is in SQLite's.
    fn scrub(&self) -> Result<bool, Error> {
        self.carrier.ahead.blank(&self.carrier.tables)?;
        self.carrier.tables.lock().unwrap_or_else(PoisonError::into_inner).look_up()?;
        let connection = Connection::open(&self.readers.file)?;
        // A backup that is being made may take long, and the next start tries again.
        connection.busy_timeout(Duration::ZERO)?;
        connection.execute_batch("VACUUM")?;
        let is_busy: bool =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(!is_busy)
    }
}

/// A directory that another process may be writing to: for backups.
pub(crate) struct Onlooker {
    readers: Readers,
    figures: Figures,
}

impl Onlooker {
    fn at(file: PathBuf, over: Over) -> Onlooker {
        Onlooker { readers: Readers::new(file, over), figures: Figures::default() }
    }

    pub(crate) fn open(directory: &Path) -> Result<Onlooker, Error> {
        let file = directory.join(FILE);
        if !file.is_file() {
            return Err(Error::Backend(format!("there is no store in `{}`", directory.display())));
        }
        let mut onlooker = Onlooker::at(file, Over::Nothing);
        let connection = onlooker.readers.take()?;
        if migrate::expect_readable(&connection)? {
            onlooker.readers.over = Over::Log(Box::new(Directory::new(directory)));
        }
        Ok(onlooker)
    }
}

impl Backend for Onlooker {
    fn submit(&self, job: Job) {
        (job.done)(Err(Error::Closed));
    }

    fn commit(&self, _: Commit, done: Done) {
        done(Err(Error::Closed));
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        self.readers.read(work)
    }

    fn lease(&self, _: &Claim) -> Result<Leases, Error> {
        Ok(Leases::default())
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn reset(&self) -> Result<(), Error> {
        Err(Error::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scan, Store, Write};

    fn commit(sqlite: &Sqlite, key: &str, lsn: u64) -> Result<(), Error> {
        let (done_in, done_out) = std::sync::mpsc::sync_channel(1);
        let writes = vec![Write::Put(Table::Users, key.into(), b"{}".to_vec())];
        let entry = Some((lsn, b"fact".to_vec()));
        let commit = Commit { shard: 1, epoch: EPOCH, entry, writes, truncate: None };
        sqlite.commit(commit, Box::new(move |outcome| done_in.send(outcome).unwrap()));
        done_out.recv().unwrap()
    }

    /// What could not be appended is not there, and what came after it is, whatever the disk made
    /// of the record.
    #[test]
    fn a_disk_that_failed_once_loses_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(directory.path()).unwrap();
        commit(&sqlite, "before", 1).unwrap();
        sqlite.carrier.ahead.log().break_disk();
        let refused = commit(&sqlite, "lost", 2).unwrap_err().to_string();
        assert!(refused.contains("commits-a.log"), "{refused}");
        commit(&sqlite, "after", 2).unwrap();
        let keys = |store: &dyn Read| -> Vec<String> {
            let rows = store.scan(Table::Users, Scan::prefix("")).unwrap();
            rows.into_iter().map(|(key, _)| key).collect()
        };
        sqlite.read(&mut |tx| assert_eq!(keys(tx), ["after", "before"])).unwrap();
        drop(sqlite);
        let store = Store::open(directory.path()).unwrap();
        store.read(|tx| {
            assert_eq!(keys(tx), ["after", "before"]);
            assert_eq!(tx.journal(1, 0, 9).unwrap().len(), 2);
        });
    }

    /// A number that was taken for a commit past the log, and came to nothing, must not be missed
    /// by the next start: what was acknowledged after it is there.
    #[test]
    fn a_commit_past_the_log_that_fails_leaves_no_gap() {
        let (directory, after_crash) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sqlite = Sqlite::open(directory.path()).unwrap();
        commit(&sqlite, "before", 1).unwrap();
        let stranger = Connection::open(directory.path().join(FILE)).unwrap();
        let rename = |from: &str, to: &str| {
            stranger.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).unwrap();
        };
        rename(Table::Groups.name(), "hidden");
        let (done_in, done_out) = std::sync::mpsc::sync_channel(1);
        let large = Write::Put(Table::Groups, "large".into(), vec![b'x'; 2_000_000]);
        let large = Commit { shard: 2, epoch: EPOCH, writes: vec![large], ..Commit::default() };
        sqlite.commit(large, Box::new(move |outcome| done_in.send(outcome).unwrap()));
        assert!(done_out.recv().unwrap().is_err());
        rename("hidden", Table::Groups.name());
        commit(&sqlite, "after", 2).unwrap();
        // What a kill leaves.
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), after_crash.path().join(entry.file_name())).unwrap();
        }
        let store = Store::open(after_crash.path()).unwrap();
        let keys = store.read(|tx| tx.scan(Table::Users, Scan::prefix("")).unwrap());
        assert_eq!(keys.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), ["after", "before"]);
    }
}
