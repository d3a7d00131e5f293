//! What is answered: a decision with its reasons.

use std::sync::Arc;

use crate::{Effect, Position, Span};

/// The result of an evaluation, as the policy simulator names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request may go on.
    Allowed,
    /// A statement refuses it.
    ExplicitDeny,
    /// Nothing grants it, or a layer that must does not.
    ImplicitDeny,
}

impl Outcome {
    /// Returns the name in `EvalDecision`: `allowed`, `explicitDeny` or `implicitDeny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Allowed => "allowed",
            Outcome::ExplicitDeny => "explicitDeny",
            Outcome::ImplicitDeny => "implicitDeny",
        }
    }
}

/// The kinds of policies that take part in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Resource control policies of the organisation.
    ResourceControl,
    /// Service control policies of the organisation.
    ServiceControl,
    /// The policy of the VPC endpoint.
    Endpoint,
    /// The policy of the resource.
    Resource,
    /// The trust policy of a role.
    Trust,
    /// The policies of user, groups or role.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policies.
    Session,
}

impl Layer {
    /// Returns its name in reports: `identity`, `serviceControl`.
    pub fn as_str(self) -> &'static str {
        match self {
            Layer::ResourceControl => "resourceControl",
            Layer::ServiceControl => "serviceControl",
            Layer::Endpoint => "endpoint",
            Layer::Resource => "resource",
            Layer::Trust => "trust",
            Layer::Identity => "identity",
            Layer::Boundary => "boundary",
            Layer::Session => "session",
        }
    }
}

/// Whether caller and resource share an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// They do.
    SameAccount,
    /// They do not.
    CrossAccount,
}

/// A statement that matched the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The layer of its policy.
    pub layer: Layer,
    /// The label of its policy: an ARN, or the name of an inline policy.
    pub policy: Arc<str>,
    /// Its `Sid`.
    pub sid: Option<Arc<str>>,
    /// Its place among the statements of the policy, from 0.
    pub index: usize,
    /// Where it stands in the policy text.
    pub span: Span,
    /// Where the policy simulator says that it starts.
    pub reported_start: Position,
    /// What it does.
    pub effect: Effect,
}

impl Matched {
    /// Returns the ARN of the policy; an inline policy has none.
    pub fn policy_arn(&self) -> Option<&str> {
        // No name of an inline policy holds a colon.
        self.policy.starts_with("arn:").then_some(&*self.policy)
    }
}

/// What one layer says for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerOutcome {
    /// The layer.
    pub layer: Layer,
    /// Its word.
    pub outcome: Outcome,
}

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The result.
    pub outcome: Outcome,
    /// The resource that decided: the refused one, else the last.
    pub resource: String,
    /// The layer that refuses or fails to grant; `None` when allowed.
    pub blocked_by: Option<Layer>,
    /// The statements that matched: only those that refuse when the outcome is `ExplicitDeny`; for
    /// an `ImplicitDeny` those that grant in vain.
    pub matched: Vec<Matched>,
    /// Condition keys that statements asked for and the request lacks.
    pub missing_context: Vec<Arc<str>>,
    /// What each layer that took part says for itself.
    pub layers: Vec<LayerOutcome>,
    /// Whether caller and resource share an account.
    pub reach: Reach,
}

impl Decision {
    /// Returns whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }

    /// Returns what one layer says for itself; `None` when it took no part.
    pub fn layer(&self, layer: Layer) -> Option<Outcome> {
        self.layers.iter().find(|one| one.layer == layer).map(|one| one.outcome)
    }
}
