//! What would have to stand where for a refused request to be allowed.

use value::{Value, value};

use crate::{Decision, Layer, Outcome, Principal, PrincipalKind, Reach};

/// A statement that is lacking, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// The layer whose policy lacks it.
    pub layer: Layer,
    /// The statement, as it stands in a policy.
    pub statement: Value,
}

/// Returns the statements that were lacking when a request was refused because nothing grants it.
/// Of another account's resource both sides must speak. Nothing helps against a statement that
/// refuses, but to change that statement: then there are none.
///
/// `passed_to` is the value of `iam:PassedToService`, where the request has one.
///
/// ```
/// # use policy::*;
/// let alice = Principal::user("123456789012", "/", "alice", "AIDA1");
/// let bob = "arn:aws:iam::123456789012:user/bob";
/// let request = Request::new(alice.clone(), "iam:GetUser", bob, Context::new());
/// let decision = decide(&request, &PolicySet::default());
/// let lacking = remedies(&alice, "iam:GetUser", None, &decision);
/// assert_eq!(lacking[0].layer, Layer::Identity);
/// assert_eq!(
///     lacking[0].statement,
///     value::value!({ "Effect": "Allow", "Action": "iam:GetUser", "Resource": bob }),
/// );
/// ```
pub fn remedies(
    principal: &Principal,
    action: &str,
    passed_to: Option<&str>,
    decision: &Decision,
) -> Vec<Remedy> {
    if decision.outcome != Outcome::ImplicitDeny {
        return Vec::new();
    }
    let statement = |layer| statement(layer, principal, action, passed_to, decision);
    let lacking = lacking(principal, action, decision).into_iter();
    lacking.map(|layer| Remedy { layer, statement: statement(layer) }).collect()
}

/// The layers in the order in which they are cured: the caller's own side first.
const ORDER: [Layer; 8] = [
    Layer::Identity,
    Layer::Boundary,
    Layer::Session,
    Layer::Resource,
    Layer::Trust,
    Layer::Endpoint,
    Layer::ServiceControl,
    Layer::ResourceControl,
];

/// Returns the layers that must grant and do not.
fn lacking(principal: &Principal, action: &str, decision: &Decision) -> Vec<Layer> {
    let crosses = decision.reach == Reach::CrossAccount;
    let theirs_blocks = matches!(decision.blocked_by, Some(Layer::Trust | Layer::Resource));
    // Whoever the resource's policy names itself, and not by its role, needs nothing else at home.
    let is_enough = theirs_blocks && !crosses && principal.arn() == principal.iam_arn();
    let is_silent = |layer| decision.layer(layer) == Some(Outcome::ImplicitDeny);
    let is_role = action.starts_with("sts:") && decision.resource.contains(":role/");
    let theirs = if is_role { Layer::Trust } else { Layer::Resource };
    let is_needed = |layer: &Layer| match layer {
        Layer::ResourceControl | Layer::ServiceControl | Layer::Endpoint => is_silent(*layer),
        Layer::Boundary | Layer::Session => is_silent(*layer) && !is_enough,
        // It is asked first: what blocks behind it has passed it.
        Layer::Identity => {
            let is_passed = matches!(decision.blocked_by, Some(Layer::Boundary | Layer::Session));
            is_silent(*layer) && (crosses || !(theirs_blocks || is_passed))
        }
        Layer::Resource | Layer::Trust => {
            let is_silent_there = decision.layer(*layer) != Some(Outcome::Allowed);
            decision.blocked_by == Some(*layer) || (crosses && *layer == theirs && is_silent_there)
        }
    };
    ORDER.into_iter().filter(is_needed).collect()
}

fn statement(
    layer: Layer,
    principal: &Principal,
    action: &str,
    passed_to: Option<&str>,
    decision: &Decision,
) -> Value {
    let mut statement = value!({ "Effect": "Allow" });
    if matches!(layer, Layer::Resource | Layer::Trust) {
        statement.set("Principal", named(principal));
    }
    statement.set("Action", action);
    if layer != Layer::Trust {
        statement.set("Resource", &*decision.resource);
    }
    if let Some(service) = passed_to {
        let condition = value!({ "StringEquals": { "iam:PassedToService": service } });
        statement.set("Condition", condition);
    } else if layer == Layer::Trust
        && let Some(condition) = vouched_for(principal)
    {
        statement.set("Condition", condition);
    }
    statement
}

/// What a trust policy must ask of a provider's word: without it whoever the provider knows comes
/// in, of whatever application.
const ASKED_OF_PROVIDERS: [&str; 2] = [":aud", ":sub"];

/// Returns the condition that holds for nobody but whom a provider vouches for.
fn vouched_for(principal: &Principal) -> Option<Value> {
    let provider = principal.session.as_ref()?.identity_provider.as_ref()?;
    let is_asked = |key: &str| ASKED_OF_PROVIDERS.iter().any(|end| key.ends_with(end));
    let keys = provider.keys.iter().filter(|(key, _)| is_asked(key));
    let equal = keys.fold(Value::object(), |equal, (key, values)| match &**values {
        [one] => equal.with(&**key, &**one),
        all => equal.with(&**key, all.to_vec()),
    });
    Some(value!({ "StringEquals": (equal) }))
}

/// Returns a caller as a `Principal` element names it.
fn named(principal: &Principal) -> Value {
    match &principal.kind {
        PrincipalKind::Service { name } => value!({ "Service": name }),
        PrincipalKind::Anonymous => match principal.provider_arn() {
            Some(provider) => value!({ "Federated": provider }),
            None => value!("*"),
        },
        PrincipalKind::Root
        | PrincipalKind::User { .. }
        | PrincipalKind::AssumedRole { .. }
        | PrincipalKind::FederatedUser { .. } => value!({ "AWS": principal.iam_arn() }),
    }
}
