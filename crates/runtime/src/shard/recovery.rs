//! What a shard reads when it is taken over: the rows of its processes, and the journal since the
//! last checkpoint.
//!
//! INVARIANT: bounded by what was running. Of a process that only waits, the first line of its row
//! is looked at, for its timers; the journal is no longer than a checkpoint lets it grow.

use std::collections::{BTreeMap, HashMap, HashSet};

use store::{JournalEntry, Lsn, Scan, Table};

use super::resident::{Head, Resident, head, id_of, row_key, row_prefix};
use super::{Position, Shard, checkpoint_of};
use crate::process::{Effect, Entry, JournalLine, Process};
use crate::{Error, ProcessId};

/// How many journal entries are read at a time.
const ENTRIES_PER_READ: usize = 256;
/// How many rows are read at a time.
const ROWS_PER_READ: usize = 1_000;

impl Shard {
    /// Takes the shard up with everything that is durable.
    ///
    /// # Errors
    /// When stored data is damaged or cannot be read.
    pub(crate) fn recover(&mut self, epoch: u64) -> Result<(), Error> {
        let store = self.shared.store.clone();
        let checkpoint = store.read(|tx| checkpoint_of(tx, self.number))?;
        self.position = Position { last: checkpoint, checkpoint, lines: 0 };
        let journal = self.read_journal(checkpoint)?;
        let spoken_of: HashSet<&ProcessId> =
            journal.iter().flat_map(|(_, lines)| lines.iter().map(|line| &line.process)).collect();
        let mut heads = BTreeMap::new();
        self.read_rows(&spoken_of, &mut heads)?;
        let ended = ended(&journal);
        for (lsn, lines) in journal {
            self.position.last = lsn;
            self.position.lines += lines.len();
            let mut touched = Vec::new();
            for (at, line) in lines.into_iter().enumerate() {
                if ended.get(&line.process).is_none_or(|end| *end < (lsn, at)) {
                    touched.push(line.process.clone());
                    self.replay(lsn, line, &mut heads)?;
                }
            }
            // An entry is a turn: who ended in the middle of one may have been redriven in it.
            for id in touched {
                if self.residents.get(&id).is_some_and(|known| known.process.is_finished()) {
                    self.residents.remove(&id);
                }
            }
        }
        for (id, head) in heads {
            self.enter(&id, &head, None)?;
        }
        for id in self.residents.keys() {
            self.shared.figures.opened(self.number, id.kind());
        }
        self.epoch = Some(epoch);
        Ok(())
    }

    /// Reads the journal behind the checkpoint; a gap in it is a loss.
    fn read_journal(&self, checkpoint: Lsn) -> Result<Vec<(Lsn, Vec<JournalLine>)>, Error> {
        let (store, mut last) = (self.shared.store.clone(), checkpoint);
        let mut journal = Vec::new();
        loop {
            let entries = store.read(|tx| tx.journal(self.number, last, ENTRIES_PER_READ))?;
            if entries.is_empty() {
                return Ok(journal);
            }
            for JournalEntry { lsn, bytes } in entries {
                let place = format!("journal {}/{lsn}", self.number);
                if lsn != last + 1 {
                    return Err(damaged(&place, &format!("it follows on {last}, some is missing")));
                }
                let parsed =
                    value::parse_bytes(&bytes).map_err(|err| damaged(&place, &err.to_string()))?;
                let lines =
                    value::from_value(parsed).map_err(|err| damaged(&place, &err.to_string()))?;
                journal.push((lsn, lines));
                last = lsn;
            }
        }
    }

    /// Reads the rows of processes page by page. Those that only wait stay outside, unless the
    /// journal speaks of them.
    fn read_rows(
        &mut self,
        spoken_of: &HashSet<&ProcessId>,
        heads: &mut BTreeMap<ProcessId, Head>,
    ) -> Result<(), Error> {
        let store = self.shared.store.clone();
        let prefix = row_prefix(self.number);
        let mut after: Option<String> = None;
        loop {
            let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(ROWS_PER_READ);
            let rows = store.read(|tx| tx.scan(Table::Snapshots, scan))?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, row) in rows {
                let id = id_of(&key)?;
                let head = head(&id, &row)?;
                if spoken_of.contains(&id) {
                    heads.insert(id, head);
                } else {
                    self.enter(&id, &head, Some(row))?;
                }
            }
        }
    }

    /// Brings a process into memory, unless it only waits: then its timers are enough.
    fn enter(&mut self, id: &ProcessId, head: &Head, row: Option<Vec<u8>>) -> Result<(), Error> {
        let Some(timers) = &head.timers else { return self.take_in(id, row) };
        self.shared.figures.opened(self.number, id.kind());
        for (timer, at_millis) in timers {
            let (timer, at_millis) = (*timer, *at_millis);
            self.perform(vec![(id.clone(), Effect::Arm { timer, at_millis })]);
        }
        Ok(())
    }

    /// Brings a process into memory; without its row, that is read first.
    fn take_in(&mut self, id: &ProcessId, row: Option<Vec<u8>>) -> Result<(), Error> {
        let key = row_key(self.number, id);
        let row = match row {
            Some(row) => Some(row),
            None => self.shared.store.get(Table::Snapshots, &key)?,
        };
        let row = row.ok_or_else(|| damaged(&key, "it was there a moment ago"))?;
        let resident = Resident::restore(id, &row, &self.shared.definitions)?;
        self.residents.insert(id.clone(), resident);
        Ok(())
    }

    /// Applies one line again. What it wrote is there already, what it caused is asked of
    /// `outstanding` at the end.
    fn replay(
        &mut self,
        lsn: Lsn,
        line: JournalLine,
        heads: &mut BTreeMap<ProcessId, Head>,
    ) -> Result<(), Error> {
        let JournalLine { process: id, stamp, entry } = line;
        if let Some(head) = heads.get(&id) {
            if lsn <= head.lsn {
                return Ok(());
            }
            heads.remove(&id);
            self.take_in(&id, None)?;
        }
        let mut effects = Vec::new();
        match entry {
            Entry::Began(begin) => {
                let definitions = &self.shared.definitions;
                let process = Process::begin(&id, &begin, &stamp, definitions, &mut effects)?;
                self.residents.insert(id.clone(), Resident::new(process));
            }
            // Left out already.
            Entry::Ended => {}
            Entry::Fact(fact) => {
                if let Some(resident) = self.residents.get_mut(&id) {
                    resident.process.apply(&stamp, fact, &mut effects);
                }
            }
        }
        if let Some(resident) = self.residents.get_mut(&id) {
            (resident.changed, resident.last_line) = (true, lsn);
        }
        Ok(())
    }
}

/// Returns where in the journal processes have ended, each for the last time: when its record has
/// been removed as too old, a name may be given to another.
fn ended(journal: &[(Lsn, Vec<JournalLine>)]) -> HashMap<ProcessId, (Lsn, usize)> {
    let places = journal.iter().flat_map(|(lsn, lines)| {
        lines.iter().enumerate().map(move |(at, line)| (line, (*lsn, at)))
    });
    let ended = places.filter(|(line, _)| matches!(line.entry, Entry::Ended));
    ended.map(|(line, place)| (line.process.clone(), place)).collect()
}

fn damaged(place: &str, what: &str) -> Error {
    Error::Store(store::Error::Corrupt { place: place.to_owned(), what: what.to_owned() })
}
