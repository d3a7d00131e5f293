//! Task: asks something of a service. AWS page: "Task workflow state".

use std::sync::Arc;

use asl::{
    Computed, Failure, Field, IntegrationPattern, Resource, Scalar, Scope, State, StateKind, Task,
    error_name,
};
use value::Value;

use crate::effect::{Call, Effect};
use crate::history::{BadEnd, Details, TaskEvent};
use crate::leave;
use crate::payload::Payload;
use crate::run::{Fault, FaultKind, Run};
use crate::state::{Doing, Progress, Purpose, TaskId, TaskVisit, ThreadId, TimerId};
use crate::states::job;
use crate::token::TaskToken;

pub(crate) fn begin(
    run: &mut Run<'_>,
    id: ThreadId,
    definition: &State,
    task: &Task,
) -> Result<(), Failure> {
    let task_id = TaskId(run.number());
    let task_token = has_token(&task.resource).then(|| token(run, task_id));
    let mut scope = run.scope(id);
    if let Some(token) = &task_token {
        scope.context.set("Task", Value::object().with("Token", token.as_str()));
    }
    let arguments = run.evaluate(&scope, |evaluation| definition.effective_input(evaluation))?;
    let timeout_seconds = seconds(run, &scope, task.timeout_seconds.as_ref(), "TimeoutSeconds")?;
    let heartbeat_seconds =
        seconds(run, &scope, task.heartbeat_seconds.as_ref(), "HeartbeatSeconds")?;
    let credentials_role_arn = credentials(run, &scope, task)?;
    let call = Call {
        task: task_id,
        resource: task.resource.arn().to_owned(),
        state_name: definition.name.to_string(),
        arguments,
        task_token,
        asked_millis: run.millis,
        credentials_role_arn,
        timeout_seconds,
        heartbeat_seconds,
    };
    schedule(run, id, &task.resource, &call);
    let (timeout, heartbeat) = match &task.resource {
        Resource::Integration(_) | Resource::Function(_) => clocks(run, id, &call),
        // Task workflow state: "for activities, the count begins when GetActivityTask receives a
        // token".
        Resource::Activity(_) => (None, None),
    };
    run.state.tasks.insert(task_id, id);
    run.effect(Effect::Call(Box::new(call.clone())));
    let progress = Progress::Asked;
    run.doing(id, Doing::Task(Box::new(TaskVisit { call, timeout, heartbeat, progress })));
    Ok(())
}

/// Starts the clocks of a task that has started.
fn clocks(run: &mut Run<'_>, id: ThreadId, call: &Call) -> (Option<TimerId>, Option<TimerId>) {
    let after = |run: &Run<'_>, seconds: i64| run.millis.saturating_add(seconds * 1_000);
    let timeout = call.timeout_seconds;
    let timeout = timeout.map(|seconds| run.timer(after(run, seconds), Purpose::TaskTimeout(id)));
    let heartbeat = call.heartbeat_seconds;
    let heartbeat = heartbeat.map(|seconds| run.timer(after(run, seconds), Purpose::Heartbeat(id)));
    (timeout, heartbeat)
}

fn has_token(resource: &Resource) -> bool {
    match resource {
        Resource::Activity(_) => true,
        Resource::Function(_) => false,
        Resource::Integration(integration) => {
            integration.pattern == IntegrationPattern::WaitForTaskToken
        }
    }
}

fn token(run: &Run<'_>, task: TaskId) -> String {
    let execution = run.state.started.as_ref().map_or("", |started| &*started.execution_arn);
    TaskToken::make(execution, task, &run.entropy)
}

fn seconds(
    run: &mut Run<'_>,
    scope: &Scope,
    scalar: Option<&Scalar<i64>>,
    field: &str,
) -> Result<Option<i64>, Failure> {
    let Some(scalar) = scalar else { return Ok(None) };
    match run.evaluate(scope, |evaluation| scalar.value(evaluation, field))? {
        Computed::Constant(seconds) => Ok(Some(seconds)),
        Computed::Value(found) => match found.as_i64().filter(|seconds| *seconds > 0) {
            Some(seconds) => Ok(Some(seconds)),
            // UNVERIFIED: AWS's wording.
            None => Err(scalar.wrong_type(Field::Top(field), "integer", &found)),
        },
    }
}

fn credentials(run: &mut Run<'_>, scope: &Scope, task: &Task) -> Result<Option<String>, Failure> {
    let Some(template) = &task.credentials else { return Ok(None) };
    let found =
        run.evaluate(scope, |evaluation| template.evaluate(evaluation, Field::Top("Credentials")))?;
    Ok(found.get("RoleArn").and_then(Value::as_str).map(str::to_owned))
}

fn schedule(run: &mut Run<'_>, id: ThreadId, resource: &Resource, call: &Call) {
    let input = || Arc::from(call.arguments.to_json());
    let timeout_in_seconds = call.timeout_seconds;
    let heartbeat_in_seconds = call.heartbeat_seconds;
    let credentials_role_arn = call.credentials_role_arn.clone();
    match resource {
        Resource::Integration(integration) => {
            let region = run.state.started.as_ref().map(|started| started.region.clone());
            let (resource_type, resource) = (integration.resource_type(), integration.resource());
            run.record(id, || {
                Details::Task(TaskEvent::TaskScheduled {
                    resource_type: resource_type.clone(),
                    resource: resource.clone(),
                    region: region.unwrap_or_default(),
                    parameters: input(),
                    timeout_in_seconds,
                    heartbeat_in_seconds,
                    credentials_role_arn,
                })
            });
            run.record(id, || Details::Task(TaskEvent::TaskStarted { resource_type, resource }));
        }
        // Whether there is such an activity is found out first.
        Resource::Activity(_) => {}
        Resource::Function(arn) => {
            let resource = arn.clone();
            run.record(id, || {
                Details::Task(TaskEvent::LambdaFunctionScheduled {
                    resource,
                    input: input(),
                    timeout_in_seconds,
                    credentials_role_arn,
                })
            });
            run.record(id, || Details::Task(TaskEvent::LambdaFunctionStarted));
        }
    }
}

/// The task waits in its activity's queue.
pub(crate) fn queued(run: &mut Run<'_>, id: ThreadId) {
    let Some(task) = open(run, id) else { return };
    if !matches!(task.progress, Progress::Asked) {
        return;
    }
    task.progress = Progress::Waits;
    let call = task.call.clone();
    run.record(id, || {
        Details::Task(TaskEvent::ActivityScheduled {
            resource: call.resource.clone(),
            input: Arc::from(call.arguments.to_json()),
            timeout_in_seconds: call.timeout_seconds,
            heartbeat_in_seconds: call.heartbeat_seconds,
        })
    });
}

/// A worker took an activity's task.
pub(crate) fn taken(run: &mut Run<'_>, id: ThreadId, worker_name: Option<String>) {
    // A worker may be quicker than the word that the task is in the queue.
    queued(run, id);
    let Some(task) = open(run, id) else { return };
    if !matches!(task.progress, Progress::Waits) {
        return;
    }
    task.progress = Progress::Taken;
    let call = task.call.clone();
    run.record(id, || Details::Task(TaskEvent::ActivityStarted { worker_name }));
    let (timeout, heartbeat) = clocks(run, id, &call);
    if let Some(task) = open(run, id) {
        (task.timeout, task.heartbeat) = (timeout, heartbeat);
    }
}

/// Returns the open task of a line of control.
pub(super) fn open<'r>(run: &'r mut Run<'_>, id: ThreadId) -> Option<&'r mut TaskVisit> {
    match &mut run.visit_mut(id)?.doing {
        Doing::Task(task) => Some(task),
        Doing::Beginning
        | Doing::Waiting(_)
        | Doing::Retrying(_)
        | Doing::Branches(_)
        | Doing::Iterations(_)
        | Doing::MapRun(_) => None,
    }
}

/// The task asks for something that is not there, which nothing catches.
pub(crate) fn impossible(run: &mut Run<'_>, id: ThreadId, cause: String) {
    run.settle_task(id);
    run.evaluation_failed(id, Failure::runtime(cause));
}

/// The request of a task that waits for more was answered.
pub(crate) fn submitted(run: &mut Run<'_>, id: ThreadId, output: &Value) {
    let Some(Resource::Integration(integration)) = resource(run, id) else { return };
    let Some(task) = open(run, id) else { return };
    if !matches!(task.progress, Progress::Asked) {
        return;
    }
    task.progress = Progress::Waits;
    run.record(id, || {
        Details::Task(TaskEvent::TaskSubmitted {
            resource_type: integration.resource_type(),
            resource: integration.resource(),
            output: output.to_json().into(),
        })
    });
    match integration.pattern {
        IntegrationPattern::Sync | IntegrationPattern::Sync2 => {
            job::submitted(run, id, output.clone());
        }
        IntegrationPattern::RequestResponse | IntegrationPattern::WaitForTaskToken => {}
    }
}

/// The task ended well.
pub(crate) fn succeeded(run: &mut Run<'_>, id: ThreadId, output: Value) {
    let Some(resource) = resource(run, id).cloned() else { return };
    let mut result = Payload::from(output);
    if run.records(id) {
        result.print();
    }
    if result.too_large() {
        let failure = leave::too_large(&short_name(&resource));
        return failed(run, id, Some(failure.error), Some(failure.cause));
    }
    run.settle_task(id);
    run.record(id, || {
        let output = result.print();
        Details::Task(match resource {
            Resource::Integration(integration) => TaskEvent::TaskSucceeded {
                resource_type: integration.resource_type(),
                resource: integration.resource(),
                output,
            },
            Resource::Activity(_) => TaskEvent::ActivitySucceeded { output },
            Resource::Function(_) => TaskEvent::LambdaFunctionSucceeded { output },
        })
    });
    if let Err(failure) = run.complete(id, result) {
        run.evaluation_failed(id, failure);
    }
}

/// The task ended badly.
pub(crate) fn failed(
    run: &mut Run<'_>,
    id: ThreadId,
    error: Option<String>,
    cause: Option<String>,
) {
    run.settle_task(id);
    ended_badly(run, id, BadEnd::Failed, Fault { error, cause, kind: FaultKind::Task });
}

/// The task took too long, or missed a heartbeat; recorded: both are called `States.Timeout`.
pub(crate) fn timed_out(run: &mut Run<'_>, id: ThreadId, kind: FaultKind) {
    run.abandon(id);
    let fault = Fault { error: Some(error_name::TIMEOUT.to_owned()), cause: None, kind };
    ended_badly(run, id, BadEnd::TimedOut, fault);
}

fn ended_badly(run: &mut Run<'_>, id: ThreadId, how: BadEnd, fault: Fault) {
    let Some(resource) = resource(run, id) else { return };
    let (error, cause) = (fault.error.clone(), fault.cause.clone());
    let details = match resource {
        Resource::Integration(integration) => TaskEvent::TaskEndedBadly {
            how,
            resource_type: integration.resource_type(),
            resource: integration.resource(),
            error,
            cause,
        },
        Resource::Activity(_) => TaskEvent::ActivityEndedBadly { how, error, cause },
        Resource::Function(_) => TaskEvent::LambdaFunctionEndedBadly { how, error, cause },
    };
    run.record(id, || Details::Task(details));
    run.fail(id, fault);
}

/// A worker sent a heartbeat: the clock starts anew.
pub(crate) fn heartbeat(run: &mut Run<'_>, id: ThreadId) {
    let Some(visit) = run.visit(id) else { return };
    let Doing::Task(task) = &visit.doing else { return };
    let (Some(timer), Some(seconds)) = (task.heartbeat, task.call.heartbeat_seconds) else {
        return;
    };
    run.cancel_timer(timer);
    let at_millis = run.millis.saturating_add(seconds * 1_000);
    let timer = run.timer(at_millis, Purpose::Heartbeat(id));
    if let Some(visit) = run.visit_mut(id)
        && let Doing::Task(task) = &mut visit.doing
    {
        task.heartbeat = Some(timer);
    }
}

fn resource<'r>(run: &Run<'r>, id: ThreadId) -> Option<&'r Resource> {
    match &run.visited(id)?.kind {
        StateKind::Task(task) => Some(&task.resource),
        StateKind::Pass(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_)
        | StateKind::Parallel(_)
        | StateKind::Map(_) => None,
    }
}

/// What the data limit's text calls a task.
fn short_name(resource: &Resource) -> String {
    match resource {
        Resource::Integration(integration) => integration.resource_type(),
        Resource::Activity(arn) | Resource::Function(arn) => arn.clone(),
    }
}

impl Run<'_> {
    /// A task was answered: forgets it and its timers, without taking the call back.
    fn settle_task(&mut self, id: ThreadId) {
        let Some(visit) = self.visit_mut(id) else { return };
        let Doing::Task(task) = std::mem::replace(&mut visit.doing, Doing::Beginning) else {
            return;
        };
        forget(self, &task);
    }
}

/// Forgets an open task: its numbers and timers.
fn forget(run: &mut Run<'_>, task: &TaskVisit) {
    run.state.tasks.remove(&task.call.task);
    for timer in [task.timeout, task.heartbeat].into_iter().flatten() {
        run.cancel_timer(timer);
    }
    job::forget(run, task);
}

/// Forgets an open task, and takes back what it asked for.
pub(crate) fn take_back(run: &mut Run<'_>, task: TaskVisit) {
    forget(run, &task);
    let withdraws = match Resource::parse(&task.call.resource) {
        Some(Resource::Activity(_)) => true,
        Some(Resource::Integration(integration)) => match integration.pattern {
            IntegrationPattern::Sync | IntegrationPattern::Sync2 => true,
            IntegrationPattern::RequestResponse | IntegrationPattern::WaitForTaskToken => false,
        },
        Some(Resource::Function(_)) | None => false,
    };
    if withdraws {
        run.effect(Effect::Withdraw(Box::new(job::of(task))));
    } else if matches!(task.progress, Progress::Asked) {
        run.effect(Effect::CancelCall { task: task.call.task });
    }
}
