//! Principals: whom a statement names, and whom it does not mean to.

use value::Value;

use super::statement::{Entry, Statement, texts};
use super::{Finding, Policy};
use crate::{Effect, Kind};

/// The ends of the names of AWS's services.
const SERVICE_SUFFIXES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Checks the `Principal` and `NotPrincipal` of every statement.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    for statement in &policy.statements {
        findings.extend(not_principal(statement));
        findings.extend(everyone(statement, policy.kind));
        let place = statement.place.member("Principal");
        let named =
            |kind: &str| texts(statement.json.path(&["Principal", kind]), &place.member(kind));
        findings.extend(named("Service").iter().filter_map(service));
        if policy.kind == Kind::Trust {
            findings.extend(federated(statement, &named("Federated")));
        }
    }
}

fn not_principal(statement: &Statement<'_>) -> Option<Finding> {
    statement.json.get("NotPrincipal")?;
    let place = statement.place.member("NotPrincipal");
    Some(match statement.effect {
        Effect::Allow => Finding::warning(
            "ALLOW_NOT_PRINCIPAL",
            &place,
            "`Allow` with `NotPrincipal` grants to everyone else, anonymous callers included",
        )
        .hint("name whom you mean in `Principal`"),
        Effect::Deny => Finding::warning(
            "DENY_NOT_PRINCIPAL",
            &place,
            "`NotPrincipal` spares only whom it lists whole: the account, the role and the \
             session; and nobody with a permissions boundary",
        )
        .hint("use `\"Principal\": \"*\"` with `ArnNotEquals` on `aws:PrincipalArn`"),
    })
}

fn everyone(statement: &Statement<'_>, kind: Kind) -> Option<Finding> {
    let place = statement.place.member("Principal");
    let principal = statement.json.get("Principal")?;
    let named = match principal {
        Value::String(_) => texts(Some(principal), &place),
        _ => texts(principal.get("AWS"), &place.member("AWS")),
    };
    let star = named.into_iter().find(|entry| entry.text == "*")?;
    let open = statement.effect == Effect::Allow && !statement.is_conditional();
    if !open || kind == Kind::ResourceControl {
        return None;
    }
    let message = match kind {
        Kind::Trust => "everyone with an AWS account can assume the role",
        _ => "everyone is allowed, without an AWS account too",
    };
    let finding = Finding::warning("EVERYONE", &star.place, message);
    Some(finding.hint("name whom you mean, or add a condition, e.g. on `aws:PrincipalOrgID`"))
}

fn service(entry: &Entry<'_>) -> Option<Finding> {
    if entry.text.contains("${") || SERVICE_SUFFIXES.iter().any(|end| entry.text.ends_with(end)) {
        return None;
    }
    let message = format!("`{}` is not the name of a service", entry.text);
    let finding = Finding::warning("SERVICE_PRINCIPAL", &entry.place, message);
    let first = entry.text.split('.').next().unwrap_or_default();
    Some(finding.did_you_mean(Some(format!("{first}.amazonaws.com"))))
}

/// Identity providers have operations of their own.
fn federated(statement: &Statement<'_>, named: &[Entry<'_>]) -> Option<Finding> {
    let provider = named.first()?;
    let wanted = if provider.text.contains(":saml-provider/") {
        "sts:AssumeRoleWithSAML"
    } else {
        "sts:AssumeRoleWithWebIdentity"
    };
    let mut actions = statement.actions.texts.iter();
    if actions
        .any(|entry| crate::wildcard_matches(&entry.text.to_lowercase(), &wanted.to_lowercase()))
    {
        return None;
    }
    let message = format!("`{}` can only call `{wanted}`", provider.text);
    let finding = Finding::warning("ACTION_NOT_OF_PRINCIPAL", &statement.actions.place, message);
    Some(finding.hint(format!("write `\"Action\": \"{wanted}\"`")))
}
