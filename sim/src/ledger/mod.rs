//! What has been made durable so far, kept apart from the store and from the system under test, and
//! what must hold of it at every commit.

mod errands;
mod fleets;
mod history;
mod map_runs;
mod notices;
mod redrives;
mod reports;
mod shadow;

use std::collections::{BTreeMap, BTreeSet};

use runtime::{Begin, Fact, ProcessId};
use store::{Commit, Lease, SHARDS, Table, Write};
use value::Value;

use crate::trace::Trace;
use fleets::Fleets;
use history::History;
use map_runs::MapRuns;
use notices::Notices;
use redrives::Redrives;
use reports::Reports;
use shadow::{Shadow, StampText};

/// Everything that is known of one world's durable state.
pub(crate) struct Ledger {
    trace: Trace,
    /// The newest epoch given out for each shard.
    epochs: Vec<u64>,
    /// The last position of each shard's journal.
    positions: Vec<u64>,
    /// By execution ARN.
    histories: BTreeMap<String, History>,
    /// Processes that run, as a start would find them.
    shadows: BTreeMap<ProcessId, Shadow>,
    /// Whether the record of a process says that it has ended.
    records: BTreeMap<ProcessId, bool>,
    /// Ids of effects that something durable asks for, or has asked for.
    asked: BTreeSet<String>,
    /// How often each effect has changed the store.
    performed: BTreeMap<String, usize>,
    notices: Notices,
    map_runs: MapRuns,
    fleets: Fleets,
    reports: Reports,
    redrives: Redrives,
    /// How many calls the endpoint has seen.
    pub(crate) calls: usize,
    /// How many commits were kept.
    pub(crate) commits: usize,
}

/// One line of a journal entry, as stored.
#[derive(serde::Deserialize)]
struct Line {
    process: ProcessId,
    stamp: StampText,
    entry: Entry,
}

#[derive(serde::Deserialize)]
enum Entry {
    Began(Begin),
    Fact(Fact),
    Ended,
}

/// History rows that a commit must hold, because its journal lines mean them.
type Meant = BTreeMap<String, Vec<u8>>;

impl Ledger {
    pub(crate) fn new(trace: Trace) -> Ledger {
        Ledger {
            trace,
            epochs: vec![0; SHARDS as usize],
            positions: vec![0; SHARDS as usize],
            histories: BTreeMap::new(),
            shadows: BTreeMap::new(),
            records: BTreeMap::new(),
            asked: BTreeSet::new(),
            performed: BTreeMap::new(),
            notices: Notices::default(),
            map_runs: MapRuns::default(),
            fleets: Fleets::default(),
            reports: Reports::default(),
            redrives: Redrives::default(),
            calls: 0,
            commits: 0,
        }
    }

    /// Takes note of leases that a node was given.
    pub(crate) fn granted(&mut self, leases: &[Lease]) {
        for lease in leases {
            if let Some(newest) = self.epochs.get_mut(lease.shard as usize) {
                *newest = lease.epoch.max(*newest);
            }
        }
    }

    /// Checks a call as it is made: something durable must ask for it.
    pub(crate) fn called(&mut self, effect: &str) {
        self.calls += 1;
        if !self.asked.contains(effect) {
            self.trace.violated(format_args!("nothing durable asks for the effect {effect}"));
        }
    }

    /// Takes in an object of S3.
    pub(crate) fn put_object(&mut self, input: &Value) {
        if let Err(what) = self.map_runs.put_object(input) {
            self.trace.violated(what);
        }
    }

    /// Checks a job that was kept: an effect may change the store once.
    pub(crate) fn written(&mut self, puts: &[(Table, String)], _deletes: &[(Table, String)]) {
        for (_, effect) in puts.iter().filter(|(table, _)| *table == Table::Applied) {
            let times = self.performed.entry(effect.clone()).or_default();
            *times += 1;
            if 1 < *times {
                let what = format!("the effect {effect} has changed the store {times} times");
                self.trace.violated(what);
            }
        }
    }

    /// Checks a commit that was kept.
    pub(crate) fn committed(&mut self, commit: &Commit) {
        self.commits += 1;
        if let Err(what) = self.check(commit) {
            self.trace.violated(what);
        }
    }

    fn check(&mut self, commit: &Commit) -> Result<(), String> {
        self.check_turn(commit)?;
        let lines = match &commit.entry {
            Some((_, bytes)) => read::<Vec<Line>>(bytes)?,
            None => Vec::new(),
        };
        let told: BTreeSet<ProcessId> = lines.iter().map(|line| line.process.clone()).collect();
        let mut meant = Meant::new();
        for line in lines {
            self.follow(line, &mut meant)?;
        }
        let mut left = meant.clone();
        let mut untold = BTreeSet::new();
        for write in &commit.writes {
            match write {
                Write::Put(Table::History, key, bytes) => {
                    match left.remove(key) {
                        Some(meant) if meant != *bytes => {
                            return Err(format!(
                                "the history row {key} is not what a replay gives"
                            ));
                        }
                        Some(_) => {}
                        None => drop(untold.insert(history::arn_of(key).to_owned())),
                    }
                    self.check_history(key, bytes)?;
                }
                Write::Put(table @ (Table::Executions | Table::Automations), key, bytes) => {
                    self.check_record(*table, key, bytes, &told)?;
                }
                Write::Put(Table::Snapshots, key, bytes) => self.check_row(key, bytes)?,
                Write::Put(Table::EventOutbox, key, bytes) => self.notices.put(key, bytes)?,
                Write::Put(Table::Redrives, arn, bytes) => self.redrives.keep(arn, bytes)?,
                Write::Delete(Table::Redrives, arn) => self.redrives.forget(arn),
                Write::Put(Table::MapRuns, arn, bytes) => self.map_runs.put(arn, bytes)?,
                // Only who has ended loses his row.
                Write::Delete(Table::Snapshots, key) => {
                    if let Some(id) = shadow::id_of(key) {
                        self.shadows.remove(&id);
                    }
                }
                Write::Put(..) | Write::Delete(..) => {}
            }
        }
        if let Some((key, _)) = left.first_key_value() {
            return Err(format!("a replay gives the history row {key}, the commit has none"));
        }
        self.check_untold(&untold, commit)?;
        self.ask(&told, commit);
        Ok(())
    }

    /// Epochs never go back, positions have no gap.
    fn check_turn(&mut self, commit: &Commit) -> Result<(), String> {
        let Commit { shard, epoch, entry, .. } = commit;
        let newest = self.epochs.get(*shard as usize).copied().unwrap_or_default();
        if *epoch != newest {
            return Err(format!("shard {shard} took a commit of epoch {epoch}, it is at {newest}"));
        }
        if let (Some((lsn, _)), Some(last)) = (entry, self.positions.get_mut(*shard as usize)) {
            if *lsn != *last + 1 {
                return Err(format!("the journal of shard {shard} goes from {last} to {lsn}"));
            }
            *last = *lsn;
        }
        Ok(())
    }

    /// Takes one line of the journal in, as a start would.
    fn follow(&mut self, line: Line, meant: &mut Meant) -> Result<(), String> {
        let Line { process: id, stamp, entry } = line;
        match entry {
            Entry::Began(begin) => {
                let (shadow, rows) = Shadow::begin(&id, &begin, &stamp)?;
                meant.extend(rows);
                if self.shadows.insert(id.clone(), shadow).is_some() {
                    return Err(format!("{id} begins and runs already"));
                }
            }
            Entry::Fact(fact) => {
                if !self.shadows.contains_key(&id)
                    && let Some(shadow) = self.redrives.brought_back(&id, &fact)?
                {
                    self.shadows.insert(id.clone(), shadow);
                }
                let Some(shadow) = self.shadows.get_mut(&id) else {
                    return Err(format!("the journal speaks of {id}, which nothing durable knows"));
                };
                meant.extend(shadow.apply(&stamp, fact)?);
            }
            Entry::Ended => drop(self.shadows.remove(&id)),
        }
        Ok(())
    }

    fn check_history(&mut self, key: &str, bytes: &[u8]) -> Result<(), String> {
        let arn = history::arn_of(key);
        let events: Value = read(bytes)?;
        for event in events.as_array().unwrap_or_default() {
            self.reports.event(arn, event)?;
        }
        self.histories.entry(arn.to_owned()).or_default().append(key, bytes)
    }

    fn check_record(
        &mut self,
        table: Table,
        key: &str,
        bytes: &[u8],
        told: &BTreeSet<ProcessId>,
    ) -> Result<(), String> {
        let record: Value = read(bytes)?;
        let (kind, status) = match table {
            Table::Automations => (runtime::Kind::Automation, "AutomationExecutionStatus"),
            _ => (runtime::Kind::Execution, "status"),
        };
        if key.contains(":express:") {
            return self.map_runs.express_child(key, &record);
        }
        let id = ProcessId::new(kind, key);
        let status = record.get(status).and_then(Value::as_str).unwrap_or_default();
        let has_ended =
            !matches!(status, "RUNNING" | "Pending" | "InProgress" | "Waiting" | "Cancelling");
        let is_redriven =
            kind == runtime::Kind::Execution && self.redrives.record(key, &record, has_ended)?;
        if self.records.insert(id.clone(), has_ended) == Some(true) && !is_redriven {
            return Err(format!("the record of {id} was final and changes to {status}"));
        }
        if kind == runtime::Kind::Execution {
            self.map_runs.child(key, &record)?;
        }
        if kind == runtime::Kind::Automation {
            self.fleets.put(key, &record)?;
        }
        if has_ended {
            // One that has children or errands is not over: the journal goes on speaking of it.
            let lingers = self.shadows.get(&id).is_some_and(Shadow::lingers);
            if !(lingers && told.contains(&id)) {
                self.shadows.remove(&id);
            }
            match kind {
                runtime::Kind::Automation => self.notices.ended(key, &record)?,
                runtime::Kind::Execution => {
                    self.notices.machine_ended(key, &record);
                    self.reports.ended(&record);
                }
                runtime::Kind::Stack => {}
            }
        }
        Ok(())
    }

    /// A row is the process as it stands: a start goes on from there.
    fn check_row(&mut self, key: &str, bytes: &[u8]) -> Result<(), String> {
        let (id, row) = shadow::Row::read(key, bytes)?;
        if self.redrives.is_what_remains(&id, &row) {
            // The journal goes on from there, in this commit.
            return Ok(());
        }
        if let Some(shadow) = self.shadows.get(&id)
            && row.is_of_a_checkpoint()
            && !row.is(shadow)
        {
            return Err(format!("the row of {id} is not what a replay gives"));
        }
        let shadow = row.into_shadow()?;
        let events = self.histories.get(id.name()).map(History::last_id);
        if let (Some(known), Some(said)) = (events, shadow.history_events())
            && known != said
        {
            return Err(format!("the row of {id} is at event {said}, its history at {known}"));
        }
        self.shadows.insert(id, shadow);
        Ok(())
    }

    /// History without a journal line belongs to who has ended in the same commit, or left memory.
    fn check_untold(&self, untold: &BTreeSet<String>, commit: &Commit) -> Result<(), String> {
        for arn in untold {
            let id = ProcessId::new(runtime::Kind::Execution, arn);
            let has_row = commit.writes.iter().any(|write| {
                matches!(write, Write::Put(Table::Snapshots, key, _) if key.ends_with(&**arn))
            });
            if !has_row && self.records.get(&id) != Some(&true) {
                return Err(format!("the history of {arn} grows, and a start would not know why"));
            }
        }
        Ok(())
    }

    /// Takes note of the effects that the commit asks for.
    fn ask(&mut self, told: &BTreeSet<ProcessId>, commit: &Commit) {
        let rows = commit.writes.iter().filter_map(|write| match write {
            Write::Put(Table::Snapshots, key, _) => shadow::id_of(key),
            Write::Put(..) | Write::Delete(..) => None,
        });
        for id in rows.chain(told.iter().cloned()) {
            if let Some(shadow) = self.shadows.get(&id) {
                self.asked.extend(shadow.asks(&id));
            }
        }
    }

    /// Returns whether a process has a record, and whether it has ended.
    pub(crate) fn record(&self, id: &ProcessId) -> Option<bool> {
        self.records.get(id).copied()
    }

    /// Returns everyone who has a record and has not ended, or has and is not over.
    pub(crate) fn unfinished(&self) -> Vec<&ProcessId> {
        let open = self.records.iter().filter(|(_, has_ended)| !**has_ended).map(|(id, _)| id);
        open.chain(self.shadows.keys()).collect()
    }

    /// Checks what must hold when everything has ended.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check_end(&self) -> Result<(), String> {
        for (arn, history) in &self.histories {
            history.check_end().map_err(|what| format!("{what}: {arn}"))?;
        }
        if let Some(id) = self.shadows.keys().next() {
            return Err(format!("{id} has ended, and a start would bring it back"));
        }
        self.map_runs.check_end()?;
        self.redrives.check_end()?;
        self.reports.check_end()?;
        self.notices.check_end()
    }

    /// Checks that the store still has what was written into it.
    ///
    /// # Errors
    /// What is lost.
    pub(crate) fn check_kept(&self, tx: &dyn store::Read) -> Result<(), String> {
        for (arn, history) in &self.histories {
            history.check_kept(arn, tx)?;
        }
        for id in self.records.keys() {
            let table = match id.kind() {
                runtime::Kind::Automation => Table::Automations,
                runtime::Kind::Execution | runtime::Kind::Stack => Table::Executions,
            };
            if !matches!(tx.get(table, id.name()), Ok(Some(_))) {
                return Err(format!("the record of {id} is lost"));
            }
        }
        Ok(())
    }
}

/// Returns stored JSON as a type.
fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let parsed = value::parse_bytes(bytes).map_err(|err| err.to_string())?;
    value::from_value(parsed).map_err(|err| err.to_string())
}
