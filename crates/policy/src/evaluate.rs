//! The decision: which layers must grant, and which may.
//!
//! AWS pages: "Policy evaluation logic" and "Evaluating policies within a single account" (User
//! Guide, read 2026-11-23).

use std::sync::Arc;

use crate::arn::is_account;
use crate::document::{Asked, BoundaryState, Caller, Grade};
use crate::{
    Decision, Effect, Kind, Layer, LayerOutcome, Matched, Outcome, Policy, PolicySet,
    PrincipalKind, Reach, Request,
};

/// Operations that no policy can refuse.
const ALWAYS_ALLOWED: &str = "sts:getcalleridentity";

/// The account part of ARNs that AWS manages for everyone.
const AWS_MANAGED_ACCOUNT: &str = "aws";

/// Decides a request.
///
/// ```
/// use std::sync::Arc;
/// use policy::{Context, Document, Kind, Outcome, Policy, PolicySet, Principal, Request, decide};
///
/// let text = r#"{"Version": "2012-10-17", "Statement": {
///     "Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}}"#;
/// let document = Arc::new(Document::parse(text, Kind::Identity).unwrap());
/// let policies =
///     PolicySet { identity: vec![Policy::new("Read", document)], ..PolicySet::default() };
/// let alice = Arc::new(Principal::user("123456789012", "/", "alice", "AIDA1"));
/// let bob = "arn:aws:iam::123456789012:user/bob";
///
/// let read = Request::new(alice.clone(), "iam:GetUser", bob, Context::new());
/// assert_eq!(decide(&read, &policies).outcome, Outcome::Allowed);
/// let write = Request::new(alice, "iam:DeleteUser", bob, Context::new());
/// assert_eq!(decide(&write, &policies).outcome, Outcome::ImplicitDeny);
/// ```
pub fn decide(request: &Request, policies: &PolicySet) -> Decision {
    decide_each(request, policies, |so_far, next| match (so_far, next) {
        (Outcome::Allowed, Outcome::Allowed) => Keep::Both,
        (Outcome::Allowed, Outcome::ImplicitDeny | Outcome::ExplicitDeny)
        | (Outcome::ImplicitDeny, Outcome::ExplicitDeny) => Keep::Next,
        (Outcome::ImplicitDeny | Outcome::ExplicitDeny, _) => Keep::SoFar,
    })
}

/// Decides a request for which one allowed resource is enough, unless a statement refuses another.
///
/// `ssm:StartAutomationExecution` is such a request: its runbook is an `automation-definition` in
/// most policies and a `document` in some.
pub fn decide_any(request: &Request, policies: &PolicySet) -> Decision {
    decide_each(request, policies, |so_far, next| match (so_far, next) {
        (Outcome::Allowed, Outcome::Allowed) => Keep::Both,
        (Outcome::ImplicitDeny, Outcome::Allowed | Outcome::ExplicitDeny)
        | (Outcome::Allowed, Outcome::ExplicitDeny) => Keep::Next,
        (Outcome::ExplicitDeny, _) | (_, Outcome::ImplicitDeny) => Keep::SoFar,
    })
}

/// Which of two decisions, on two resources of one request, speaks for the request.
enum Keep {
    SoFar,
    Next,
    Both,
}

fn decide_each(
    request: &Request,
    policies: &PolicySet,
    combine: impl Fn(Outcome, Outcome) -> Keep,
) -> Decision {
    let action = request.action.to_lowercase();
    let boundary = match policies.boundary {
        Some(_) => BoundaryState::Set,
        None => BoundaryState::Unset,
    };
    let caller = Caller::new(&request.principal, boundary);
    let decide_on = |resource: &str| {
        let asked = Asked { caller: &caller, action: &action, resource, context: &request.context };
        Evaluation::new(&asked, reach(request, resource)).decide(policies)
    };
    let mut resources = request.resources.iter();
    let mut decision = decide_on(resources.next().map_or("*", String::as_str));
    for resource in resources {
        let next = decide_on(resource);
        match combine(decision.outcome, next.outcome) {
            Keep::SoFar => {}
            Keep::Next => decision = next,
            Keep::Both => decision.absorb(next),
        }
    }
    decision
}

/// Compares the caller's account with the owner's: the one given, else the one in the ARN.
fn reach(request: &Request, resource: &str) -> Reach {
    let in_arn = || resource.split(':').nth(4).filter(|account| is_account(account));
    match request.resource_account.as_deref().filter(|account| !account.is_empty()).or_else(in_arn)
    {
        None | Some(AWS_MANAGED_ACCOUNT) => Reach::SameAccount,
        // A service is at home in every account.
        Some(_) if matches!(request.principal.kind, PrincipalKind::Service { .. }) => {
            Reach::SameAccount
        }
        Some(account) if account == request.principal.account => Reach::SameAccount,
        Some(_) => Reach::CrossAccount,
    }
}

impl Decision {
    /// Adds the reasons of a further resource that is allowed as well.
    fn absorb(&mut self, next: Decision) {
        self.resource = next.resource;
        self.matched.extend(next.matched);
        for key in next.missing_context {
            if !self.missing_context.contains(&key) {
                self.missing_context.push(key);
            }
        }
    }
}

/// Who the caller is, as far as the layers care.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// A user or a session: has identity policies, boundary, session policies.
    Entity,
    /// The root user: needs no identity policy.
    Root,
    /// A service or nobody: only the resource's side speaks.
    Outsider,
}

struct Evaluation<'a, 'r> {
    asked: &'a Asked<'r>,
    reach: Reach,
    allows: Vec<Matched>,
    denies: Vec<Matched>,
    missing: Vec<Arc<str>>,
    layers: Vec<LayerOutcome>,
}

impl<'a, 'r> Evaluation<'a, 'r> {
    fn new(asked: &'a Asked<'r>, reach: Reach) -> Self {
        Evaluation {
            asked,
            reach,
            allows: Vec::new(),
            denies: Vec::new(),
            missing: Vec::new(),
            layers: Vec::new(),
        }
    }

    fn decide(mut self, policies: &PolicySet) -> Decision {
        if self.asked.action == ALWAYS_ALLOWED {
            return self.answer(None);
        }
        let standing = match self.asked.caller.principal.kind {
            PrincipalKind::User { .. }
            | PrincipalKind::AssumedRole { .. }
            | PrincipalKind::FederatedUser { .. } => Standing::Entity,
            PrincipalKind::Root => Standing::Root,
            PrincipalKind::Service { .. } | PrincipalKind::Anonymous => Standing::Outsider,
        };
        // Every layer is read before any is judged, for a refusal anywhere wins.
        let overarching = self.overarching(standing, policies);
        let resource_layer = self.resource_layer(policies);
        let resource = match &policies.resource {
            Some(policy) => self.read(resource_layer, std::slice::from_ref(policy)),
            None => None,
        };
        let limits = match standing {
            Standing::Entity => Limits {
                identity: self.read(Layer::Identity, &policies.identity).is_some(),
                boundary: self.optional(Layer::Boundary, policies.boundary.as_deref()),
                session: self.optional(Layer::Session, policies.session.as_deref()),
            },
            Standing::Root => Limits { identity: true, boundary: true, session: true },
            Standing::Outsider => Limits { identity: false, boundary: true, session: true },
        };
        let blocked = overarching.or_else(|| match standing {
            Standing::Outsider => resource.is_none().then_some(resource_layer),
            Standing::Entity | Standing::Root => match self.reach {
                Reach::SameAccount => self.same_account(resource, resource_layer, limits),
                Reach::CrossAccount => {
                    limits.silent().or(resource.is_none().then_some(resource_layer))
                }
            },
        });
        self.answer(blocked)
    }

    /// Reads the layers above both sides; returns the first that does not grant.
    fn overarching(&mut self, standing: Standing, policies: &PolicySet) -> Option<Layer> {
        let free = self.asked.caller.principal.is_service_linked();
        let rcp = free || self.levels(Layer::ResourceControl, &policies.rcp);
        let free = free || standing == Standing::Outsider;
        let scp = free || self.levels(Layer::ServiceControl, &policies.scp);
        let endpoint = self.optional(Layer::Endpoint, policies.endpoint.as_deref());
        [(Layer::ResourceControl, rcp), (Layer::ServiceControl, scp), (Layer::Endpoint, endpoint)]
            .into_iter()
            .find_map(|(layer, grants)| (!grants).then_some(layer))
    }

    /// Returns the layer that keeps a request within one account from being granted.
    fn same_account(
        &self,
        resource: Option<Grade>,
        resource_layer: Layer,
        limits: Limits,
    ) -> Option<Layer> {
        match resource {
            Some(Grade::Direct) => None,
            Some(Grade::Role) => Limits { identity: true, ..limits }.silent(),
            None if self.resource_must_grant() => Some(resource_layer),
            Some(Grade::Account) | None => limits.silent(),
        }
    }

    /// Roles to assume and KMS keys grant nothing that their own policy does not.
    fn resource_must_grant(&self) -> bool {
        let (action, resource) = (self.asked.action, self.asked.resource);
        let role = action.starts_with("sts:") && resource.contains(":role/");
        let key = action.starts_with("kms:") && resource.contains(":key/");
        role || key
    }

    fn resource_layer(&self, policies: &PolicySet) -> Layer {
        let trust = match &policies.resource {
            Some(policy) => policy.document.kind() == Kind::Trust,
            None => self.asked.action.starts_with("sts:") && self.resource_must_grant(),
        };
        if trust { Layer::Trust } else { Layer::Resource }
    }

    /// Reads the policies of a layer; returns how closely the layer grants, if it does.
    fn read(&mut self, layer: Layer, policies: &[Policy]) -> Option<Grade> {
        let (grant, refused) = self.scan(layer, policies);
        self.note(layer, grant.is_some(), refused);
        grant
    }

    /// Reads a layer that grants everything when it is not there.
    fn optional(&mut self, layer: Layer, policies: Option<&[Policy]>) -> bool {
        policies.is_none_or(|policies| self.read(layer, policies).is_some())
    }

    /// Reads the policies of an organisation, each of whose levels must grant.
    fn levels(&mut self, layer: Layer, levels: &[Vec<Policy>]) -> bool {
        if levels.is_empty() {
            return true;
        }
        let (mut grants, mut refused) = (true, false);
        for level in levels {
            let (grant, deny) = self.scan(layer, level);
            grants &= grant.is_some();
            refused |= deny;
        }
        self.note(layer, grants, refused);
        grants
    }

    fn note(&mut self, layer: Layer, grants: bool, refused: bool) {
        let outcome = match (refused, grants) {
            (true, _) => Outcome::ExplicitDeny,
            (false, true) => Outcome::Allowed,
            (false, false) => Outcome::ImplicitDeny,
        };
        self.layers.push(LayerOutcome { layer, outcome });
    }

    /// Matches all statements; returns the closest grant and whether one refuses.
    fn scan(&mut self, layer: Layer, policies: &[Policy]) -> (Option<Grade>, bool) {
        let (mut grant, mut refused) = (None, false);
        for policy in policies {
            for statement in policy.document.statements() {
                let Some(grade) = statement.matches(self.asked, &mut self.missing) else {
                    continue;
                };
                let matched = Matched {
                    layer,
                    policy: policy.label.clone(),
                    sid: statement.shared_sid(),
                    index: statement.index(),
                    span: statement.span(),
                    reported_start: statement.reported_start(),
                    effect: statement.effect(),
                };
                match statement.effect() {
                    Effect::Allow => {
                        grant = grant.max(Some(grade));
                        self.allows.push(matched);
                    }
                    Effect::Deny => {
                        refused = true;
                        self.denies.push(matched);
                    }
                }
            }
        }
        (grant, refused)
    }

    fn answer(self, silent: Option<Layer>) -> Decision {
        let refusing = self.denies.first().map(|matched| matched.layer);
        let (outcome, matched) = match (refusing, silent) {
            (Some(_), _) => (Outcome::ExplicitDeny, self.denies),
            (None, Some(_)) => (Outcome::ImplicitDeny, self.allows),
            (None, None) => (Outcome::Allowed, self.allows),
        };
        Decision {
            outcome,
            resource: self.asked.resource.to_owned(),
            blocked_by: refusing.or(silent),
            matched,
            missing_context: self.missing,
            layers: self.layers,
            reach: self.reach,
        }
    }
}

/// Which of the layers on the caller's side grant.
#[derive(Clone, Copy)]
struct Limits {
    identity: bool,
    boundary: bool,
    session: bool,
}

impl Limits {
    /// Returns the first layer that does not grant.
    fn silent(self) -> Option<Layer> {
        [
            (Layer::Identity, self.identity),
            (Layer::Boundary, self.boundary),
            (Layer::Session, self.session),
        ]
        .into_iter()
        .find_map(|(layer, grants)| (!grants).then_some(layer))
    }
}
