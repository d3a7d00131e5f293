//! `.sync` and `.sync:2`: a Task submits a job, and ends when the job has. The integration says how
//! the job is looked at, what that shows, and how it is stopped; everything else is the same for
//! all.
//!
//! Step Functions developer guide, "Discover service integration patterns in Step Functions", "Run
//! a Job (.sync)" (read 2026-11).

use asl::{Integration, Resource};
use execution::Fact;
use value::{Value, value};

use super::{Acting, Integrated, made, optimized};
use crate::ProcessId;
use crate::endpoint::{Call, CallError, NO_ANSWER};

/// How the jobs of an integration are followed.
pub(super) trait Job: Sync {
    /// Returns the call whose answer says how the job is doing.
    fn look(&self, submitted: &Submitted<'_>) -> Integrated;

    /// Says how the job is doing.
    fn state(&self, submitted: &Submitted<'_>, seen: &Value) -> JobState;

    /// Returns the call that stops the job: its Task is over before it. None when nothing stops it.
    fn stop(&self, submitted: &Submitted<'_>) -> Option<Integrated>;

    /// Says whether there is a call that stops such jobs.
    fn is_stoppable(&self) -> bool {
        true
    }

    /// Returns what the Task gets when the failure of a look says that the job ended well: what was
    /// to be deleted is gone.
    fn gone(&self, _submitted: &Submitted<'_>, _err: &CallError) -> Option<Value> {
        None
    }

    /// Returns how long the next look at a job that runs is put off, in seconds.
    fn again_seconds(&self) -> u32;

    /// Returns the process that the job is, when it is one of this server: it will tell of its end,
    /// and need not be looked at before.
    fn process(&self, _submitted: &Submitted<'_>) -> Option<ProcessId> {
        None
    }
}

/// A job as its Task knows it.
pub(super) struct Submitted<'a> {
    pub(super) integration: &'a Integration,
    /// What the Task got as the answer of its request.
    pub(super) answer: &'a Value,
    /// The Task's arguments.
    pub(super) arguments: &'a Value,
}

/// How a job is doing.
pub(super) enum JobState {
    Runs,
    Succeeded(Value),
    Failed { error: String, cause: String },
}

/// The statuses of answers after which AWS's SDKs try again. Boto3 guide, "Retries" (read 2026-11).
const TRANSIENT_STATUSES: &[u16] = &[429, 500, 502, 503, 504];
/// The codes of such answers: those of standard mode, from the same page.
const TRANSIENT_CODES: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// How an answer says whether the job will tell of its end.
const TOLD: &str = "told";
/// Where an answer has what was seen.
const SEEN: &str = "seen";

/// Finds the job that a task has submitted, and how it is followed.
fn with<T>(job: &execution::Job, with: impl FnOnce(&dyn Job, &Submitted<'_>) -> T) -> Option<T> {
    let Resource::Integration(integration) = Resource::parse(&job.call.resource)? else {
        return None;
    };
    let follows = optimized(&integration)?.job(&integration.action)?;
    let submitted = Submitted {
        integration: &integration,
        answer: job.submitted.as_ref()?,
        arguments: &job.call.arguments,
    };
    Some(with(follows, &submitted))
}

/// Returns the call that looks at a job.
pub(crate) fn look(job: &execution::Job, acting: &Acting<'_>) -> Result<Call, CallError> {
    let wanted = with(job, |follows, submitted| follows.look(submitted));
    let call = made(wanted.unwrap_or_else(|| nothing(job)), &job.call, acting, None)?;
    // Recorded: only the request's own answer shows how it came.
    Ok(Call { tells_http: false, ..call })
}

/// Returns the call that stops a job.
pub(crate) fn stop(
    job: &execution::Job,
    acting: &Acting<'_>,
    effect_id: String,
) -> Result<Call, CallError> {
    let wanted = with(job, |follows, submitted| follows.stop(submitted)).flatten();
    made(wanted.unwrap_or_else(|| nothing(job)), &job.call, acting, Some(effect_id))
}

fn nothing(job: &execution::Job) -> Integrated {
    super::refused(&format!("{} submits no job", job.call.resource))
}

/// Says whether a call stops the job that a Task submits.
pub(crate) fn is_stoppable(resource: &str) -> bool {
    let Some(Resource::Integration(integration)) = Resource::parse(resource) else { return true };
    let follows = optimized(&integration).and_then(|found| found.job(&integration.action));
    follows.is_none_or(Job::is_stoppable)
}

/// Returns the process that a job is, while it seems to run.
pub(crate) fn process(job: &execution::Job, seen: &Value) -> Option<ProcessId> {
    with(job, |follows, submitted| match follows.state(submitted, seen) {
        JobState::Runs => follows.process(submitted),
        JobState::Succeeded(_) | JobState::Failed { .. } => None,
    })?
}

/// Returns the answer of a look.
pub(crate) fn answer(seen: Value, told: bool) -> Value {
    value!({}).with(SEEN, seen).with(TOLD, told)
}

/// Returns the fact that a look is which failed: the job may be doing well all the same.
fn unseen(job: &execution::Job, err: &CallError) -> Fact {
    let task = job.call.task;
    let (error, cause) = super::failure(&job.call.resource, err);
    let (error, cause) = (Some(error), Some(cause));
    match with(job, |follows, _| follows.again_seconds()) {
        Some(again_seconds) if is_transient(err) => {
            Fact::JobUnseen { task, again_seconds, error, cause }
        }
        Some(_) | None => Fact::TaskFailed { task, error, cause },
    }
}

/// Says whether the same request may be answered in a while: the service is down, was not reached,
/// or has had too many.
fn is_transient(err: &CallError) -> bool {
    err.code == NO_ANSWER
        || TRANSIENT_STATUSES.contains(&err.status)
        || TRANSIENT_CODES.contains(&&*err.code)
}

/// Returns the fact that a look is.
pub(crate) fn looked(job: &execution::Job, answer: Result<Value, CallError>) -> Fact {
    let task = job.call.task;
    let answer = match answer {
        Ok(answer) => answer,
        Err(err) => {
            let gone = with(job, |follows, submitted| follows.gone(submitted, &err)).flatten();
            if let Some(output) = gone {
                return Fact::TaskSucceeded { task, output };
            }
            return unseen(job, &err);
        }
    };
    let seen = answer.get(SEEN).cloned().unwrap_or_default();
    let told = answer.get(TOLD).and_then(Value::as_bool).unwrap_or_default();
    let found =
        with(job, |follows, submitted| (follows.state(submitted, &seen), follows.again_seconds()));
    match found {
        Some((JobState::Succeeded(output), _)) => Fact::TaskSucceeded { task, output },
        Some((JobState::Failed { error, cause }, _)) => {
            Fact::TaskFailed { task, error: Some(error), cause: Some(cause) }
        }
        Some((JobState::Runs, again)) => {
            Fact::JobRuns { task, again_seconds: (!told).then_some(again) }
        }
        None => Fact::JobRuns { task, again_seconds: None },
    }
}
