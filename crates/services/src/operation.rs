//! Operations as data: what each needs to be allowed, and what it does.

use std::pin::Pin;
use std::sync::Arc;

use value::Value;

use crate::{Answer, Call, Error, Reading, Services, Writing};

/// One operation of a service. A service is a list of these; the dispatcher finds, validates,
/// authorises and runs them, so that no operation can forget to be authorised.
pub struct Operation {
    /// AWS's name: `CreateUser`.
    pub name: &'static str,
    /// What the caller must be allowed to do. An operation that AWS leaves open to everyone
    /// (`sts:GetCallerIdentity`) returns an empty list.
    pub checks: fn(&Reading<'_>, &Value) -> Result<Vec<Check>, Error>,
    /// What it does.
    pub run: Run,
}

/// How an operation works.
pub enum Run {
    /// Reads a snapshot.
    Read(fn(&Reading<'_>, &Value) -> Answer),
    /// Changes the store in one transaction. Repeated with the same effect id, it changes nothing
    /// and gives the answer it gave.
    Write(fn(&mut Writing<'_>, &Value) -> Answer),
    /// Reads what lies elsewhere, which takes time, and then changes the store as `Write` does.
    Fetched {
        /// Reads, changes nothing, and returns the input with what it has found in it.
        fetch: fn(Arc<Services>, Call, Value) -> Pending,
        /// Changes the store.
        write: fn(&mut Writing<'_>, &Value) -> Answer,
    },
    /// Talks to running processes; idempotent under its effect id by its own means.
    Workflow(fn(Arc<Services>, Call, Value) -> Pending),
}

/// An answer that takes time.
pub type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One question to `authorize`: may the caller do `action` to `resource`?
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// `iam:GetUser`.
    pub action: String,
    /// The ARN, or `*` for actions without resource-level permissions.
    pub resource: String,
    /// How AccessDenied names the resource where that is not the ARN: `user bob`.
    pub display: Option<String>,
    /// Condition keys beyond those every call has.
    pub context: Vec<(String, Vec<String>)>,
    /// The policy of the resource, for what needs none of the caller's.
    pub(crate) resource_policy: Option<&'static str>,
}

impl Check {
    /// Returns the question for an action on one resource.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Check {
        Check {
            action: action.into(),
            resource: resource.into(),
            display: None,
            context: Vec::new(),
            resource_policy: None,
        }
    }

    /// Returns the question for an action without resource-level permissions.
    pub fn any(action: impl Into<String>) -> Check {
        Check::new(action, "*")
    }

    /// Returns the check with the words AccessDenied uses for the resource.
    #[must_use]
    pub fn shown_as(mut self, display: impl Into<String>) -> Check {
        self.display = Some(display.into());
        self
    }

    /// Returns the check with the policy of its resource.
    #[must_use]
    pub(crate) fn granted_by(mut self, resource_policy: &'static str) -> Check {
        self.resource_policy = Some(resource_policy);
        self
    }

    /// Returns the check with a condition key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, values: Vec<String>) -> Check {
        self.context.push((key.into(), values));
        self
    }

    /// Returns the question that handing `role_arn` to a service raises
    /// (reference: IAM user guide, "Grant a user permissions to pass a role to an AWS service").
    pub fn pass_role(role_arn: impl Into<String>, to_service: &str) -> Check {
        Check::new("iam:PassRole", role_arn)
            .with("iam:PassedToService", vec![to_service.to_owned()])
    }
}
