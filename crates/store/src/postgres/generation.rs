//! How often the control plane has changed, as far as this node knows.
//!
//! The database counts; each commit of a shard brings the count along, so that under load nobody
//! has to ask for it. What was read under a count is true until it changes: for this node's own
//! changes at once, for those of others within [`TRUSTED`]. AWS promises less.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long a count is believed to be the newest.
const TRUSTED: Duration = Duration::from_millis(100);

/// The count, and when it was true.
#[derive(Default)]
pub(super) struct Generation(Mutex<Option<(u64, Instant)>>);

impl Generation {
    fn known(&self) -> MutexGuard<'_, Option<(u64, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a count that was asked for at a moment. Answers may come late: the count only grows.
    pub(super) fn note(&self, count: u64, asked: Instant) {
        let mut known = self.known();
        if known.is_none_or(|before| before <= (count, asked)) {
            *known = Some((count, asked));
        }
    }

    /// Forgets the count, when it may have changed. The next one is a greater one.
    pub(super) fn forget(&self) {
        *self.known() = None;
    }

    /// Returns the count, if it is young enough.
    pub(super) fn at(&self, now: Instant) -> Option<u64> {
        let known = *self.known();
        known.filter(|(_, asked)| now.saturating_duration_since(*asked) < TRUSTED).map(|(n, _)| n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_grows_and_is_not_trusted_for_long() {
        let (generation, start) = (Generation::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(generation.at(start), None);
        generation.note(7, at(10));
        generation.note(6, at(20));
        assert_eq!((generation.at(at(109)), generation.at(at(110))), (Some(7), None));
        generation.note(7, at(50));
        assert_eq!(generation.at(at(149)), Some(7));
        generation.forget();
        assert_eq!(generation.at(at(50)), None);
    }
}
