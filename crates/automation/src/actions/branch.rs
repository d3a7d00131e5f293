//! `aws:branch`: the first choice that is true says where the flow goes.
//!
//! AWS: "aws:branch – Run conditional automation steps", read in the reference of 2026-11.

use value::Value;

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::diagnostic::{Diagnostics, Path};
use crate::failure::Failure;
use crate::parameter;

/// How deeply And, Or and Not may nest.
const DEPTH_MAX: usize = 20;

pub(crate) static ACTION: Action = Action {
    name: "aws:branch",
    required: &["Choices"],
    timeout_seconds: None,
    may_follow_cancel: true,
    phrase: "evaluating the choices",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

/// How a variable is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    StringEquals,
    EqualsIgnoreCase,
    StartsWith,
    EndsWith,
    Contains,
    NumericEquals,
    NumericGreater,
    NumericLesser,
    NumericGreaterOrEquals,
    NumericLesserOrEquals,
    BooleanEquals,
}

const OPERATORS: [(&str, Operator); 11] = [
    ("StringEquals", Operator::StringEquals),
    ("EqualsIgnoreCase", Operator::EqualsIgnoreCase),
    ("StartsWith", Operator::StartsWith),
    ("EndsWith", Operator::EndsWith),
    ("Contains", Operator::Contains),
    ("NumericEquals", Operator::NumericEquals),
    ("NumericGreater", Operator::NumericGreater),
    ("NumericLesser", Operator::NumericLesser),
    ("NumericGreaterOrEquals", Operator::NumericGreaterOrEquals),
    ("NumericLesserOrEquals", Operator::NumericLesserOrEquals),
    ("BooleanEquals", Operator::BooleanEquals),
];

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    let choices = turn.input("Choices").unwrap_or_default();
    for choice in choices.as_array().unwrap_or_default() {
        match holds(choice, 0) {
            Ok(true) => {
                let next = choice.get("NextStep").map(parameter::text).unwrap_or_default();
                return Outcome::Jump(next);
            }
            Ok(false) => {}
            Err(text) => return Outcome::Failed(Failure::inputs(&text)),
        }
    }
    match turn.text_input("Default") {
        Some(default) => Outcome::Jump(default),
        None => Outcome::Done(Value::object()),
    }
}

fn resume(_turn: &mut Turn<'_, '_>, _answer: &Answer) -> Outcome {
    Outcome::InProgress
}

/// Returns whether a condition holds, its references already resolved.
pub(crate) fn holds(condition: &Value, depth: usize) -> Result<bool, String> {
    if depth == DEPTH_MAX {
        return Err(format!("conditions nest deeper than {DEPTH_MAX} levels"));
    }
    let nested = |key: &str| condition.get(key).map(parts);
    if let Some(parts) = nested("And") {
        return all(&parts, depth);
    }
    if let Some(parts) = nested("Or") {
        for part in &parts {
            if holds(part, depth + 1)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(parts) = nested("Not") {
        return all(&parts, depth).map(|held| !held);
    }
    let (operator, wanted) = operator_of(condition).ok_or("a choice needs an operator")?;
    let found = condition.get("Variable").cloned().unwrap_or_default();
    compare(operator, &found, wanted)
}

fn all(parts: &[Value], depth: usize) -> Result<bool, String> {
    for part in parts {
        if !holds(part, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `Not` holds one condition, the others a list; AWS's own documents mix both.
fn parts(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.to_vec(),
        other => vec![other.clone()],
    }
}

fn operator_of(condition: &Value) -> Option<(Operator, &Value)> {
    OPERATORS
        .iter()
        .find_map(|(name, operator)| condition.get(name).map(|wanted| (*operator, wanted)))
}

fn compare(operator: Operator, found: &Value, wanted: &Value) -> Result<bool, String> {
    let (text, other) = (parameter::text(found), parameter::text(wanted));
    let numbers = || Ok::<_, String>((number(found)?, number(wanted)?));
    Ok(match operator {
        Operator::StringEquals => text == other,
        Operator::EqualsIgnoreCase => text.to_lowercase() == other.to_lowercase(),
        Operator::StartsWith => text.starts_with(&other),
        Operator::EndsWith => text.ends_with(&other),
        Operator::Contains => match found.as_array() {
            Some(items) => items.iter().any(|item| parameter::text(item) == other),
            None => text.contains(&other),
        },
        Operator::NumericEquals => numbers()?.0.total_cmp(&numbers()?.1).is_eq(),
        Operator::NumericGreater => numbers().map(|(left, right)| left > right)?,
        Operator::NumericLesser => numbers().map(|(left, right)| left < right)?,
        Operator::NumericGreaterOrEquals => numbers().map(|(left, right)| left >= right)?,
        Operator::NumericLesserOrEquals => numbers().map(|(left, right)| left <= right)?,
        Operator::BooleanEquals => text.eq_ignore_ascii_case(&other),
    })
}

fn number(value: &Value) -> Result<f64, String> {
    let text = parameter::text(value);
    text.trim().parse().map_err(|_err| format!("`{text}` is not a number"))
}

/// Checks the inputs of a branch when the document is created.
pub(crate) fn check(inputs: &Value, path: &Path, found: &mut Diagnostics) {
    let path = path.key("Choices");
    let Some(choices) = inputs.get("Choices").and_then(Value::as_array) else {
        found.error(&path, "`Choices` is a list");
        return;
    };
    for (index, choice) in choices.iter().enumerate() {
        let path = path.index(index);
        if choice.get("NextStep").is_none() {
            found.error(&path, "a choice needs `NextStep`");
        }
        check_condition(choice, &path, 0, found);
    }
}

fn check_condition(condition: &Value, path: &Path, depth: usize, found: &mut Diagnostics) {
    for key in ["And", "Or", "Not"] {
        if let Some(inner) = condition.get(key) {
            if depth == DEPTH_MAX {
                found.error(path, format!("conditions nest deeper than {DEPTH_MAX} levels"));
                return;
            }
            for (index, part) in parts(inner).iter().enumerate() {
                check_condition(part, &path.key(key).index(index), depth + 1, found);
            }
            return;
        }
    }
    if condition.get("Variable").is_none() {
        found.error(path, "a condition needs `Variable`");
    }
    if operator_of(condition).is_none() {
        let names: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        let hint = format!("use one of {}", names.join(", "));
        found.error_with_hint(path, "a condition needs a known operator", hint);
    }
}
