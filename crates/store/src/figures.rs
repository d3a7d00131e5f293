//! What a store counts about itself, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets of commit times, in microseconds; the last bucket has none.
pub const COMMIT_MICROS_BUCKETS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Figures {
    commits: AtomicU64,
    failed: AtomicU64,
    units: AtomicU64,
    micros: AtomicU64,
    generation: AtomicU64,
    carries: AtomicU64,
    carries_failed: AtomicU64,
    buckets: [AtomicU64; COMMIT_MICROS_BUCKETS.len()],
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Durable commits: waits for the disk.
    pub commits: u64,
    /// Commits that failed.
    pub failed: u64,
    /// Units of work in all commits: turns of shards and changes of the control plane.
    pub units: u64,
    /// Time spent in commits, in microseconds.
    pub micros: u64,
    /// How often what stood in the commit log was carried to the tables.
    pub carries: u64,
    /// How often that failed; it is done again.
    pub carries_failed: u64,
    /// How many commits took at most as long as each of [`COMMIT_MICROS_BUCKETS`].
    pub buckets: [u64; COMMIT_MICROS_BUCKETS.len()],
}

impl Figures {
    /// Notes a commit.
    pub(crate) fn committed(&self, units: usize, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.units.fetch_add(units as u64, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        for (bound, bucket) in COMMIT_MICROS_BUCKETS.iter().zip(&self.buckets) {
            if micros <= *bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Notes that a job was kept.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns a number that changes whenever a job is kept.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Notes a commit that failed.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that what stood in the commit log is in the tables, or could not be brought there.
    pub(crate) fn carried(&self, is_there: bool) {
        let counter = if is_there { &self.carries } else { &self.carries_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the counters as they stand.
    pub fn snapshot(&self) -> Snapshot {
        let mut buckets = [0; COMMIT_MICROS_BUCKETS.len()];
        for (to, from) in buckets.iter_mut().zip(&self.buckets) {
            *to = from.load(Ordering::Relaxed);
        }
        Snapshot {
            commits: self.commits.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            units: self.units.load(Ordering::Relaxed),
            micros: self.micros.load(Ordering::Relaxed),
            carries: self.carries.load(Ordering::Relaxed),
            carries_failed: self.carries_failed.load(Ordering::Relaxed),
            buckets,
        }
    }
}
