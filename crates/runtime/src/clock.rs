//! Time: the machine's, or one that jumps to the next timer when nothing else is left to do, or a
//! simulation's. And randomness, for facts: it has the same two sources.

mod simulated;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use simulated::Simulated;

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// As on the wall.
    Real,
    /// As on the wall, but jumping ahead to the next timer of a process whenever the server is
    /// idle: no message, no call, no request is under way.
    Virtual,
    /// As a simulation says: it stands still until [`Clock::pass`] or [`Clock::advance`].
    Simulated,
}

/// The server's clock; cheap to clone, all clones agree.
#[derive(Clone, Debug)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mode: ClockMode,
    /// What stands in for the machine's time and randomness.
    simulated: Option<Simulated>,
    /// How far this clock is ahead of the machine's.
    ahead_millis: AtomicI64,
    /// How many things are under way.
    busy: AtomicUsize,
    /// Wakes the timekeeper when the last of them ends, and when the clock has moved.
    idle: Notify,
}

/// Something is under way; dropping this says it has ended.
#[derive(Debug)]
pub struct Busy {
    shared: Arc<Shared>,
}

impl Clock {
    /// Returns a clock that shows the machine's time.
    pub fn new(mode: ClockMode) -> Clock {
        Clock::on(mode, None)
    }

    /// Returns a clock whose time passes only as it is told, and whose randomness comes from a
    /// seed.
    pub fn simulated(machine_millis: i64, seed: u64) -> Clock {
        Clock::on(ClockMode::Simulated, Some(Simulated::new(machine_millis, seed)))
    }

    fn on(mode: ClockMode, simulated: Option<Simulated>) -> Clock {
        let shared = Shared {
            mode,
            simulated,
            ahead_millis: AtomicI64::new(0),
            busy: AtomicUsize::new(0),
            idle: Notify::new(),
        };
        Clock { shared: Arc::new(shared) }
    }

    /// Returns how time passes.
    pub fn mode(&self) -> ClockMode {
        self.shared.mode
    }

    /// Returns milliseconds since the epoch.
    pub fn now_millis(&self) -> i64 {
        let machine = self.shared.simulated.as_ref().map(Simulated::machine_millis);
        machine.unwrap_or_else(wall_millis) + self.ahead_millis()
    }

    /// Lets simulated time go by, and wakes who has slept long enough; any other time passes by
    /// itself.
    pub fn pass(&self, millis: i64) {
        if let Some(simulated) = &self.shared.simulated {
            simulated.pass(millis.max(0));
            self.stir();
        }
    }

    /// Returns in how many milliseconds of simulated time the next sleeper is to be woken.
    pub fn next_waking_millis(&self) -> Option<i64> {
        self.shared.simulated.as_ref().and_then(Simulated::next_waking_millis)
    }

    /// Returns fresh random bytes.
    ///
    /// # Panics
    /// When the operating system has none: without randomness ids would repeat.
    pub(crate) fn entropy(&self) -> [u8; 32] {
        if let Some(simulated) = &self.shared.simulated {
            return simulated.entropy();
        }
        crate::entropy()
    }

    /// Sleeps; jumps of a virtual clock do not shorten it.
    pub async fn sleep(&self, millis: u64) {
        match &self.shared.simulated {
            Some(simulated) => simulated.sleep(millis).await,
            None => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
    }

    /// Returns how many milliseconds this clock is ahead of the machine's.
    pub fn ahead_millis(&self) -> i64 {
        self.shared.ahead_millis.load(Ordering::SeqCst)
    }

    /// Moves the clock ahead; it never goes back.
    pub fn advance(&self, millis: i64) {
        self.shared.ahead_millis.fetch_add(millis.max(0), Ordering::SeqCst);
        self.shared.idle.notify_one();
    }

    /// Says that something is under way, so that virtual time stands still until it has ended.
    pub fn busy(&self) -> Busy {
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        Busy { shared: self.shared.clone() }
    }

    /// Says that the caller, which keeps the clock busy, only waits for something that keeps it
    /// busy itself whenever it does more than wait; until the answer is dropped time may pass.
    // INVARIANT: the caller holds a `Busy` that outlives the answer; it is this one that rests.
    pub(crate) fn rest(&self) -> Resting {
        drop(Busy { shared: self.shared.clone() });
        Resting { shared: self.shared.clone() }
    }

    /// Returns whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.shared.busy.load(Ordering::SeqCst) == 0
    }

    /// Waits for the next moment at which nothing is under way or the clock has moved.
    pub(crate) async fn stirred(&self) {
        self.shared.idle.notified().await;
    }

    /// Waits as [`Clock::stirred`] does, but no longer than this.
    pub(crate) async fn stirred_within(&self, millis: u64) {
        tokio::select! {
            biased;
            () = self.stirred() => {}
            () = self.sleep(millis) => {}
        }
    }

    /// Wakes the timekeeper.
    pub(crate) fn stir(&self) {
        self.shared.idle.notify_one();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let was_last = self.shared.busy.fetch_sub(1, Ordering::SeqCst) == 1;
        // Real time does not wait for idleness; waking another thread after every request costs.
        if was_last && self.shared.mode == ClockMode::Virtual {
            self.shared.idle.notify_one();
        }
    }
}

/// A [`Busy`] that does not count at the moment; dropping this makes it count again.
#[derive(Debug)]
pub(crate) struct Resting {
    shared: Arc<Shared>,
}

impl Drop for Resting {
    fn drop(&mut self) {
        // When the caller was ended from outside, its own `Busy` may have gone first.
        if self.shared.busy.fetch_add(1, Ordering::SeqCst) == usize::MAX {
            self.shared.idle.notify_one();
        }
    }
}

/// Returns the machine's time in milliseconds since the epoch. Signatures and one-time codes are
/// always checked on this one.
pub fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Clock, ClockMode};

    #[tokio::test]
    async fn the_clock_goes_idle_whichever_of_caller_and_rest_ends_first() {
        let clock = Clock::new(ClockMode::Virtual);
        for caller_first in [true, false] {
            let busy = clock.busy();
            let resting = clock.rest();
            assert!(clock.is_idle());
            clock.stirred().await;
            if caller_first {
                drop(busy);
                assert!(!clock.is_idle());
                drop(resting);
            } else {
                drop(resting);
                assert!(!clock.is_idle());
                drop(busy);
            }
            assert!(clock.is_idle());
            // Would wait for ever if nobody had been told.
            clock.stirred().await;
        }
    }
}
