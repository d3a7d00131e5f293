//! `{"anything-but": …}`: a scalar, a list, or one of `prefix`, `suffix`, `equals-ignore-case` and
//! `wildcard` with a text or a list of texts.

use std::sync::Arc;

use value::Value;

use super::compile::Refusal;
use super::positions::{Kind, Node};
use super::{Comparison, Compile, equals_ignore_case, exact, prefix, suffix, wildcard};

/// The leaf is there and none of these hold.
#[derive(Clone, Debug)]
pub(super) struct AnythingBut {
    excluded: Vec<Comparison>,
}

const OPERATORS: &[(&str, Compile)] = &[
    ("prefix", prefix::compile),
    ("suffix", suffix::compile),
    ("equals-ignore-case", equals_ignore_case::compile),
    ("wildcard", wildcard::compile),
];

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    let excluded = match &operand.kind {
        Kind::Object(members) => nested(members, operand)?,
        Kind::Array(items) => list(items, operand)?,
        Kind::Scalar(value @ (Value::String(_) | Value::Number(_))) => {
            vec![Comparison::Exact(exact::Exact::new(value))]
        }
        Kind::Scalar(_) => {
            let reason = "Value of anything-but must be an array or single string/number value.";
            return Err(Refusal::of(operand, reason));
        }
    };
    Ok(Comparison::AnythingBut(AnythingBut { excluded }))
}

fn list(items: &[Node], array: &Node) -> Result<Vec<Comparison>, Refusal> {
    let mut excluded = Vec::new();
    let (mut numbers, mut texts) = (0_usize, 0_usize);
    for item in items {
        match &item.kind {
            Kind::Scalar(value @ Value::Number(_)) => {
                numbers += 1;
                excluded.push(Comparison::Exact(exact::Exact::new(value)));
            }
            Kind::Scalar(value @ Value::String(_)) => {
                texts += 1;
                excluded.push(Comparison::Exact(exact::Exact::new(value)));
            }
            Kind::Scalar(_) | Kind::Array(_) | Kind::Object(_) => {
                let reason = "Inside anything but list, start|null|boolean is not supported.";
                return Err(Refusal::of(item, reason));
            }
        }
    }
    if (numbers == 0) == (texts == 0) {
        let reason = "Inside anything but list, either all values are number or string, mixed \
                      type is not supported";
        return Err(Refusal::new(reason, array.end));
    }
    Ok(excluded)
}

fn nested(members: &[(Arc<str>, Node)], object: &Node) -> Result<Vec<Comparison>, Refusal> {
    let Some(((name, operand), rest)) = members.split_first() else {
        return Err(Refusal::new("Anything-But expression name not found", object.end));
    };
    let found = OPERATORS.iter().find(|(operator, _)| *operator == &**name);
    let Some((_, compile)) = found else {
        return Err(Refusal::of(operand, format!("Unsupported anything-but pattern: {name}")));
    };
    if let Some((_, extra)) = rest.first() {
        return Err(Refusal::of(extra, "Only one key allowed in match expression"));
    }
    match &operand.kind {
        Kind::Array(items) => items.iter().map(|item| one(name, item, *compile)).collect(),
        Kind::Scalar(_) | Kind::Object(_) => Ok(vec![one(name, operand, *compile)?]),
    }
}

fn one(name: &str, operand: &Node, compile: Compile) -> Result<Comparison, Refusal> {
    let affix = matches!(name, "prefix" | "suffix");
    match operand.as_str() {
        None if affix => Err(Refusal::of(operand, "prefix/suffix match pattern must be a string")),
        None => {
            let reason = format!(
                "Inside anything-but/{name} list, number|start|null|boolean is not supported."
            );
            Err(Refusal::of(operand, reason))
        }
        Some(text) if affix && text.is_empty() => {
            Err(Refusal::of(operand, "Null prefix/suffix not allowed"))
        }
        Some(_) => compile(operand),
    }
}

impl AnythingBut {
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        !self.excluded.iter().any(|excluded| excluded.matches(leaf))
    }
}
