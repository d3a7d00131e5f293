//! What a shard reads when it starts: the snapshots of its last checkpoint, and the journal since.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use store::{Load, Lsn, Scan, Table};
use tokio::sync::mpsc;
use value::Value;

use super::commit::snapshot_prefix;
use super::{Envelope, Shard};
use crate::process::{Entry, JournalLine, Process};
use crate::{Error, ProcessId, Shared};

/// How many journal entries are read at a time.
const ENTRIES_PER_READ: usize = 256;

impl Shard {
    /// Opens a shard with everything that is durable.
    ///
    /// # Errors
    /// When stored data is damaged or cannot be read; nothing is served then.
    pub(crate) fn open(
        number: u32,
        shared: Arc<Shared>,
        inbox: mpsc::Receiver<Envelope>,
    ) -> Result<Shard, Error> {
        let mut shard = Shard {
            number,
            shared,
            inbox,
            processes: HashMap::new(),
            running: HashMap::new(),
            dirty: HashSet::new(),
            snapshots: HashSet::new(),
            lines_since_checkpoint: 0,
        };
        shard.recover()?;
        Ok(shard)
    }

    /// Forgets what is in memory and starts again from what is durable.
    pub(super) fn reload(&mut self) {
        self.forget();
        match self.recover() {
            Ok(()) => self.perform_outstanding(),
            Err(err) => {
                tracing::error!(shard = self.number, error = %err, "the shard could not be read \
                    again");
                self.forget();
            }
        }
    }

    /// Reads page by page: applying facts reads definitions, and reads do not nest.
    fn recover(&mut self) -> Result<(), Error> {
        let store = self.shared.store.clone();
        let prefix = snapshot_prefix(self.number);
        let mut after: Option<String> = None;
        loop {
            let scan = Scan::prefix(&prefix).after(after.as_deref());
            let rows: Vec<(String, Value)> =
                store.read(|tx| tx.load_all(Table::Snapshots, scan))?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            for (key, snapshot) in rows {
                self.restore(&key, snapshot)?;
            }
        }
        let mut lsn: Lsn = 0;
        loop {
            let entries = store.read(|tx| tx.journal(self.number, lsn, ENTRIES_PER_READ))?;
            let Some(last) = entries.last() else { return Ok(()) };
            lsn = last.lsn;
            for entry in &entries {
                self.replay(entry.lsn, &entry.bytes)?;
            }
        }
    }

    fn restore(&mut self, key: &str, snapshot: Value) -> Result<(), Error> {
        let name = key.split_once('/').map(|(_, name)| name);
        let id = name.and_then(ProcessId::parse).ok_or_else(|| damaged(key, "no process id"))?;
        let process = Process::restore(&id, snapshot, &self.shared.definitions)?;
        self.snapshots.insert(id.clone());
        self.processes.insert(id, process);
        Ok(())
    }

    /// Applies one commit again. What it wrote is there already, what it caused is asked of
    /// `outstanding` at the end.
    fn replay(&mut self, lsn: Lsn, bytes: &[u8]) -> Result<(), Error> {
        let place = format!("journal {}/{lsn}", self.number);
        let parsed = value::parse_bytes(bytes).map_err(|err| damaged(&place, &err.to_string()))?;
        let lines: Vec<JournalLine> =
            value::from_value(parsed).map_err(|err| damaged(&place, &err.to_string()))?;
        for JournalLine { process: id, stamp, entry } in lines {
            let mut effects = Vec::new();
            match entry {
                Entry::Began(begin) => {
                    let definitions = &self.shared.definitions;
                    let process = Process::begin(&id, &begin, &stamp, definitions, &mut effects)?;
                    self.processes.insert(id.clone(), process);
                }
                Entry::Fact(fact) => {
                    if let Some(process) = self.processes.get_mut(&id) {
                        process.apply(&stamp, fact, &mut effects);
                    }
                }
            }
            if self.processes.get(&id).is_some_and(Process::is_finished) {
                self.processes.remove(&id);
            }
            self.dirty.insert(id);
            self.lines_since_checkpoint += 1;
        }
        Ok(())
    }
}

fn damaged(place: &str, what: &str) -> Error {
    Error::Store(store::Error::Corrupt { place: place.to_owned(), what: what.to_owned() })
}
