//! Turns at running a script: a few at once, and none any more when the server is about to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many scripts may run at once; further ones wait their turn.
const SCRIPTS_UNDER_WAY_MAX: u32 = 16;

/// Who may run a script.
pub(crate) struct Turns {
    places: Semaphore,
    are_over: AtomicBool,
}

impl Default for Turns {
    fn default() -> Turns {
        let places = Semaphore::new(SCRIPTS_UNDER_WAY_MAX as usize);
        Turns { places, are_over: AtomicBool::new(false) }
    }
}

impl Turns {
    /// Waits for a turn; there are none any more after [`Turns::end`].
    pub(crate) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        let place = self.places.acquire().await.ok()?;
        // INVARIANT: who takes a place before the end is waited for, for the end waits for all
        // places; who takes one behind it sees that it is over.
        (!self.are_over.load(Ordering::SeqCst)).then_some(place)
    }

    /// Gives no turn any more, and waits until all that were given are over, but no longer than
    /// that. Returns how many were not.
    pub(crate) async fn end(&self, longest: Duration) -> usize {
        self.are_over.store(true, Ordering::SeqCst);
        let all = self.places.acquire_many(SCRIPTS_UNDER_WAY_MAX);
        match tokio::time::timeout(longest, all).await {
            Ok(_) => 0,
            Err(_) => (SCRIPTS_UNDER_WAY_MAX as usize) - self.places.available_permits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_those_who_have_a_turn_and_gives_no_other() {
        let turns = Turns::default();
        let (one, other) = (turns.take().await, turns.take().await);
        assert!(one.is_some());
        assert_eq!(turns.end(Duration::ZERO).await, 2);
        assert!(turns.take().await.is_none());
        drop(one);
        assert_eq!(turns.end(Duration::ZERO).await, 1);
        let ends = async {
            tokio::task::yield_now().await;
            drop(other);
        };
        let (left, ()) = tokio::join!(turns.end(Duration::from_mins(1)), ends);
        assert_eq!(left, 0);
    }

    #[tokio::test]
    async fn who_waits_for_a_turn_at_the_end_gets_none() {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for _ in 0..SCRIPTS_UNDER_WAY_MAX {
            taken.push(turns.take().await);
        }
        let ends = async {
            assert_eq!(turns.end(Duration::ZERO).await, 16);
            taken.clear();
        };
        let (late, ()) = tokio::join!(turns.take(), ends);
        assert!(late.is_none());
    }
}
