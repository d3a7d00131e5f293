//! GetFederationToken: a session for somebody whom the caller knows and IAM does not.
//!
//! STS API reference, "GetFederationToken"; IAM user guide, "Permissions for GetFederationToken"
//! (read 2026-11).

use policy::{FederatingUser, Principal, PrincipalKind, Session};
use value::Value;

use super::session_tokens::{
    DURATION_SECONDS_DEFAULT, DURATION_SECONDS_MAX, DURATION_SECONDS_MIN,
    ROOT_DURATION_SECONDS_MAX, check_duration,
};
use super::{packed_policy, session_policies, session_tags, sessions, texts};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// The bounds of a federated user's name, in characters.
const NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=32;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "GetFederationToken",
    checks: may_get,
    run: Run::Write(get_federation_token),
}];

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    // Said before anything is asked of policies, which could not help.
    expect_long_term(&on.call.principal)?;
    let federated = Principal::federated_user(on.call.account(), input.text("Name")?);
    let arn = federated.in_partition(&on.call.settings.partition).arn();
    let tags = session_tags::in_input(input)?;
    let keys: Vec<String> = tags.iter().map(|(key, _)| (*key).to_owned()).collect();
    let ask = |action: &str| {
        let mut check = Check::new(format!("sts:{action}"), &*arn);
        for (key, value) in &tags {
            check = check.with(format!("aws:RequestTag/{key}"), vec![(*value).to_owned()]);
        }
        check.with("aws:TagKeys", keys.clone())
    };
    let mut checks = vec![ask("GetFederationToken")];
    if !tags.is_empty() {
        checks.push(ask("TagSession"));
    }
    Ok(checks)
}

fn expect_long_term(principal: &Principal) -> Result<(), Error> {
    let is_long_term = match &principal.kind {
        PrincipalKind::User { .. } | PrincipalKind::Root => principal.session.is_none(),
        PrincipalKind::AssumedRole { .. }
        | PrincipalKind::FederatedUser { .. }
        | PrincipalKind::Service { .. }
        | PrincipalKind::Anonymous => false,
    };
    if is_long_term {
        return Ok(());
    }
    let text = "Cannot call GetFederationToken with session credentials";
    Err(Error::new("AccessDenied", text))
}

fn get_federation_token(w: &mut Writing<'_>, input: &Value) -> Answer {
    let caller = w.call.principal.clone();
    expect_long_term(&caller)?;
    let name = input.text("Name")?;
    texts::check("name", name, NAME_CHARACTERS, texts::NAMES)?;
    let asked = input.integer("DurationSeconds").unwrap_or(DURATION_SECONDS_DEFAULT);
    check_duration(asked, DURATION_SECONDS_MIN, DURATION_SECONDS_MAX)?;
    let policies = session_policies::in_input(w.store.as_read(), input)?;
    let tags = session_tags::requested(&session_tags::in_input(input)?)?;
    let packed = packed_policy::percent(policies.as_deref(), &tags)?;
    let (federating_user, seconds) = match &caller.kind {
        PrincipalKind::User { name, id, .. } => {
            (Some(FederatingUser { name: name.clone(), id: id.clone() }), asked)
        }
        PrincipalKind::Root
        | PrincipalKind::AssumedRole { .. }
        | PrincipalKind::FederatedUser { .. }
        | PrincipalKind::Service { .. }
        | PrincipalKind::Anonymous => (None, asked.min(ROOT_DURATION_SECONDS_MAX)),
    };
    let issued_at_millis = w.call.now_millis;
    let session = Session { issued_at_millis, tags, federating_user, ..Session::default() };
    let mut principal = Principal::federated_user(w.call.account(), name).with_session(session);
    principal.partition.clone_from(&w.call.settings.partition);
    principal.tags.clone_from(&caller.tags);
    // Without session policies such a session may do nothing, which is not the same as having none.
    let credentials = sessions::open(w, &principal, Some(policies.unwrap_or_default()), seconds)?;
    let shown =
        Value::object().with("FederatedUserId", principal.user_id()).with("Arn", principal.arn());
    Ok(Value::object()
        .with("Credentials", credentials.shown())
        .with("FederatedUser", shown)
        .with_some("PackedPolicySize", packed))
}
