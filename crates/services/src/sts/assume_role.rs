//! AssumeRole: a session of a role, if its trust policy and the caller's policies allow.
//!
//! STS API reference, "AssumeRole"; IAM user guide, "Pass session tags", "Role chaining"
//! (read 2026-11).

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{Context, Document, Kind, Policy, PolicySet, Principal, PrincipalKind, Request};
use value::Value;

use super::session_tokens::check_duration;
use super::{session_policies, sessions};
use crate::iam::{self, Role};
use crate::{Answer, Error, Input, Operation, Reading, Run, Writing, authorize};

/// How long a session lasts, in seconds.
const DURATION_SECONDS_DEFAULT: i64 = 3600;
const DURATION_SECONDS_MIN: i64 = 900;
const DURATION_SECONDS_MAX: i64 = 43_200;
/// The longest session of a role that another role assumes.
const CHAINED_SECONDS_MAX: i64 = 3600;
/// The bounds of names and of the external id, in characters.
const SESSION_NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=64;
const EXTERNAL_ID_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=1224;
/// How many tags a session can have.
const TAGS_MAX: usize = 50;

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
    /// The session's tags: those passed on from the calling session and those asked for.
    tags: BTreeMap<String, String>,
    requested_tags: BTreeMap<String, String>,
    transitive_tag_keys: Vec<String>,
}

fn assume_role(w: &mut Writing<'_>, input: &Value) -> Answer {
    let wish = wish(w, input)?;
    let seconds = input.integer("DurationSeconds").unwrap_or(DURATION_SECONDS_DEFAULT);
    check_duration(seconds, DURATION_SECONDS_MIN, DURATION_SECONDS_MAX)?;
    let policies = session_policies::in_input(w.store.as_read(), input)?;
    let mfa_at_millis = accept_mfa(w, input)?;
    let found = iam::find_role(w.store.as_read(), w.call.account(), wish.role_arn)?;
    let role = found.ok_or_else(|| refused(w, "sts:AssumeRole", wish.role_arn))?;
    authorize(&w.reading(), &wish, &role, mfa_at_millis)?;
    check_length(w, &role, seconds)?;
    let mut principal = role.session(w.call.account(), wish.session_name, w.call.now_millis);
    if let Some(session) = &mut principal.session {
        session.tags.clone_from(&wish.tags);
        session.transitive_tag_keys.clone_from(&wish.transitive_tag_keys);
        session.source_identity.clone_from(&wish.source_identity);
        session.mfa_at_millis = mfa_at_millis;
    }
    let credentials = sessions::open(w, &principal, policies, seconds)?;
    let assumed =
        Value::object().with("AssumedRoleId", principal.user_id()).with("Arn", principal.arn());
    Ok(Value::object()
        .with("Credentials", credentials.shown())
        .with("AssumedRoleUser", assumed)
        .with_some("SourceIdentity", wish.source_identity))
}

fn refused(w: &Writing<'_>, action: &str, role_arn: &str) -> Error {
    let caller = w.call.principal.arn();
    Error::new(
        "AccessDenied",
        format!("User: {caller} is not authorized to perform: {action} on resource: {role_arn}"),
    )
}

fn invalid_parameter(message: &str) -> Error {
    Error::new("InvalidParameterValue", message)
}

/// Reads and checks what the caller wants.
fn wish<'i>(w: &Writing<'_>, input: &'i Value) -> Result<Wish<'i>, Error> {
    let role_arn = input.text("RoleArn")?;
    if role_arn.parse::<policy::Arn>().is_err() {
        return Err(Error::validation(format!("{role_arn} is invalid")));
    }
    let session_name = input.text("RoleSessionName")?;
    let names = "[\\w+=,.@-]*";
    check_text("roleSessionName", session_name, SESSION_NAME_CHARACTERS, names, "_+=,.@-")?;
    let external_id = input.maybe_text("ExternalId");
    if let Some(id) = external_id {
        let ids = "[\\w+=,.@:\\/-]*";
        check_text("externalId", id, EXTERNAL_ID_CHARACTERS, ids, "_+=,.@:/-")?;
    }
    let asked_identity = input.maybe_text("SourceIdentity");
    if let Some(identity) = asked_identity {
        check_text("sourceIdentity", identity, SESSION_NAME_CHARACTERS, names, "_+=,.@-")?;
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
    let requested_tags = requested_tags(input)?;
    let (tags, transitive_tag_keys) = session_tags(session, input, &requested_tags)?;
    Ok(Wish {
        role_arn,
        session_name,
        external_id,
        source_identity,
        tags,
        requested_tags,
        transitive_tag_keys,
    })
}

fn check_text(
    member: &str,
    text: &str,
    characters: std::ops::RangeInclusive<usize>,
    pattern: &str,
    punctuation: &str,
) -> Result<(), Error> {
    let mut faults = Vec::new();
    let mut fault = |constraint: String| {
        faults.push(format!(
            "Value '{text}' at '{member}' failed to satisfy constraint: Member must {constraint}"
        ));
    };
    let length = text.chars().count();
    if length > *characters.end() {
        fault(format!("have length less than or equal to {}", characters.end()));
    }
    if length < *characters.start() {
        fault(format!("have length greater than or equal to {}", characters.start()));
    }
    if !text.chars().all(|letter| letter.is_ascii_alphanumeric() || punctuation.contains(letter)) {
        fault(format!("satisfy regular expression pattern: {pattern}"));
    }
    match faults.len() {
        0 => Ok(()),
        1 => Err(Error::validation(format!("1 validation error detected: {}", faults.concat()))),
        more => Err(Error::validation(format!(
            "{more} validation errors detected: {}",
            faults.join("; ")
        ))),
    }
}

fn requested_tags(input: &Value) -> Result<BTreeMap<String, String>, Error> {
    let given = input.list("Tags");
    if given.len() > TAGS_MAX {
        return Err(Error::validation(format!(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member \
             must have length less than or equal to {TAGS_MAX}"
        )));
    }
    let mut tags = BTreeMap::new();
    for tag in given {
        let (key, value) = (tag.text("Key")?, tag.text("Value")?);
        if has_key(&tags, key) {
            return Err(invalid_parameter(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

fn has_key(tags: &BTreeMap<String, String>, key: &str) -> bool {
    tags.keys().any(|known| known.to_lowercase() == key.to_lowercase())
}

/// Returns the tags of the new session and which of them pass on further.
fn session_tags(
    calling: Option<&policy::Session>,
    input: &Value,
    requested: &BTreeMap<String, String>,
) -> Result<(BTreeMap<String, String>, Vec<String>), Error> {
    let mut tags = requested.clone();
    let mut transitive = Vec::new();
    if let Some(calling) = calling {
        for key in &calling.transitive_tag_keys {
            if has_key(requested, key) {
                return Err(invalid_parameter(
                    "One of the specified transitive tag keys can't be set because it conflicts \
                     with a transitive tag key from the calling session.",
                ));
            }
            if let Some(value) = calling.tags.get(key) {
                tags.insert(key.clone(), value.clone());
                transitive.push(key.clone());
            }
        }
    }
    for key in input.list("TransitiveTagKeys").iter().filter_map(Value::as_str) {
        let known = requested.keys().find(|known| known.to_lowercase() == key.to_lowercase());
        let known = known.ok_or_else(|| {
            invalid_parameter(
                "The specified transitive tag key must be included in the requested tags.",
            )
        })?;
        transitive.push(known.clone());
    }
    Ok((tags, transitive))
}

/// Returns when the caller proved to have its MFA device, if it did so now.
fn accept_mfa(w: &mut Writing<'_>, input: &Value) -> Result<Option<i64>, Error> {
    let PrincipalKind::User { id, .. } = &w.call.principal.kind else { return Ok(None) };
    match (input.maybe_text("SerialNumber"), input.maybe_text("TokenCode")) {
        (Some(serial_number), Some(code)) => {
            iam::accept_token_code(w, id, serial_number, code)?;
            Ok(Some(w.call.now_millis))
        }
        _ => Ok(None),
    }
}

fn check_length(w: &Writing<'_>, role: &Role, seconds: i64) -> Result<(), Error> {
    let chained = matches!(w.call.principal.kind, PrincipalKind::AssumedRole { .. });
    if chained && seconds > CHAINED_SECONDS_MAX {
        return Err(Error::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining.",
        ));
    }
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
    if !wish.requested_tags.is_empty() {
        actions.push("sts:TagSession");
    }
    if wish.source_identity.is_some() {
        actions.push("sts:SetSourceIdentity");
    }
    for action in actions {
        let request = Request::new(principal.clone(), action, &role.arn, context.clone());
        let decision = policy::decide(&request, &policies);
        if !decision.is_allowed() {
            let text = policy::access_denied_text(
                &on.call.principal.arn(),
                action,
                Some(&role.arn),
                &decision,
            );
            return Err(Error::new("AccessDenied", text));
        }
    }
    Ok(())
}

fn compiled(kind: Kind, label: &str, text: &str) -> Result<Policy, Error> {
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
    if let Some(policies) = &on.call.session_policies {
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
    for (key, value) in &wish.requested_tags {
        context.set(&format!("aws:RequestTag/{key}"), value.as_str());
    }
    context.set_list("aws:TagKeys", wish.requested_tags.keys().map(String::as_str));
    context.set_list("sts:TransitiveTagKeys", wish.transitive_tag_keys.iter().map(String::as_str));
    for (key, value) in &role.tags {
        context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
        context.set(&format!("iam:ResourceTag/{key}"), value.as_str());
    }
    context
}
