//! The condition keys that every call gets, in one place.
//!
//! AWS page: "AWS global condition context keys" (User Guide, read 2026-11-23).

use crate::time::iso_seconds;
use crate::{Context, Principal, PrincipalKind};

/// What is known of a call beside the caller and the operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFacts {
    /// The time of the call.
    pub now_millis: i64,
    /// The Region the call is made to.
    pub region: String,
    /// The caller's address; absent when a service makes the call.
    pub source_ip: Option<String>,
    /// The caller's `User-Agent`.
    pub user_agent: Option<String>,
    /// How the request came.
    pub transport: Transport,
    /// The services that forwarded the call with the caller's credentials, first to last, e.g.
    /// `cloudformation.amazonaws.com`.
    pub called_via: Vec<String>,
    /// The resource on whose behalf a service calls.
    pub source_arn: Option<String>,
    /// The account on whose behalf a service calls.
    pub source_account: Option<String>,
    /// The account that owns the resource.
    pub resource_account: Option<String>,
}

/// How a request came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Encrypted, or never on a wire.
    #[default]
    Secure,
    /// Plain HTTP.
    Plain,
}

/// Builds the context of a call: `aws:PrincipalArn`, `aws:CurrentTime` and their like.
///
/// Keys that AWS leaves out in some calls are left out: `aws:username` for all but users,
/// `aws:TokenIssueTime` and the MFA keys for long-term credentials.
pub fn standard_context(principal: &Principal, facts: &CallFacts) -> Context {
    let mut context = Context::new();
    principal_keys(principal, &mut context);
    session_keys(principal, facts.now_millis, &mut context);
    request_keys(facts, &mut context);
    context
}

fn principal_keys(principal: &Principal, context: &mut Context) {
    context.set_known("aws:userid", principal.user_id());
    let principal_type = match &principal.kind {
        PrincipalKind::Root => Some("Account"),
        PrincipalKind::User { name, .. } => {
            context.set_known("aws:username", name.as_str());
            Some("User")
        }
        PrincipalKind::AssumedRole { .. } => Some("AssumedRole"),
        PrincipalKind::FederatedUser { .. } => Some("FederatedUser"),
        PrincipalKind::Service { name } => {
            context.set_known("aws:principalservicename", name.as_str());
            context.set_list("aws:PrincipalServiceNamesList", [name.as_str()]);
            None
        }
        PrincipalKind::Anonymous => Some("Anonymous"),
    };
    if let Some(principal_type) = principal_type {
        context.set_known("aws:principaltype", principal_type);
    }
    let is_service = matches!(principal.kind, PrincipalKind::Service { .. });
    context.set_known("aws:principalisawsservice", if is_service { "true" } else { "false" });
    if !principal.account.is_empty() {
        context.set_known("aws:principalarn", principal.iam_arn());
        context.set_known("aws:principalaccount", principal.account.as_str());
    }
    for (key, value) in principal.effective_tags() {
        context.set(&format!("aws:PrincipalTag/{key}"), value);
    }
}

fn session_keys(principal: &Principal, now_millis: i64, context: &mut Context) {
    let Some(session) = &principal.session else {
        return;
    };
    if let Some(provider) = &session.identity_provider {
        context.set_known("aws:federatedprovider", provider.arn.as_str());
        for (key, values) in &provider.keys {
            context.set_list(key, values.iter().map(String::as_str));
        }
    }
    // Whom a provider vouches for has no session yet.
    if principal.kind == PrincipalKind::Anonymous {
        return;
    }
    context.set_known("aws:tokenissuetime", iso_seconds(session.issued_at_millis));
    if let Some(source_identity) = &session.source_identity {
        context.set_known("aws:sourceidentity", source_identity.as_str());
    }
    match session.mfa_at_millis {
        Some(mfa_at_millis) => {
            context.set_known("aws:multifactorauthpresent", "true");
            let age_seconds = (now_millis - mfa_at_millis).max(0) / 1000;
            context.set_known("aws:multifactorauthage", age_seconds.to_string());
        }
        None => context.set_known("aws:multifactorauthpresent", "false"),
    }
}

fn request_keys(facts: &CallFacts, context: &mut Context) {
    context.set_known("aws:currenttime", iso_seconds(facts.now_millis));
    context.set_known("aws:epochtime", facts.now_millis.div_euclid(1000).to_string());
    let secure = match facts.transport {
        Transport::Secure => "true",
        Transport::Plain => "false",
    };
    context.set_known("aws:securetransport", secure);
    let forwarded = !facts.called_via.is_empty();
    context.set_known("aws:viaawsservice", if forwarded { "true" } else { "false" });
    if let (Some(first), Some(last)) = (facts.called_via.first(), facts.called_via.last()) {
        context.set_known("aws:calledviafirst", first.as_str());
        context.set_known("aws:calledvialast", last.as_str());
        context.set_list("aws:calledvia", facts.called_via.iter().map(String::as_str));
    }
    let region = Some(&facts.region).filter(|region| !region.is_empty());
    for (key, value) in [
        ("aws:requestedregion", region),
        ("aws:sourceip", facts.source_ip.as_ref()),
        ("aws:useragent", facts.user_agent.as_ref()),
        ("aws:sourcearn", facts.source_arn.as_ref()),
        ("aws:sourceaccount", facts.source_account.as_ref()),
        ("aws:resourceaccount", facts.resource_account.as_ref()),
    ] {
        if let Some(value) = value {
            context.set_known(key, value.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;

    fn one<'c>(context: &'c Context, key: &str) -> Option<&'c str> {
        context.values(key).first().map(|value| &**value)
    }

    #[test]
    fn long_term_credentials_lack_the_session_keys() {
        let user = Principal::user("123456789012", "/", "alice", "AIDA1");
        let context = standard_context(&user, &CallFacts::default());
        assert_eq!(one(&context, "aws:username"), Some("alice"));
        assert_eq!(one(&context, "aws:PrincipalArn"), Some("arn:aws:iam::123456789012:user/alice"));
        for absent in ["aws:MultiFactorAuthPresent", "aws:TokenIssueTime", "aws:SourceIp"] {
            assert_eq!(one(&context, absent), None, "{absent}");
        }
    }

    #[test]
    fn a_session_has_the_role_arn_and_its_own_tags_first() {
        let mut session = Principal::assumed_role("123456789012", "/ops/", "Del", "AROA1", "run");
        session.tags.insert("Team".into(), "red".into());
        let session = session.with_session(Session {
            issued_at_millis: 1_795_348_800_000,
            tags: [("team".to_owned(), "blue".to_owned())].into(),
            source_identity: Some("alice".into()),
            ..Session::default()
        });
        let context = standard_context(&session, &CallFacts::default());
        let arn = "arn:aws:iam::123456789012:role/ops/Del";
        assert_eq!(one(&context, "aws:PrincipalArn"), Some(arn));
        assert_eq!(one(&context, "aws:PrincipalTag/TEAM"), Some("blue"));
        assert_eq!(one(&context, "aws:SourceIdentity"), Some("alice"));
        assert_eq!(one(&context, "aws:TokenIssueTime"), Some("2026-11-22T12:00:00Z"));
        assert_eq!(one(&context, "aws:MultiFactorAuthPresent"), Some("false"));
        assert_eq!(one(&context, "aws:username"), None);
    }
}
