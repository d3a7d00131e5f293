//! AssumeRoleWithWebIdentity: a session for whom a registered identity provider vouches.
//!
//! STS API reference, "AssumeRoleWithWebIdentity"; IAM user guide, "OIDC federation" (read
//! 2026-11). Nobody signs such a call: the token is all that it has.

mod claims;
mod fetched;
mod issuers;
mod keys;
mod token;

use std::sync::Arc;

use policy::{Context, IdentityProvider, Kind, PolicySet, Principal, Request, Session};
use runtime::wall_millis;
use value::Value;

use super::assume_role::{
    check_role_length, compiled, duration_seconds, role_arn_in, session_name_in,
};
use super::session_tags::{self, SessionTags};
use super::{packed_policy, session_policies, sessions, texts};
use crate::decisions::Judged;
use crate::iam::{self, OidcProvider, Role};
use crate::{
    Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, Writing,
    authorize,
};
use claims::Vouched;
pub use issuers::Issuers;
use token::Token;

/// The bounds of a source identity, in characters.
const SOURCE_IDENTITY_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=64;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "AssumeRoleWithWebIdentity",
    // The trust policy of the role alone decides, on what the token says.
    checks: |_, _| Ok(Vec::new()),
    run: Run::Workflow(assume_role_with_web_identity),
}];

fn assume_role_with_web_identity(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        if let Some(provider) = input.maybe_text("ProviderId") {
            // DIFFERS: AWS asks Facebook and Login with Amazon about access tokens of theirs.
            return Err(invalid(format!(
                "Access tokens of {provider} cannot be checked here; only OpenID Connect ID tokens \
                 are accepted."
            )));
        }
        role_arn_in(&input)?;
        session_name_in(&input)?;
        duration_seconds(&input)?;
        let (provider, vouched) =
            vouched(&services, &call, input.text("WebIdentityToken")?).await?;
        let written = services.store().write(move |store| {
            let mut on = Writing { store, call: &call, notices: Vec::new() };
            open(&mut on, &input, &provider, vouched)
        });
        written.await?
    })
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new("InvalidIdentityToken", text)
}

/// Returns who has issued a token and what it says, once it is certain that it is genuine.
async fn vouched(
    services: &Services,
    call: &Call,
    text: &str,
) -> Result<(OidcProvider, Vouched), Error> {
    let token = Token::parse(text).ok_or_else(|| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an \
             Access Token)",
        )
    })?;
    let issuer = token.issuer().ok_or_else(|| invalid("Missing a required claim: iss"))?;
    let found = services.store().read(|store| {
        iam::find_oidc_provider(store, call.account(), issuer.trim_end_matches('/'))
    })?;
    let provider = found.ok_or_else(|| {
        invalid(format!("No OpenIDConnect provider found in your account for {issuer}"))
    })?;
    services.issuers().verify(&token, &provider.url).await?;
    // Tokens are made by others, whose clocks know no virtual time.
    let vouched = claims::check(&token, &provider, wall_millis().div_euclid(1000))?;
    Ok((provider, vouched))
}

/// Opens the session, if the role lets in whom the provider vouches for.
fn open(w: &mut Writing<'_>, input: &Value, provider: &OidcProvider, vouched: Vouched) -> Answer {
    let (role_arn, session_name) = (role_arn_in(input)?, session_name_in(input)?);
    let seconds = duration_seconds(input)?;
    let policies = session_policies::in_input(w.store.as_read(), input)?;
    let pairs: Vec<(&str, &str)> =
        vouched.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let transitive: Vec<&str> = vouched.transitive_tag_keys.iter().map(String::as_str).collect();
    let tags = SessionTags::new(None, session_tags::requested(&pairs)?, &transitive)?;
    if let Some(identity) = &vouched.source_identity {
        texts::check("sourceIdentity", identity, SOURCE_IDENTITY_CHARACTERS, texts::NAMES)?;
    }
    let packed = packed_policy::percent(policies.as_deref(), &tags.all)?;
    let found = iam::find_role(w.store.as_read(), w.call.account(), role_arn)?;
    let role = found.ok_or_else(|| refused("AssumeRoleWithWebIdentity"))?;
    let identity_provider =
        IdentityProvider { arn: provider.arn(w.call), keys: vouched.keys.clone() };
    let asked = Asked { session_name, tags: &tags, vouched: &vouched };
    authorize(&w.reading(), &role, identity_provider.clone(), &asked)?;
    check_role_length(&role, seconds)?;
    let mut principal = role.session(w.call.account(), session_name, w.call.now_millis);
    principal.session = Some(Session {
        issued_at_millis: w.call.now_millis,
        tags: tags.all,
        transitive_tag_keys: tags.transitive_keys,
        source_identity: vouched.source_identity.clone(),
        identity_provider: Some(identity_provider),
        ..Session::default()
    });
    let credentials = sessions::open(w, &principal, policies, seconds)?;
    let assumed =
        Value::object().with("AssumedRoleId", principal.user_id()).with("Arn", principal.arn());
    Ok(Value::object()
        .with("Credentials", credentials.shown())
        .with("SubjectFromWebIdentityToken", vouched.subject)
        .with("AssumedRoleUser", assumed)
        .with_some("PackedPolicySize", packed)
        .with("Provider", vouched.issuer)
        .with("Audience", vouched.audience)
        .with_some("SourceIdentity", vouched.source_identity))
}

fn refused(operation: &str) -> Error {
    Error::new("AccessDenied", format!("Not authorized to perform sts:{operation}"))
}

/// What is asked of the trust policy.
struct Asked<'a> {
    session_name: &'a str,
    tags: &'a SessionTags,
    vouched: &'a Vouched,
}

/// Asks the trust policy, which alone speaks: the caller is nobody here yet.
fn authorize(
    on: &Reading<'_>,
    role: &Role,
    provider: IdentityProvider,
    asked: &Asked<'_>,
) -> Result<(), Error> {
    let principal = Principal::vouched_for(provider);
    let context = context(on, role, &principal, asked);
    let principal = Arc::new(principal);
    let trust = compiled(Kind::Trust, &role.arn, &role.trust_policy)?;
    let policies = PolicySet { resource: Some(trust), ..PolicySet::default() };
    let mut actions = vec!["AssumeRoleWithWebIdentity"];
    if !asked.tags.requested.is_empty() {
        actions.push("TagSession");
    }
    if asked.vouched.source_identity.is_some() {
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

fn context(on: &Reading<'_>, role: &Role, principal: &Principal, asked: &Asked<'_>) -> Context {
    let mut context = authorize::standard_context(on.call, principal);
    context.set("sts:RoleSessionName", asked.session_name);
    if let Some(identity) = &asked.vouched.source_identity {
        context.set("sts:SourceIdentity", identity.as_str());
    }
    asked.tags.describe(&mut context);
    for (key, value) in &role.tags {
        context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
        context.set(&format!("iam:ResourceTag/{key}"), value.as_str());
    }
    context
}
