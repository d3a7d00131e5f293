//! Retry and Catch: which failures they match.

use crate::definition::{ResultPath, StateId};
use crate::failure::error_name;
use crate::template::Template;

/// Retries of one retrier when `MaxAttempts` is absent.
pub(crate) const MAX_ATTEMPTS_DEFAULT: i64 = 3;
/// The largest `MaxAttempts`.
pub(crate) const MAX_ATTEMPTS_MAX: i64 = 99_999_999;
/// Seconds before the first retry when `IntervalSeconds` is absent.
pub(crate) const INTERVAL_SECONDS_DEFAULT: i64 = 1;
/// The factor between retries when `BackoffRate` is absent.
pub(crate) const BACKOFF_RATE_DEFAULT: f64 = 2.0;
/// The largest `MaxDelaySeconds`: a year.
pub(crate) const MAX_DELAY_SECONDS_MAX: i64 = 31_622_400;

/// One entry of `Retry`.
#[derive(Clone, Debug)]
pub struct Retrier {
    /// The error names it matches.
    pub error_equals: Vec<String>,
    /// Seconds before the first retry.
    pub interval_seconds: i64,
    /// How many retries.
    pub max_attempts: i64,
    /// The factor between retries.
    pub backoff_rate: f64,
    /// The longest delay.
    pub max_delay_seconds: Option<i64>,
    /// Whether delays are drawn at random.
    pub jitter: JitterStrategy,
}

/// `JitterStrategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JitterStrategy {
    /// The computed delay.
    #[default]
    None,
    /// Any delay from zero to the computed one.
    Full,
}

impl Retrier {
    /// Returns the delay in milliseconds before retry number `attempt` (from 0); `unit` is a random
    /// number from 0 up to 1 for `FULL` jitter.
    pub fn delay_millis(&self, attempt: i64, unit: f64) -> i64 {
        // Beyond this exponent every allowed delay is at its bound.
        const EXPONENT_MAX: i64 = 1_000;
        let exponent = i32::try_from(attempt.min(EXPONENT_MAX)).unwrap_or_default();
        let delay = self.interval_seconds as f64 * self.backoff_rate.powi(exponent);
        let bound = self.max_delay_seconds.unwrap_or(MAX_DELAY_SECONDS_MAX) as f64;
        let seconds = delay.min(bound);
        let drawn = match self.jitter {
            JitterStrategy::None => seconds,
            JitterStrategy::Full => seconds * unit,
        };
        #[expect(clippy::cast_possible_truncation, reason = "bounded by a year")]
        let millis = (drawn * 1_000.0) as i64;
        millis
    }
}

/// One entry of `Catch`.
#[derive(Clone, Debug)]
pub struct Catcher {
    /// The error names it matches.
    pub error_equals: Vec<String>,
    /// Where to go.
    pub next: StateId,
    /// What it assigns.
    pub assign: Option<Template>,
    /// What it hands on (JSONata); the error output when absent.
    pub output: Option<Template>,
    /// Where the error output is placed (JSONPath).
    pub result_path: ResultPath,
}

/// What failed: `States.TaskFailed` and `States.HeartbeatTimeout` match failures of Tasks only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedIn {
    /// A Task's call.
    Task,
    /// A Task's call that sent no heartbeat: a timeout that can be told apart.
    Heartbeat,
    /// Anything else.
    Other,
}

/// Returns whether one of `error_equals` matches the error `error`.
pub fn matches(error_equals: &[String], error: &str, failed_in: FailedIn) -> bool {
    error_equals.iter().any(|name| match name.as_str() {
        error_name::ALL => error != error_name::RUNTIME,
        error_name::TASK_FAILED => {
            name == error || (failed_in == FailedIn::Task && is_task_failure(error))
        }
        error_name::HEARTBEAT_TIMEOUT => name == error || failed_in == FailedIn::Heartbeat,
        _ => name == error,
    })
}

/// `States.TaskFailed` stands for every error of a task but the timeout.
fn is_task_failure(error: &str) -> bool {
    !matches!(error, error_name::TIMEOUT | error_name::RUNTIME | error_name::QUERY_EVALUATION_ERROR)
}

#[cfg(test)]
mod tests {
    use super::{FailedIn, JitterStrategy, Retrier, matches};

    #[test]
    fn states_all_matches_all_but_runtime() {
        let all = ["States.ALL".to_owned()];
        assert!(matches(&all, "Iam.NoSuchEntityException", FailedIn::Task));
        // Recorded: a Catch of States.ALL took States.DataLimitExceeded.
        assert!(matches(&all, "States.DataLimitExceeded", FailedIn::Task));
        assert!(!matches(&all, "States.Runtime", FailedIn::Task));
    }

    #[test]
    fn task_failed_matches_failures_of_tasks_but_not_timeouts() {
        let failed = ["States.TaskFailed".to_owned()];
        assert!(matches(&failed, "S3.NoSuchKeyException", FailedIn::Task));
        assert!(!matches(&failed, "States.Timeout", FailedIn::Task));
        assert!(!matches(&failed, "Custom", FailedIn::Other));
    }

    #[test]
    fn delays_grow_to_their_bound() {
        let mut retrier = Retrier {
            error_equals: Vec::new(),
            interval_seconds: 3,
            max_attempts: 9,
            backoff_rate: 2.0,
            max_delay_seconds: Some(10),
            jitter: JitterStrategy::None,
        };
        let delays: Vec<i64> = (0..3).map(|n| retrier.delay_millis(n, 0.5)).collect();
        assert_eq!(delays, [3_000, 6_000, 10_000]);
        retrier.jitter = JitterStrategy::Full;
        assert_eq!(retrier.delay_millis(0, 0.5), 1_500);
    }
}
