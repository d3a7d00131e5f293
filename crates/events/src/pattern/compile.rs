//! From text to pattern, with Event Ruler's refusals.

use std::sync::Arc;

use super::positions::{self, Kind, Node};
use super::{Comparison, Error, Field, Fields, OR_COMBINATIONS_MAX, exact};

/// Why a part of a pattern was refused, and where.
pub(super) struct Refusal {
    reason: String,
    at: usize,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>, at: usize) -> Refusal {
        Refusal { reason: reason.into(), at }
    }

    /// Refuses `node`, at the place where AWS's parser meets it.
    pub(super) fn of(node: &Node, reason: impl Into<String>) -> Refusal {
        Refusal::new(reason, node.met)
    }
}

/// Names that are operators and so cannot be fields inside `$or`.
const RESERVED: &[&str] = &[
    "exactly",
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "anything-but",
    "numeric",
    "exists",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
];

pub(super) fn compile(text: &str) -> Result<Fields, Error> {
    let refused = |refusal: Refusal| located(text, refusal);
    // UNVERIFIED: AWS's words for broken JSON are Jackson's.
    value::parse(text).map_err(|err| refused(Refusal::new(err.to_string(), 0)))?;
    let root = positions::read(text)
        .ok_or_else(|| refused(Refusal::new("Filter is not an object", text.len())))?;
    let Kind::Object(members) = &root.kind else {
        return Err(refused(Refusal::of(&root, "Filter is not an object")));
    };
    let fields = compile_object(members, &root).map_err(refused)?;
    if combinations(&fields) > OR_COMBINATIONS_MAX {
        // UNVERIFIED: AWS's words for too many alternatives.
        let reason = "Rule is too complex - try using fewer OR combinations";
        return Err(refused(Refusal::new(reason, root.end)));
    }
    Ok(fields)
}

fn located(text: &str, refusal: Refusal) -> Error {
    let before = text.get(..refusal.at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or("").encode_utf16().count();
    Error {
        reason: refusal.reason,
        source_text: text.to_owned(),
        line: before.matches('\n').count() + 1,
        column: column + 1,
    }
}

fn combinations(fields: &Fields) -> usize {
    let nested = fields.fields.iter().map(|(_, field)| match field {
        Field::Nested(fields) => combinations(fields),
        Field::AnyOf(_) => 1,
    });
    let alternatives = fields
        .alternatives
        .iter()
        .map(|alternatives| alternatives.iter().map(combinations).fold(0, usize::saturating_add));
    nested.chain(alternatives).fold(1, usize::saturating_mul)
}

fn compile_object(members: &[(Arc<str>, Node)], object: &Node) -> Result<Fields, Refusal> {
    if members.is_empty() {
        return Err(Refusal::new("Empty objects are not allowed", object.end));
    }
    let mut fields = Fields::default();
    for (name, node) in members {
        match &node.kind {
            Kind::Array(items) if &**name == "$or" && is_alternatives(items) => {
                fields.alternatives.push(compile_alternatives(items)?);
            }
            Kind::Array(items) => {
                fields.fields.push((name.clone(), Field::AnyOf(compile_array(items, node)?)));
            }
            Kind::Object(members) => {
                let nested = compile_object(members, node)?;
                fields.fields.push((name.clone(), Field::Nested(nested)));
            }
            Kind::Scalar(_) => {
                let reason = format!("\"{name}\" must be an object or an array");
                return Err(Refusal::of(node, reason));
            }
        }
    }
    Ok(fields)
}

/// `$or` is the keyword only before two or more objects without operator names; elsewhere it is a
/// field like any other.
fn is_alternatives(items: &[Node]) -> bool {
    items.len() >= 2
        && items.iter().all(|item| match &item.kind {
            Kind::Object(members) => !members.iter().any(|(name, _)| RESERVED.contains(&&**name)),
            Kind::Scalar(_) | Kind::Array(_) => false,
        })
}

fn compile_alternatives(items: &[Node]) -> Result<Vec<Fields>, Refusal> {
    let objects = items.iter().filter_map(|item| match &item.kind {
        Kind::Object(members) => Some((members, item)),
        Kind::Scalar(_) | Kind::Array(_) => None,
    });
    objects.map(|(members, item)| compile_object(members, item)).collect()
}

fn compile_array(items: &[Node], array: &Node) -> Result<Vec<Comparison>, Refusal> {
    if items.is_empty() {
        return Err(Refusal::new("Empty arrays are not allowed", array.end));
    }
    items
        .iter()
        .map(|item| match &item.kind {
            Kind::Scalar(value) => Ok(Comparison::Exact(exact::Exact::new(value))),
            Kind::Object(members) => compile_expression(members, item),
            Kind::Array(_) => {
                Err(Refusal::of(item, "Match value must be String, number, true, false, or null"))
            }
        })
        .collect()
}

fn compile_expression(members: &[(Arc<str>, Node)], object: &Node) -> Result<Comparison, Refusal> {
    let Some(((name, operand), rest)) = members.split_first() else {
        return Err(Refusal::new("Match expression name not found", object.end));
    };
    let found = Comparison::OPERATORS.iter().find(|(operator, _)| *operator == &**name);
    let Some((_, compile)) = found else {
        return Err(Refusal::of(operand, format!("Unrecognized match type {name}")));
    };
    let comparison = compile(operand)?;
    match rest.first() {
        None => Ok(comparison),
        Some((_, extra)) if matches!(&**name, "numeric" | "anything-but") => {
            Err(Refusal::of(extra, "Too many elements in numeric expression"))
        }
        Some((_, extra)) => Err(Refusal::of(extra, "Only one key allowed in match expression")),
    }
}

/// Returns the operand as text, or refuses it with `reason`.
pub(super) fn text<'a>(operand: &'a Node, reason: &str) -> Result<&'a str, Refusal> {
    operand.as_str().map(|text| &**text).ok_or_else(|| Refusal::of(operand, reason))
}

/// Returns the operand of `prefix` and `suffix` when it is `{"equals-ignore-case": text}`.
pub(super) fn ignoring_case<'a>(
    operand: &'a Node,
    reason: &str,
) -> Result<Option<&'a str>, Refusal> {
    let Kind::Object(members) = &operand.kind else { return Ok(None) };
    match members.as_slice() {
        [(name, inner)] if &**name == "equals-ignore-case" => text(inner, reason).map(Some),
        [(name, inner)] => Err(Refusal::of(inner, format!("Unrecognized match type {name}"))),
        _ => Err(Refusal::of(operand, "Only one key allowed in match expression")),
    }
}
