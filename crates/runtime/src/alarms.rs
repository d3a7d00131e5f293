//! Alarms: moments of the server's clock that somebody other than a process waits for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::clock::Busy;
use crate::{Kind, ProcessId, Shared};

/// The alarms that are set. They stand among the timers under names that no process has.
#[derive(Default)]
pub(crate) struct Alarms {
    set: Mutex<HashMap<ProcessId, oneshot::Sender<Busy>>>,
    last: AtomicU64,
}

impl Alarms {
    fn set(&self) -> MutexGuard<'_, HashMap<ProcessId, oneshot::Sender<Busy>>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings an alarm; gives `busy` back when the timer is none.
    pub(crate) fn ring(&self, id: &ProcessId, busy: Busy) -> Option<Busy> {
        match self.set().remove(id) {
            // Whoever has stopped waiting needs no alarm.
            Some(waiting) => drop(waiting.send(busy)),
            None => return Some(busy),
        }
        None
    }
}

/// An alarm that is set; dropping it takes it back.
pub(crate) struct Alarm {
    shared: Arc<Shared>,
    id: ProcessId,
    rings: oneshot::Receiver<Busy>,
}

impl Alarm {
    /// Sets an alarm.
    pub(crate) fn at(shared: &Arc<Shared>, at_millis: i64) -> Alarm {
        let number = shared.alarms.last.fetch_add(1, Ordering::Relaxed);
        let id = ProcessId::new(Kind::Execution, &format!("alarm/{number}"));
        let (ring, rings) = oneshot::channel();
        shared.alarms.set().insert(id.clone(), ring);
        shared.timers.arm((id.clone(), 0), at_millis, &shared.clock);
        Alarm { shared: shared.clone(), id, rings }
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
        self.shared.alarms.set().remove(&self.id);
        self.shared.timers.cancel(&(self.id.clone(), 0));
    }
}
