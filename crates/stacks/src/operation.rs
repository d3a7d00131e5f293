//! One operation on a stack: facts in, effects out.

mod jobs;
mod phases;
mod random;

use serde::{Deserialize, Serialize};
use value::Value;

use crate::resources::Work;
use crate::{Change, ResourceRecord, StackEvent, State, Status};
use random::Random;

/// When a fact became durable, and random bytes drawn for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since the Unix epoch.
    pub millis: i64,
    /// Random bytes: names and event ids are made from them.
    pub entropy: [u8; 32],
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// `CreateStack` was accepted.
    CreateRequested {
        /// Unique for each operation on this stack; a repetition is ignored.
        token: String,
        /// What to create.
        change: Box<Change>,
        /// What to do when a resource fails.
        on_failure: OnFailure,
    },
    /// `UpdateStack` was accepted.
    UpdateRequested {
        /// Unique for each operation on this stack; a repetition is ignored.
        token: String,
        /// What to become.
        change: Box<Change>,
        /// What to do when a resource fails; `Delete` counts as `Rollback`.
        on_failure: OnFailure,
    },
    /// `DeleteStack` was accepted.
    DeleteRequested {
        /// Unique for each operation on this stack; a repetition is ignored.
        token: String,
        /// `RetainResources`: logical ids to leave alone.
        retain: Vec<String>,
    },
    /// A call succeeded.
    CallSucceeded {
        /// The id in [`Effect::Call`].
        id: String,
        /// The output of the operation.
        output: Value,
    },
    /// A call failed.
    CallFailed {
        /// The id in [`Effect::Call`].
        id: String,
        /// The error code of the service.
        code: String,
        /// Its message.
        message: String,
    },
}

/// What to do when a resource cannot be created or updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    /// Undo the operation.
    Rollback,
    /// Leave everything as it is (`DO_NOTHING`, `DisableRollback`).
    DoNothing,
    /// Delete the stack.
    Delete,
}

/// A request to the runtime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Call a service and deliver the answer as a fact. A call that is emitted again has the same
    /// id and must not be done twice.
    Call {
        /// Names the call for ever.
        id: String,
        /// The service, by the prefix of its IAM actions: `iam`, `states`, `events`, `ssm`.
        service: String,
        /// The operation, `CreateRole`.
        operation: String,
        /// Its input, with the member names of the API model.
        input: Value,
    },
    /// Append an event to the stack's list.
    Record(Box<StackEvent>),
    /// The operation is over.
    Finish {
        /// Where the stack stands.
        status: Status,
        /// Why.
        reason: Option<String>,
    },
}

/// The operation that is going on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    token: String,
    kind: Kind,
    phase: Phase,
    on_failure: OnFailure,
    /// What an update is to become; a creation has it in [`State::deployed`].
    change: Option<Box<Change>>,
    jobs: Vec<Job>,
    /// Logical ids, in the order in which they failed.
    failed: Vec<Failed>,
    /// Resources as they were before this operation changed or replaced them.
    before: Vec<ResourceRecord>,
    /// Logical ids that this operation has begun to create.
    created: Vec<String>,
    /// What the cleanup will delete.
    doomed: Vec<ResourceRecord>,
    retain: Vec<String>,
    calls: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Create,
    Update,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Creating and updating.
    Forward,
    /// Undoing updates.
    Revert,
    /// Deleting: after a rollback, after an update, or the whole stack.
    Delete,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failed {
    logical_id: String,
    task: Task,
}

/// What is to be done for one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    logical_id: String,
    task: Task,
    /// The resources whose jobs come first.
    needs: Vec<String>,
    progress: Progress,
    work: Option<Work>,
    /// What is to be deleted.
    target: Option<Box<ResourceRecord>>,
    /// The properties as they are shown.
    shown: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Task {
    /// Creation or update, decided when its turn comes.
    Deploy,
    Create,
    Update,
    Replace,
    Delete,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Progress {
    Waiting,
    /// A call is out.
    Calling(String),
    /// A call is out, and nothing will follow it.
    Cancelling(String),
    Done,
    Failed,
    Cancelled,
}

/// Applies a fact to a stack and returns what follows from it.
///
/// A fact that has been applied before, and an answer to a call that is not out, change nothing.
pub fn apply(state: &mut State, fact: Fact, stamp: &Stamp) -> Vec<Effect> {
    match fact {
        Fact::CreateRequested { token, change, on_failure } => {
            phases::create(state, stamp, token, change, on_failure)
        }
        Fact::UpdateRequested { token, change, on_failure } => {
            phases::update(state, stamp, token, change, on_failure)
        }
        Fact::DeleteRequested { token, retain } => phases::delete(state, stamp, token, retain),
        Fact::CallSucceeded { id, output } => phases::answer(state, stamp, &id, Ok(output)),
        Fact::CallFailed { id, code, message } => {
            phases::answer(state, stamp, &id, Err(CallFailure { code, message }))
        }
    }
}

/// Returns the calls that are out, to be made again after a crash.
pub fn outstanding(state: &State) -> Vec<Effect> {
    let jobs = state.running.iter().flat_map(|running| running.jobs.iter());
    jobs.filter_map(|job| {
        let id = job.progress.call_id()?;
        let call = job.next_call()?;
        Some(jobs::call_effect(id, call))
    })
    .collect()
}

/// What a service said when it refused.
struct CallFailure {
    code: String,
    message: String,
}

impl Progress {
    fn call_id(&self) -> Option<&str> {
        match self {
            Progress::Calling(id) | Progress::Cancelling(id) => Some(id),
            Progress::Waiting | Progress::Done | Progress::Failed | Progress::Cancelled => None,
        }
    }
}

/// One step of the operation: the state, and what has come out so far.
struct Engine<'a> {
    state: &'a mut State,
    running: Running,
    stamp: &'a Stamp,
    random: Random,
    effects: Vec<Effect>,
}

impl Engine<'_> {
    /// Records an event of a resource and sets its status.
    fn resource_event(
        &mut self,
        resource: &ResourceRecord,
        status: Status,
        reason: Option<String>,
        shown: Option<String>,
    ) {
        let physical_id = &resource.physical_id;
        if let Some(record) = self.state.resource_mut(&resource.logical_id)
            && (record.physical_id == *physical_id || record.physical_id.is_empty())
        {
            record.status = status;
            record.status_reason.clone_from(&reason);
            record.timestamp_millis = self.stamp.millis;
        }
        let event_id = format!("{}-{}", resource.logical_id, self.random.uuid());
        let (logical_id, kind) = (resource.logical_id.clone(), resource.resource_type.clone());
        self.record(event_id, logical_id, physical_id.clone(), kind, status, reason, shown);
    }

    /// Records an event of the stack and sets its status.
    fn stack_event(&mut self, status: Status, reason: Option<String>) {
        self.state.status = status;
        self.state.status_reason.clone_from(&reason);
        let event_id = self.random.uuid();
        let identity = self.state.identity.clone();
        let kind = "AWS::CloudFormation::Stack".to_owned();
        self.record(event_id, identity.stack_name, identity.stack_id, kind, status, reason, None);
    }

    #[expect(clippy::too_many_arguments, reason = "the members of one event")]
    fn record(
        &mut self,
        event_id: String,
        logical_id: String,
        physical_id: String,
        resource_type: String,
        status: Status,
        reason: Option<String>,
        properties: Option<String>,
    ) {
        self.effects.push(Effect::Record(Box::new(StackEvent {
            event_id,
            stack_id: self.state.identity.stack_id.clone(),
            stack_name: self.state.identity.stack_name.clone(),
            logical_id,
            physical_id,
            resource_type,
            timestamp_millis: self.stamp.millis,
            status,
            reason,
            properties,
            client_request_token: Some(self.running.token.clone()),
        })));
    }
}
