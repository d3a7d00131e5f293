//! The end of a world: everything has ended, and stays so.

use anyhow::Result;
use store::LEASE_MILLIS;

use super::{Event, World};
use crate::trace::locked;

/// How long the last node looks whether there is anything left to do, in milliseconds.
const LAST_LOOK_MILLIS: i64 = 3_000;

impl World {
    /// Returns whether everything that is known has ended and nobody waits.
    pub(super) fn is_over(&self) -> bool {
        let is_asked = self.agenda.values().any(|event| matches!(event, Event::Ask(_)));
        let works = self.seats.iter().any(|seat| {
            let waits = seat.life.as_ref().is_some_and(|life| 0 < life.disk.waiting());
            seat.is_disk_busy || waits
        });
        self.asked.is_empty()
            && !is_asked
            && !works
            && locked(&self.disk.ledger).unfinished().is_empty()
    }

    pub(super) fn what_hangs(&self) -> String {
        let ledger = locked(&self.disk.ledger);
        let hanging: Vec<String> = ledger.unfinished().iter().map(ToString::to_string).collect();
        format!("still running, or waited for, long after the last fault: {}", hanging.join(", "))
    }

    /// Checks the store, then begins one last node on it: it must find nothing to do.
    pub(super) fn check_end(&mut self) -> Result<()> {
        let checked = {
            let ledger = locked(&self.disk.ledger);
            let kept = self.disk.look(|tx| ledger.check_kept(tx));
            ledger.check_end().and(kept.unwrap_or(Ok(())))
        };
        if let Err(what) = checked {
            self.trace.violated(what);
            return Ok(());
        }
        for seat in 0..self.seats.len() {
            self.crash(seat);
        }
        self.agenda.clear();
        self.pass(LEASE_MILLIS + 1);
        let before = self.counted();
        self.boot(0)?;
        let until = self.now + LAST_LOOK_MILLIS;
        while self.now < until && self.trace.violation().is_none() {
            if !self.act()? {
                self.pass(100);
            }
        }
        let armed = self.seats.first().and_then(|seat| seat.life.as_ref());
        let armed = armed.map_or(0, |life| life.runtime.timers_armed());
        if before != self.counted() || armed != 0 {
            let what = format!("a start finds something to do after the end: {armed} timers");
            self.trace.violated(what);
        }
        Ok(())
    }

    /// Returns how many calls and commits there have been.
    fn counted(&self) -> (usize, usize) {
        let ledger = locked(&self.disk.ledger);
        (ledger.calls, ledger.commits)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for life in self.seats.iter_mut().filter_map(|seat| seat.life.take()) {
            life.die();
        }
    }
}
