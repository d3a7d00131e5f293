//! Reads on a consistent snapshot: of the tables, and of what stands in the log over them.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::ahead::{Ahead, position};
use super::commit_log;
use super::disk::Disk;
use super::merged::Merged;
use super::recent::{Recent, View};
use super::rows::Rows;
use crate::{Error, JournalEntry, Lsn, Read, Scan, Table};

/// How often a snapshot is begun anew because the log went on meanwhile, and after how long.
const BEGINNINGS_MAX: (u32, Duration) = (10_000, Duration::from_micros(50));
/// The same where another process writes, whose log may be seen while it is written.
pub(super) const LOOKS_MAX: (u32, Duration) = (50, Duration::from_millis(10));

/// What lies over the tables.
pub(super) enum Over {
    /// What this process has written.
    Ahead(Arc<Ahead>),
    /// The log on a disk that another process may be writing to.
    Log(Box<dyn Disk>),
    /// Nothing: a backup.
    Nothing,
}

/// A snapshot, which begins with the first question.
pub(super) struct Snapshot<'c> {
    connection: &'c Connection,
    over: &'c Over,
    view: OnceCell<Option<View>>,
}

impl<'c> Snapshot<'c> {
    pub(super) fn new(connection: &'c Connection, over: &'c Over) -> Snapshot<'c> {
        Snapshot { connection, over, view: OnceCell::new() }
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn asked<T>(&self, question: impl FnOnce(&dyn Read) -> Result<T, Error>) -> Result<T, Error> {
        if self.view.get().is_none() {
            let view = self.begin()?;
            let _ = self.view.set(view);
        }
        let base = Rows::new(self.connection);
        match self.view.get() {
            Some(Some(view)) => question(&Merged { base: &base, over: view }),
            Some(None) | None => question(&base),
        }
    }

    /// Begins, and returns what lies over the tables: all that is not in them, and nothing that
    /// came after what is.
    fn begin(&self) -> Result<Option<View>, Error> {
        let (mut tries, pause) = match self.over {
            Over::Ahead(_) | Over::Nothing => BEGINNINGS_MAX,
            Over::Log(_) => LOOKS_MAX,
        };
        loop {
            // Looked at before the tables: what is carried over in between is in both.
            let ahead = match self.over {
                Over::Ahead(ahead) => Some(ahead.view()),
                Over::Log(_) | Over::Nothing => None,
            };
            self.execute("BEGIN")?;
            let outcome = self.look_at_log(ahead);
            if outcome.is_ok() {
                return outcome;
            }
            self.execute("COMMIT")?;
            tries -= 1;
            if tries == 0 {
                return outcome;
            }
            std::thread::sleep(pause);
        }
    }

    fn look_at_log(&self, ahead: Option<View>) -> Result<Option<View>, Error> {
        match (self.over, ahead) {
            (Over::Nothing, _) => Ok(None),
            (Over::Ahead(_), ahead) => {
                let position = position(self.connection)?;
                if ahead.as_ref().is_some_and(|view| view.number < position.number) {
                    return Err(Error::Backend("the log goes on faster than it is read".into()));
                }
                Ok(ahead)
            }
            (Over::Log(disk), _) => {
                let position = position(self.connection)?;
                let contents = commit_log::read(&**disk, position)?;
                let number = contents.last().unwrap_or(position.number);
                let recent = Arc::new(Recent::of(contents.records));
                Ok(Some(View { parts: [Some(recent), None], number }))
            }
        }
    }

    /// Ends the snapshot.
    pub(super) fn end(&self) -> Result<(), Error> {
        if self.view.get().is_some() { self.execute("COMMIT") } else { Ok(()) }
    }
}

impl Read for Snapshot<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.asked(|tx| tx.get(table, key))
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        self.asked(|tx| tx.scan(table, scan))
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        self.asked(|tx| tx.journal(shard, after, limit))
    }

    fn tables(&self) -> Result<Vec<Table>, Error> {
        self.asked(|tx| tx.tables())
    }
}
