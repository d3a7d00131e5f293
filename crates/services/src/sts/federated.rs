//! Sessions for whom an identity provider vouches, whichever way it does: nobody signs such a call,
//! and the trust policy of the role alone decides, on what the provider says.

use std::sync::Arc;

use policy::{Context, IdentityProvider, Kind, PolicySet, Principal, Request, Session};
use value::Value;

use super::assume_role::{check_role_length, compiled, duration_seconds, role_arn_in};
use super::session_tags::{self, SessionTags};
use super::{packed_policy, session_policies, sessions};
use crate::decisions::Judged;
use crate::iam::{self, Role};
use crate::{Answer, Check, Error, Reading, Writing, authorize};

/// What a provider says of somebody, once it is certain that it does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vouched {
    /// The provider, and what it says as condition keys.
    pub(super) provider: IdentityProvider,
    /// The same, as far as it goes on counting in the session.
    pub(super) lasting: IdentityProvider,
    pub(super) session_name: String,
    pub(super) tags: Vec<(String, String)>,
    pub(super) transitive_tag_keys: Vec<String>,
    pub(super) source_identity: Option<String>,
    /// How long the provider lets a session last.
    pub(super) seconds_max: Option<i64>,
}

/// Returns the refusal of an action.
pub(super) fn refused(action: &str) -> Error {
    Error::new("AccessDenied", format!("Not authorized to perform sts:{action}"))
}

/// Opens the session that `operation` asks for, if the role lets in whom the provider vouches for;
/// returns what every such operation answers.
///
/// # Errors
/// When the input is not in order, or the role does not.
pub(super) fn open(
    w: &mut Writing<'_>,
    input: &Value,
    operation: &'static str,
    vouched: Vouched,
) -> Answer {
    let (role_arn, asked_seconds) = (role_arn_in(input)?, duration_seconds(input)?);
    let policies = session_policies::in_input(w.store.as_read(), input)?;
    let pairs: Vec<(&str, &str)> =
        vouched.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let transitive: Vec<&str> = vouched.transitive_tag_keys.iter().map(String::as_str).collect();
    let tags = SessionTags::new(None, session_tags::requested(&pairs)?, &transitive)?;
    let packed = packed_policy::percent(policies.as_deref(), &tags.all)?;
    let found = iam::find_role(w.store.as_read(), w.call.account(), role_arn)?;
    let role = found.ok_or_else(|| refused(operation))?;
    authorize(&w.reading(), &role, operation, &vouched, &tags)?;
    check_role_length(&role, asked_seconds)?;
    let seconds = vouched.seconds_max.map_or(asked_seconds, |most| asked_seconds.min(most));
    let mut principal = role.session(w.call.account(), &vouched.session_name, w.call.now_millis);
    principal.session = Some(Session {
        issued_at_millis: w.call.now_millis,
        tags: tags.all,
        transitive_tag_keys: tags.transitive_keys,
        source_identity: vouched.source_identity.clone(),
        identity_provider: Some(vouched.lasting),
        ..Session::default()
    });
    let credentials = sessions::open(w, &principal, policies, seconds)?;
    let assumed =
        Value::object().with("AssumedRoleId", principal.user_id()).with("Arn", principal.arn());
    Ok(Value::object()
        .with("Credentials", credentials.shown())
        .with("AssumedRoleUser", assumed)
        .with_some("PackedPolicySize", packed)
        .with_some("SourceIdentity", vouched.source_identity))
}

/// Asks the trust policy, which alone speaks: the caller is nobody here yet.
fn authorize(
    on: &Reading<'_>,
    role: &Role,
    operation: &str,
    vouched: &Vouched,
    tags: &SessionTags,
) -> Result<(), Error> {
    let principal = Principal::vouched_for(vouched.provider.clone());
    let context = context(on, role, &principal, vouched, tags);
    let principal = Arc::new(principal);
    let trust = compiled(Kind::Trust, &role.arn, &role.trust_policy)?;
    let policies = PolicySet { resource: Some(trust), ..PolicySet::default() };
    let mut actions = vec![operation];
    if !tags.requested.is_empty() {
        actions.push("TagSession");
    }
    if vouched.source_identity.is_some() {
        actions.push("SetSourceIdentity");
    }
    for action in actions {
        let named = format!("sts:{action}");
        let request = Request::new(principal.clone(), &named, &role.arn, context.clone());
        let decision = policy::decide(&request, &policies);
        let refusal = (!decision.is_allowed()).then(|| {
            tracing::info!(decision = ?decision.outcome, role = role.arn, "{named} is refused");
            refused(action)
        });
        let judged = Judged::new(&Check::new(named, &role.arn), Some(decision));
        on.call.judgements.add(judged.asked_by(principal.clone()));
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
    }
    Ok(())
}

fn context(
    on: &Reading<'_>,
    role: &Role,
    principal: &Principal,
    vouched: &Vouched,
    tags: &SessionTags,
) -> Context {
    let mut context = authorize::standard_context(on.call, principal);
    context.set("sts:RoleSessionName", vouched.session_name.as_str());
    if let Some(identity) = &vouched.source_identity {
        context.set("sts:SourceIdentity", identity.as_str());
    }
    tags.describe(&mut context);
    for (key, value) in &role.tags {
        context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
        context.set(&format!("iam:ResourceTag/{key}"), value.as_str());
    }
    context
}
