//! Where Stepwell keeps what it promised: tables, and the journal of facts.
//!
//! What it is: [`Store`], a handle on one backend: SQLite in a directory, a PostgreSQL database
//! that nodes share, or memory. Work is a closure over a [`Transaction`]; whoever waits for
//! [`Store::write`] knows on return that the work is on disk. Writers that arrive while the disk is
//! busy share the next commit (group commit).
//! What it is not: it knows nothing of IAM or executions; keys are text, values are bytes.
//!
//! ```
//! use store::{Read, Store, Table, Transaction};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = Store::memory();
//! let answer: Result<(), ()> = store
//!     .write(|tx| {
//!         tx.put(Table::Users, "000000000000/alice", b"{}").unwrap();
//!         Ok(())
//!     })
//!     .await
//!     .unwrap();
//! assert_eq!(answer, Ok(()));
//! let found = store.read(|tx| tx.get(Table::Users, "000000000000/alice").unwrap());
//! assert_eq!(found.as_deref(), Some(&b"{}"[..]));
//! # });
//! ```
//!
//! May depend on: `value`.

mod cipher;
mod commit;
mod copy;
mod figures;
mod frame;
mod key;
mod lease;
mod memory;
pub mod planted;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod sealed;
mod sqlite;
mod table;
mod transaction;
mod url;
mod writer;

use std::path::Path;
use std::sync::Arc;

pub use commit::{Commit, Write};
pub use copy::{Backup, Counts, RestoreError, copy, is_empty};
pub use figures::{COMMIT_MICROS_BUCKETS, Figures, Snapshot};
pub use key::Key;
pub use lease::{Claim, LEASE_MILLIS, Lease, Leases};
pub use memory::Memory;
pub use record::{Load, Save};
pub use sqlite::{Checked, FINDINGS_MAX, Finding, check};
pub use table::Table;
pub use transaction::{JournalEntry, Lsn, Read, SCAN_ROWS_MAX, Scan, Transaction};
pub use url::PostgresUrl;

/// How many shards there are. Part of the stored format: a process belongs to the shard that its id
/// hashes to.
pub const SHARDS: u32 = 8;

/// Why the store could not do its work. None of these is the caller's fault.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The backend failed: disk full, I/O error, database locked by a stranger.
    #[error("the store failed: {0}")]
    Backend(String),
    /// Stored bytes are not what was written; `place` names the row.
    #[error("stored data is damaged at {place}: {what}")]
    Corrupt {
        /// Table and key, or journal position.
        place: String,
        /// What was found.
        what: String,
    },
    /// Another process has the data directory open.
    #[error("the data directory `{0}` is in use by another Stepwell process")]
    InUse(String),
    /// The store was written by a newer Stepwell.
    #[error("the store has format {found}, this Stepwell reads up to {known}")]
    Format {
        /// The version found.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The secrets in the store are sealed with another key.
    #[error("the store is sealed with the key {sealed_with}, and the key given is {given}")]
    OtherKey {
        /// The id of the key that it is sealed with.
        sealed_with: String,
        /// The id of the key that was given.
        given: String,
    },
    /// Another node owns the shard now.
    #[error("shard {shard} belongs to another node")]
    Fenced {
        /// The shard.
        shard: u32,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// Returns a backend's failure with where the backend is, for whoever reads it in a log.
    fn at(self, place: &str) -> Error {
        match self {
            Error::Backend(what) => Error::Backend(format!("{what} (store: {place})")),
            Error::Corrupt { .. }
            | Error::InUse(_)
            | Error::Format { .. }
            | Error::OtherKey { .. }
            | Error::Fenced { .. }
            | Error::Closed => self,
        }
    }
}

/// Whether what a job did is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Make it durable.
    Keep,
    /// Undo everything this job did; other jobs of the same commit are not touched.
    Discard,
}

/// What a job does inside its transaction.
pub type Work = Box<dyn FnOnce(&mut dyn Transaction) -> Verdict + Send>;

/// Who hears of a job's end.
pub type Done = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// One unit of work for a backend: all of it is kept, or none.
pub struct Job {
    /// Runs inside a transaction.
    pub work: Work,
    /// Runs once the outcome is on disk (or is known to have failed).
    pub done: Done,
    /// Whether it is about all that there is, such as emptying the store or filling it: only then
    /// may it write without bound, and use [`Transaction::clear`] and [`Transaction::append`].
    pub is_whole_store: bool,
}

impl Job {
    /// Returns a job such as a call is.
    pub fn new(
        work: impl FnOnce(&mut dyn Transaction) -> Verdict + Send + 'static,
        done: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> Job {
        Job { work: Box::new(work), done: Box::new(done), is_whole_store: false }
    }
}

/// What a backend offers. Jobs run one after another, in the order submitted, and so do the commits
/// of each shard.
pub trait Backend: Send + Sync {
    /// Queues a job; `done` is called exactly once.
    fn submit(&self, job: Job);

    /// Queues what a shard did; `done` is called exactly once. After an error nobody knows whether
    /// it was kept (a connection may break after the commit): whoever needs to know reads again.
    fn commit(&self, commit: Commit, done: Done);

    /// Takes a node's turn at the leases. Blocks as long as the backend takes.
    ///
    /// # Errors
    /// When the backend failed; then nothing is known of the leases.
    fn lease(&self, claim: &Claim) -> Result<Leases, Error>;

    /// Returns whether several nodes may work on this store at once.
    fn is_shared(&self) -> bool;

    /// Returns a number that changes with every job that is kept and changes more than records of
    /// what happened, before its end is told; with those of other nodes within a moment. None when
    /// that is not known just now.
    fn generation(&self) -> Option<u64> {
        None
    }

    /// Returns what the backend counts about itself.
    fn figures(&self) -> &Figures;

    /// Runs `work` on a consistent snapshot of everything committed so far.
    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error>;

    /// Reads one row as of the last commit, where that is cheaper than a snapshot.
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let mut row = Ok(None);
        self.read(&mut |tx| row = tx.get(table, key))?;
        row
    }

    /// Returns which of some rows are there as of the last commit, in the order of the keys.
    fn present(&self, table: Table, keys: &[&str]) -> Result<Vec<bool>, Error> {
        keys.iter().map(|key| Ok(self.get(table, key)?.is_some())).collect()
    }

    /// Empties every table and the journal.
    fn reset(&self) -> Result<(), Error>;

    /// Returns the backend in which secrets lie as they are kept, where this one opens them.
    fn beneath(&self) -> Option<Arc<dyn Backend>> {
        None
    }

    /// Leaves nothing of values that were replaced or removed, as far as that is up to the backend.
    /// Returns whether they are gone: something else may be reading them.
    ///
    /// # Errors
    /// When the backend failed, for want of space say; then nothing has changed.
    fn scrub(&self) -> Result<bool, Error> {
        Ok(true)
    }
}

/// A handle on the store; cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
}

impl Store {
    /// Returns a store that lives and dies with the process.
    pub fn memory() -> Store {
        Store { backend: Arc::new(Memory::default()) }
    }

    /// Opens (and creates, if need be) the store in a directory.
    ///
    /// # Errors
    /// When the directory cannot be written, is in use, damaged, or of a newer format.
    pub fn open(directory: &Path) -> Result<Store, Error> {
        Ok(Store { backend: Arc::new(sqlite::Sqlite::open(directory)?) })
    }

    /// Opens (and prepares, if need be) the store in a PostgreSQL database.
    ///
    /// # Errors
    /// When the database cannot be reached or used, or is of a newer format.
    #[cfg(feature = "postgres")]
    pub fn connect(url: &PostgresUrl) -> Result<Store, Error> {
        Ok(Store { backend: Arc::new(postgres::Postgres::connect(url)?) })
    }

    /// Says that this build has no such store.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "postgres"))]
    pub fn connect(url: &PostgresUrl) -> Result<Store, Error> {
        Err(Error::Backend(format!("{url}: this Stepwell was built without PostgreSQL")))
    }

    /// Returns what answers at a URL, such as `PostgreSQL 15.4 …`; changes nothing there.
    ///
    /// # Errors
    /// When nothing does.
    #[cfg(feature = "postgres")]
    pub fn version(url: &PostgresUrl) -> Result<String, Error> {
        postgres::version(url)
    }

    /// Says that this build has no such store.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "postgres"))]
    pub fn version(url: &PostgresUrl) -> Result<String, Error> {
        Store::connect(url).map(|_| String::new())
    }

    /// Returns this store with its secrets sealed under a key. One that holds secrets in clear is
    /// sealed now, in one transaction; what is left of them in free space is scrubbed, now or by a
    /// later call.
    ///
    /// # Errors
    /// [`Error::OtherKey`] when it is sealed with another key.
    pub fn sealed_with(self, key: Key) -> Result<Store, Error> {
        Ok(Store { backend: Arc::new(sealed::Sealed::open(self.backend, key)?) })
    }

    /// Returns the store with its secrets as they are kept: for copies of all of it.
    pub(crate) fn as_kept(&self) -> Store {
        let beneath = self.backend.beneath();
        Store { backend: beneath.unwrap_or_else(|| self.backend.clone()) }
    }

    /// Returns the id of the key that the store's secrets are sealed with; `None` when they are
    /// not.
    ///
    /// # Errors
    /// When the store failed.
    pub fn key_id(&self) -> Result<Option<String>, Error> {
        self.read(|store| sealed::key_id(store))
    }

    /// Runs `work` in a transaction and returns its answer once it is durable. An `Err` undoes
    /// everything `work` did and is returned as it is.
    ///
    /// # Errors
    /// The outer error means the store failed and nothing of `work` was kept.
    pub async fn write<T, E, F>(&self, work: F) -> Result<Result<T, E>, Error>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    {
        self.write_job(work, false).await
    }

    /// The same for work that is about all that there is.
    pub(crate) async fn write_whole<T, E, F>(&self, work: F) -> Result<Result<T, E>, Error>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    {
        self.write_job(work, true).await
    }

    async fn write_job<T, E, F>(&self, work: F, is_whole_store: bool) -> Result<Result<T, E>, Error>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    {
        let (answer_in, answer_out) = std::sync::mpsc::sync_channel(1);
        let (done_in, done_out) = tokio::sync::oneshot::channel();
        self.backend.submit(Job {
            work: Box::new(move |tx| {
                let answer = work(tx);
                let verdict = if answer.is_ok() { Verdict::Keep } else { Verdict::Discard };
                // The receiver lives until `done` has been called.
                let _ = answer_in.send(answer);
                verdict
            }),
            done: Box::new(move |outcome| {
                let _ = done_in.send(outcome);
            }),
            is_whole_store,
        });
        done_out.await.map_err(|_| Error::Closed)??;
        answer_out.try_recv().map_err(|_| Error::Closed)
    }

    /// Opens the store in a directory for reading only; another process may be writing to it.
    ///
    /// # Errors
    /// When there is no store of this format in the directory.
    pub fn look_at(directory: &Path) -> Result<Store, Error> {
        Ok(Store { backend: Arc::new(sqlite::Onlooker::open(directory)?) })
    }

    /// Returns a store on a backend of the caller's, such as a simulated one.
    pub fn on(backend: Arc<dyn Backend>) -> Store {
        Store { backend }
    }

    /// Writes what a shard did and returns once it is durable.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another node owns the shard. After any other error nobody knows
    /// whether it was kept.
    pub async fn commit(&self, commit: Commit) -> Result<(), Error> {
        let (done_in, done_out) = tokio::sync::oneshot::channel();
        self.backend.commit(
            commit,
            Box::new(move |outcome| {
                let _ = done_in.send(outcome);
            }),
        );
        done_out.await.map_err(|_| Error::Closed)?
    }

    /// Takes a node's turn at the leases; blocks as long as the backend takes.
    ///
    /// # Errors
    /// When the backend failed; then nothing is known of the leases.
    pub fn lease(&self, claim: &Claim) -> Result<Leases, Error> {
        self.backend.lease(claim)
    }

    /// Returns whether several nodes may work on this store at once.
    pub fn is_shared(&self) -> bool {
        self.backend.is_shared()
    }

    /// Returns a number that changes with every change of the tables but those that shards write,
    /// with those of other nodes within a moment; none when that is not known just now.
    pub fn generation(&self) -> Option<u64> {
        self.backend.generation()
    }

    /// Returns what the backend counts about itself.
    pub fn figures(&self) -> &Figures {
        self.backend.figures()
    }

    /// Queues `work` without waiting; `done` hears when it is durable.
    pub fn submit(&self, job: Job) {
        self.backend.submit(job);
    }

    /// Reads one row as of the last commit: cheaper than [`Store::read`] for a single one.
    ///
    /// # Errors
    /// When the store failed.
    pub fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.backend.get(table, key)
    }

    /// Returns which of some rows are there as of the last commit, in the order of the keys: one
    /// question, where each is a journey to a database.
    ///
    /// # Errors
    /// When the store failed.
    pub fn present(&self, table: Table, keys: &[&str]) -> Result<Vec<bool>, Error> {
        self.backend.present(table, keys)
    }

    /// Runs `work` on a consistent snapshot. Reads do not nest: `work` must not read or write the
    /// store in any other way.
    ///
    /// # Panics
    /// Never: a backend failure reaches the reads inside `work` as errors.
    pub fn read<T>(&self, work: impl FnOnce(&dyn Read) -> T) -> T
    where
        T: Send,
    {
        let mut work = Some(work);
        let mut answer = None;
        let outcome = self.backend.read(&mut |tx| {
            if let Some(work) = work.take() {
                answer = Some(work(tx));
            }
        });
        if let (Err(err), Some(work)) = (outcome, work.take()) {
            answer = Some(work(&transaction::Failed(err)));
        }
        #[expect(clippy::expect_used, reason = "one of the two branches above has run `work`")]
        answer.expect("a backend runs the work of a read or reports why not")
    }

    /// Empties the store.
    ///
    /// # Errors
    /// When the backend fails; then nothing was emptied.
    pub fn reset(&self) -> Result<(), Error> {
        self.backend.reset()
    }
}
