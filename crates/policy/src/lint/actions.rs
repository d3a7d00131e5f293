//! Actions that do not exist.

use super::globs::overlap;
use super::nearest::nearest;
use super::statement::Entry;
use super::{Finding, Policy};
use crate::Context;
use crate::actions::{self, Action, Service};
use crate::pattern::{Pattern, Version, Wildcards};

/// Checks that every action is one of AWS's, and that patterns find some.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    let entries = policy.statements.iter().flat_map(|statement| &statement.actions.texts);
    findings.extend(entries.filter_map(fault));
}

fn fault(entry: &Entry<'_>) -> Option<Finding> {
    let (prefix, name) = entry.text.split_once(':')?;
    if is_pattern(prefix) {
        let none = "NO_SUCH_ACTIONS";
        let message = format!("`{}` matches no action of any service", entry.text);
        let found = services(prefix).any(|service| matching(service, name).next().is_some());
        return (!found).then(|| Finding::warning(none, &entry.place, message));
    }
    let Some(service) = actions::service(prefix) else {
        let message = format!("no service has the prefix `{prefix}`");
        let meant = nearest(prefix, actions::services()).map(|meant| format!("{meant}:{name}"));
        return Some(
            Finding::warning("UNKNOWN_SERVICE", &entry.place, message).did_you_mean(meant),
        );
    };
    if is_pattern(name) {
        let message = format!("`{}` matches no action of {prefix}", entry.text);
        let found = matching(service, name).next().is_some();
        return (!found).then(|| Finding::warning("NO_SUCH_ACTIONS", &entry.place, message));
    }
    if service.action(name).is_some() {
        return None;
    }
    let message = format!("{prefix} has no action `{name}`");
    let meant = nearest(name, service.actions().map(|action| action.name.as_str()));
    let meant = meant.map(|meant| format!("{prefix}:{meant}"));
    Some(Finding::warning("UNKNOWN_ACTION", &entry.place, message).did_you_mean(meant))
}

/// Returns whether a text has wildcards.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn services(prefix: &str) -> impl Iterator<Item = &'static Service> {
    let prefix = prefix.to_lowercase();
    actions::services()
        .filter(move |service| overlap(&prefix, service))
        .filter_map(actions::service)
}

fn matching(service: &'static Service, name: &str) -> impl Iterator<Item = &'static Action> {
    let pattern = Pattern::compile(&name.to_lowercase(), Wildcards::Expand, Version::V2008);
    service
        .actions_by_lower_name()
        .filter(move |(name, _)| pattern.matches(name, &Context::EMPTY))
        .map(|(_, action)| action)
}

/// Returns the actions that an entry stands for; none for `*` and for patterns of services, which
/// stand for too much to be looked at one by one.
pub(super) fn meant(entry: &Entry<'_>) -> Vec<&'static Action> {
    let Some((prefix, name)) = entry.text.split_once(':') else { return Vec::new() };
    match actions::service(prefix) {
        Some(service) if is_pattern(name) => matching(service, name).collect(),
        Some(service) => service.action(name).into_iter().collect(),
        None => Vec::new(),
    }
}
