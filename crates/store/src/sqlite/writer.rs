//! The one thread that writes, and its group commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::rows::Rows;
use crate::{Done, Error, Job, Verdict, Work};

/// How many jobs may wait; beyond that submitting blocks, which is the back-pressure.
const JOBS_WAITING_MAX: usize = 4096;
/// The writer's stack. Handlers run on it, and what they read may nest as deep as a value may.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// How many jobs share a commit at most.
const JOBS_PER_COMMIT_MAX: usize = 512;

pub(super) struct Writer {
    /// Dropped first, which ends the thread.
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Writer, Error> {
        let (jobs, waiting) = sync_channel(JOBS_WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&connection, &waiting))
            .map_err(|err| Error::Backend(format!("cannot start the writer thread: {err}")))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) fn submit(&self, job: Job) {
        let refused = match &self.jobs {
            Some(jobs) => jobs.send(job).err().map(|unsent| unsent.0),
            None => Some(job),
        };
        if let Some(job) = refused {
            (job.done)(Err(Error::Closed));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        while batch.len() < JOBS_PER_COMMIT_MAX
            && let Ok(job) = waiting.try_recv()
        {
            batch.push(job);
        }
        commit(connection, batch);
    }
}

/// Runs the jobs of a batch in one transaction and tells each how it ended.
fn commit(connection: &Connection, batch: Vec<Job>) {
    let (works, dones): (Vec<_>, Vec<Done>) =
        batch.into_iter().map(|job| (job.work, job.done)).unzip();
    let outcome = connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(Error::from)
        .and_then(|()| works.into_iter().try_for_each(|work| run_one(connection, work)))
        .and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if let Err(err) = &outcome {
        tracing::error!(error = %err, jobs = dones.len(), "a commit failed, nothing of it was \
            kept");
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
    for done in dones {
        done(outcome.clone());
    }
}

/// Runs one job in a savepoint, so that discarding it leaves its neighbours alone.
fn run_one(connection: &Connection, work: Work) -> Result<(), Error> {
    connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut Rows::new(connection))));
    match verdict {
        Ok(Verdict::Keep) => {}
        // A job that panicked is our bug: it is undone, its caller hears `Closed`, others go on.
        Ok(Verdict::Discard) | Err(_) => {
            connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
    }
    connection.prepare_cached("RELEASE job")?.execute([])?;
    Ok(())
}
