//! The connection that writes what stands in the log to the tables, and reads single rows between.

use rusqlite::{Connection, TransactionBehavior};

use super::rows::Rows;
use crate::{Error, Read, Table};

/// The tables, and whether a snapshot of them is held.
pub(super) struct Tables {
    connection: Connection,
    /// Whoever reads one row begins it, and it is good until the next change: nobody else changes
    /// the tables but after telling, and SQLite's locks are system calls.
    is_reading: bool,
}

impl Tables {
    pub(super) fn new(connection: Connection) -> Tables {
        Tables { connection, is_reading: false }
    }

    /// Reads one row.
    pub(super) fn get(&mut self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        if !self.is_reading {
            self.connection.prepare_cached("BEGIN")?.execute([])?;
            self.is_reading = true;
        }
        Rows::new(&self.connection).get(table, key)
    }

    /// Gives up the snapshot, so that the next read sees what others have written.
    pub(super) fn look_up(&mut self) -> Result<(), Error> {
        if self.is_reading {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            self.is_reading = false;
        }
        Ok(())
    }

    /// Begins a change.
    pub(super) fn change(&mut self) -> Result<rusqlite::Transaction<'_>, Error> {
        self.look_up()?;
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}
