//! Outputs: selecting them from an answer, their types, and the lists of texts they become.

use std::fmt::Write;

use value::Value;

use crate::parameter::{self, Type};
use crate::selector;

/// A declared output of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputDeclaration {
    /// Its name.
    pub name: String,
    /// The path into the answer, `$.User.UserName`.
    pub selector: String,
    /// Its type.
    pub kind: Type,
}

/// A selected value that is not of the declared type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("output `{name}` is declared as {} but its selector finds {found}", kind.name())]
pub(crate) struct Mismatch {
    name: String,
    kind: Type,
    found: &'static str,
}

/// Selects the declared outputs from an answer; one that selects nothing is left out.
pub(crate) fn select(declared: &[OutputDeclaration], answer: &Value) -> Result<Value, Mismatch> {
    let mut outputs = Value::object();
    for one in declared {
        if let Some(found) = selector::select(&one.selector, answer)
            && !found.is_null()
        {
            let mismatch =
                || Mismatch { name: one.name.clone(), kind: one.kind, found: found.type_name() };
            outputs.set(one.name.as_str(), converted(one.kind, &found).ok_or_else(mismatch)?);
        }
    }
    Ok(outputs)
}

/// Returns a value as the declared type: scalars become each other's texts, lists stay lists.
// UNVERIFIED: which conversions AWS makes; that a text cannot be a list is from memory.
fn converted(kind: Type, value: &Value) -> Option<Value> {
    let scalar = value.as_array().is_none() && value.as_object().is_none();
    let converted = match kind {
        Type::String if scalar => Value::from(parameter::text(value)),
        Type::StringList => value.as_array()?.iter().map(parameter::text).collect(),
        Type::Boolean | Type::Integer | Type::String | Type::MapList | Type::StringMap => {
            parameter_typed(kind, value)
        }
    };
    kind.admits(&converted).then_some(converted)
}

fn parameter_typed(kind: Type, value: &Value) -> Value {
    match kind {
        Type::Boolean | Type::Integer => parameter::typed(kind, value),
        Type::String | Type::StringList | Type::MapList | Type::StringMap => value.clone(),
    }
}

/// Returns the list of texts that stands for a value in the API.
pub(crate) fn wire(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(wire_text).collect(),
        other => Value::from(vec![wire_text(other)]),
    }
}

fn wire_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => json_text(other),
    }
}

/// Returns compact JSON as AWS prints it here: Gson's spelling, where the characters that matter in
/// HTML are escaped.
pub(crate) fn json_text(value: &Value) -> String {
    // These characters stand inside strings only, so they can be replaced in the finished text.
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '=' | '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}
