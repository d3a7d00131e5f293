//! The connection that writes what stands in the log to the tables, and reads single rows between.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::disk::Disk;
use super::rows::Rows;
use crate::{Error, Read, Table};

/// The tables, and whether a snapshot of them is held.
pub(super) struct Tables {
    connection: Connection,
    /// Whoever reads one row begins it, and it is good until the next change: nobody else changes
    /// the tables but after telling, and SQLite's locks are system calls.
    is_reading: bool,
    disk: Arc<dyn Disk>,
}

impl Tables {
    pub(super) fn new(connection: Connection, disk: Arc<dyn Disk>) -> Tables {
        Tables { connection, is_reading: false, disk }
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

    /// Changes the tables: all of it is kept, or none.
    ///
    /// # Errors
    /// When the change or the disk failed.
    pub(super) fn change(
        &mut self,
        change: impl FnOnce(&Connection) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.look_up()?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change(&tx)?;
        self.disk.commit(tx)
    }
}
