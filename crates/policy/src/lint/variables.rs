//! Policy variables that are none.

use super::condition_keys::known;
use super::nearest::nearest;
use super::statement::Entry;
use super::{Finding, Policy};
use crate::actions;
use crate::pattern::{Pattern, Version, Wildcards};

/// Checks variables in resources and condition values.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    let version = policy.json.get("Version").and_then(value::Value::as_str);
    let literal = version != Some("2012-10-17");
    for statement in &policy.statements {
        let values = statement.conditions.iter().flat_map(|condition| &condition.values);
        for entry in statement.resources.texts.iter().chain(values) {
            let pattern = Pattern::compile(entry.text, Wildcards::Expand, Version::V2012);
            for variable in pattern.variables() {
                let fault = if literal { Some(as_text(entry)) } else { unknown(entry, variable) };
                findings.extend(fault);
            }
        }
    }
}

fn as_text(entry: &Entry<'_>) -> Finding {
    let message = format!("`{}` is plain text in this version of the language", entry.text);
    let finding = Finding::warning("VARIABLE_IS_LITERAL", &entry.place, message);
    finding.hint("write `\"Version\": \"2012-10-17\"`")
}

fn unknown(entry: &Entry<'_>, variable: &str) -> Option<Finding> {
    let (prefix, _) = variable.split_once(':').unwrap_or(("", variable));
    let judged = prefix.is_empty() || prefix.eq_ignore_ascii_case("aws");
    if !judged || known(variable).is_some() {
        return None;
    }
    let message = format!("there is no variable `${{{variable}}}`, so nothing matches");
    let names = actions::GLOBAL_KEYS.iter().map(|key| key.name);
    let meant = nearest(variable, names).map(|name| format!("${{{name}}}"));
    Some(Finding::warning("UNKNOWN_VARIABLE", &entry.place, message).did_you_mean(meant))
}
