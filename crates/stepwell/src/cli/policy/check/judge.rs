//! The judgement on one policy: AWS's first, then ours.

use asl::{Node, NodeKind, Severity, Span};
use policy::lint::{self, Finding, Place, Step};
use policy::{Document, Kind, Malformed};

use super::super::super::problem::Problem;
use super::{For, computed};

/// AWS's code for a policy that it refuses.
const MALFORMED: &str = "MalformedPolicyDocument";

/// Returns what AWS says to a policy, and every problem that is known of it.
pub(super) fn judge(node: &Node, kind: Kind) -> (Option<String>, Vec<Problem>) {
    let document = node.to_value();
    let fault = Document::parse(&computed::settled(&document).to_string(), kind).err();
    let mut problems = repeated_members(node, &Place::default());
    problems.extend(fault.as_ref().map(|fault| refusal(node, fault)));
    let findings = lint::lint(&document, kind).into_iter();
    let findings = findings.filter(|finding| !is_of_template(node, finding));
    problems.extend(findings.map(|finding| problem(node, finding)));
    problems.sort_by_key(|problem| problem.span.map(|span| span.start.offset));
    (fault.map(|fault| fault.message), problems)
}

/// Returns the word for a verdict.
pub(super) fn verdict_word(message: Option<&str>) -> &'static str {
    if message.is_some() { MALFORMED } else { "valid" }
}

/// Returns what a document is for, by its form.
pub(super) fn looks_like(node: &Node) -> For {
    let statement = node.get("Statement");
    let statements = match statement.and_then(Node::as_array) {
        Some(statements) => statements,
        None => statement.map(std::slice::from_ref).unwrap_or_default(),
    };
    let has = |name: &str| statements.iter().any(|one| one.get(name).is_some());
    if !has("Principal") && !has("NotPrincipal") {
        return For::Identity;
    }
    let assumes = statements.iter().filter_map(|one| one.get("Action")).all(|action| {
        let actions = action.as_array().unwrap_or(std::slice::from_ref(action));
        actions.iter().all(|one| one.as_str().is_some_and(|name| name.starts_with("sts:")))
    });
    if assumes && !has("Resource") && !has("NotResource") { For::Trust } else { For::Resource }
}

fn refusal(node: &Node, fault: &Malformed) -> Problem {
    let place = fault.statement.map(|index| {
        let place = Place(vec![Step::Member("Statement".to_owned())]);
        let listed = node.get("Statement").is_some_and(|one| one.as_array().is_some());
        if listed { Place([place.0, vec![Step::Item(index)]].concat()) } else { place }
    });
    let place = place.unwrap_or_default();
    let span = find(node, &place).map(head);
    Problem {
        severity: Severity::Error,
        code: MALFORMED.to_owned(),
        message: fault.message.clone(),
        location: place.to_string(),
        span,
        hint: Some(fault.detail.clone()),
    }
}

/// Of an object that goes on below, the bracket is enough to show.
fn head(span: Span) -> Span {
    if span.start.line == span.end.line {
        span
    } else {
        Span { end: span.start.after('{'), ..span }
    }
}

fn problem(node: &Node, finding: Finding) -> Problem {
    let Finding { severity, code, message, hint, place } = finding;
    Problem {
        severity: match severity {
            lint::Severity::Error => Severity::Error,
            lint::Severity::Warning => Severity::Warning,
        },
        code: code.to_owned(),
        message,
        location: place.to_string(),
        span: find(node, &place).map(head),
        hint,
    }
}

/// Returns where a place of a document stands in its text: of a member that holds a list or an
/// object its name.
fn find(node: &Node, place: &Place) -> Option<Span> {
    let (mut at, mut span) = (node, node.span);
    for step in &place.0 {
        match step {
            Step::Member(name) => {
                let members = at.members().iter().rev();
                let member = { members }.find(|member| &*member.key == name)?;
                at = &member.node;
                let text = matches!(at.kind, NodeKind::String(_) | NodeKind::Scalar(_));
                span = if text { at.span } else { member.key_span };
            }
            Step::Item(index) => {
                at = at.as_array()?.get(*index)?;
                span = at.span;
            }
        }
    }
    Some(span)
}

/// Returns whether a finding is about what a template computes.
fn is_of_template(node: &Node, finding: &Finding) -> bool {
    let text = finding.place.0.iter().try_fold(node, |at, step| match step {
        Step::Member(name) => at.get(name),
        Step::Item(index) => at.as_array()?.get(*index),
    });
    let text = text.and_then(Node::as_str);
    finding.code.contains("VARIABLE") && text.is_some_and(|text| computed::is_computed(text))
}

/// Finds members that stand twice in an object: only the last one counts.
fn repeated_members(node: &Node, place: &Place) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, item) in node.as_array().unwrap_or_default().iter().enumerate() {
        problems.extend(repeated_members(item, &Place([&*place.0, &[Step::Item(index)]].concat())));
    }
    for (index, member) in node.members().iter().enumerate() {
        let name = Step::Member(member.key.to_string());
        let inner = Place([&*place.0, &[name]].concat());
        let later = node.members().get(index + 1..).unwrap_or_default();
        if later.iter().any(|other| other.key == member.key) {
            problems.push(Problem {
                severity: Severity::Warning,
                code: "REPEATED_MEMBER".to_owned(),
                message: format!("`{}` stands twice: only the last one counts", member.key),
                location: inner.to_string(),
                span: Some(member.key_span),
                hint: None,
            });
        }
        problems.extend(repeated_members(&member.node, &inner));
    }
    problems
}
