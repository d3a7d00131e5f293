//! What must be there: rows and journals, and what a batch makes of them.

use std::collections::BTreeMap;

use super::random::Random;
use crate::{Commit, Read, SHARDS, Scan, Table, Write};

pub(super) const TABLES: [Table; 3] = [Table::Users, Table::Executions, Table::History];
/// How many rows or entries are read at once.
const AT_ONCE: [usize; 3] = [2, 9, 100];

/// A call: a job of the control plane.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) writes: Vec<Write>,
    pub(super) is_kept: bool,
}

/// What is written together.
#[derive(Clone, Debug, Default)]
pub(super) struct Deed {
    /// Everything that was there before goes.
    pub(super) clears: bool,
    pub(super) calls: Vec<Call>,
    pub(super) commits: Vec<Commit>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) rows: BTreeMap<(Table, String), Vec<u8>>,
    journal: BTreeMap<(u32, u64), Vec<u8>>,
}

impl Model {
    /// Draws something to do.
    pub(super) fn deed(&self, random: &mut Random, at: usize) -> Deed {
        let mut deed = Deed { clears: random.chance(15), ..Deed::default() };
        let mut model = if deed.clears { Model::default() } else { self.clone() };
        for _ in 0..random.pick([0, 0, 1, 3]) {
            let call = Call { writes: writes(random, at), is_kept: !random.chance(250) };
            model.call(&call);
            deed.calls.push(call);
        }
        for _ in 0..random.pick([0, 1, 1, 1, 4]) {
            let shard = random.pick([0, 1, SHARDS - 1]);
            let lsn = model.last(shard) + 1;
            let entry = random.chance(800).then(|| (lsn, format!("entry {at}").into_bytes()));
            let keeps = random.pick([0, 1, 3]);
            let truncate = random.chance(300).then(|| model.last(shard).saturating_sub(keeps));
            // The last entry stays, as with a shard, so that its position is known after a start.
            let truncate = truncate.filter(|_| entry.is_some());
            let writes = writes(random, at);
            let commit = Commit { shard, epoch: 1, entry, writes, truncate };
            model.commit(&commit);
            deed.commits.push(commit);
        }
        deed
    }

    pub(super) fn after(&self, deed: &Deed) -> Model {
        let mut model = if deed.clears { Model::default() } else { self.clone() };
        deed.calls.iter().for_each(|call| model.call(call));
        deed.commits.iter().for_each(|commit| model.commit(commit));
        model
    }

    fn last(&self, shard: u32) -> u64 {
        let mut of_shard = self.journal.range((shard, 0)..=(shard, u64::MAX));
        of_shard.next_back().map_or(0, |((_, lsn), _)| *lsn)
    }

    pub(super) fn call(&mut self, call: &Call) {
        if call.is_kept {
            call.writes.iter().for_each(|write| self.write(write));
        }
    }

    pub(super) fn write(&mut self, write: &Write) {
        match write.clone() {
            Write::Put(table, key, value) => drop(self.rows.insert((table, key), value)),
            Write::Delete(table, key) => drop(self.rows.remove(&(table, key))),
        }
    }

    fn commit(&mut self, commit: &Commit) {
        commit.writes.iter().for_each(|write| self.write(write));
        if let Some((lsn, bytes)) = &commit.entry {
            self.journal.insert((commit.shard, *lsn), bytes.clone());
        }
        if let Some(upto) = commit.truncate {
            self.journal.retain(|(of, lsn), _| *of != commit.shard || upto < *lsn);
        }
    }

    /// Reads everything; fails when a journal has a gap, or a row is another by name than in a
    /// list.
    pub(super) fn of(tx: &dyn Read, random: &mut Random) -> Result<Model, String> {
        let (at_once, failed) = (random.pick(AT_ONCE), |err: crate::Error| err.to_string());
        let mut model = Model::default();
        for table in TABLES {
            let mut after: Option<String> = None;
            loop {
                let scan = Scan::prefix("").after(after.as_deref()).limit(at_once);
                let rows = tx.scan(table, scan).map_err(failed)?;
                let Some((last, _)) = rows.last() else { break };
                after = Some(last.clone());
                for (key, value) in rows {
                    if random.chance(200)
                        && tx.get(table, &key).map_err(failed)?.as_ref() != Some(&value)
                    {
                        return Err(format!("{table:?} {key} is another by name"));
                    }
                    model.rows.insert((table, key), value);
                }
            }
        }
        for shard in 0..SHARDS {
            let mut after = 0;
            loop {
                let entries = tx.journal(shard, after, at_once).map_err(failed)?;
                let Some(last) = entries.last() else { break };
                for (entry, next) in entries.iter().zip(after + 1..) {
                    if entry.lsn != next && after != 0 {
                        return Err(format!("journal {shard} goes on with {}", entry.lsn));
                    }
                }
                after = last.lsn;
                for entry in entries {
                    model.journal.insert((shard, entry.lsn), entry.bytes);
                }
            }
        }
        Ok(model)
    }

    /// Says in a few words how another differs.
    pub(super) fn difference(&self, found: &Model) -> String {
        let of = |model: &Model| (model.rows.len(), model.journal.keys().copied().collect());
        let (expected, other): ((usize, Vec<_>), (usize, Vec<_>)) = (of(self), of(found));
        let row = self.rows.iter().find(|(key, value)| found.rows.get(key) != Some(value));
        let stranger = found.rows.keys().find(|key| !self.rows.contains_key(*key));
        format!(
            "rows {} and {}, journals {:?} and {:?}; not so: {:?}, unknown: {stranger:?}",
            expected.0,
            other.0,
            expected.1,
            other.1,
            row.map(|(key, _)| key),
        )
    }
}

fn writes(random: &mut Random, at: usize) -> Vec<Write> {
    let count = random.below(4);
    let write = |_| {
        let key = format!("{}/{:02}", random.pick(["a", "b", "日本"]), random.below(6));
        let table = random.pick(TABLES);
        if random.chance(300) {
            return Write::Delete(table, key);
        }
        let times = random.pick([1, 10, 100, 400]);
        // Now and then more than a file of the log takes.
        let times = if random.chance(20) { 2_000 } else { times };
        Write::Put(table, key, format!("{at}/").repeat(times).into_bytes())
    };
    (0..count).map(write).collect()
}
