//! The end of a turn: one commit, then answers and effects.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;

use store::planted::{Bug, is_planted};
use store::{Commit, Lsn, Table, Write};
use value::Value;

use super::resident::{Resident, row_key};
use super::{Position, Reply, Shard, Turn, checkpoint_key};
use crate::process::{Effect, Entry, JournalLine, Process, Stamp};
use crate::{Error, ProcessId};

/// A process that will be woken sooner than this stays in memory.
const REST_MILLIS_MIN: i64 = 1_000;

/// What becomes of a process at the end of a turn.
enum Fate {
    /// It has ended.
    Finished,
    /// It waits for nothing but these timers, and leaves memory in this state.
    Rests(Vec<(u64, i64)>, Value),
    /// It stays.
    Stays,
}

impl Shard {
    /// Commits what a turn has gathered, then answers callers and performs effects.
    pub(super) async fn finish_turn(&mut self, turn: Turn) {
        let Turn { mut lines, mut writes, effects, mut replies, events, ended, touched, .. } = turn;
        let Some(epoch) = self.epoch else {
            return answer(replies, &Err(Error::NotHere));
        };
        // What is not there may have begun on another node: a commit shows that there is none.
        let doubts = self.shared.store.is_shared()
            && replies.iter().any(|reply| matches!(reply, Reply::NotRunning(_)));
        if touched.is_empty() && writes.is_empty() && !doubts {
            return answer(replies, &Ok(()));
        }
        let fates = self.fates(touched);
        // The journal need not speak of who has ended or was written down.
        lines.retain(|line| matches!(fates.get(&line.process), Some(Fate::Stays) | None));
        lines.extend(self.endings(&fates));
        if !lines.is_empty() {
            self.position.last += 1;
            self.position.lines += lines.len();
        }
        let lsn = self.position.last;
        let gone = self.settle(fates, lsn, &mut writes);
        let truncate = self.checkpoint_into(&gone, &mut writes);
        let entry = if lines.is_empty() { Ok(None) } else { entry(lsn, &lines).map(Some) };
        if is_planted(Bug::AnswerEarly) {
            answer(std::mem::take(&mut replies), &Ok(()));
        }
        let outcome = match entry {
            Ok(entry) => {
                let writes = last_of_each(writes);
                let commit = Commit { shard: self.number, epoch, entry, writes, truncate };
                self.shared.store.commit(commit).await
            }
            Err(err) => Err(err),
        };
        match outcome {
            Ok(()) => {
                for (id, _) in gone.iter().filter(|(_, ended)| *ended) {
                    self.shared.figures.finished(self.number, id.kind());
                }
                for (id, _) in &gone {
                    self.residents.remove(id);
                }
                if let Some(upto) = truncate {
                    self.checkpoint_done(upto);
                }
                answer(replies, &Ok(()));
                if events {
                    self.shared.events_committed();
                }
                self.perform(effects);
                for id in ended {
                    self.shared.followers.tell(&id, &self.shared.clock);
                    self.shared.ended(&id);
                }
            }
            Err(err) => self.turn_lost(err, replies),
        }
    }

    /// Decides what becomes of everyone that something happened to.
    fn fates(&self, touched: Vec<ProcessId>) -> BTreeMap<ProcessId, Fate> {
        let soon = self.shared.clock.now_millis() + REST_MILLIS_MIN;
        let mut fates = BTreeMap::new();
        for id in touched {
            let Some(resident) = self.residents.get(&id) else { continue };
            let fate = fate_of(&id, &resident.process, soon);
            fates.insert(id, fate);
        }
        fates
    }

    /// Returns lines for those who have ended and of whom the journal spoke before: without them a
    /// start would bring them back.
    fn endings(&self, fates: &BTreeMap<ProcessId, Fate>) -> Vec<JournalLine> {
        let stamp = Stamp { millis: self.shared.clock.now_millis(), entropy: [0; 32] };
        let has_ended = |(id, fate): &(&ProcessId, &Fate)| {
            let resident = self.residents.get(id);
            let spoken_of =
                resident.is_some_and(|resident| self.position.checkpoint < resident.last_line);
            matches!(fate, Fate::Finished) && spoken_of
        };
        let ended = fates.iter().filter(has_ended);
        ended
            .map(|(id, _)| JournalLine { process: id.clone(), stamp, entry: Entry::Ended })
            .collect()
    }

    /// Adds the rows of those who leave memory; returns who that is, and whether he has ended.
    fn settle(
        &mut self,
        fates: BTreeMap<ProcessId, Fate>,
        lsn: Lsn,
        writes: &mut Vec<Write>,
    ) -> Vec<(ProcessId, bool)> {
        let mut gone = Vec::new();
        for (id, fate) in fates {
            let Some(resident) = self.residents.get_mut(&id) else { continue };
            match fate {
                Fate::Finished => {
                    writes.extend(resident.remains(&id));
                    if resident.stored {
                        writes.push(Write::Delete(Table::Snapshots, row_key(self.number, &id)));
                    }
                    gone.push((id, true));
                }
                Fate::Rests(timers, state) => {
                    writes.push(resident.row(self.number, &id, lsn, Some(&timers), &state));
                    gone.push((id, false));
                }
                Fate::Stays => resident.last_line = lsn,
            }
        }
        gone
    }

    fn turn_lost(&mut self, err: store::Error, replies: Vec<Reply>) {
        let fenced = matches!(err, store::Error::Fenced { .. });
        if fenced {
            tracing::warn!(shard = self.number, "another node owns the shard");
            answer(replies, &Err(Error::NotHere));
        } else {
            tracing::error!(shard = self.number, error = %err, "a turn was lost; what is durable \
                is read again");
            answer(replies, &Err(Error::Store(err)));
        }
        // Taken up again under a new epoch, so that a commit still on its way is refused.
        self.put_down();
    }

    /// Writes a checkpoint of its own, for an orderly end.
    pub(super) async fn checkpoint(&mut self) {
        let Some(epoch) = self.epoch else { return };
        let mut writes = Vec::new();
        let upto = self.position.last;
        if self.position.lines == 0 || !self.rows_into(&[], &mut writes, upto) {
            return;
        }
        writes.push(self.checkpoint_row(upto));
        let truncate = Some(upto);
        let commit = Commit { shard: self.number, epoch, entry: None, writes, truncate };
        match self.shared.store.commit(commit).await {
            Ok(()) => self.checkpoint_done(upto),
            // The journal still has everything.
            Err(err) => {
                tracing::warn!(shard = self.number, error = %err, "no checkpoint was written");
            }
        }
    }

    /// Adds the writes of a checkpoint when it is time for one; returns up to where the journal is
    /// then no longer needed.
    fn checkpoint_into(&self, gone: &[(ProcessId, bool)], writes: &mut Vec<Write>) -> Option<Lsn> {
        let upto = self.position.last;
        let lines = self.shared.checkpoint_lines.load(Ordering::Relaxed);
        let due = lines.max(self.residents.len()) <= self.position.lines;
        if !due || !self.rows_into(gone, writes, upto) {
            return None;
        }
        writes.push(self.checkpoint_row(upto));
        Some(upto)
    }

    /// Adds a row of everyone who has changed and stays; false, and none added, when that cannot
    /// be: the journal still has everything.
    fn rows_into(&self, gone: &[(ProcessId, bool)], writes: &mut Vec<Write>, lsn: Lsn) -> bool {
        let before = writes.len();
        let gone: HashSet<&ProcessId> = gone.iter().map(|(id, _)| id).collect();
        let unwritten =
            |(id, resident): &(&ProcessId, &Resident)| resident.changed && !gone.contains(id);
        for (id, resident) in self.residents.iter().filter(unwritten) {
            let Some(state) = snapshot(id, &resident.process) else {
                writes.truncate(before);
                return false;
            };
            writes.push(resident.row(self.number, id, lsn, None, &state));
        }
        true
    }

    fn checkpoint_row(&self, upto: Lsn) -> Write {
        let key = checkpoint_key(self.number);
        Write::Put(Table::RuntimeSettings, key, upto.to_string().into_bytes())
    }

    fn checkpoint_done(&mut self, upto: Lsn) {
        self.position = Position { last: self.position.last, checkpoint: upto, lines: 0 };
        for resident in self.residents.values_mut() {
            (resident.stored, resident.changed) = (true, false);
        }
    }
}

/// Decides what becomes of a process; one that is woken before `soon` stays.
fn fate_of(id: &ProcessId, process: &Process, soon_millis: i64) -> Fate {
    if process.is_finished() {
        return Fate::Finished;
    }
    // Who waits for ten thousand children need not be asked for each of them.
    if process.has_children() {
        return Fate::Stays;
    }
    let timers = rest(process.outstanding());
    let timers = timers.filter(|timers| timers.iter().all(|(_, at)| soon_millis <= *at));
    let resting = timers.and_then(|timers| Some((timers, snapshot(id, process)?)));
    resting.map_or(Fate::Stays, |(timers, state)| Fate::Rests(timers, state))
}

/// Returns the state of a process; none when it cannot be written down, which is a bug of the
/// engine. Then it stays in memory, and the journal keeps all of it.
fn snapshot(id: &ProcessId, process: &Process) -> Option<Value> {
    let snapshot = process.snapshot();
    let told = snapshot.inspect_err(|err| {
        tracing::error!(process = %id, error = %err, "a process has no snapshot");
    });
    told.ok()
}

/// Returns the timers of a process that waits for nothing else.
fn rest(outstanding: Vec<Effect>) -> Option<Vec<(u64, i64)>> {
    let timer = |effect| match effect {
        Effect::Arm { timer, at_millis } => Some((timer, at_millis)),
        Effect::Call { .. }
        | Effect::Enqueue { .. }
        | Effect::Look { .. }
        | Effect::Tell { .. }
        | Effect::Answer { .. }
        | Effect::Script { .. }
        | Effect::Cancel { .. }
        | Effect::Disarm { .. }
        | Effect::Write(_)
        | Effect::Emit(_)
        | Effect::Notice(_)
        | Effect::StatusChanged(_)
        | Effect::Child { .. }
        | Effect::StopChild { .. }
        | Effect::FleetChild { .. }
        | Effect::Items { .. }
        | Effect::Results { .. }
        | Effect::Finished => None,
    };
    outstanding.into_iter().map(timer).collect()
}

/// Leaves out what would be written over within the same commit.
fn last_of_each(writes: Vec<Write>) -> Vec<Write> {
    let mut seen = HashSet::with_capacity(writes.len());
    let mut kept: Vec<Write> = Vec::with_capacity(writes.len());
    for write in writes.into_iter().rev() {
        let place = match &write {
            Write::Put(table, key, _) | Write::Delete(table, key) => (*table, key.clone()),
        };
        if seen.insert(place) {
            kept.push(write);
        }
    }
    kept.sort_by(|one, other| place(one).cmp(&place(other)));
    kept
}

fn place(write: &Write) -> (Table, &str) {
    match write {
        Write::Put(table, key, _) | Write::Delete(table, key) => (*table, key),
    }
}

fn entry(lsn: Lsn, lines: &[JournalLine]) -> Result<(Lsn, Vec<u8>), store::Error> {
    let journal = value::to_value(&lines).map_err(|err| store::Error::Corrupt {
        place: "journal line".into(),
        what: err.to_string(),
    })?;
    Ok((lsn, journal.to_json().into_bytes()))
}

/// Tells everyone who waits for a turn how it ended.
pub(super) fn answer(replies: Vec<Reply>, outcome: &Result<(), Error>) {
    for reply in replies {
        // Whoever has stopped waiting does not need the answer.
        match reply {
            Reply::Began(to, started) => drop(to.send(outcome.clone().map(|()| started))),
            Reply::Requested(to) => drop(to.send(outcome.clone())),
            Reply::NotRunning(to) => {
                drop(to.send(outcome.clone().and(Err(Error::NotRunning))));
            }
        }
    }
}
