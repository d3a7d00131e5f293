//! What another entry or another statement says already.

use value::Value;

use super::globs::covers;
use super::statement::{Entries, Entry, Form, Statement};
use super::{Finding, Policy};
use crate::Effect;

/// How many entries of one list, and how many statements, are compared with each other.
const COMPARED_MAX: usize = 400;

/// Checks entries against their neighbours, then statements against each other.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    for statement in &policy.statements {
        let (action, resource) = ("REDUNDANT_ACTION", "REDUNDANT_RESOURCE");
        findings.extend(within(action, &statement.actions, str::to_lowercase));
        findings.extend(within(resource, &statement.resources, str::to_owned));
    }
    if policy.statements.len() > COMPARED_MAX {
        return;
    }
    for (index, statement) in policy.statements.iter().enumerate() {
        let others = policy.statements.iter().enumerate().filter(|(other, _)| *other != index);
        let mut fitting =
            others.filter_map(|(other, wide)| fault((other, wide), (index, statement)));
        findings.extend(fitting.next());
    }
}

fn within(
    code: &'static str,
    entries: &Entries<'_>,
    folded: impl Fn(&str) -> String,
) -> Vec<Finding> {
    if entries.texts.len() > COMPARED_MAX {
        return Vec::new();
    }
    let texts: Vec<String> = entries.texts.iter().map(|entry| folded(entry.text)).collect();
    let mut findings = Vec::new();
    for (index, (entry, text)) in entries.texts.iter().zip(&texts).enumerate() {
        let wider = texts.iter().enumerate().find(|(other, wide)| {
            // Of two equal ones the second is too much.
            *other != index && covers(wide, text) && (*wide != text || *other < index)
        });
        let wider = wider.and_then(|(other, _)| entries.texts.get(other));
        findings.extend(wider.map(|wider| {
            let message = format!("`{}` is said by `{}` already", entry.text, wider.text);
            Finding::warning(code, &entry.place, message)
        }));
    }
    findings
}

/// Judges a statement that another one covers.
fn fault(
    (wide_at, wide): (usize, &Statement<'_>),
    (at, narrow): (usize, &Statement<'_>),
) -> Option<Finding> {
    let number = wide_at + 1;
    if wide.effect == narrow.effect {
        let same = same_condition(wide, narrow);
        if (!same && wide.is_conditional()) || !spans(wide, narrow) {
            return None;
        }
        // Of two that say the same the second is too much.
        if same && spans(narrow, wide) && at < wide_at {
            return None;
        }
        let message = format!("statement {number} says as much already");
        return Some(Finding::warning("REDUNDANT_STATEMENT", &narrow.place, message));
    }
    let shadowed = wide.effect == Effect::Deny && !wide.is_conditional() && spans(wide, narrow);
    let message = format!("statement {number} denies all that is allowed here");
    shadowed.then(|| Finding::warning("SHADOWED_STATEMENT", &narrow.place, message))
}

fn same_condition(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    one.json.get("Condition") == other.json.get("Condition")
}

/// Returns whether a statement speaks of everything that another one does, conditions apart.
fn spans(wide: &Statement<'_>, narrow: &Statement<'_>) -> bool {
    let principals = ["Principal", "NotPrincipal"];
    let same = |member: &&str| wide.json.get(member) == narrow.json.get(member);
    let everyone = wide.json.get("Principal").and_then(Value::as_str) == Some("*");
    let to_all = everyone || principals.iter().all(same);
    to_all
        && includes(&wide.actions, &narrow.actions, str::to_lowercase)
        && includes(&wide.resources, &narrow.resources, str::to_owned)
}

fn includes(wide: &Entries<'_>, narrow: &Entries<'_>, folded: impl Fn(&str) -> String) -> bool {
    let fold = |entries: &[Entry<'_>]| -> Vec<String> {
        entries.iter().map(|entry| folded(entry.text)).collect()
    };
    let (wide_texts, narrow_texts) = (fold(&wide.texts), fold(&narrow.texts));
    if wide_texts.len().max(narrow_texts.len()) > COMPARED_MAX {
        return false;
    }
    let in_list = |list: &[String], text: &String| list.iter().any(|other| covers(other, text));
    match (wide.form, narrow.form) {
        (Form::Absent, Form::Absent) => true,
        (Form::Listed, Form::Listed) => narrow_texts.iter().all(|text| in_list(&wide_texts, text)),
        (Form::AllBut, Form::AllBut) => wide_texts.iter().all(|text| in_list(&narrow_texts, text)),
        (Form::Listed, Form::AllBut) => wide_texts.iter().any(|text| text == "*"),
        (Form::AllBut, Form::Listed) | (Form::Absent, _) | (_, Form::Absent) => false,
    }
}
