//! The writers' connections: one for changes of the control plane, one for what shards do.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use super::generation::Generation;
use super::group::{Group, groups};
use super::line::Line;
use super::rows::{Rows, column, unsigned};
use crate::writer::{self, Batch, Written};
use crate::{Error, Transaction, Verdict, Work};

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// Counts a change of the control plane, and by that waits until no other node is making one. What
/// is read behind it is the latest.
pub(super) const LOCK: &str =
    "UPDATE stepwell_control SET generation = generation + 1 RETURNING generation";

/// Changes of the control plane: one transaction at a time, over all nodes.
pub(super) struct Control {
    line: Line,
    generation: Arc<Generation>,
    /// What the transaction will make of it.
    next: u64,
}

impl Control {
    pub(super) fn new(line: Line, generation: Arc<Generation>) -> Control {
        Control { line, generation, next: 0 }
    }

    fn try_to_begin(&mut self) -> Result<(), Error> {
        let rows = self.line.connection()?.query_behind(BEGIN, LOCK, &[])?;
        let missing = || Error::Backend("stepwell_control has no row".into());
        self.next = unsigned(column(rows.first().ok_or_else(missing)?, 0)?);
        Ok(())
    }
}

impl Control {
    /// No job has run yet, so a connection that has died since the last batch may be replaced.
    fn begin(&mut self) -> Result<(), Error> {
        let began = self.try_to_begin();
        match (began, self.line.at_hand()) {
            (Err(_), Ok(connection)) if connection.is_broken() => self.try_to_begin(),
            (began, _) => began,
        }
    }

    /// Runs one job, so that discarding it leaves its neighbours alone.
    fn run(&mut self, work: Work) -> Result<(), Error> {
        let connection = self.line.at_hand()?;
        connection.post_batch("SAVEPOINT job")?;
        let run = |tx: &mut dyn Transaction| work(tx);
        let verdict = writer::guarded(|| run(&mut Rows::of(connection)));
        if verdict != Verdict::Keep {
            connection.post_batch("ROLLBACK TO SAVEPOINT job")?;
        }
        // Fails if anything before it has, which nobody may have waited for.
        connection.batch("RELEASE SAVEPOINT job")
    }

    fn commit(&mut self) -> Result<(), Error> {
        let asked = Instant::now();
        // Until the end of it nobody can tell which count is true.
        self.generation.forget();
        self.line.at_hand()?.batch("COMMIT")?;
        self.generation.note(self.next, asked);
        Ok(())
    }
}

impl writer::Session for Control {
    fn write(&mut self, batch: Batch) -> Result<Written, Error> {
        if !batch.commits.is_empty() {
            return Err(Error::Backend("what shards do goes another way".into()));
        }
        self.begin()?;
        batch.works.into_iter().try_for_each(|work| self.run(work))?;
        self.commit()?;
        Ok(Written { answers: Vec::new(), is_changed: true })
    }

    fn give_up(&mut self) {
        self.line.give_up();
    }
}

/// What shards do: one statement for all that waits, which is its own transaction.
///
/// INVARIANT: nothing is written but under the newest epoch of its shard. The fence locks the
/// shard's row against a change of the epoch until the statement has ended, and looks at the row
/// as it is once it has the lock.
const COMMIT: &str = "\
WITH fence AS ( \
    SELECT f.unit, s.shard \
    FROM unnest($1::int4[], $2::int4[], $3::bigint[]) AS f(unit, shard, epoch) \
    JOIN stepwell_shards s ON s.shard = f.shard AND s.epoch = f.epoch \
    FOR SHARE OF s \
), entered AS ( \
    INSERT INTO stepwell_journal (shard, lsn, crc, bytes) \
    SELECT fence.shard, j.lsn, j.crc, j.bytes \
    FROM unnest($4::int4[], $5::bigint[], $6::bigint[], $7::bytea[]) AS j(unit, lsn, crc, bytes) \
    JOIN fence ON fence.unit = j.unit \
), removed AS ( \
    DELETE FROM stepwell_rows r \
    USING unnest($8::int4[], $9::smallint[], $10::text[]) AS d(unit, tab, key), fence \
    WHERE fence.unit = d.unit AND r.tab = d.tab AND r.key = d.key \
), kept AS ( \
    INSERT INTO stepwell_rows (tab, key, value) \
    SELECT p.tab, p.key, p.value \
    FROM unnest($11::int4[], $12::smallint[], $13::text[], $14::bytea[]) \
        AS p(unit, tab, key, value) \
    JOIN fence ON fence.unit = p.unit \
    ON CONFLICT (tab, key) DO UPDATE SET value = excluded.value \
), truncated AS ( \
    DELETE FROM stepwell_journal j \
    USING unnest($15::int4[], $16::bigint[]) AS t(unit, lsn), fence \
    WHERE fence.unit = t.unit AND j.shard = fence.shard AND j.lsn <= t.lsn \
) \
SELECT unit, (SELECT generation FROM stepwell_control) FROM fence";

/// The connection on which shards commit.
pub(super) struct Commits {
    line: Line,
    generation: Arc<Generation>,
}

impl Commits {
    pub(super) fn new(line: Line, generation: Arc<Generation>) -> Commits {
        Commits { line, generation }
    }

    /// Writes a group; returns the units that could be written.
    fn write_group(&mut self, group: &Group) -> Result<HashSet<i32>, Error> {
        let Group { fence, journal, removed, kept, truncated } = group;
        let asked = Instant::now();
        let rows = self.line.at_hand()?.query(
            COMMIT,
            &[
                &fence.units,
                &fence.shards,
                &fence.epochs,
                &journal.units,
                &journal.lsns,
                &journal.crcs,
                &journal.bytes,
                &removed.units,
                &removed.tabs,
                &removed.keys,
                &kept.units,
                &kept.tabs,
                &kept.keys,
                &kept.values,
                &truncated.units,
                &truncated.lsns,
            ],
        )?;
        if let Some(row) = rows.first() {
            self.generation.note(unsigned(column(row, 1)?), asked);
        }
        rows.iter().map(|row| column(row, 0)).collect()
    }
}

impl writer::Session for Commits {
    /// Each group is a transaction.
    fn write(&mut self, batch: Batch) -> Result<Written, Error> {
        if !batch.works.is_empty() {
            return Err(Error::Backend("changes of the control plane go another way".into()));
        }
        self.line.connection()?;
        let mut answers = Vec::with_capacity(batch.commits.len());
        for (group, members) in groups(batch.commits) {
            let allowed = self.write_group(&group)?;
            for (unit, shard) in members {
                let fenced = Err(Error::Fenced { shard });
                answers.push(if allowed.contains(&unit) { Ok(()) } else { fenced });
            }
        }
        Ok(Written { answers, is_changed: false })
    }

    fn give_up(&mut self) {
        self.line.give_up();
    }
}
