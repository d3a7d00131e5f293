//! The writer's side: commits go into the log, and past it into the tables what is too large for
//! it.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::ahead::{Ahead, set_position};
use super::buffered::Buffered;
use super::commit_log::{Appended, CommitLog};
use super::log_record::{Operation, Record, operations};
use super::merged::Merged;
use super::positions::Positions;
use super::recent::{Recent, View};
use super::rows::{Rows, append, delete, put, truncate};
use super::tables::Tables;
use crate::writer::{self, Batch, Written};
use crate::{Error, Read, Transaction, Verdict, Work, Write};

/// Who writes to a directory.
pub(super) struct Session {
    ahead: Arc<Ahead>,
    /// Where goes what does not go into the log.
    tables: Arc<Mutex<Tables>>,
    /// What jobs read on.
    connection: Connection,
    positions: Positions,
}

impl Session {
    pub(super) fn new(
        ahead: Arc<Ahead>,
        tables: Arc<Mutex<Tables>>,
        connection: Connection,
    ) -> Session {
        Session { ahead, tables, connection, positions: Positions::default() }
    }

    /// Runs a batch, and returns the record of what it has done, and whether a job has changed more
    /// than records of what happened. So that the jobs of one batch see what those before them did,
    /// it stands in `recent` already.
    fn collect(
        &self,
        batch: Batch,
        number: u64,
        recent: &Recent,
        positions: &mut Positions,
    ) -> Result<(Record, bool), Error> {
        let mut record = Record::new();
        let mut is_changed = false;
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
                let operations = run_buffered(work, &base);
                is_changed |= operations.iter().any(is_change);
                operations.into_iter().try_for_each(&mut add)?;
            }
        }
        batch.commits.into_iter().flat_map(operations).try_for_each(add)?;
        Ok((record, is_changed))
    }

    /// Writes a batch to the log; returns whether a job has changed more than records.
    fn write_ahead(&mut self, log: &mut CommitLog, batch: Batch) -> Result<bool, Error> {
        let (number, recent) = (log.next(), self.ahead.recent());
        let mut positions = self.positions;
        let record = self.collect(batch, number, &recent, &mut positions);
        let outcome = record.and_then(|(record, is_changed)| {
            self.append(log, record, &recent).map(|()| is_changed)
        });
        match outcome {
            Ok(_) => self.positions = positions,
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
                self.write_through(log, |tables| {
                    operations.into_iter().try_for_each(|one| put_into(tables, one))
                })?;
            }
        }
        Ok(())
    }

    /// Writes to the tables, which have everything else by then.
    fn write_through(
        &self,
        log: &mut CommitLog,
        change: impl FnOnce(&Connection) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.ahead.drain(log)?;
        let number = log.take_number();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.change(|tx| {
            change(tx)?;
            set_position(tx, number)
        })?;
        log.settled();
        self.ahead.show(number);
        Ok(())
    }
}

fn is_change(operation: &Operation) -> bool {
    match operation {
        Operation::Row(Write::Put(table, ..) | Write::Delete(table, _)) => !table.is_a_record(),
        Operation::Entry(..) | Operation::Truncate(..) => false,
    }
}

/// Does in the tables what a record says.
fn put_into(tables: &Connection, operation: Operation) -> Result<(), Error> {
    match operation {
        Operation::Row(Write::Put(table, key, value)) => put(tables, table, &key, value),
        Operation::Row(Write::Delete(table, key)) => delete(tables, table, &key).map(drop),
        Operation::Entry(shard, lsn, bytes) => append(tables, shard, lsn, &bytes),
        Operation::Truncate(shard, upto) => truncate(tables, shard, upto),
    }
}

/// Runs a job on the tables, so that discarding it leaves its neighbours alone.
fn run_through(tables: &Connection, work: Work) -> Result<(), Error> {
    let execute = |sql| tables.prepare_cached(sql)?.execute([]).map(drop);
    execute("SAVEPOINT job")?;
    let run = |tx: &mut dyn Transaction| work(tx);
    let verdict = writer::guarded(|| run(&mut Rows::new(tables)));
    if verdict != Verdict::Keep {
        execute("ROLLBACK TO job")?;
    }
    Ok(execute("RELEASE job")?)
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
    fn write(&mut self, batch: Batch) -> Result<Written, Error> {
        let answers = vec![Ok(()); batch.commits.len()];
        let ahead = self.ahead.clone();
        let mut log = ahead.log();
        let is_changed = if batch.is_whole_store || log.is_in_doubt() {
            let Batch { works, commits, .. } = batch;
            let has_works = !works.is_empty();
            self.positions = Positions::default();
            self.write_through(&mut log, |tables| {
                works.into_iter().try_for_each(|work| run_through(tables, work))?;
                let mut operations = commits.into_iter().flat_map(operations);
                operations.try_for_each(|one| put_into(tables, one))
            })?;
            has_works
        } else {
            self.write_ahead(&mut log, batch)?
        };
        Ok(Written { answers, is_changed })
    }

    /// A record that is not whole is none, and a transaction that is dropped is rolled back.
    fn give_up(&mut self) {}
}
