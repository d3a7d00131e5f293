//! Whether an answer could be an operation's: the check of mocked results.
//!
//! Texts as recorded on AWS (conformance/states, `test_state`). Members are named in PascalCase, as
//! Tasks of Step Functions see them.

use value::Value;

use crate::model::{Kind, Shape};

/// How deeply an answer is followed; the models are recursive.
const DEPTH_MAX: usize = 64;

/// Whether required members may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// They must be there.
    Demanded,
    /// What is there must fit; the rest may be missing.
    Waived,
}

/// Returns what is wrong with an answer of this shape; the first fault only, as AWS does. Members
/// that the model does not know are nobody's business.
///
/// ```
/// use value::value;
/// use wire::{model, schema};
/// let output = model::service("iam").unwrap().operation("GetUser").unwrap().output().unwrap();
/// let given = value!({ "User": { "UserName": 1 } });
/// let fault = schema::fault(&output, &given, schema::Required::Waived);
/// assert_eq!(fault.as_deref(), Some("Field 'UserName' must be a string"));
/// ```
pub fn fault(shape: &Shape, given: &Value, required: Required) -> Option<String> {
    members(shape, given, required, 0)
}

fn members(shape: &Shape, given: &Value, required: Required, depth: usize) -> Option<String> {
    shape.members().find_map(|member| {
        let name = pascal(member.name());
        let found = given.get(&name).or_else(|| given.get(member.name()));
        match found {
            // A body of any bytes is any JSON by the time that a Task sees it.
            Some(_) if member.shape().is_streaming() || is_payload(&member.shape(), &name) => None,
            Some(value) => check(&member.shape(), value, &name, required, depth + 1),
            None if member.is_required() && required == Required::Demanded => {
                Some(format!("Required field '{name}' is missing"))
            }
            None => None,
        }
    })
}

/// Lambda's `Payload` is a blob without being marked as a stream.
fn is_payload(shape: &Shape, name: &str) -> bool {
    shape.kind() == Kind::Blob && name == "Payload"
}

fn check(
    shape: &Shape,
    given: &Value,
    name: &str,
    required: Required,
    depth: usize,
) -> Option<String> {
    if depth > DEPTH_MAX {
        return None;
    }
    match (shape.kind(), given) {
        (Kind::Structure, Value::Object(_)) if shape.is_document() => None,
        (Kind::Structure, Value::Object(_)) => members(shape, given, required, depth),
        (Kind::List, Value::Array(items)) => {
            let element = shape.element()?;
            items.iter().find_map(|item| check(&element, item, name, required, depth + 1))
        }
        (Kind::Map, Value::Object(entries)) => {
            let element = shape.element()?;
            entries.iter().find_map(|(key, value)| check(&element, value, key, required, depth + 1))
        }
        (Kind::String, Value::String(text)) => string(shape, text, name),
        // Tasks see times as text.
        (Kind::Timestamp, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => None,
        (Kind::Blob, Value::String(text)) => length(shape, text.chars().count(), name),
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Value::Number(number)) => {
            range(shape, number.as_f64(), name)
        }
        (kind, _) => Some(format!("Field '{name}' must be {}", wanted(kind))),
    }
}

// UNVERIFIED: the words for objects, arrays and booleans; those for strings and numbers are
// recorded.
fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Structure | Kind::Map => "an object",
        Kind::List => "an array",
        Kind::Integer | Kind::Long | Kind::Float | Kind::Double => "a number",
        Kind::Boolean => "a boolean",
        Kind::String | Kind::Blob | Kind::Timestamp => "a string",
    }
}

fn string(shape: &Shape, text: &str, name: &str) -> Option<String> {
    let values = shape.values();
    if !values.is_empty() && !values.iter().any(|known| known == text) {
        return Some(format!("Field '{name}' is not an expected value"));
    }
    length(shape, text.chars().count(), name)
}

fn length(shape: &Shape, count: usize, name: &str) -> Option<String> {
    let (least, most) = shape.range();
    let count = count as f64;
    if least.is_some_and(|least| count < least) {
        return Some(format!("Field '{name}' is smaller than the minimum length"));
    }
    // UNVERIFIED: the words for what is too long.
    most.is_some_and(|most| most < count)
        .then(|| format!("Field '{name}' exceeds the maximum length"))
}

fn range(shape: &Shape, number: f64, name: &str) -> Option<String> {
    let (least, most) = shape.range();
    if least.is_some_and(|least| number < least) {
        return Some(format!("Field '{name}' is less than the minimum value"));
    }
    most.is_some_and(|most| most < number)
        .then(|| format!("Field '{name}' exceeds the maximum value"))
}

fn pascal(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
