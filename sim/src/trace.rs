//! What happened in a world: a hash of everything, and the last lines as text.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many lines a failing seed prints.
const LINES_KEPT_MAX: usize = 80;

/// Returns a lock's content; the simulation has one thread, and a panic in it is reported anyway.
pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The trace of a world; clones are the same one.
#[derive(Clone)]
pub(crate) struct Trace {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    hash: u64,
    now_millis: i64,
    lines: VecDeque<String>,
    aloud: bool,
    violation: Option<String>,
}

impl Trace {
    /// Returns an empty trace; one that is read aloud prints every line at once.
    pub(crate) fn new(aloud: bool) -> Trace {
        let inner = Inner {
            hash: 0xcbf2_9ce4_8422_2325,
            now_millis: 0,
            lines: VecDeque::new(),
            aloud,
            violation: None,
        };
        Trace { inner: Arc::new(Mutex::new(inner)) }
    }

    pub(crate) fn at(&self, now_millis: i64) {
        locked(&self.inner).now_millis = now_millis;
    }

    /// Notes what is too frequent for a line.
    pub(crate) fn note(&self, number: u64) {
        locked(&self.inner).mix(&number.to_be_bytes());
    }

    pub(crate) fn say(&self, what: impl Display) {
        let mut inner = locked(&self.inner);
        let line = format!("{:>8} ms  {what}", inner.now_millis);
        inner.mix(line.as_bytes());
        if inner.aloud {
            eprintln!("{line}");
        }
        if inner.lines.len() == LINES_KEPT_MAX {
            inner.lines.pop_front();
        }
        inner.lines.push_back(line);
    }

    /// Says that something that must hold does not. The first one counts.
    pub(crate) fn violated(&self, what: impl Display) {
        let what = what.to_string();
        self.say(format_args!("VIOLATION: {what}"));
        locked(&self.inner).violation.get_or_insert(what);
    }

    pub(crate) fn violation(&self) -> Option<String> {
        locked(&self.inner).violation.clone()
    }

    pub(crate) fn hash(&self) -> u64 {
        locked(&self.inner).hash
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        locked(&self.inner).lines.iter().cloned().collect()
    }
}

impl Inner {
    /// FNV-1a, eight bytes at a time.
    fn mix(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
            self.hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
            self.hash ^= self.hash >> 29;
        }
    }
}
