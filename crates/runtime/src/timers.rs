//! The timekeeper: one ordered list of when which process wants to be woken.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::SHARDS;

use crate::clock::{Clock, ClockMode};
use crate::shard::Message;
use crate::{ProcessId, Shared};

/// How long the timekeeper sleeps at most; the machine's clock may be set meanwhile.
const SLEEP_MILLIS_MAX: i64 = 60_000;

/// Who is to be woken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sleeper {
    /// A process of a shard.
    Process(ProcessId),
    /// An express execution, which is this node's whatever becomes of its shards.
    Express(ProcessId),
    /// Somebody who waits for a moment.
    Alarm(u64),
}

/// A timer: the number is the sleeper's own.
pub(crate) type TimerId = (Sleeper, u64);

/// All armed timers.
#[derive(Default)]
pub(crate) struct Timers {
    armed: Mutex<Armed>,
}

#[derive(Default)]
struct Armed {
    by_time: BTreeSet<(i64, TimerId)>,
    at: HashMap<TimerId, i64>,
}

impl Timers {
    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn arm(&self, timer: TimerId, at_millis: i64, clock: &Clock) {
        let mut armed = self.armed();
        if let Some(before) = armed.at.insert(timer.clone(), at_millis) {
            armed.by_time.remove(&(before, timer.clone()));
        }
        let first = armed.by_time.first().is_none_or(|(at, _)| at_millis < *at);
        armed.by_time.insert((at_millis, timer));
        drop(armed);
        if first {
            clock.stir();
        }
    }

    pub(crate) fn cancel(&self, timer: &TimerId) {
        let mut armed = self.armed();
        if let Some(at) = armed.at.remove(timer) {
            armed.by_time.remove(&(at, timer.clone()));
        }
    }

    pub(crate) fn clear(&self) {
        *self.armed() = Armed::default();
    }

    /// Forgets the timers of a shard's processes.
    pub(crate) fn forget_shard(&self, shard: u32) {
        let mut armed = self.armed();
        let Armed { by_time, at } = &mut *armed;
        let is_of_shard = |(sleeper, _): &TimerId| match sleeper {
            Sleeper::Process(id) => id.shard(SHARDS) == shard,
            Sleeper::Express(_) | Sleeper::Alarm(_) => false,
        };
        at.retain(|timer, _| !is_of_shard(timer));
        by_time.retain(|(_, timer)| !is_of_shard(timer));
    }

    /// Returns how many timers are armed.
    pub(crate) fn len(&self) -> usize {
        self.armed().at.len()
    }

    /// Returns how many processes have timers; looks at every one of these.
    pub(crate) fn processes(&self) -> usize {
        let armed = self.armed();
        armed.at.keys().map(|(id, _)| id).collect::<HashSet<_>>().len()
    }

    /// Returns when the next timer falls due.
    pub(crate) fn next_at(&self) -> Option<i64> {
        self.armed().by_time.first().map(|(at, _)| *at)
    }

    fn take_due(&self, now_millis: i64) -> Option<TimerId> {
        let mut armed = self.armed();
        if armed.by_time.first().is_none_or(|(at, _)| now_millis < *at) {
            return None;
        }
        let (_, timer) = armed.by_time.pop_first()?;
        armed.at.remove(&timer);
        Some(timer)
    }
}

/// Fires timers as they fall due, for ever. A fired timer keeps the clock busy until its shard has
/// seen it, so that virtual time stands still meanwhile.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let (timers, clock) = (&shared.timers, &shared.clock);
    loop {
        while let Some((sleeper, timer)) = timers.take_due(clock.now_millis()) {
            let (busy, epoch) = (clock.busy(), shared.epoch());
            match sleeper {
                Sleeper::Process(id) => {
                    shared.send(Message::TimerFired { id, timer }, epoch, busy).await;
                }
                Sleeper::Express(id) => shared.express.wake(&id, timer, busy),
                Sleeper::Alarm(number) => shared.alarms.ring(number, busy),
            }
        }
        let Some(next) = timers.next_at() else {
            clock.stirred().await;
            continue;
        };
        let wait = next - clock.now_millis();
        if clock.mode() == ClockMode::Virtual && clock.is_idle() && wait > 0 {
            clock.advance(wait);
            continue;
        }
        let wait = u64::try_from(wait.clamp(0, SLEEP_MILLIS_MAX)).unwrap_or(0);
        // Waking early is harmless: the loop looks again.
        clock.stirred_within(wait).await;
    }
}
