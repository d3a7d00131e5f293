//! The one thread that writes to a backend, and its group commit.
//!
//! It takes everything that is waiting, runs it in one transaction, commits once and then tells
//! everybody: the slower the disk, the larger the commits. When there has been nobody to share a
//! commit with, whoever comes writes himself: that saves waking two threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{Commit, Done, Error, Figures, Job, Verdict, Work};

/// How many units may wait; beyond that submitting blocks, which is the back-pressure.
const UNITS_WAITING_MAX: usize = 4096;
/// The writer's stack. Handlers run on it, and what they read may nest as deep as a value may.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// When the last commit had so many units, the next waits a little for company: a sync costs as
/// much processor time as tens of units do, and nobody is alone.
const UNITS_WORTH_WAITING: usize = 4;
/// How long it waits.
const WAIT: Duration = Duration::from_micros(250);
/// How many units share a commit at most.
const UNITS_PER_COMMIT_MAX: usize = 512;

/// Where one at a time writes.
pub(crate) trait Session: Send {
    /// Makes a batch durable: all of it, or none.
    fn write(&mut self, batch: Batch) -> Result<Written, Error>;
    /// Gives up what a batch that failed has begun.
    fn give_up(&mut self);
}

/// What became of a batch.
pub(crate) struct Written {
    /// One answer for each commit: whether its owner still may.
    pub(crate) answers: Vec<Result<(), Error>>,
    /// Whether a job has changed what others may have worked out from the store.
    pub(crate) is_changed: bool,
}

/// What is made durable together. Jobs and turns of shards keep their own order; between the two
/// kinds there is none, for whoever needs one waits for the first before he sends the second.
#[derive(Default)]
pub(crate) struct Batch {
    /// What jobs do.
    pub(crate) works: Vec<Work>,
    /// What shards did.
    pub(crate) commits: Vec<Commit>,
    /// Whether a job is about all that there is.
    pub(crate) is_whole_store: bool,
}

/// What can wait for the writer.
enum Unit {
    Job(Job),
    Commit(Box<Commit>, Done),
}

impl Unit {
    fn done(self, outcome: Result<(), Error>) {
        match self {
            Unit::Job(Job { done, .. }) | Unit::Commit(_, done) => done(outcome),
        }
    }
}

pub(crate) struct Writer {
    /// Dropped first, which ends the thread.
    units: Option<SyncSender<Unit>>,
    thread: Option<JoinHandle<()>>,
    desk: Arc<Desk>,
}

/// Who writes when nobody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhoWrites {
    /// The thread, always: the session must not be used elsewhere.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "PostgreSQL's way"))]
    TheThread,
    /// Whoever has something to write, unless there is company.
    WhoeverComes,
}

/// Where the writing is done, by one at a time.
struct Desk {
    who: WhoWrites,
    session: Mutex<Box<dyn Session>>,
    /// How many units wait for the thread.
    waiting: AtomicUsize,
    /// How many units the last commit had.
    last: AtomicUsize,
    /// Names the store in the log.
    place: String,
    figures: Arc<Figures>,
}

impl Writer {
    /// Starts the thread; `place` names the store in the log.
    pub(crate) fn start(
        session: impl Session + 'static,
        who: WhoWrites,
        place: String,
        figures: Arc<Figures>,
    ) -> Result<Writer, Error> {
        let (units, waiting) = sync_channel(UNITS_WAITING_MAX);
        let desk = Arc::new(Desk {
            who,
            session: Mutex::new(Box::new(session)),
            waiting: AtomicUsize::new(0),
            last: AtomicUsize::new(0),
            place,
            figures,
        });
        let at = desk.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&at, &waiting))
            .map_err(|err| Error::Backend(format!("cannot start the writer thread: {err}")))?;
        Ok(Writer { units: Some(units), thread: Some(thread), desk })
    }

    pub(crate) fn submit(&self, job: Job) {
        self.send(Unit::Job(job));
    }

    pub(crate) fn commit(&self, commit: Commit, done: Done) {
        self.send(Unit::Commit(Box::new(commit), done));
    }

    fn send(&self, unit: Unit) {
        let Some(units) = &self.units else { return unit.done(Err(Error::Closed)) };
        let alone = self.desk.who == WhoWrites::WhoeverComes
            && self.desk.waiting.load(Ordering::SeqCst) == 0
            && self.desk.last.load(Ordering::Relaxed) <= 1;
        if alone && let Ok(mut session) = self.desk.session.try_lock() {
            let mut waiting = Waiting::default();
            waiting.add(unit);
            return waiting.write(&mut **session, &self.desk);
        }
        self.desk.waiting.fetch_add(1, Ordering::SeqCst);
        if let Err(unsent) = units.send(unit) {
            unsent.0.done(Err(Error::Closed));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.units = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(desk: &Desk, waiting: &Receiver<Unit>) {
    while let Ok(first) = waiting.recv() {
        if UNITS_WORTH_WAITING <= desk.last.load(Ordering::Relaxed) {
            std::thread::sleep(WAIT);
        }
        // Who writes now is done soon; until then more may come to share the next commit.
        let mut session = desk.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Waiting::default();
        batch.add(first);
        while batch.len() < UNITS_PER_COMMIT_MAX
            && let Ok(unit) = waiting.try_recv()
        {
            batch.add(unit);
        }
        desk.waiting.fetch_sub(batch.len(), Ordering::SeqCst);
        batch.write(&mut **session, desk);
    }
}

/// A batch, and who hears of its end.
#[derive(Default)]
struct Waiting {
    batch: Batch,
    works_done: Vec<Done>,
    commits_done: Vec<Done>,
}

impl Waiting {
    fn add(&mut self, unit: Unit) {
        match unit {
            Unit::Job(Job { work, done, is_whole_store }) => {
                self.batch.works.push(work);
                self.batch.is_whole_store |= is_whole_store;
                self.works_done.push(done);
            }
            Unit::Commit(commit, done) => {
                self.batch.commits.push(*commit);
                self.commits_done.push(done);
            }
        }
    }

    fn len(&self) -> usize {
        self.works_done.len() + self.commits_done.len()
    }

    /// Writes everything and tells each how it ended.
    fn write(self, session: &mut dyn Session, desk: &Desk) {
        let (began, units, figures) = (Instant::now(), self.len(), &desk.figures);
        desk.last.store(units, Ordering::Relaxed);
        let Waiting { batch, works_done, commits_done } = self;
        match session.write(batch) {
            Ok(Written { answers, is_changed }) => {
                figures.committed(units, began.elapsed());
                if is_changed {
                    figures.changed();
                }
                for done in works_done {
                    done(Ok(()));
                }
                let mut answers = answers.into_iter();
                for done in commits_done {
                    let unanswered = || Err(Error::Backend("a commit was not answered".into()));
                    done(answers.next().unwrap_or_else(unanswered));
                }
            }
            Err(err) => {
                let err = err.at(&desk.place);
                tracing::error!(
                    error = %err,
                    units,
                    "a commit failed. What was acknowledged before is safe; is there room on the \
                     disk, and does nobody else hold the database?"
                );
                figures.failed();
                session.give_up();
                for done in works_done.into_iter().chain(commits_done) {
                    done(Err(err.clone()));
                }
            }
        }
    }
}

/// Runs a job's work. One that panicked is our bug: it is undone, its caller hears `Closed`, others
/// go on.
pub(crate) fn guarded(work: impl FnOnce() -> Verdict) -> Verdict {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Verdict::Discard)
}
