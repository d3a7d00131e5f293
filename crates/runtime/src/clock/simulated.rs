//! Time and randomness that a simulation deals out: the same ones for the same seed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

/// What stands in for the machine's clock and its randomness.
#[derive(Debug)]
pub(super) struct Simulated {
    seed: u64,
    /// How often randomness has been dealt.
    dealt: AtomicU64,
    /// What the machine's clock would show.
    machine_millis: AtomicI64,
    sleepers: Mutex<Sleepers>,
}

/// Who wants to be woken when, in order.
#[derive(Debug, Default)]
struct Sleepers {
    by_time: BTreeMap<(i64, u64), oneshot::Sender<()>>,
    last: u64,
}

impl Simulated {
    pub(super) fn new(machine_millis: i64, seed: u64) -> Simulated {
        Simulated {
            seed,
            dealt: AtomicU64::new(0),
            machine_millis: AtomicI64::new(machine_millis),
            sleepers: Mutex::default(),
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn machine_millis(&self) -> i64 {
        self.machine_millis.load(Ordering::SeqCst)
    }

    /// Lets time go by, and wakes whoever has slept long enough.
    pub(super) fn pass(&self, millis: i64) {
        let now = self.machine_millis.fetch_add(millis, Ordering::SeqCst) + millis;
        let mut sleepers = self.sleepers();
        let later = sleepers.by_time.split_off(&(now + 1, 0));
        let due = std::mem::replace(&mut sleepers.by_time, later);
        drop(sleepers);
        for (_, wake) in due {
            // A sleeper that has been given up needs no waking.
            let _ = wake.send(());
        }
    }

    /// Returns in how many milliseconds the next sleeper is to be woken.
    pub(super) fn next_waking_millis(&self) -> Option<i64> {
        let mut sleepers = self.sleepers();
        sleepers.by_time.retain(|_, wake| !wake.is_closed());
        let next = sleepers.by_time.first_key_value().map(|((at, _), _)| *at);
        next.map(|at| (at - self.machine_millis()).max(0))
    }

    pub(super) async fn sleep(&self, millis: u64) {
        let (wake, woken) = oneshot::channel();
        let until = self.machine_millis().saturating_add_unsigned(millis);
        {
            let mut sleepers = self.sleepers();
            sleepers.last += 1;
            let number = sleepers.last;
            sleepers.by_time.insert((until, number), wake);
        }
        // The simulation outlives its sleepers.
        let _ = woken.await;
    }

    pub(super) fn entropy(&self) -> [u8; 32] {
        let number = self.dealt.fetch_add(1, Ordering::SeqCst);
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.finalize().into()
    }
}
