//! Resources that an action does not work on.

use std::collections::BTreeSet;

use super::actions::meant;
use super::globs::overlap;
use super::statement::{Entry, Form, Statement};
use super::{Finding, Policy};
use crate::Effect;
use crate::actions::Action;
use crate::arn::ARN_PARTS;

/// How many pairs of resource and template one statement may ask for; beyond, nothing is said.
const COMPARISONS_MAX: usize = 50_000;
/// How many ARN forms a hint shows.
const FORMS_SHOWN_MAX: usize = 3;

/// Checks that each action of a statement works on one of its resources, and the other way round.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    let listed = |statement: &&Statement<'_>| {
        statement.actions.form == Form::Listed
            && statement.resources.form == Form::Listed
            && !statement.resources.texts.iter().any(|entry| entry.text == "*")
    };
    for statement in policy.statements.iter().filter(listed) {
        let actions: Vec<Vec<&Action>> = statement.actions.texts.iter().map(meant).collect();
        let patterns: Vec<String> =
            statement.resources.texts.iter().map(|entry| opened(entry.text)).collect();
        if patterns.len() * templates(actions.iter().flatten().copied()).len() > COMPARISONS_MAX {
            continue;
        }
        for (entry, actions) in statement.actions.texts.iter().zip(&actions) {
            findings.extend(action_fault(statement, entry, actions, &patterns));
        }
        unused(statement, &actions, &patterns, findings);
    }
}

/// Finds an action that none of the statement's resources is for. Of a pattern only all actions
/// together are judged: one that does not fit is nothing special.
fn action_fault(
    statement: &Statement<'_>,
    entry: &Entry<'_>,
    actions: &[&Action],
    patterns: &[String],
) -> Option<Finding> {
    let verb = match statement.effect {
        Effect::Allow => "allowed",
        Effect::Deny => "denied",
    };
    if actions.is_empty() || patterns.is_empty() {
        return None;
    }
    if actions.iter().all(|action| action.is_wildcard_only()) {
        let message =
            format!("`{}` does not work on single resources: it is never {verb} here", entry.text);
        let finding = Finding::warning("ACTION_NEEDS_ALL_RESOURCES", &entry.place, message);
        return Some(finding.hint("give it a statement of its own with `\"Resource\": \"*\"`"));
    }
    let forms = templates(actions.iter().copied());
    let fits = forms.iter().any(|form| patterns.iter().any(|pattern| form.meets(pattern)));
    if fits {
        return None;
    }
    let message = format!("`{}` is never {verb}: no resource here is one it works on", entry.text);
    let finding = Finding::warning("ACTION_NOT_ON_RESOURCE", &entry.place, message);
    Some(finding.hint(format!("it works on {}", shown(actions))))
}

/// Finds resources that no action of the statement works on.
fn unused(
    statement: &Statement<'_>,
    actions: &[Vec<&Action>],
    patterns: &[String],
    findings: &mut Vec<Finding>,
) {
    // An action that is not known may work on anything.
    if actions.iter().any(Vec::is_empty) {
        return;
    }
    let forms = templates(actions.iter().flatten().copied());
    if forms.is_empty() {
        return;
    }
    for (entry, pattern) in statement.resources.texts.iter().zip(patterns) {
        if forms.iter().any(|form| form.meets(pattern)) {
            continue;
        }
        let message = format!("no action of the statement works on `{}`", entry.text);
        let all: Vec<&Action> = actions.iter().flatten().copied().collect();
        let finding = Finding::warning("RESOURCE_NOT_OF_ACTIONS", &entry.place, message);
        findings.push(finding.hint(format!("they work on {}", shown(&all))));
    }
}

/// The form of the ARNs of a resource type, as a pattern.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ArnForm {
    pattern: String,
    /// The name of a bucket has no slash, and what has one is an object.
    is_bucket: bool,
}

impl ArnForm {
    /// Returns whether a resource of this type can match a pattern. ARNs are compared part by part,
    /// which a pattern that is cut short does not allow.
    fn meets(&self, pattern: &str) -> bool {
        let own: Vec<&str> = self.pattern.splitn(ARN_PARTS, ':').collect();
        let other: Vec<&str> = pattern.splitn(ARN_PARTS, ':').collect();
        if self.is_bucket && pattern.contains('/') {
            return false;
        }
        if own.len() == ARN_PARTS && other.len() == ARN_PARTS {
            return own.iter().zip(other).all(|(own, other)| overlap(own, other));
        }
        overlap(&self.pattern, pattern)
    }
}

/// Returns the ARN forms of actions; of a form that is not known, everything.
fn templates<'a>(actions: impl Iterator<Item = &'a Action>) -> BTreeSet<ArnForm> {
    let uses = actions.flat_map(|action| &action.resources);
    uses.map(|one| match one.arn_template.as_str() {
        "" => ArnForm { pattern: "*".to_owned(), is_bucket: false },
        template => ArnForm {
            pattern: opened(template),
            is_bucket: template.ends_with(":s3:::${BucketName}"),
        },
    })
    .collect()
}

/// Returns a text with `*` for every `${…}`: what stands there is not known.
fn opened(text: &str) -> String {
    let (mut pattern, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("${") {
        pattern.push_str(before);
        pattern.push('*');
        rest = behind.split_once('}').map(|(_, after)| after).unwrap_or_default();
    }
    pattern + rest
}

fn shown(actions: &[&Action]) -> String {
    let uses = actions.iter().flat_map(|action| &action.resources);
    let forms: BTreeSet<&str> =
        uses.map(|one| one.arn_template.as_str()).filter(|form| !form.is_empty()).collect();
    let mut shown: Vec<String> =
        forms.iter().take(FORMS_SHOWN_MAX).map(|form| format!("`{form}`")).collect();
    if FORMS_SHOWN_MAX < forms.len() {
        shown.push(format!("{} more", forms.len() - FORMS_SHOWN_MAX));
    }
    shown.join(", ")
}
