//! What a stack is between and during operations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use value::Value;

use crate::intrinsics::Identity;
use crate::operation::Running;
use crate::{Change, Template};

/// A status of a stack or of a resource, in the API's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the API's own words")]
pub enum Status {
    ReviewInProgress,
    CreateInProgress,
    CreateComplete,
    CreateFailed,
    RollbackInProgress,
    RollbackComplete,
    RollbackFailed,
    DeleteInProgress,
    DeleteComplete,
    DeleteFailed,
    DeleteSkipped,
    UpdateInProgress,
    UpdateComplete,
    UpdateFailed,
    UpdateCompleteCleanupInProgress,
    UpdateRollbackInProgress,
    UpdateRollbackComplete,
    UpdateRollbackFailed,
    UpdateRollbackCompleteCleanupInProgress,
}

impl Status {
    /// Returns the API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::ReviewInProgress => "REVIEW_IN_PROGRESS",
            Status::CreateInProgress => "CREATE_IN_PROGRESS",
            Status::CreateComplete => "CREATE_COMPLETE",
            Status::CreateFailed => "CREATE_FAILED",
            Status::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Status::RollbackComplete => "ROLLBACK_COMPLETE",
            Status::RollbackFailed => "ROLLBACK_FAILED",
            Status::DeleteInProgress => "DELETE_IN_PROGRESS",
            Status::DeleteComplete => "DELETE_COMPLETE",
            Status::DeleteFailed => "DELETE_FAILED",
            Status::DeleteSkipped => "DELETE_SKIPPED",
            Status::UpdateInProgress => "UPDATE_IN_PROGRESS",
            Status::UpdateComplete => "UPDATE_COMPLETE",
            Status::UpdateFailed => "UPDATE_FAILED",
            Status::UpdateCompleteCleanupInProgress => "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            Status::UpdateRollbackInProgress => "UPDATE_ROLLBACK_IN_PROGRESS",
            Status::UpdateRollbackComplete => "UPDATE_ROLLBACK_COMPLETE",
            Status::UpdateRollbackFailed => "UPDATE_ROLLBACK_FAILED",
            Status::UpdateRollbackCompleteCleanupInProgress => {
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
            }
        }
    }

    /// Returns whether a stack with this status may be updated; AWS refuses the others with
    /// `Stack:ARN is in STATUS state and can not be updated.`
    pub fn allows_update(self) -> bool {
        match self {
            Status::CreateComplete
            | Status::CreateFailed
            | Status::UpdateComplete
            | Status::UpdateFailed
            | Status::UpdateRollbackComplete => true,
            Status::ReviewInProgress
            | Status::CreateInProgress
            | Status::RollbackInProgress
            | Status::RollbackComplete
            | Status::RollbackFailed
            | Status::DeleteInProgress
            | Status::DeleteComplete
            | Status::DeleteFailed
            | Status::DeleteSkipped
            | Status::UpdateInProgress
            | Status::UpdateCompleteCleanupInProgress
            | Status::UpdateRollbackInProgress
            | Status::UpdateRollbackFailed
            | Status::UpdateRollbackCompleteCleanupInProgress => false,
        }
    }

    /// Returns whether an operation is going on.
    pub fn is_in_progress(self) -> bool {
        self.as_str().ends_with("_IN_PROGRESS")
    }
}

/// A stack, with the operation that is going on. It is all that [`apply`](crate::apply) needs, and
/// it survives a restart as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Where the stack lives.
    pub identity: Identity,
    /// Where it stands; `REVIEW_IN_PROGRESS` before its creation.
    pub status: Status,
    /// Why it stands there.
    pub status_reason: Option<String>,
    /// Template, parameters and the rest of what was deployed last, or is being created.
    pub deployed: Option<Change>,
    /// The resources, in the order of their creation. Those of a deleted stack stay, with
    /// `DELETE_COMPLETE`.
    pub resources: Vec<ResourceRecord>,
    /// The outputs of the last operation that succeeded.
    pub outputs: Vec<Output>,
    pub(crate) running: Option<Running>,
    /// The token of the last operation, so that a fact delivered twice is known.
    pub(crate) last_token: Option<String>,
}

impl State {
    /// Returns a stack that has yet to be created.
    pub fn new(identity: Identity) -> State {
        State {
            identity,
            status: Status::ReviewInProgress,
            status_reason: None,
            deployed: None,
            resources: Vec::new(),
            outputs: Vec::new(),
            running: None,
            last_token: None,
        }
    }

    /// Returns the template that was deployed last.
    pub fn template(&self) -> Option<&Template> {
        self.deployed.as_ref().map(|change| &change.template)
    }

    /// Returns whether an operation is going on.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn resource(&self, logical_id: &str) -> Option<&ResourceRecord> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    pub(crate) fn resource_mut(&mut self, logical_id: &str) -> Option<&mut ResourceRecord> {
        self.resources.iter_mut().find(|resource| resource.logical_id == logical_id)
    }
}

/// A resource of the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// `LogicalResourceId`.
    pub logical_id: String,
    /// `ResourceType`.
    pub resource_type: String,
    /// `PhysicalResourceId`, what `Ref` returns; empty before creation.
    pub physical_id: String,
    /// The properties it has, evaluated.
    pub properties: Value,
    /// What `Fn::GetAtt` returns.
    pub attributes: BTreeMap<String, Value>,
    /// `ResourceStatus`.
    pub status: Status,
    /// `ResourceStatusReason`.
    pub status_reason: Option<String>,
    /// When the status was set.
    pub timestamp_millis: i64,
    /// The resources that it needs.
    pub needs: Vec<String>,
    pub(crate) deletion_policy: Retention,
    pub(crate) replace_policy: Retention,
}

/// What is left when a resource leaves the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Retention {
    Delete,
    Retain,
    /// Kept, unless its creation is rolled back.
    RetainExceptOnCreate,
}

impl Retention {
    pub(crate) fn of(policy: Option<&Value>) -> Retention {
        match policy.and_then(Value::as_str) {
            Some("Retain") => Retention::Retain,
            Some("RetainExceptOnCreate") => Retention::RetainExceptOnCreate,
            _ => Retention::Delete,
        }
    }
}

/// An output of the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// `OutputKey`.
    pub key: String,
    /// `OutputValue`.
    pub value: String,
    /// `Description`.
    pub description: Option<String>,
    /// `ExportName`.
    pub export_name: Option<String>,
}

/// One event, as `DescribeStackEvents` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackEvent {
    /// `EventId`.
    pub event_id: String,
    /// `StackId`.
    pub stack_id: String,
    /// `StackName`.
    pub stack_name: String,
    /// `LogicalResourceId`; the name of the stack for events of the stack itself.
    pub logical_id: String,
    /// `PhysicalResourceId`; the id of the stack for events of the stack itself.
    pub physical_id: String,
    /// `ResourceType`; `AWS::CloudFormation::Stack` for events of the stack itself.
    pub resource_type: String,
    /// `Timestamp`.
    pub timestamp_millis: i64,
    /// `ResourceStatus`.
    pub status: Status,
    /// `ResourceStatusReason`.
    pub reason: Option<String>,
    /// `ResourceProperties`: JSON, with the values of `NoEcho` parameters masked.
    pub properties: Option<String>,
    /// `ClientRequestToken`.
    pub client_request_token: Option<String>,
}
