//! Bugs on purpose, to show that the simulator would find them. Without the feature `planted-bugs`
//! there are none, and nothing here but constants.

#[cfg(feature = "planted-bugs")]
use std::sync::atomic::{AtomicU8, Ordering};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A commit is kept although another node owns the shard.
    SkipFence,
    /// Callers are answered before the commit.
    AnswerEarly,
    /// An event now and then does not reach the outbox.
    DropEvent,
    /// A call that is made again after a start has another id than before.
    FreshEffect,
    /// A crash takes the last commit with it.
    LoseCommit,
    /// A commit is acknowledged before its record is on disk.
    LogUnsynced,
    /// What another process has left is taken as it stands in the machine's memory.
    LogUnconfirmed,
    /// After a record that may or may not be on disk, the next is appended to the log.
    LogUndoubted,
    /// The checksums of records are not looked at.
    LogUnchecked,
}

impl Bug {
    /// The bugs that whole worlds find (`sim`), by name.
    pub const ALL: [(&'static str, Bug); 5] = [
        ("skip-fence", Bug::SkipFence),
        ("answer-early", Bug::AnswerEarly),
        ("drop-event", Bug::DropEvent),
        ("fresh-effect", Bug::FreshEffect),
        ("lose-commit", Bug::LoseCommit),
    ];

    /// The bugs of a directory's log, which a simulated disk finds (`sqlite::simulated`).
    #[cfg(all(test, feature = "planted-bugs"))]
    pub(crate) const OF_THE_LOG: [(&'static str, Bug); 4] = [
        ("log-unsynced", Bug::LogUnsynced),
        ("log-unconfirmed", Bug::LogUnconfirmed),
        ("log-undoubted", Bug::LogUndoubted),
        ("log-unchecked", Bug::LogUnchecked),
    ];
}

/// The planted bug, one more than its number; 0 for none.
#[cfg(feature = "planted-bugs")]
static PLANTED: AtomicU8 = AtomicU8::new(0);

/// Plants a bug in this whole process, or none.
#[cfg(feature = "planted-bugs")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(0, |bug| bug as u8 + 1), Ordering::SeqCst);
}

#[cfg(feature = "planted-bugs")]
thread_local! {
    /// The bug that is planted in this thread.
    static PLANTED_HERE: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in this thread, or none: others go on without.
#[cfg(all(test, feature = "planted-bugs"))]
pub(crate) fn plant_here(bug: Option<Bug>) {
    PLANTED_HERE.set(bug);
}

/// Returns whether a bug is planted.
#[cfg(feature = "planted-bugs")]
pub fn is_planted(bug: Bug) -> bool {
    PLANTED.load(Ordering::SeqCst) == bug as u8 + 1 || PLANTED_HERE.get() == Some(bug)
}

/// Returns whether a bug is planted: none is.
#[cfg(not(feature = "planted-bugs"))]
pub const fn is_planted(_: Bug) -> bool {
    false
}
