//! What an operation answers when it refuses.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use value::{Map, Value};

/// An error in AWS's words. The HTTP status, the exception class and the place of the message in
/// the body come from the API model of the service (`wire`), by `code`.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The code on the wire: `NoSuchEntity`, `ExecutionDoesNotExist` …
    pub code: Cow<'static, str>,
    /// AWS's text.
    pub message: String,
    /// Further members of the error's shape, where it has any.
    pub members: Map,
}

impl Error {
    /// Returns an error with this code and text.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Error {
        Error { code: code.into(), message: message.into(), members: Map::new() }
    }

    /// Returns the error with a further member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Error {
        self.members.insert(member, value);
        self
    }

    /// Returns what a constraint failure of a query service answers.
    pub fn validation(message: impl Into<String>) -> Error {
        Error::new("ValidationError", message)
    }

    /// Returns what a fault of ours answers: no detail leaves the server, the log has it.
    pub fn internal(what: &dyn std::fmt::Display) -> Error {
        tracing::error!(error = %what, "an operation failed on our side");
        Error::new(
            "InternalFailure",
            "An internal error occurred; the server's log has the details.",
        )
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

impl From<store::Error> for Error {
    fn from(err: store::Error) -> Error {
        match err {
            store::Error::Backend(_) | store::Error::Fenced { .. } | store::Error::Closed => {
                unavailable(&err)
            }
            store::Error::Corrupt { .. }
            | store::Error::InUse(_)
            | store::Error::Format { .. }
            | store::Error::OtherKey { .. } => Error::internal(&err),
        }
    }
}

impl From<runtime::Error> for Error {
    fn from(err: runtime::Error) -> Error {
        match err {
            runtime::Error::Store(err) => err.into(),
            runtime::Error::NotHere
            | runtime::Error::Elsewhere(_)
            | runtime::Error::ShuttingDown => unavailable(&err),
            // Whoever starts express executions has words of his own for the limit.
            runtime::Error::ExpressLimit
            | runtime::Error::Refused(_)
            | runtime::Error::NotRunning
            | runtime::Error::Definition { .. } => Error::internal(&err),
        }
    }
}

/// Returns what a failure answers that may be over soon: a full disk, a database that is gone, a
/// shard on its way from one node to another.
fn unavailable(what: &dyn std::fmt::Display) -> Error {
    if let Some(more) = UNAVAILABLE.shall_tell(Instant::now()) {
        tracing::error!(error = %what, more, "an operation cannot be done now");
    }
    Error::new(
        "ServiceUnavailable",
        "The server cannot store or reach what this needs just now; try again. Its log has the \
         details.",
    )
}

/// While a database is away every request fails alike: a line a second says so.
static UNAVAILABLE: Seldom = Seldom(Mutex::new(None));
/// How long the log is silent after a line, in seconds.
const SILENCE_SECONDS: u64 = 1;

/// When a line was last written, and how many were not since.
struct Seldom(Mutex<Option<(Instant, u64)>>);

impl Seldom {
    /// Returns how many lines were left out before this one, if it is to be written.
    fn shall_tell(&self, now: Instant) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *last {
            Some((told, left_out)) if now - *told < Duration::from_secs(SILENCE_SECONDS) => {
                *left_out += 1;
                None
            }
            known => Some(known.replace((now, 0)).map_or(0, |(_, left_out)| left_out)),
        }
    }
}

/// What an operation answers.
pub type Answer = Result<Value, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_once_a_second_that_nothing_works() {
        let (seldom, start) = (Seldom(Mutex::new(None)), Instant::now());
        let at = |millis| seldom.shall_tell(start + Duration::from_millis(millis));
        assert_eq!(
            [at(0), at(1), at(999), at(1_000), at(1_001)],
            [Some(0), None, None, Some(2), None]
        );
    }
}
