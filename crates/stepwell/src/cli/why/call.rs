//! A call that was decided, for people.

use std::fmt::Write as _;

use asl::format_millis;
use value::Value;

use super::super::paint::{Meaning, Paint};

/// Returns a text member; nothing where there is none.
fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).unwrap_or_default()
}

fn is_allowed(value: &Value) -> bool {
    text(value, "outcome") == "allowed"
}

/// Returns `1 call`, `2 calls`.
pub(crate) fn counted(calls: usize) -> String {
    if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") }
}

/// Returns the calls of an execution: a line for each that was allowed, everything about those that
/// were not.
pub(super) fn all(calls: &[Value], paint: Paint) -> String {
    let refused = calls.iter().filter(|call| !is_allowed(call)).count();
    let mut shown = format!("{}, {refused} refused\n\n", counted(calls.len()));
    for call in calls {
        if !is_allowed(call) {
            shown.push('\n');
            shown.push_str(&whole(call, paint));
            shown.push('\n');
            continue;
        }
        for check in list(call, "checks") {
            let role = text(call, "caller").rsplit('/').nth(1).unwrap_or("root");
            let by = reasons(check, name);
            let _ = writeln!(
                shown,
                "{} {} {}",
                head(check, paint),
                paint.text(&format!("as {role},"), Meaning::Quiet),
                paint.text(&by, Meaning::Quiet),
            );
        }
    }
    shown
}

/// Returns everything that is known of a call.
pub(super) fn whole(call: &Value, paint: Paint) -> String {
    let mut shown = String::new();
    let seconds = call.get("time").and_then(Value::as_f64).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let when = format_millis((seconds * 1000.0).round() as i64);
    let operation = format!("{}.{}", text(call, "service"), text(call, "operation"));
    let error = text(call, "error");
    let answered = if error.is_empty() { "" } else { ", answered with " };
    let facts = [
        ("call", format!("{operation} at {when}{answered}{error}")),
        ("request", text(call, "requestId").to_owned()),
        ("caller", text(call, "caller").to_owned()),
        ("for", text(call, "process").to_owned()),
        ("began", text(call, "began").to_owned()),
    ];
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        let _ = writeln!(shown, "{} {fact}", paint.text(&format!("{name:<8}"), Meaning::Quiet));
    }
    let checks = list(call, "checks");
    if checks.is_empty() {
        let (text, meaning) = if is_allowed(call) {
            ("allowed: it needs no permission", Meaning::Good)
        } else {
            ("refused before any policy was asked", Meaning::Bad)
        };
        let _ = writeln!(shown, "\n{}", paint.text(text, meaning));
    }
    for check in checks {
        let _ = write!(shown, "\n{}\n{}", head(check, paint), details(call, check, paint));
    }
    shown
}

/// Returns what was asked and what came of it.
fn head(check: &Value, paint: Paint) -> String {
    let (word, meaning) = match text(check, "outcome") {
        "allowed" => ("allowed", Meaning::Good),
        "explicitDeny" => ("refused", Meaning::Bad),
        _ => ("not allowed", Meaning::Bad),
    };
    let action = paint.text(text(check, "action"), Meaning::Strong);
    let mut head = format!("{} {action} on {}", paint.text(word, meaning), text(check, "resource"));
    let is_call = check.get("isCall").and_then(Value::as_bool).unwrap_or(true);
    if text(check, "asker").is_empty() && !is_call {
        let of = match text(check, "passedTo") {
            "" => " (a permission that the call needs besides)".to_owned(),
            service => format!(" (the call hands the role to {service})"),
        };
        head.push_str(&paint.text(&of, Meaning::Quiet));
    }
    head
}

/// Returns in a few words what allowed it.
fn reasons(check: &Value, statement: fn(&Value) -> String) -> String {
    match text(check, "because") {
        "root" => return "the root user, who needs no policy".to_owned(),
        "open" => return "it needs no permission".to_owned(),
        _ => {}
    }
    let matched = list(check, "matched").iter();
    let by: Vec<String> = matched.map(|one| format!("by {}", statement(one))).collect();
    by.join(", ")
}

fn number(value: &Value, member: &str) -> i64 {
    value.get(member).and_then(Value::as_i64).unwrap_or_default()
}

/// Names a statement and its place: `statement 2 "DeleteIt" of policy leave (line 19, column 17)`.
fn statement(matched: &Value) -> String {
    let (line, column) = (number(matched, "line"), number(matched, "column"));
    format!("{} (line {line}, column {column})", name(matched))
}

/// Names a statement: `statement 2 "DeleteIt" of policy leave`.
fn name(matched: &Value) -> String {
    let sid = match text(matched, "sid") {
        "" => String::new(),
        sid => format!(" \"{sid}\""),
    };
    let kind = match text(matched, "layer") {
        "identity" => "policy",
        "trust" => "the trust policy of",
        other => words(other),
    };
    let (number, policy) = (number(matched, "statement") + 1, text(matched, "policy"));
    format!("statement {number}{sid} of {kind} {policy}")
}

/// Returns what people call a layer.
fn words(layer: &str) -> &'static str {
    match layer {
        "identity" => "identity-based policy",
        "boundary" => "permissions boundary",
        "session" => "session policy",
        "trust" => "role trust policy",
        "resource" => "resource-based policy",
        "endpoint" => "VPC endpoint policy",
        "serviceControl" => "service control policy",
        "resourceControl" => "resource control policy",
        _ => "policy",
    }
}

fn details(call: &Value, check: &Value, paint: Paint) -> String {
    let mut shown = String::new();
    let mut line = |text: &str| {
        let _ = writeln!(shown, "  {text}");
    };
    let matched = list(check, "matched");
    match text(check, "outcome") {
        "allowed" => line(&reasons(check, statement)),
        "explicitDeny" => {
            let refusing = matched.iter().filter(|one| text(one, "effect") == "Deny");
            for one in refusing {
                line(&format!("refused by {}", statement(one)));
            }
            line("No line to add helps against a statement that refuses: change that statement.");
        }
        _ => {
            let silent = list(check, "layers").iter().filter(|one| !is_allowed(one));
            let blocked = text(check, "blockedBy");
            let mut layers: Vec<&str> = silent.map(|one| text(one, "layer")).collect();
            // A policy that is not there at all was not read.
            if !layers.contains(&blocked) {
                layers.push(blocked);
            }
            for layer in layers.into_iter().filter(|layer| is_needed(check, layer)) {
                line(&format!("no {} allows it", words(layer)));
            }
            for one in matched {
                line(&format!("allowed in vain by {}", statement(one)));
            }
        }
    }
    let missing: Vec<&str> =
        list(check, "missingContext").iter().filter_map(Value::as_str).collect();
    if !missing.is_empty() {
        line(&format!("condition keys that the call did not have: {}", missing.join(", ")));
    }
    for add in list(check, "add") {
        let statement = add.get("statement").map(Value::to_pretty).unwrap_or_default();
        let place = paint.text(&place(call, check, text(add, "layer")), Meaning::Strong);
        let _ = write!(shown, "\n  Add to {place}:\n\n{}", indented(&statement));
    }
    shown
}

/// Says whether a layer must grant for the call to be allowed.
fn is_needed(check: &Value, layer: &str) -> bool {
    list(check, "add").iter().any(|add| text(add, "layer") == layer)
}

/// Names the policy that lacks a statement.
fn place(call: &Value, check: &Value, layer: &str) -> String {
    let caller = text(call, "principal");
    let name = caller.rsplit('/').next().unwrap_or_default();
    let who = match caller.split(':').nth(5).and_then(|resource| resource.split('/').next()) {
        Some(kind @ ("user" | "role")) => format!("{kind} {name}"),
        _ => caller.to_owned(),
    };
    match layer {
        "identity" => format!("a policy of {who}"),
        "boundary" => format!("the permissions boundary of {who}"),
        "session" => "the session policy, given when the session was made".to_owned(),
        "trust" => format!("the trust policy of {}", text(check, "resource")),
        "resource" => format!("the policy of {}", text(check, "resource")),
        other => format!("the {}", words(other)),
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "    {line}");
        all
    })
}
