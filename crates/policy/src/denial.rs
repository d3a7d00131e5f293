//! The text of AccessDenied, in one place.
//!
//! AWS page: "Troubleshoot access denied error messages" (User Guide, read 2026-11-23); the policy
//! ARN behind an explicit deny is there since January 2026.

use crate::{Decision, Effect, Layer, Matched, Outcome, Reach};

/// Builds the message of an AccessDenied error.
///
/// `resource` is what the service shows: an ARN for most, `user bob` where IAM speaks of an entity
/// that exists, `None` where the service names no resource.
///
/// ```
/// # use std::sync::Arc;
/// # use policy::*;
/// let alice = Principal::user("123456789012", "/", "alice", "AIDA1");
/// let arn = alice.arn();
/// let request =
///     Request::new(alice, "iam:GetUser", "arn:aws:iam::123456789012:user/bob", Context::new());
/// let decision = decide(&request, &PolicySet::default());
/// assert_eq!(
///     access_denied_text(&arn, "iam:GetUser", Some("user bob"), &decision),
///     "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:GetUser \
///      on resource: user bob because no identity-based policy allows the iam:GetUser action",
/// );
/// ```
pub fn access_denied_text(
    principal_arn: &str,
    action: &str,
    resource: Option<&str>,
    decision: &Decision,
) -> String {
    let mut text = format!("User: {principal_arn} is not authorized to perform: {action}");
    if let Some(resource) = resource {
        text.push_str(" on resource: ");
        text.push_str(resource);
    }
    let Some(layer) = decision.blocked_by.filter(|layer| reason_is_shown(*layer, decision)) else {
        return text;
    };
    match decision.outcome {
        Outcome::Allowed => {}
        Outcome::ImplicitDeny => {
            text.push_str(" because no ");
            text.push_str(silent_layer(layer));
            text.push_str(" allows the ");
            text.push_str(action);
            text.push_str(" action");
        }
        Outcome::ExplicitDeny => {
            text.push_str(" with an explicit deny in ");
            text.push_str(refusing_layer(layer));
            if let Some(arn) = refusing_policy(layer, decision) {
                text.push_str(": ");
                text.push_str(arn);
            }
        }
    }
    text
}

/// Strangers do not learn what the policies on the resource's side say.
///
/// UNVERIFIED: AWS shows them within one organisation; we know of accounts only.
fn reason_is_shown(layer: Layer, decision: &Decision) -> bool {
    match layer {
        Layer::ResourceControl | Layer::Resource | Layer::Trust => {
            decision.reach == Reach::SameAccount
        }
        Layer::ServiceControl
        | Layer::Endpoint
        | Layer::Identity
        | Layer::Boundary
        | Layer::Session => true,
    }
}

fn silent_layer(layer: Layer) -> &'static str {
    match layer {
        Layer::ResourceControl => "resource control policy",
        Layer::ServiceControl => "service control policy",
        Layer::Endpoint => "VPC endpoint policy",
        Layer::Resource => "resource-based policy",
        Layer::Trust => "role trust policy",
        Layer::Identity => "identity-based policy",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
    }
}

fn refusing_layer(layer: Layer) -> &'static str {
    match layer {
        Layer::ResourceControl => "a resource control policy",
        Layer::ServiceControl => "a service control policy",
        Layer::Endpoint => "a VPC endpoint policy",
        Layer::Resource => "a resource-based policy",
        Layer::Trust => "the role trust policy",
        Layer::Identity => "an identity-based policy",
        Layer::Boundary => "a permissions boundary",
        Layer::Session => "a session policy",
    }
}

/// Returns the ARN of the refusing policy, which AWS shows within an account and an organisation.
fn refusing_policy(layer: Layer, decision: &Decision) -> Option<&str> {
    let shown = match layer {
        Layer::ResourceControl
        | Layer::ServiceControl
        | Layer::Identity
        | Layer::Boundary
        | Layer::Session => true,
        Layer::Resource | Layer::Trust | Layer::Endpoint => false,
    };
    let refusing = |one: &&Matched| one.layer == layer && one.effect == Effect::Deny;
    let matched = decision.matched.iter().find(refusing)?;
    if shown { matched.policy_arn() } else { None }
}
