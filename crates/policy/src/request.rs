//! What is asked: a request, and the policies that apply to it.

use std::sync::Arc;

use crate::{Context, Document, Principal};

/// One operation that a principal wants to perform.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub principal: Arc<Principal>,
    /// The action, e.g. `iam:GetUser`.
    pub action: String,
    /// The ARNs of the resources; all of them must be allowed. `*` for an action without
    /// resource-level permissions; an empty list means the same.
    pub resources: Vec<String>,
    /// The account that owns the resources; `None` where their ARNs say it, and for what AWS owns.
    /// ARNs of S3 are the ones that do not.
    pub resource_account: Option<String>,
    /// The condition keys of the request.
    pub context: Context,
}

impl Request {
    /// Makes a request on one resource, owned by the account in its ARN.
    pub fn new(
        principal: impl Into<Arc<Principal>>,
        action: &str,
        resource: &str,
        context: Context,
    ) -> Request {
        Request {
            principal: principal.into(),
            action: action.to_owned(),
            resources: vec![resource.to_owned()],
            resource_account: None,
            context,
        }
    }

    /// Returns this request on resources that an account owns.
    #[must_use]
    pub fn in_account(mut self, account: &str) -> Request {
        self.resource_account = Some(account.to_owned());
        self
    }
}

/// A compiled policy under the label that reasons and error texts call it by.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The ARN of a managed or organisation policy, the name of an inline one.
    pub label: Arc<str>,
    /// The document; shared, so that callers compile once and cache.
    pub document: Arc<Document>,
}

impl Policy {
    /// Labels a document.
    pub fn new(label: impl Into<Arc<str>>, document: Arc<Document>) -> Policy {
        Policy { label: label.into(), document }
    }
}

/// The policies that apply to a request, by layer. `Default` is no policy at all.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// Policies of the user and its groups, or of the role; inline and managed.
    pub identity: Vec<Policy>,
    /// The permissions boundary, if one is set.
    pub boundary: Option<Vec<Policy>>,
    /// The session policies, if the session was made with them. For a federated user without
    /// session policies `Some` of an empty list: such a session may do nothing.
    pub session: Option<Vec<Policy>>,
    /// The policy of the resource; for `sts:AssumeRole` the trust policy of the role.
    pub resource: Option<Policy>,
    /// Service control policies, a list for each level from the root to the account; empty outside
    /// an organisation and for its management account.
    pub scp: Vec<Vec<Policy>>,
    /// Resource control policies of the resource's account, likewise.
    pub rcp: Vec<Vec<Policy>>,
    /// The policy of the VPC endpoint the request came through, if it came through one.
    pub endpoint: Option<Vec<Policy>>,
}
