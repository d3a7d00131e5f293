//! The end of a turn: one commit, then answers and effects.

use store::{Table, Transaction};

use super::{CHECKPOINT_LINES, Reply, Shard, Turn};
use crate::Error;
use crate::process::{Process, Write};

impl Shard {
    /// Commits what a turn has gathered, then answers callers and performs effects.
    pub(super) async fn finish_turn(&mut self, turn: Turn) {
        let Turn { lines, mut writes, effects, replies, events, finished } = turn;
        for id in &finished {
            self.processes.remove(id);
        }
        if lines.is_empty() {
            return answer(replies, &Ok(()));
        }
        self.lines_since_checkpoint += lines.len();
        let mut checkpoint = self.lines_since_checkpoint >= CHECKPOINT_LINES;
        if checkpoint {
            checkpoint = self.snapshot_into(&mut writes);
        }
        let number = self.number;
        let outcome = self
            .shared
            .store
            .write(move |tx| -> Result<(), store::Error> {
                write_all(tx, &writes)?;
                let journal = value::to_value(&lines).map_err(|err| store::Error::Corrupt {
                    place: "journal line".into(),
                    what: err.to_string(),
                })?;
                let lsn = tx.append(number, journal.to_string().as_bytes())?;
                if checkpoint { tx.truncate(number, lsn) } else { Ok(()) }
            })
            .await
            .and_then(|kept| kept);
        match outcome {
            Ok(()) => {
                if checkpoint {
                    self.checkpoint_done();
                }
                answer(replies, &Ok(()));
                if events {
                    self.shared.events_committed();
                }
                self.perform(effects);
            }
            Err(err) => {
                tracing::error!(shard = number, error = %err, "a turn was lost; reading again \
                    what is durable");
                answer(replies, &Err(Error::Store(err)));
                self.reload();
            }
        }
    }

    /// Writes a checkpoint of its own, for an orderly end.
    pub(super) async fn checkpoint(&mut self) {
        let mut writes = Vec::new();
        if !self.snapshot_into(&mut writes) {
            return;
        }
        let number = self.number;
        let outcome = self
            .shared
            .store
            .write(move |tx| -> Result<(), store::Error> {
                write_all(tx, &writes)?;
                tx.truncate(number, store::Lsn::MAX)
            })
            .await
            .and_then(|kept| kept);
        match outcome {
            Ok(()) => self.checkpoint_done(),
            // The journal still has everything.
            Err(err) => tracing::warn!(shard = number, error = %err, "no checkpoint was written"),
        }
    }

    /// Adds the writes of a checkpoint; false, and none added, when there can be no checkpoint now:
    /// the journal still has everything.
    fn snapshot_into(&self, writes: &mut Vec<Write>) -> bool {
        let before = writes.len();
        for id in &self.dirty {
            let key = format!("{}{id}", snapshot_prefix(self.number));
            match self.processes.get(id).map(Process::snapshot) {
                Some(Ok(snapshot)) => writes.push(Write::put(Table::Snapshots, key, &snapshot)),
                Some(Err(err)) => {
                    tracing::error!(process = %id, error = %err, "a process has no snapshot");
                    writes.truncate(before);
                    return false;
                }
                None if self.snapshots.contains(id) => {
                    writes.push(Write::Delete(Table::Snapshots, key));
                }
                None => {}
            }
        }
        true
    }

    fn checkpoint_done(&mut self) {
        self.lines_since_checkpoint = 0;
        for id in self.dirty.drain() {
            if self.processes.contains_key(&id) {
                self.snapshots.insert(id);
            } else {
                self.snapshots.remove(&id);
            }
        }
    }
}

/// Returns what the keys of a shard's snapshots start with; the process id follows.
pub(super) fn snapshot_prefix(shard: u32) -> String {
    format!("{shard:04}/")
}

fn write_all(tx: &mut dyn Transaction, writes: &[Write]) -> Result<(), store::Error> {
    for write in writes {
        match write {
            Write::Put(table, key, bytes) => tx.put(*table, key, bytes)?,
            Write::Delete(table, key) => drop(tx.delete(*table, key)?),
        }
    }
    Ok(())
}

fn answer(replies: Vec<Reply>, outcome: &Result<(), Error>) {
    for reply in replies {
        // Whoever has stopped waiting does not need the answer.
        match reply {
            Reply::Began(to, started) => drop(to.send(outcome.clone().map(|()| started))),
            Reply::Requested(to) => drop(to.send(outcome.clone())),
        }
    }
}
