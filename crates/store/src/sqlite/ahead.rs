//! The commit log, what of it is not yet in the tables, and who carries it there.
//!
//! Writing is one append to the log. What was written is kept in memory, over the tables, until a
//! thread has carried it into them: a few hundred commits in one transaction, in which a row that
//! changed often is written once, and one that came and went not at all.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::commit_log::{CommitLog, Position};
use super::recent::{Item, Recent, View};
use super::rows::{append, delete, put, truncate};
use super::tables::Tables;
use crate::{Error, Figures};

/// How often somebody looks whether something has lain in the log for long.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long something lies in the log before it is carried over, unless more comes.
const LIE_MAX: Duration = Duration::from_millis(500);
/// How long to wait after the tables could not be written.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What is ahead of the tables.
pub(super) struct Ahead {
    /// Held by who writes.
    log: Mutex<CommitLog>,
    state: Mutex<State>,
    changed: Condvar,
    /// The tables, when nobody but who waits carries.
    #[cfg(test)]
    by_hand: std::sync::OnceLock<Arc<Mutex<Tables>>>,
}

struct State {
    /// What was written lately.
    recent: Arc<Recent>,
    /// Since when there is something in it.
    since: Option<Instant>,
    /// What is on its way into the tables.
    carried: Option<Arc<Recent>>,
    /// The last record that readers may see.
    visible: u64,
    /// Why the tables could not be written the last time.
    failure: Option<Error>,
    is_closing: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ahead {
    /// Begins with what was found in the log, whose last record is `visible`.
    pub(super) fn new(log: CommitLog, found: Option<Recent>, visible: u64) -> Ahead {
        Ahead {
            log: Mutex::new(log),
            state: Mutex::new(State {
                recent: Arc::default(),
                since: None,
                carried: found.map(Arc::new),
                visible,
                failure: None,
                is_closing: false,
            }),
            changed: Condvar::new(),
            #[cfg(test)]
            by_hand: std::sync::OnceLock::new(),
        }
    }

    /// Returns the log, for whoever writes: nobody else does until he gives it back.
    pub(super) fn log(&self) -> MutexGuard<'_, CommitLog> {
        lock(&self.log)
    }

    /// Returns what readers see over the tables.
    pub(super) fn view(&self) -> View {
        let state = lock(&self.state);
        View { parts: [Some(state.recent.clone()), state.carried.clone()], number: state.visible }
    }

    /// Returns what is being written to.
    pub(super) fn recent(&self) -> Arc<Recent> {
        lock(&self.state).recent.clone()
    }

    /// Lets readers see a record that is on disk.
    pub(super) fn show(&self, number: u64) {
        let mut state = lock(&self.state);
        state.visible = number;
        state.since.get_or_insert_with(Instant::now);
    }

    /// Sends what was written lately on its way, and goes on in the other file; waits until that is
    /// free.
    ///
    /// # Errors
    /// When the tables cannot be written just now.
    pub(super) fn pass_on(&self, log: &mut CommitLog) -> Result<(), Error> {
        let mut state = self.wait_for_tables()?;
        if state.recent.last().is_some() {
            state.carried = Some(std::mem::take(&mut state.recent));
            state.since = None;
            log.switch();
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Waits until everything is in the tables.
    ///
    /// # Errors
    /// When the tables cannot be written just now.
    pub(super) fn drain(&self, log: &mut CommitLog) -> Result<(), Error> {
        self.pass_on(log)?;
        self.wait_for_tables().map(drop)
    }

    /// Leaves nothing in the files of the log, once everything is in the tables.
    ///
    /// # Errors
    /// When the tables or the files cannot be written just now.
    pub(super) fn blank(&self, tables: &Mutex<Tables>) -> Result<(), Error> {
        let mut log = self.log();
        self.drain(&mut log)?;
        if log.is_in_doubt() {
            // A record that failed may stand in a file whose beginning is blank already: without a
            // number behind it in the tables, the next start would take that for damage.
            let number = log.take_number();
            lock(tables).change(|tx| set_position(tx, number))?;
            log.settled();
            self.show(number);
        }
        log.blank()
    }

    /// Waits until nothing is on its way.
    fn wait_for_tables(&self) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = lock(&self.state);
        while state.carried.is_some() {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            state = self.wait(state);
        }
        Ok(state)
    }

    /// Waits for the carrier.
    fn wait<'s>(&'s self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        #[cfg(test)]
        if let Some(tables) = self.by_hand.get() {
            drop(state);
            // What came of it is in the state.
            let _ = self.carry_once(tables);
            return lock(&self.state);
        }
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries what there is to the tables until [`Ahead::close`]; on a thread of its own.
    pub(super) fn carry_on(&self, tables: &Mutex<Tables>, figures: &Figures, place: &str) {
        while let Some(recent) = self.next_to_carry() {
            let outcome = self.carry_over(&recent, tables);
            figures.carried(outcome.is_ok());
            let Err(err) = outcome else { continue };
            tracing::error!(
                error = %err.at(place),
                "what stands in the commit log cannot be carried to the tables; nothing of it is \
                 lost. Is there room on the disk, and does nobody else hold the database?"
            );
            let state = lock(&self.state);
            if state.is_closing {
                return;
            }
            let waited = self.changed.wait_timeout(state, RETRY_AFTER);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Carries a stretch to the tables, and tells whoever waits how that went.
    fn carry_over(&self, recent: &Recent, tables: &Mutex<Tables>) -> Result<(), Error> {
        let outcome = carry(&mut lock(tables), recent);
        let mut state = lock(&self.state);
        if outcome.is_ok() {
            state.carried = None;
        }
        state.failure = outcome.as_ref().err().cloned();
        self.changed.notify_all();
        outcome
    }

    /// Waits for something to carry; none when everything is in the tables and nobody writes more.
    fn next_to_carry(&self) -> Option<Arc<Recent>> {
        let mut state = lock(&self.state);
        loop {
            if let Some(recent) = &state.carried {
                return Some(recent.clone());
            }
            let lies = state.since.is_some_and(|since| LIE_MAX <= since.elapsed());
            if lies || state.is_closing {
                if state.recent.last().is_none() && state.is_closing {
                    return None;
                }
                drop(state);
                self.pass_on_what_lies();
                state = lock(&self.state);
                if state.carried.is_some() {
                    continue;
                }
            }
            let waited = self.changed.wait_timeout(state, LOOK_EVERY);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Passes on what was written lately, unless somebody writes: he may be waiting for this
    /// thread, which must not wait for him.
    pub(super) fn pass_on_what_lies(&self) {
        let Ok(mut log) = self.log.try_lock() else { return };
        // Whoever wrote in between has passed it on himself.
        if lock(&self.state).carried.is_none() {
            let _ = self.pass_on(&mut log);
        }
    }

    /// From now on, whoever waits for the carrier carries himself: there is no thread.
    #[cfg(test)]
    pub(super) fn carry_by_hand(&self, tables: Arc<Mutex<Tables>>) {
        assert!(self.by_hand.set(tables).is_ok());
    }

    /// Carries what is on its way, if anything is.
    #[cfg(test)]
    pub(super) fn carry_once(&self, tables: &Mutex<Tables>) -> Result<(), Error> {
        let carried = lock(&self.state).carried.clone();
        carried.map_or(Ok(()), |recent| self.carry_over(&recent, tables))
    }

    /// Ends [`Ahead::carry_on`] once everything is in the tables, or cannot be.
    pub(super) fn close(&self) {
        lock(&self.state).is_closing = true;
        self.changed.notify_all();
    }
}

/// Writes what stands in a stretch of the log to the tables.
fn carry(tables: &mut Tables, recent: &Recent) -> Result<(), Error> {
    let Some(last) = recent.last() else { return Ok(()) };
    tables.change(|tx| {
        recent.each(|item| match item {
            Item::Row(table, key, Some(value)) => put(tx, table, key, value.to_vec()),
            Item::Row(table, key, None) => delete(tx, table, key).map(drop),
            Item::Entry(shard, lsn, bytes) => append(tx, shard, lsn, bytes),
            Item::Truncate(shard, upto) => truncate(tx, shard, upto),
        })?;
        set_position(tx, last)
    })
}

/// Returns what the tables know of the log.
///
/// # Errors
/// When the tables failed.
pub(super) fn position(tables: &Connection) -> Result<Position, Error> {
    let mut statement = tables.prepare_cached("SELECT number, salt FROM commit_log")?;
    let (number, salt) = statement.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
    Ok(Position { number: u64::try_from(number).unwrap_or(0), salt })
}

/// Notes in the tables up to where they have the log.
pub(super) fn set_position(tables: &Connection, number: u64) -> Result<(), Error> {
    let mut statement = tables.prepare_cached("UPDATE commit_log SET number = ?1")?;
    statement.execute(params![i64::try_from(number).unwrap_or(i64::MAX)])?;
    Ok(())
}
