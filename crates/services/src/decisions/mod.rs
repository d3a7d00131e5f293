//! What was decided: every call that was allowed or refused, with the reasons, for people who ask
//! why; and when each user and role last made use of what.
//!
//! It is a diagnosis, not a promise: the newest calls are in memory, and what is worth more than
//! that (calls of processes, and refusals) is written in the background, a moment behind the
//! answer. A crash loses that moment.
//!
//! INVARIANT: no value of a condition key, no input and no output of a call is in it, so no secret
//! can be. (The line to add may name a service, or whom an identity provider vouches for.)

mod keep;
mod least_privilege;
mod page;
mod record;
mod search;
mod uses;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use keep::{KEPT_MILLIS, PURGED};
pub use record::Judgements;
pub(crate) use record::{Judged, Noting, Record};
use uses::{Use, Uses};
pub(crate) use uses::{forget as forget_uses, of_entity as uses_of};

/// How many calls are in memory; the oldest make room.
const CALLS_REMEMBERED_MAX: usize = 10_000;
/// How many calls and uses wait for being written; what comes beyond is in memory only.
const CALLS_WAITING_MAX: usize = 2_000;

/// The newest calls, and what waits for being written.
#[derive(Default)]
pub(crate) struct Decisions {
    noted: Mutex<Noted>,
    /// Held while what waits is written, so that who comes second sees it written.
    writing: tokio::sync::Mutex<()>,
    unwritten: AtomicU64,
}

#[derive(Default)]
struct Noted {
    latest: VecDeque<Arc<Record>>,
    waiting: Vec<Arc<Record>>,
    uses: Uses,
    used: Vec<Use>,
}

impl Decisions {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call that was decided.
    pub(crate) fn note(&self, record: Record) {
        let record = Arc::new(record);
        let forgotten = {
            let mut noted = self.noted();
            if noted.used.len() < CALLS_WAITING_MAX
                && let Some(used) = noted.uses.of(&record)
            {
                noted.used.push(used);
            }
            if record.is_worth_writing() {
                if noted.waiting.len() < CALLS_WAITING_MAX {
                    noted.waiting.push(record.clone());
                } else {
                    self.lose(1);
                }
            }
            let full = CALLS_REMEMBERED_MAX <= noted.latest.len();
            let forgotten = if full { noted.latest.pop_front() } else { None };
            noted.latest.push_back(record);
            forgotten
        };
        // Freed when nobody waits for the lock.
        drop(forgotten);
    }

    /// Forgets everything; the store is empty.
    pub(crate) fn forget(&self) {
        *self.noted() = Noted::default();
    }

    /// Counts calls that will not be written.
    fn lose(&self, calls: u64) {
        self.unwritten.fetch_add(calls, Ordering::Relaxed);
    }

    /// Returns how many calls were not written, because too many waited or the store failed.
    pub(crate) fn unwritten(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed)
    }

    /// Returns the newest calls of processes that are not in the store, oldest first.
    fn unwritten_calls(&self) -> Vec<Arc<Record>> {
        let noted = self.noted();
        let of_processes = noted.latest.iter().filter(|record| record.process.is_some());
        let unwritten = of_processes.filter(|record| !record.is_stored.load(Ordering::Relaxed));
        unwritten.cloned().collect()
    }

    /// Returns the newest calls, oldest first.
    fn latest(&self) -> Vec<Arc<Record>> {
        self.noted().latest.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_waits_is_too() {
        let decisions = Decisions::default();
        let most = i64::try_from(CALLS_REMEMBERED_MAX).unwrap();
        for millis in 0..most + 5 {
            decisions.note(Record::example(millis));
        }
        let latest = decisions.latest();
        assert_eq!((latest.len(), latest[0].millis), (CALLS_REMEMBERED_MAX, 5));
        assert_eq!(decisions.noted().waiting.len(), CALLS_WAITING_MAX);
        let left = CALLS_REMEMBERED_MAX + 5 - CALLS_WAITING_MAX;
        assert_eq!(decisions.unwritten(), left as u64);
        // One action of one role within a minute is one use.
        assert_eq!(decisions.noted().used.len(), 1);
        decisions.note(Record::example(60_000));
        assert_eq!(decisions.noted().used.len(), 2);
        decisions.forget();
        assert!(decisions.latest().is_empty() && decisions.noted().waiting.is_empty());
    }
}
