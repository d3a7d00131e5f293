//! The job that a `.sync` Task submits: looked at until it has ended, or until somebody tells of
//! its end. AWS page: "Discover service integration patterns in Step Functions", "Run a Job".

use value::Value;

use crate::effect::{Effect, Job};
use crate::run::Run;
use crate::state::{JobVisit, Look, Progress, Purpose, TaskId, TaskVisit, ThreadId};
use crate::states::task::{self, open};

/// How many looks in a row may fail before the task does: with a look every five seconds, within
/// half an hour.
const UNSEEN_MAX: u32 = 10;
/// How long a look is put off at most after one that failed, in seconds.
const UNSEEN_SECONDS_MAX: u32 = 300;

/// The job was submitted: it may have ended already.
pub(super) fn submitted(run: &mut Run<'_>, id: ThreadId, submitted: Value) {
    let Some(task) = open(run, id) else { return };
    task.progress = Progress::Job(JobVisit { submitted, look: Look::Told, unseen: 0 });
    look(run, id);
}

/// Looks at the job.
pub(crate) fn look(run: &mut Run<'_>, id: ThreadId) {
    let number = TaskId(run.number());
    let Some(task) = open(run, id) else { return };
    let Progress::Job(job) = &mut task.progress else { return };
    job.look = Look::Now { number, again: false };
    let Some(job) = task.job() else { return };
    run.state.tasks.insert(number, id);
    run.effect(Effect::Look(Box::new(job)));
}

/// The job has not ended.
pub(crate) fn runs(run: &mut Run<'_>, id: ThreadId, again_seconds: Option<u32>) {
    looked(run, id, 0, again_seconds);
}

/// Nobody knows how the job is doing: that may pass, or end the task.
// UNVERIFIED: how long Step Functions bears with a service that throttles it or is down. The SDKs
// that services are called with bear with it; the guide says nothing of it.
pub(crate) fn unseen(
    run: &mut Run<'_>,
    id: ThreadId,
    again_seconds: u32,
    (error, cause): (Option<String>, Option<String>),
) {
    let Some(task) = open(run, id) else { return };
    let Progress::Job(JobVisit { unseen, .. }) = &task.progress else { return };
    let unseen = unseen + 1;
    if UNSEEN_MAX < unseen {
        return task::failed(run, id, error, cause);
    }
    let doubled = again_seconds.saturating_mul(1 << (unseen - 1));
    looked(run, id, unseen, Some(doubled.min(UNSEEN_SECONDS_MAX)));
}

/// A look is over, after so many that failed; the next is when it is said, or when the job stirs.
fn looked(run: &mut Run<'_>, id: ThreadId, unseen: u32, again_seconds: Option<u32>) {
    let Some(task) = open(run, id) else { return };
    let Progress::Job(job) = &mut task.progress else { return };
    let Look::Now { number, again } = job.look else { return };
    job.unseen = unseen;
    run.state.tasks.remove(&number);
    if again {
        return look(run, id);
    }
    let next = again_seconds.map_or(Look::Told, |seconds| {
        let at_millis = run.millis.saturating_add(i64::from(seconds) * 1_000);
        Look::At(run.timer(at_millis, Purpose::Look(id)))
    });
    if let Some(task) = open(run, id)
        && let Progress::Job(job) = &mut task.progress
    {
        job.look = next;
    }
}

/// The job may have ended.
pub(crate) fn stirred(run: &mut Run<'_>, id: ThreadId) {
    let Some(task) = open(run, id) else { return };
    // Before it is submitted there is nothing to look at, and afterwards it is looked at anyway.
    let Progress::Job(job) = &mut task.progress else { return };
    match &mut job.look {
        Look::Now { again, .. } => *again = true,
        Look::At(timer) => {
            let timer = *timer;
            run.cancel_timer(timer);
            look(run, id);
        }
        Look::Told => look(run, id),
    }
}

/// Forgets when the job of a task was to be looked at; a look that is under way is taken back.
pub(super) fn forget(run: &mut Run<'_>, task: &TaskVisit) {
    let Progress::Job(job) = &task.progress else { return };
    match job.look {
        Look::Now { number, .. } => {
            if run.state.tasks.remove(&number).is_some() {
                run.effect(Effect::CancelCall { task: number });
            }
        }
        Look::At(timer) => run.cancel_timer(timer),
        Look::Told => {}
    }
}

/// Returns what a task has begun elsewhere.
pub(super) fn of(task: TaskVisit) -> Job {
    let submitted = match task.progress {
        Progress::Job(job) => Some(job.submitted),
        Progress::Asked | Progress::Waits | Progress::Taken => None,
    };
    Job { number: task.call.task, call: task.call, submitted }
}
