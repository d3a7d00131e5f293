//! One resource: start, calls, end.

use value::Value;

use super::{CallFailure, Effect, Engine, Failed, Job, Progress, Task};
use crate::change::evaluate_properties;
use crate::intrinsics::Scope;
use crate::resources::{self, Call, Difference, ResourceType, Work};
use crate::state::Retention;
use crate::template::scalar_text;
use crate::{Change, ResourceRecord, Status};

/// Returns the effect of a call.
pub(super) fn call_effect(id: &str, call: Call) -> Effect {
    Effect::Call {
        id: id.to_owned(),
        service: call.service.to_owned(),
        operation: call.operation,
        input: call.input,
    }
}

impl Job {
    pub(super) fn new(logical_id: impl Into<String>, task: Task, needs: Vec<String>) -> Job {
        Job {
            logical_id: logical_id.into(),
            task,
            needs,
            progress: Progress::Waiting,
            work: None,
            target: None,
            shown: None,
        }
    }

    /// Returns the call that comes next, made from the answers so far.
    pub(super) fn next_call(&self) -> Option<Call> {
        let work = self.work.as_ref()?;
        let kind = resources::find(&work.resource_type)?;
        let calls = match self.task {
            Task::Deploy => return None,
            Task::Create | Task::Replace => (kind.create)(work),
            Task::Update => (kind.update)(work),
            Task::Delete => (kind.delete)(work),
        };
        calls.into_iter().nth(work.answers.len())
    }
}

impl Task {
    fn in_progress(self) -> Status {
        match self {
            Task::Deploy | Task::Create => Status::CreateInProgress,
            Task::Update | Task::Replace => Status::UpdateInProgress,
            Task::Delete => Status::DeleteInProgress,
        }
    }

    fn complete(self) -> Status {
        match self {
            Task::Deploy | Task::Create => Status::CreateComplete,
            Task::Update | Task::Replace => Status::UpdateComplete,
            Task::Delete => Status::DeleteComplete,
        }
    }

    fn failed(self) -> Status {
        match self {
            Task::Deploy | Task::Create => Status::CreateFailed,
            Task::Update | Task::Replace => Status::UpdateFailed,
            Task::Delete => Status::DeleteFailed,
        }
    }
}

impl Engine<'_> {
    /// Starts the job at `at`, whose needs are met.
    pub(super) fn start(&mut self, at: usize) {
        let Some(job) = self.running.jobs.get(at) else { return };
        match job.task {
            Task::Delete => self.start_delete(at),
            Task::Update if job.work.is_some() => self.begin(at, Task::Update, None),
            Task::Deploy | Task::Create | Task::Update | Task::Replace => {
                if let Err((task, reason)) = self.start_deploy(at) {
                    if task == Task::Create {
                        self.job_event(at, task.in_progress(), None);
                    }
                    self.fail(at, task, reason);
                }
            }
        }
    }

    fn change(&self) -> Option<&Change> {
        self.running.change.as_deref().or(self.state.deployed.as_ref())
    }

    /// Evaluates the properties and finds out what is to be done.
    fn start_deploy(&mut self, at: usize) -> Result<(), (Task, String)> {
        let Some(job) = self.running.jobs.get(at) else { return Ok(()) };
        let (logical_id, needs) = (job.logical_id.clone(), job.needs.clone());
        let record = self.state.resource(&logical_id).cloned();
        let live = record.filter(|record| !record.physical_id.is_empty());
        let task = if live.is_some() { Task::Update } else { Task::Create };
        let Some(change) = self.change() else { return Ok(()) };
        let resource = change.template.resource(&logical_id).cloned().unwrap_or_default();
        let scope = change.scope(&self.state.identity, &self.state.resources);
        let evaluated = evaluate_properties(&scope, &logical_id);
        let parameters = change.masked_parameters();
        let masked = Scope { parameters: &parameters, ..scope };
        let shown = evaluate_properties(&masked, &logical_id).ok().map(|shown| shown.to_string());
        let type_name = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        let Some(kind) = resources::find(type_name) else { return Ok(()) };
        let fresh = ResourceRecord {
            logical_id: logical_id.clone(),
            resource_type: type_name.to_owned(),
            physical_id: String::new(),
            properties: evaluated.as_ref().ok().cloned().unwrap_or_default(),
            attributes: std::collections::BTreeMap::new(),
            status: Status::CreateInProgress,
            status_reason: None,
            timestamp_millis: self.stamp.millis,
            needs,
            deletion_policy: Retention::of(resource.get("DeletionPolicy")),
            replace_policy: Retention::of(resource.get("UpdateReplacePolicy")),
        };
        if let Some(job) = self.running.jobs.get_mut(at) {
            job.shown = shown;
        }
        match live {
            None => self.start_create(at, kind, fresh, evaluated),
            Some(live) => self.start_update(at, kind, &live, &fresh, evaluated),
        }
        .map_err(|reason| (task, reason))
    }

    fn start_create(
        &mut self,
        at: usize,
        kind: &ResourceType,
        fresh: ResourceRecord,
        evaluated: Result<Value, String>,
    ) -> Result<(), String> {
        let logical_id = fresh.logical_id.clone();
        self.running.created.push(logical_id.clone());
        self.state.resources.retain(|record| record.logical_id != logical_id);
        self.state.resources.push(fresh);
        let properties = evaluated?;
        resources::check_properties(kind, &logical_id, &properties)?;
        let work = self.new_work(kind, &logical_id, properties);
        if let Some(job) = self.running.jobs.get_mut(at) {
            job.work = Some(work);
        }
        self.begin(at, Task::Create, None);
        Ok(())
    }

    fn new_work(&mut self, kind: &ResourceType, logical_id: &str, properties: Value) -> Work {
        let given = kind.name_property.and_then(|name| properties.get(name));
        let name = if let Some(name) = given {
            scalar_text(name)
        } else {
            let stack = &self.state.identity.stack_name;
            self.random.name(stack, logical_id, kind.name_characters_max)
        };
        Work {
            resource_type: kind.name.to_owned(),
            name,
            physical_id: String::new(),
            properties,
            previous: Value::Null,
            answers: Vec::new(),
        }
    }

    fn start_update(
        &mut self,
        at: usize,
        kind: &ResourceType,
        live: &ResourceRecord,
        fresh: &ResourceRecord,
        evaluated: Result<Value, String>,
    ) -> Result<(), String> {
        let properties = evaluated?;
        resources::check_properties(kind, &live.logical_id, &properties)?;
        let difference = resources::difference(kind, &live.properties, &properties);
        if let Some(record) = self.state.resource_mut(&live.logical_id) {
            record.needs.clone_from(&fresh.needs);
            record.deletion_policy = fresh.deletion_policy;
            record.replace_policy = fresh.replace_policy;
        }
        let (task, work, reason) = match difference {
            Difference::None => {
                self.settle(at, Progress::Done);
                return Ok(());
            }
            Difference::InPlace => {
                let mut work = self.new_work(kind, &live.logical_id, properties);
                work.physical_id.clone_from(&live.physical_id);
                work.previous = live.properties.clone();
                (Task::Update, work, None)
            }
            Difference::Replacement => {
                let work = self.new_work(kind, &live.logical_id, properties);
                refuse_same_name(kind, live, &work)?;
                let reason = "Requested update requires the creation of a new physical resource; \
                              hence creating one.";
                (Task::Replace, work, Some(reason.to_owned()))
            }
        };
        self.running.before.push(live.clone());
        if let Some(job) = self.running.jobs.get_mut(at) {
            job.work = Some(work);
        }
        self.begin(at, task, reason);
        Ok(())
    }

    fn start_delete(&mut self, at: usize) {
        let Some(job) = self.running.jobs.get(at) else { return };
        let Some(target) = job.target.as_deref().cloned() else { return };
        if target.physical_id.is_empty() {
            self.resource_event(&target, Status::DeleteComplete, None, None);
            self.settle(at, Progress::Done);
            return;
        }
        let work = Work {
            resource_type: target.resource_type.clone(),
            name: target.physical_id.clone(),
            physical_id: target.physical_id.clone(),
            properties: target.properties.clone(),
            previous: Value::Null,
            answers: Vec::new(),
        };
        if let Some(job) = self.running.jobs.get_mut(at) {
            job.work = Some(work);
        }
        self.begin(at, Task::Delete, None);
    }

    /// Tells that a job has begun and makes its first call.
    fn begin(&mut self, at: usize, task: Task, reason: Option<String>) {
        if let Some(job) = self.running.jobs.get_mut(at) {
            job.task = task;
        }
        self.job_event(at, task.in_progress(), reason);
        self.call_next(at);
    }

    /// Records an event about the resource of a job.
    fn job_event(&mut self, at: usize, status: Status, reason: Option<String>) {
        let Some(job) = self.running.jobs.get(at) else { return };
        let shown = job.shown.clone();
        let target = job.target.as_deref();
        let record = target.or_else(|| self.state.resource(&job.logical_id)).cloned();
        if let Some(record) = record {
            self.resource_event(&record, status, reason, shown);
        }
    }

    /// Makes the next call of a job, or ends it when there is none.
    fn call_next(&mut self, at: usize) {
        let Some(job) = self.running.jobs.get_mut(at) else { return };
        let Some(call) = job.next_call() else {
            self.complete(at);
            return;
        };
        self.running.calls += 1;
        let id = format!(
            "{}/{}/{}",
            self.state.identity.stack_id, self.running.token, self.running.calls
        );
        self.effects.push(call_effect(&id, call));
        job.progress = Progress::Calling(id);
    }

    /// Takes the answer to the call that is out for the job at `at`.
    pub(super) fn take_answer(&mut self, at: usize, answer: Result<Value, CallFailure>) {
        let Some(job) = self.running.jobs.get_mut(at) else { return };
        let cancelled = matches!(job.progress, Progress::Cancelling(_));
        let tolerated = job.next_call().map_or(&[][..], |call| call.tolerated);
        let answer = match answer {
            Err(failure) if tolerated.contains(&failure.code.as_str()) => Ok(Value::object()),
            Ok(output) => refuse_failed_entries(output),
            Err(failure) => Err(failure),
        };
        let task = job.task;
        match answer {
            Ok(output) => {
                if let Some(work) = &mut job.work {
                    work.answers.push(output);
                }
                self.note_identity(at, task);
                if cancelled {
                    self.settle(at, Progress::Cancelled);
                } else {
                    self.call_next(at);
                }
            }
            Err(_) if cancelled => self.settle(at, Progress::Cancelled),
            Err(failure) => {
                let reason = self.handler_reason(&failure);
                self.fail(at, task, reason);
            }
        }
    }

    /// AWS wraps the message of a service in the words of the handler of the resource type.
    fn handler_reason(&mut self, failure: &CallFailure) -> String {
        format!(
            "Resource handler returned message: \"{}\" (RequestToken: {}, HandlerErrorCode: {})",
            failure.message,
            self.random.uuid(),
            handler_error_code(&failure.code)
        )
    }

    /// Once the first call of a creation is answered, the resource has an id.
    fn note_identity(&mut self, at: usize, task: Task) {
        let Some(job) = self.running.jobs.get(at) else { return };
        let creates = matches!(task, Task::Create | Task::Replace);
        let Some(work) = job.work.as_ref().filter(|work| creates && work.answers.len() == 1) else {
            return;
        };
        self.identify(at, task, &work.clone());
    }

    fn identify(&mut self, at: usize, task: Task, work: &Work) {
        let Some(kind) = resources::find(&work.resource_type) else { return };
        let Some(job) = self.running.jobs.get(at) else { return };
        let identified = (kind.identify)(work);
        let logical_id = job.logical_id.clone();
        if let Some(record) = self.state.resource_mut(&logical_id) {
            record.physical_id = identified.physical_id;
            record.attributes = identified.attributes;
            record.properties = work.properties.clone();
        }
        let reason = Some("Resource creation Initiated".to_owned());
        self.job_event(at, task.in_progress(), reason);
    }

    /// Ends a job whose calls have all succeeded.
    fn complete(&mut self, at: usize) {
        let Some(job) = self.running.jobs.get(at) else { return };
        let (task, logical_id) = (job.task, job.logical_id.clone());
        let work = job.work.clone();
        match (task, work) {
            (Task::Create | Task::Replace, Some(work)) if work.answers.is_empty() => {
                self.identify(at, task, &work);
            }
            (Task::Update, Some(work)) => {
                if let Some(record) = self.state.resource_mut(&logical_id) {
                    record.properties = work.properties;
                }
            }
            (Task::Deploy | Task::Create | Task::Replace | Task::Update | Task::Delete, _) => {}
        }
        self.job_event(at, task.complete(), None);
        self.settle(at, Progress::Done);
    }

    pub(super) fn fail(&mut self, at: usize, task: Task, reason: String) {
        let Some(job) = self.running.jobs.get_mut(at) else { return };
        job.task = task;
        let logical_id = job.logical_id.clone();
        self.job_event(at, task.failed(), Some(reason));
        self.running.failed.push(Failed { logical_id, task });
        self.settle(at, Progress::Failed);
    }

    /// Gives up a job because another one failed.
    pub(super) fn cancel(&mut self, at: usize) {
        let Some(job) = self.running.jobs.get_mut(at) else { return };
        match job.progress.clone() {
            Progress::Waiting => job.progress = Progress::Cancelled,
            Progress::Calling(id) => {
                job.progress = Progress::Cancelling(id);
                let (task, logical_id) = (job.task, job.logical_id.clone());
                let word = if task == Task::Create { "creation" } else { "update" };
                self.job_event(at, task.failed(), Some(format!("Resource {word} cancelled")));
                self.running.failed.push(Failed { logical_id, task });
            }
            Progress::Cancelling(_) | Progress::Done | Progress::Failed | Progress::Cancelled => {}
        }
    }

    pub(super) fn settle(&mut self, at: usize, progress: Progress) {
        if let Some(job) = self.running.jobs.get_mut(at) {
            job.progress = progress;
        }
    }
}

/// A resource with a name of its own cannot exist twice, so it cannot be replaced.
fn refuse_same_name(kind: &ResourceType, live: &ResourceRecord, work: &Work) -> Result<(), String> {
    let name = |properties: &Value| kind.name_property.and_then(|key| properties.get(key).cloned());
    let given = name(&work.properties);
    if given.is_none() || given != name(&live.properties) {
        return Ok(());
    }
    Err(format!(
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. \
         Rename {} and update the stack again.",
        work.name
    ))
}

/// Operations such as `PutTargets` answer with success and a list of what failed.
fn refuse_failed_entries(output: Value) -> Result<Value, CallFailure> {
    let failed = output.get("FailedEntryCount").and_then(Value::as_i64).unwrap_or(0);
    if failed == 0 {
        return Ok(output);
    }
    let entry = output.get("FailedEntries").and_then(|entries| entries.at(0));
    let text = |key: &str| {
        let text = entry.and_then(|entry| entry.get(key)).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Err(CallFailure { code: text("ErrorCode"), message: text("ErrorMessage") })
}

/// Returns the handler's word for a service's error code.
fn handler_error_code(code: &str) -> &'static str {
    let code = code.to_ascii_lowercase();
    let words = [
        ("alreadyexists", "AlreadyExists"),
        ("nosuchentity", "NotFound"),
        ("notfound", "NotFound"),
        ("doesnotexist", "NotFound"),
        ("accessdenied", "AccessDenied"),
        ("unauthorized", "AccessDenied"),
        ("throttl", "Throttling"),
        ("limitexceeded", "ServiceLimitExceeded"),
        ("conflict", "ResourceConflict"),
        ("concurrent", "ResourceConflict"),
        ("validation", "InvalidRequest"),
        ("malformed", "InvalidRequest"),
        ("invalid", "InvalidRequest"),
        ("serviceunavailable", "ServiceInternalError"),
        ("internal", "ServiceInternalError"),
    ];
    words
        .iter()
        .find(|(part, _)| code.contains(part))
        .map_or("GeneralServiceException", |(_, word)| *word)
}
