//! AssumeRole: a session of a role, if its trust policy and the caller's policies allow.
//!
//! STS API reference, "AssumeRole"; IAM user guide, "Pass session tags", "Role chaining"
//! (read 2026-11).

use std::sync::Arc;

use policy::{
    Context, Document, Kind, Outcome, Policy, PolicySet, Principal, PrincipalKind, Request,
};
use value::Value;

use super::session_tags::SessionTags;
use super::session_tokens::{accept_mfa, check_duration};
use super::{packed_policy, session_policies, session_tags, sessions, texts};
use crate::decisions::Judged;
use crate::iam::{self, Role};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, authorize};

/// How long a session lasts, in seconds.
const DURATION_SECONDS_DEFAULT: i64 = 3600;
const DURATION_SECONDS_MIN: i64 = 900;
const DURATION_SECONDS_MAX: i64 = 43_200;
/// The longest session of a role that another role assumes.
const CHAINED_SECONDS_MAX: i64 = 3600;
/// The bounds of names and of the external id, in characters.
const SESSION_NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=64;
const EXTERNAL_ID_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=1224;

pub(super) const OPERATIONS: &[Operation] = &[
    // The trust policy of the role takes part in the decision, so the operation makes it itself.
    Operation { name: "AssumeRole", checks: |_, _| Ok(Vec::new()), run: Run::Write(assume_role) },
];

/// What the caller wants, checked.
struct Wish<'i> {
    role_arn: &'i str,
    session_name: &'i str,
    external_id: Option<&'i str>,
    source_identity: Option<String>,
    tags: SessionTags,
}

fn assume_role(w: &mut Writing<'_>, input: &Value) -> Answer {
    let wish = wish(w, input)?;
    let seconds = duration_seconds(input)?;
    let policies = session_policies::in_input(w.store.as_read(), input)?;
    let packed = packed_policy::percent(policies.as_deref(), &wish.tags.all)?;
    let mfa_at_millis = accept_mfa(w, input)?;
    let found = iam::find_role(w.store.as_read(), w.call.account(), wish.role_arn)?;
    let role = found.ok_or_else(|| refused(w.call, "sts:AssumeRole", wish.role_arn))?;
    authorize(&w.reading(), &wish, &role, mfa_at_millis)?;
    check_length(w, &role, seconds)?;
    let mut principal = role.session(w.call.account(), wish.session_name, w.call.now_millis);
    if let Some(session) = &mut principal.session {
        session.tags.clone_from(&wish.tags.all);
        session.transitive_tag_keys.clone_from(&wish.tags.transitive_keys);
        session.source_identity.clone_from(&wish.source_identity);
        // The proof counts for this call alone: what the session does later is not made with MFA.
    }
    let credentials = sessions::open(w, &principal, policies, seconds)?;
    let assumed =
        Value::object().with("AssumedRoleId", principal.user_id()).with("Arn", principal.arn());
    Ok(Value::object()
        .with("Credentials", credentials.shown())
        .with("AssumedRoleUser", assumed)
        .with_some("PackedPolicySize", packed)
        .with_some("SourceIdentity", wish.source_identity))
}

fn refused(call: &Call, action: &str, role_arn: &str) -> Error {
    let caller = call.principal.arn();
    Error::new(
        "AccessDenied",
        format!("User: {caller} is not authorized to perform: {action} on resource: {role_arn}"),
    )
}

/// Returns which role is to be assumed.
pub(super) fn role_arn_in(input: &Value) -> Result<&str, Error> {
    let role_arn = input.text("RoleArn")?;
    match role_arn.parse::<policy::Arn>() {
        Ok(_) => Ok(role_arn),
        Err(_) => Err(Error::validation(format!("{role_arn} is invalid"))),
    }
}

/// Returns the name of the session.
pub(super) fn session_name_in(input: &Value) -> Result<&str, Error> {
    let session_name = input.text("RoleSessionName")?;
    texts::check("roleSessionName", session_name, SESSION_NAME_CHARACTERS, texts::NAMES)?;
    Ok(session_name)
}

/// Returns how long the session is to last.
pub(super) fn duration_seconds(input: &Value) -> Result<i64, Error> {
    let seconds = input.integer("DurationSeconds").unwrap_or(DURATION_SECONDS_DEFAULT);
    check_duration(seconds, DURATION_SECONDS_MIN, DURATION_SECONDS_MAX)?;
    Ok(seconds)
}

/// Reads and checks what the caller wants.
fn wish<'i>(w: &Writing<'_>, input: &'i Value) -> Result<Wish<'i>, Error> {
    let (role_arn, session_name) = (role_arn_in(input)?, session_name_in(input)?);
    let external_id = input.maybe_text("ExternalId");
    if let Some(id) = external_id {
        texts::check("externalId", id, EXTERNAL_ID_CHARACTERS, texts::EXTERNAL_IDS)?;
    }
    let asked_identity = input.maybe_text("SourceIdentity");
    if let Some(identity) = asked_identity {
        texts::check("sourceIdentity", identity, SESSION_NAME_CHARACTERS, texts::NAMES)?;
    }
    let session = w.call.principal.session.as_ref();
    let inherited = session.and_then(|session| session.source_identity.clone());
    let source_identity = match (inherited, asked_identity) {
        (Some(inherited), Some(asked)) if inherited != asked => {
            // UNVERIFIED: AWS's text.
            return Err(Error::new(
                "AccessDenied",
                "The source identity of the calling session cannot be changed.",
            ));
        }
        (Some(inherited), _) => Some(inherited),
        (None, asked) => asked.map(str::to_owned),
    };
    let requested = session_tags::requested(&session_tags::in_input(input)?)?;
    let transitive: Vec<&str> =
        input.list("TransitiveTagKeys").iter().filter_map(Value::as_str).collect();
    let tags = SessionTags::new(session, requested, &transitive)?;
    Ok(Wish { role_arn, session_name, external_id, source_identity, tags })
}

fn check_length(w: &Writing<'_>, role: &Role, seconds: i64) -> Result<(), Error> {
    let chained = matches!(w.call.principal.kind, PrincipalKind::AssumedRole { .. });
    if chained && seconds > CHAINED_SECONDS_MAX {
        return Err(Error::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining.",
        ));
    }
    check_role_length(role, seconds)
}

/// Refuses a session longer than the role allows.
pub(super) fn check_role_length(role: &Role, seconds: i64) -> Result<(), Error> {
    if seconds > role.max_session_seconds {
        return Err(Error::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(())
}

/// Decides on the session and, where the caller asks for them, on tags and source identity. Both
/// the trust policy and the caller's own policies speak.
// DIFFERS: on AWS the root user can assume no role. Here it can where the trust policy names the
// account, for local tools sign as root.
fn authorize(
    on: &Reading<'_>,
    wish: &Wish<'_>,
    role: &Role,
    mfa_at_millis: Option<i64>,
) -> Result<(), Error> {
    let mut principal = (*on.call.principal).clone();
    if let (Some(at), session) = (mfa_at_millis, &mut principal.session) {
        session.get_or_insert_default().mfa_at_millis = Some(at);
    }
    let policies = policies(on, role)?;
    let context = context(on, wish, &principal, role);
    let principal = Arc::new(principal);
    let mut actions = vec!["sts:AssumeRole"];
    if !wish.tags.requested.is_empty() {
        actions.push("sts:TagSession");
    }
    if wish.source_identity.is_some() {
        actions.push("sts:SetSourceIdentity");
    }
    for action in actions {
        let request = Request::new(principal.clone(), action, &role.arn, context.clone());
        let decision = policy::decide(&request, &policies);
        let refusal = match decision.outcome {
            Outcome::Allowed => None,
            // In the words for a role that is not there: nobody shall learn which roles are.
            Outcome::ImplicitDeny => Some(refused(on.call, action, &role.arn)),
            Outcome::ExplicitDeny => {
                let caller = on.call.principal.arn();
                let text = policy::access_denied_text(&caller, action, Some(&role.arn), &decision);
                Some(Error::new("AccessDenied", text))
            }
        };
        let check = Check::new(action, &role.arn);
        on.call.judgements.add(Judged::new(&check, Some(decision)));
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
    }
    Ok(())
}

/// Returns a stored policy, compiled.
pub(super) fn compiled(kind: Kind, label: &str, text: &str) -> Result<Policy, Error> {
    Document::parse(text, kind)
        .map(|document| Policy::new(label, Arc::new(document)))
        .map_err(|err| Error::internal(&format!("the stored policy {label} is malformed: {err}")))
}

/// Returns every policy that speaks about the call: the caller's, and the role's trust policy.
fn policies(on: &Reading<'_>, role: &Role) -> Result<PolicySet, Error> {
    let stored = iam::policies_of_principal(on.store, &on.call.principal)?;
    let mut set = PolicySet::default();
    for (label, text) in &stored.identity {
        set.identity.push(compiled(Kind::Identity, label, text)?);
    }
    if let Some((label, text)) = &stored.boundary {
        set.boundary = Some(vec![compiled(Kind::Boundary, label, text)?]);
    }
    if let Some(policies) = on.call.principal.session_policies() {
        let each = policies.iter();
        let each = each.map(|policy| compiled(Kind::Session, &policy.label, &policy.document));
        set.session = Some(each.collect::<Result<_, _>>()?);
    }
    set.resource = Some(compiled(Kind::Trust, &role.arn, &role.trust_policy)?);
    Ok(set)
}

fn context(on: &Reading<'_>, wish: &Wish<'_>, principal: &Principal, role: &Role) -> Context {
    let mut context = authorize::standard_context(on.call, principal);
    context.set("sts:RoleSessionName", wish.session_name);
    if let Some(id) = wish.external_id {
        context.set("sts:ExternalId", id);
    }
    if let Some(identity) = &wish.source_identity {
        context.set("sts:SourceIdentity", identity.as_str());
    }
    wish.tags.describe(&mut context);
    for (key, value) in &role.tags {
        context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
        context.set(&format!("iam:ResourceTag/{key}"), value.as_str());
    }
    context
}
