//! Condition keys that do not exist, or that the calls of a statement never have.

use super::actions::{is_pattern, meant};
use super::nearest::nearest;
use super::statement::{Condition, Form, Statement};
use super::{Finding, Policy};
use crate::Effect;
use crate::actions::{self, Key, Service};
use crate::conditions::Spelling;

/// Prefixes of keys that belong to no service: SAML, and services under another name.
const OTHER_PREFIXES: [&str; 3] = ["saml", "identitycenter", "catalog"];

/// Checks the names of condition keys.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    for statement in &policy.statements {
        for condition in &statement.conditions {
            findings.extend(unknown(condition).or_else(|| never_present(statement, condition)));
        }
    }
}

/// Returns what is known of a key.
pub(super) fn known(key: &str) -> Option<&'static Key> {
    let service = || actions::service(key.split_once(':')?.0)?.key(key);
    actions::global_key(key).or_else(service)
}

fn unknown(condition: &Condition<'_>) -> Option<Finding> {
    let key = condition.key;
    let finding = |message: String, meant: Option<&str>| {
        let finding = Finding::warning("UNKNOWN_CONDITION_KEY", &condition.place, message);
        Some(finding.did_you_mean(meant.map(str::to_owned)))
    };
    let Some((prefix, _)) = key.split_once(':') else {
        let names = actions::GLOBAL_KEYS.iter().map(|known| known.name);
        let meant = nearest(&format!("aws:{key}"), names);
        return finding(format!("`{key}` has no prefix, as `aws:` is one"), meant);
    };
    let prefix = prefix.to_lowercase();
    // A host is the prefix of an identity provider's keys.
    if known(key).is_some() || OTHER_PREFIXES.contains(&&*prefix) || prefix.contains(['.', '/']) {
        return None;
    }
    let service_keys = actions::service(&prefix).into_iter().flat_map(Service::keys);
    if prefix == "aws" {
        let names = actions::GLOBAL_KEYS.iter().map(|known| known.name);
        return finding(format!("there is no global condition key `{key}`"), near(key, names));
    }
    if actions::service(&prefix).is_none() {
        return finding(format!("no service has the prefix `{prefix}`"), None);
    }
    let meant = near(key, service_keys.map(|known| known.name));
    finding(format!("{prefix} has no condition key `{key}`"), meant)
}

/// A name with an open part is compared without it.
fn near<'k>(key: &str, names: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let head = key.split_once('/').map_or(key, |(head, _)| head);
    let tagged = key.contains('/');
    nearest(
        head,
        names
            .filter(|name| name.contains("/$") == tagged)
            .map(|name| name.split_once("/$").map_or(name, |(head, _)| head)),
    )
}

/// Finds a key that an action given by name does not know, where the condition needs it.
fn never_present(statement: &Statement<'_>, condition: &Condition<'_>) -> Option<Finding> {
    let needs_key = condition.spelling.is_some_and(Spelling::needs_key);
    let global = actions::global_key(condition.key).is_some();
    if global || !needs_key || statement.actions.form != Form::Listed {
        return None;
    }
    let prefix = condition.key.split_once(':').map(|(prefix, _)| prefix)?;
    actions::service(prefix)?.key(condition.key)?;
    let named = statement.actions.texts.iter().filter(|entry| !is_pattern(entry.text));
    let actions = named.flat_map(meant);
    let stranger = actions.into_iter().find(|action| !action.knows_key(condition.key))?;
    let (key, name) = (condition.key, stranger.full_name());
    let verb = match statement.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
    };
    let message = format!("`{name}` knows no `{key}`, so the statement never {verb} it");
    Some(Finding::warning("CONDITION_KEY_NOT_OF_ACTION", &condition.place, message))
}
