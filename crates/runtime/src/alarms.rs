//! Alarms: moments of the server's clock that somebody other than an execution waits for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::Shared;
use crate::clock::Busy;
use crate::timers::Sleeper;

/// The alarms that are set.
#[derive(Default)]
pub(crate) struct Alarms {
    set: Mutex<HashMap<u64, oneshot::Sender<Busy>>>,
    last: AtomicU64,
}

impl Alarms {
    fn set(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Busy>>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings an alarm.
    pub(crate) fn ring(&self, number: u64, busy: Busy) {
        if let Some(waiting) = self.set().remove(&number) {
            // Whoever has stopped waiting needs no alarm.
            drop(waiting.send(busy));
        }
    }
}

/// An alarm that is set; dropping it takes it back.
pub(crate) struct Alarm {
    shared: Arc<Shared>,
    number: u64,
    rings: oneshot::Receiver<Busy>,
}

impl Alarm {
    /// Sets an alarm.
    pub(crate) fn at(shared: &Arc<Shared>, at_millis: i64) -> Alarm {
        let number = shared.alarms.last.fetch_add(1, Ordering::Relaxed);
        let (ring, rings) = oneshot::channel();
        shared.alarms.set().insert(number, ring);
        shared.timers.arm((Sleeper::Alarm(number), 0), at_millis, &shared.clock);
        Alarm { shared: shared.clone(), number, rings }
    }

    /// Waits for the moment, and keeps the clock busy from there on. Never returns when the server
    /// was emptied meanwhile.
    pub(crate) async fn rings(&mut self) -> Busy {
        match (&mut self.rings).await {
            Ok(busy) => busy,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.alarms.set().remove(&self.number);
        self.shared.timers.cancel(&(Sleeper::Alarm(self.number), 0));
    }
}
