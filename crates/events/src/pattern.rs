//! Event patterns.
//!
//! AWS page: "Creating Amazon EventBridge event patterns" and "Comparison operators for use in
//! event patterns" (read 2026-11-24); the texts of the errors are those of Event Ruler, the library
//! that EventBridge runs.

mod anything_but;
mod cidr;
mod compile;
mod equals_ignore_case;
mod exact;
mod exists;
mod numeric;
mod positions;
mod prefix;
mod suffix;
mod wildcard;

use std::sync::Arc;

use value::Value;

/// How many `$or` alternatives, multiplied out, one pattern may have.
pub const OR_COMBINATIONS_MAX: usize = 1_000;

/// Why a pattern was refused; AWS answers `InvalidEventPatternException` with this text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Event pattern is not valid. Reason: {reason}\n at [Source: (String)\"{source_text}\"; \
     line: {line}, column: {column}]"
)]
pub struct Error {
    /// What is wrong.
    pub reason: String,
    /// The pattern as it was given.
    pub source_text: String,
    /// The line of the offending token, from 1.
    pub line: usize,
    /// The column just behind where the offending token begins, from 1.
    pub column: usize,
}

/// A compiled event pattern: parse once, match many events.
#[derive(Clone, Debug)]
pub struct EventPattern {
    fields: Fields,
}

/// What an object of the event must fulfil: every field, and one alternative of every `$or`.
#[derive(Clone, Debug, Default)]
struct Fields {
    fields: Vec<(Arc<str>, Field)>,
    alternatives: Vec<Vec<Fields>>,
}

/// What one field must fulfil.
#[derive(Clone, Debug)]
enum Field {
    Nested(Fields),
    /// One of these.
    AnyOf(Vec<Comparison>),
}

/// One comparison of a leaf. A new one is a file, a variant and a line in
/// [`Comparison::OPERATORS`].
#[derive(Clone, Debug)]
enum Comparison {
    Exact(exact::Exact),
    Prefix(prefix::Prefix),
    Suffix(suffix::Suffix),
    EqualsIgnoreCase(equals_ignore_case::EqualsIgnoreCase),
    Wildcard(wildcard::Wildcard),
    AnythingBut(anything_but::AnythingBut),
    Numeric(numeric::Numeric),
    Exists(exists::Exists),
    Cidr(cidr::Cidr),
}

/// Compiles the operand of an operator.
type Compile = fn(&positions::Node) -> Result<Comparison, compile::Refusal>;

impl Comparison {
    const OPERATORS: &'static [(&'static str, Compile)] = &[
        ("exactly", exact::compile),
        ("prefix", prefix::compile),
        ("suffix", suffix::compile),
        ("equals-ignore-case", equals_ignore_case::compile),
        ("wildcard", wildcard::compile),
        ("anything-but", anything_but::compile),
        ("numeric", numeric::compile),
        ("exists", exists::compile),
        ("cidr", cidr::compile),
    ];

    /// Returns whether a leaf that is present fulfils this.
    fn matches(&self, leaf: &Value) -> bool {
        match self {
            Comparison::Exact(exact) => exact.matches(leaf),
            Comparison::Prefix(prefix) => prefix.matches(leaf),
            Comparison::Suffix(suffix) => suffix.matches(leaf),
            Comparison::EqualsIgnoreCase(equals) => equals.matches(leaf),
            Comparison::Wildcard(wildcard) => wildcard.matches(leaf),
            Comparison::AnythingBut(anything_but) => anything_but.matches(leaf),
            Comparison::Numeric(numeric) => numeric.matches(leaf),
            Comparison::Exists(exists) => exists.matches_present(),
            Comparison::Cidr(cidr) => cidr.matches(leaf),
        }
    }

    /// Returns whether the absence of the leaf fulfils this.
    fn matches_absent(&self) -> bool {
        match self {
            Comparison::Exists(exists) => exists.matches_absent(),
            Comparison::Exact(_)
            | Comparison::Prefix(_)
            | Comparison::Suffix(_)
            | Comparison::EqualsIgnoreCase(_)
            | Comparison::Wildcard(_)
            | Comparison::AnythingBut(_)
            | Comparison::Numeric(_)
            | Comparison::Cidr(_) => false,
        }
    }
}

impl EventPattern {
    /// Compiles a pattern.
    pub fn parse(text: &str) -> Result<EventPattern, Error> {
        compile::compile(text).map(|fields| EventPattern { fields })
    }

    /// Returns whether `event` matches.
    ///
    /// An array in the event matches when one of its elements does; fields below an array of
    /// objects must be met by one and the same element.
    ///
    /// ```
    /// use events::EventPattern;
    /// use value::value;
    ///
    /// let text = r#"{"d": {"n": [{"numeric": [">", 0, "<=", 5]}]}}"#;
    /// let pattern = EventPattern::parse(text).unwrap();
    /// assert!(pattern.matches(&value!({"d": {"n": [9, 5]}})));
    /// assert!(!pattern.matches(&value!({"d": {}})));
    /// ```
    pub fn matches(&self, event: &Value) -> bool {
        self.fields.matches(Some(event))
    }
}

impl Fields {
    fn matches(&self, value: Option<&Value>) -> bool {
        match value {
            Some(Value::Array(items)) => {
                let mut elements = items
                    .iter()
                    .filter(|item| matches!(item, Value::Object(_) | Value::Array(_)))
                    .peekable();
                if elements.peek().is_none() {
                    return self.matches_object(None);
                }
                elements.any(|item| self.matches(Some(item)))
            }
            Some(Value::Object(_)) => self.matches_object(value),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
                self.matches_object(None)
            }
        }
    }

    fn matches_object(&self, object: Option<&Value>) -> bool {
        let all = self.fields.iter().all(|(name, field)| {
            let value = object.and_then(|object| object.get(name));
            match field {
                Field::Nested(fields) => fields.matches(value),
                Field::AnyOf(comparisons) => leaf_matches(comparisons, value),
            }
        });
        all && self
            .alternatives
            .iter()
            .all(|alternatives| alternatives.iter().any(|fields| fields.matches_object(object)))
    }
}

/// Compares a leaf; objects and empty arrays are no leaves, as if the field were absent.
fn leaf_matches(comparisons: &[Comparison], value: Option<&Value>) -> bool {
    let mut leaves = Vec::new();
    if let Some(value) = value {
        collect_leaves(value, &mut leaves);
    }
    if leaves.is_empty() {
        return comparisons.iter().any(Comparison::matches_absent);
    }
    leaves.iter().any(|leaf| comparisons.iter().any(|comparison| comparison.matches(leaf)))
}

fn collect_leaves<'a>(value: &'a Value, leaves: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_leaves(item, leaves)),
        Value::Object(_) => {}
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => leaves.push(value),
    }
}
