//! The writer's side: commits go into the log, and past it into the tables what is too large for
//! it.

use std::sync::Arc;

use rusqlite::Connection;

use super::ahead::{Ahead, set_position};
use super::buffered::Buffered;
use super::commit_log::{Appended, CommitLog};
use super::log_record::{Operation, Record, operations};
use super::merged::Merged;
use super::positions::Positions;
use super::recent::{Recent, View};
use super::rows::{Rows, append, delete, put, truncate};
use crate::writer::{self, Batch};
use crate::{Error, Read, Transaction, Verdict, Work, Write};

/// Who writes to a directory.
pub(super) struct Session {
    ahead: Arc<Ahead>,
    /// What jobs read on, and where goes what does not go into the log.
    connection: Connection,
    positions: Positions,
}

impl Session {
    pub(super) fn new(ahead: Arc<Ahead>, connection: Connection) -> Session {
        Session { ahead, connection, positions: Positions::default() }
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Runs a batch, and returns the record of what it has done. So that the jobs of one batch see
    /// what those before them did, it stands in `recent` already.
    fn collect(
        &self,
        batch: Batch,
        number: u64,
        recent: &Recent,
        positions: &mut Positions,
    ) -> Result<Record, Error> {
        let mut record = Record::new();
        let view = View { number, ..self.ahead.view() };
        let mut add = |operation: Operation| -> Result<(), Error> {
            if let Operation::Entry(shard, lsn, _) = &operation {
                positions.take(*shard, *lsn, &self.connection, &view)?;
            }
            record.push(&operation)?;
            recent.add(number, [operation]);
            Ok(())
        };
        if !batch.works.is_empty() {
            let tables = Rows::new(&self.connection);
            let base = Merged { base: &tables, over: &view };
            for work in batch.works {
                run_buffered(work, &base).into_iter().try_for_each(&mut add)?;
            }
        }
        batch.commits.into_iter().flat_map(operations).try_for_each(add)?;
        Ok(record)
    }

    /// Writes a batch to the log.
    fn write_ahead(&mut self, log: &mut CommitLog, batch: Batch) -> Result<(), Error> {
        let (number, recent) = (log.next(), self.ahead.recent());
        let mut positions = self.positions;
        let record = self.collect(batch, number, &recent, &mut positions);
        let outcome = record.and_then(|record| self.append(log, record, &recent));
        match outcome {
            Ok(()) => self.positions = positions,
            Err(_) => recent.forget(number),
        }
        outcome
    }

    /// Makes a record durable, which stands in `recent`, and lets readers see it.
    fn append(&self, log: &mut CommitLog, record: Record, recent: &Recent) -> Result<(), Error> {
        if record.is_empty() {
            return Ok(());
        }
        let number = log.next();
        let record = log.finish(record)?;
        match log.append(record.bytes())? {
            Appended::Kept => self.ahead.show(number),
            Appended::Full => {
                recent.forget(number);
                self.ahead.pass_on(log)?;
                let recent = self.ahead.recent();
                recent.add(number, record.operations()?);
                let appended = log.append(record.bytes());
                if !matches!(appended, Ok(Appended::Kept)) {
                    recent.forget(number);
                    appended?;
                    return Err(Error::Backend("a file of the commit log has shrunk".into()));
                }
                self.ahead.show(number);
            }
            Appended::TooLarge => {
                recent.forget(number);
                let operations = record.operations()?;
                let put = || operations.into_iter().try_for_each(|one| self.put(one));
                self.write_through(log, put)?;
            }
        }
        Ok(())
    }

    /// Writes to the tables, which have everything else by then.
    fn write_through(
        &self,
        log: &mut CommitLog,
        change: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.ahead.drain(log)?;
        let number = log.take_number();
        self.execute("BEGIN IMMEDIATE")?;
        change()?;
        set_position(&self.connection, number)?;
        self.execute("COMMIT")?;
        log.settled();
        self.ahead.show(number);
        Ok(())
    }

    /// Does in the tables what a record says.
    fn put(&self, operation: Operation) -> Result<(), Error> {
        let connection = &self.connection;
        match operation {
            Operation::Row(Write::Put(table, key, value)) => put(connection, table, &key, value),
            Operation::Row(Write::Delete(table, key)) => delete(connection, table, &key).map(drop),
            Operation::Entry(shard, lsn, bytes) => append(connection, shard, lsn, &bytes),
            Operation::Truncate(shard, upto) => truncate(connection, shard, upto),
        }
    }

    /// Runs one job on the tables, so that discarding it leaves its neighbours alone.
    fn run(&self, work: Work) -> Result<(), Error> {
        self.execute("SAVEPOINT job")?;
        let run = |tx: &mut dyn Transaction| work(tx);
        let verdict = writer::guarded(|| run(&mut Rows::new(&self.connection)));
        if verdict != Verdict::Keep {
            self.execute("ROLLBACK TO job")?;
        }
        self.execute("RELEASE job")
    }
}

/// Runs a job and returns what it has written; nothing when it is discarded.
fn run_buffered(work: Work, base: &dyn Read) -> Vec<Operation> {
    let mut tx = Buffered::new(base);
    let run = |tx: &mut dyn Transaction| work(tx);
    match writer::guarded(|| run(&mut tx)) {
        Verdict::Keep => tx.into_operations().collect(),
        Verdict::Discard => Vec::new(),
    }
}

impl writer::Session for Session {
    fn write(&mut self, batch: Batch) -> Result<Vec<Result<(), Error>>, Error> {
        let answers = vec![Ok(()); batch.commits.len()];
        let ahead = self.ahead.clone();
        let mut log = ahead.log();
        if batch.is_whole_store || log.is_in_doubt() {
            let Batch { works, commits, .. } = batch;
            self.positions = Positions::default();
            self.write_through(&mut log, || {
                works.into_iter().try_for_each(|work| self.run(work))?;
                commits.into_iter().flat_map(operations).try_for_each(|one| self.put(one))
            })?;
        } else {
            self.write_ahead(&mut log, batch)?;
        }
        Ok(answers)
    }

    fn give_up(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}
