//! Retention: what has ended long ago is removed, in the background, a little at a time.
//!
//! Each kind says what is due, on a snapshot, and removes one thing, in a transaction that looks
//! again. Whoever owns the first shard does it; if he dies in between, the next one goes on.

use std::sync::Arc;
use std::time::Duration;

use store::{Read, Scan, Table, Transaction};

use crate::{Error, Services, cloudformation, decisions, logs, ssm, states};

/// How much of the server's time passes between two rounds, in milliseconds.
const ROUND_EVERY_MILLIS: i64 = 600_000;
/// How often it is looked whether a round is due, in milliseconds of the machine: a virtual clock
/// jumps without telling.
const LOOK_EVERY_MILLIS: u64 = 200;
/// How many rows one look reads at most.
pub(crate) const ROWS_PER_LOOK_MAX: usize = 100;
/// How many rows one transaction removes, about.
const ROWS_PER_TRANSACTION_MAX: usize = 1_000;
/// How many rows one scan of what is to be removed reads.
const ROWS_PER_SCAN: usize = 200;
/// How many transactions one round makes at most; what is left is for the next, soon after.
const TRANSACTIONS_PER_ROUND_MAX: usize = 1_000;
/// How long others have the store for themselves between two transactions, in milliseconds.
const PAUSE_MILLIS: u64 = 5;
/// A day.
const DAY_MILLIS: i64 = 86_400_000;

/// When something that has ended is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// It is kept for ever.
    Never,
    /// So many milliseconds after its end, on the server's clock.
    AfterMillis(i64),
}

/// For how long ended things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Executions of state machines, with their histories.
    pub executions: Purge,
    /// Runbook executions.
    pub automations: Purge,
    /// Deleted stacks, with their events.
    pub stacks: Purge,
}

impl Default for Retention {
    /// Returns AWS's own times (Step Functions quotas, "Execution history retention time"; Systems
    /// Manager quotas, "Automation execution history retention"; CloudFormation API reference,
    /// "ListStacks").
    fn default() -> Retention {
        Retention {
            executions: Purge::AfterMillis(90 * DAY_MILLIS),
            automations: Purge::AfterMillis(30 * DAY_MILLIS),
            stacks: Purge::AfterMillis(90 * DAY_MILLIS),
        }
    }
}

/// Something that ends and is removed.
pub(crate) struct Kind {
    /// Its name among the metrics.
    pub(crate) name: &'static str,
    /// Returns what behind a key ended before a time, from a bounded number of rows.
    pub(crate) look: fn(&dyn Read, Option<&str>, i64) -> Result<Looked, Error>,
    /// Removes one of those, if it still is due; at most about as many rows as the budget has.
    pub(crate) remove: fn(&mut dyn Transaction, &str, i64, &mut Budget) -> Result<Removed, Error>,
}

/// What a look has found.
pub(crate) struct Looked {
    /// Keys of what is due.
    pub(crate) due: Vec<String>,
    /// Behind which key the next look begins; none at the end.
    pub(crate) next: Option<String>,
}

/// What became of something that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    /// It is gone.
    Gone,
    /// Some of it is left for another transaction.
    Partly,
    /// It is not due after all.
    Stays,
}

/// How many rows a transaction may still remove.
pub(crate) struct Budget(usize);

impl Budget {
    #[cfg(test)]
    pub(crate) fn of(rows: usize) -> Budget {
        Budget(rows)
    }

    fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Removes rows by prefix, until none is left or the budget is spent; returns whether all are
    /// gone.
    pub(crate) fn remove_all(
        &mut self,
        tx: &mut dyn Transaction,
        table: Table,
        prefix: &str,
    ) -> Result<bool, Error> {
        while !self.is_spent() {
            let limit = ROWS_PER_SCAN.min(self.0);
            let rows = tx.scan(table, Scan::prefix(prefix).limit(limit))?;
            for (key, _) in &rows {
                tx.delete(table, key)?;
            }
            self.0 -= rows.len();
            if rows.len() < limit {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// How a round ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Finished,
    /// There was more to do than one round may.
    Unfinished,
}

impl Services {
    /// Removes what is due, for ever.
    pub(crate) async fn keep_retention(self: Arc<Self>, retention: Retention) {
        let kinds = [
            (states::PURGED, retention.executions),
            (ssm::PURGED, retention.automations),
            (cloudformation::PURGED, retention.stacks),
            (states::PURGED_MACHINES, Purge::AfterMillis(0)),
            // After their executions, whoever those are.
            (states::PURGED_DEFINITIONS, retention.executions),
            (decisions::PURGED, Purge::AfterMillis(decisions::KEPT_MILLIS)),
            // Each group says itself for how long.
            (logs::PURGED, Purge::AfterMillis(0)),
        ];
        let mut next_round_millis = i64::MIN;
        loop {
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MILLIS)).await;
            let now_millis = self.runtime().clock().now_millis();
            if now_millis < next_round_millis || !self.runtime().is_leader() {
                continue;
            }
            next_round_millis = now_millis + ROUND_EVERY_MILLIS;
            for (kind, purge) in &kinds {
                let Purge::AfterMillis(after) = purge else { continue };
                match self.round(kind, now_millis.saturating_sub(*after).max(0)).await {
                    Ok(Round::Finished) => {}
                    Ok(Round::Unfinished) => next_round_millis = now_millis,
                    Err(err) => tracing::warn!(
                        kind = kind.name, error = %err,
                        "what has ended long ago could not be removed; the next round tries again"
                    ),
                }
            }
        }
    }

    /// Removes what of one kind ended before a time.
    async fn round(&self, kind: &'static Kind, before_millis: i64) -> Result<Round, Error> {
        let (mut behind, mut left, mut purged) = (None::<String>, TRANSACTIONS_PER_ROUND_MAX, 0);
        let ended = loop {
            let from = behind.take();
            let looked =
                self.store().read(|store| (kind.look)(store, from.as_deref(), before_millis))?;
            let mut due = looked.due;
            while !due.is_empty() && 0 < left {
                left -= 1;
                let (rest, gone) = self.remove(kind, due, before_millis).await?;
                due = rest;
                purged += gone;
                self.metrics.purged(kind.name, gone);
                tokio::time::sleep(Duration::from_millis(PAUSE_MILLIS)).await;
            }
            behind = looked.next;
            if !due.is_empty() {
                break Round::Unfinished;
            }
            if behind.is_none() {
                break Round::Finished;
            }
        };
        if 0 < purged {
            tracing::info!(kind = kind.name, purged, "what ended long ago was removed");
        }
        Ok(ended)
    }

    /// Removes as much as fits into one transaction; returns what is left, and how many are gone.
    async fn remove(
        &self,
        kind: &'static Kind,
        due: Vec<String>,
        before_millis: i64,
    ) -> Result<(Vec<String>, u64), Error> {
        let written = self.store().write(move |tx| -> Result<(Vec<String>, u64), Error> {
            let (mut budget, mut gone) = (Budget(ROWS_PER_TRANSACTION_MAX), 0);
            let mut due = due.into_iter();
            for key in due.by_ref() {
                match (kind.remove)(tx, &key, before_millis, &mut budget)? {
                    Removed::Gone => gone += 1,
                    Removed::Stays => {}
                    Removed::Partly => {
                        return Ok((std::iter::once(key).chain(due).collect(), gone));
                    }
                }
            }
            Ok((Vec::new(), gone))
        });
        written.await?
    }
}
