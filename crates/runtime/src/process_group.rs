//! What a program has started ends with it.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// A process that leads a group of its own, and everything it has started: killed when this is
/// dropped.
#[derive(Debug)]
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// Returns the group of a process that was just started with a group of its own. Once it has
    /// ended nobody knows its number any more.
    pub fn of(leader: &Child) -> ProcessGroup {
        ProcessGroup(leader.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Nothing is left to kill when everything has ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
