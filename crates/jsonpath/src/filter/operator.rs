//! The comparisons of filters, with Jayway's loose equality.

use std::cmp::Ordering;

use value::{Number, Value};

use super::Operand;
use crate::cursor::Cursor;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    SameTypeEqual,
    NotEqual,
    SameTypeNotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    Contains,
    Size,
    Empty,
    SubsetOf,
    AnyOf,
    NoneOf,
    All,
}

/// Longer signs stand before their beginnings.
const SIGNS: &[(&str, Operator)] = &[
    ("===", Operator::SameTypeEqual),
    ("!==", Operator::SameTypeNotEqual),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("=~", Operator::Matches),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

const WORDS: &[(&str, Operator)] = &[
    ("in", Operator::In),
    ("nin", Operator::NotIn),
    ("contains", Operator::Contains),
    ("size", Operator::Size),
    ("empty", Operator::Empty),
    ("subsetof", Operator::SubsetOf),
    ("anyof", Operator::AnyOf),
    ("noneof", Operator::NoneOf),
    ("all", Operator::All),
];

impl Operator {
    /// Reads an operator if one comes next.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Operator> {
        if let Some((_, operator)) = SIGNS.iter().find(|(sign, _)| cursor.eat(sign)) {
            return Some(*operator);
        }
        let start = cursor.position();
        let word = cursor.take_while(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        let found = WORDS.iter().find(|(name, _)| *name == word);
        if found.is_none() {
            cursor.rewind(start);
        }
        found.map(|(_, operator)| *operator)
    }

    /// Returns whether the comparison holds; one with an undefined side holds only if negative.
    pub(super) fn holds(
        self,
        left: &Operand,
        right: &Operand,
        current: &Value,
        root: &Value,
    ) -> bool {
        if self == Operator::Matches {
            return matches_pattern(left, right, current, root);
        }
        let left = left.value(current, root);
        let right = right.value(current, root);
        let (Some(left), Some(right)) = (left, right) else { return self.is_negative() };
        let order = || compare(&left, &right);
        match self {
            Operator::Equal => equal(&left, &right),
            Operator::NotEqual => !equal(&left, &right),
            Operator::SameTypeEqual => left == right,
            Operator::SameTypeNotEqual => left != right,
            Operator::Less => order() == Some(Ordering::Less),
            Operator::LessOrEqual => order().is_some_and(Ordering::is_le),
            Operator::Greater => order() == Some(Ordering::Greater),
            Operator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            Operator::Matches => false,
            Operator::In => contains(&right, &left),
            Operator::NotIn => !contains(&right, &left),
            Operator::Contains => contains_text(&left, &right) || contains(&left, &right),
            Operator::Size => right.as_i64().is_some_and(|size| length(&left) == Some(size)),
            Operator::Empty => {
                length(&left).is_some_and(|length| Some(length == 0) == right.as_bool())
            }
            Operator::SubsetOf => all_in(&left, &right),
            Operator::All => all_in(&right, &left),
            Operator::AnyOf => any_in(&left, &right),
            Operator::NoneOf => !any_in(&left, &right),
        }
    }

    fn is_negative(self) -> bool {
        matches!(self, Operator::NotEqual | Operator::SameTypeNotEqual | Operator::NotIn)
    }
}

/// Equality in which a number equals the text that spells it.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(number), Value::String(text)) => text
            .trim()
            .parse::<f64>()
            .is_ok_and(|other| other.is_finite() && Number::from(other) == *number),
        (Value::String(text), Value::Number(number)) => **text == *number.to_string(),
        _ => left == right,
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::Number(b)) => Some((**a).cmp(b.to_string().as_str())),
        (Value::Number(a), Value::String(b)) => Some(a.to_string().as_str().cmp(b)),
        _ => None,
    }
}

fn matches_pattern(left: &Operand, right: &Operand, current: &Value, root: &Value) -> bool {
    let (pattern, other) = match (left, right) {
        (Operand::Pattern(_), Operand::Pattern(_)) => return false,
        (Operand::Pattern(pattern), other) | (other, Operand::Pattern(pattern)) => (pattern, other),
        _ => return false,
    };
    match other.value(current, root) {
        Some(Value::Array(items)) => items.iter().any(|item| pattern.is_match(&text_of(item))),
        Some(value) => pattern.is_match(&text_of(&value)),
        None => pattern.is_match(""),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn contains(list: &Value, item: &Value) -> bool {
    list.as_array().is_some_and(|items| items.iter().any(|other| equal(item, other)))
}

fn contains_text(text: &Value, part: &Value) -> bool {
    match (text, part) {
        (Value::String(text), Value::String(part)) => text.contains(&**part),
        _ => false,
    }
}

fn all_in(items: &Value, list: &Value) -> bool {
    items.as_array().is_some_and(|items| items.iter().all(|item| contains(list, item)))
}

fn any_in(items: &Value, list: &Value) -> bool {
    items.as_array().is_some_and(|items| items.iter().any(|item| contains(list, item)))
}

fn length(value: &Value) -> Option<i64> {
    let length = match value {
        Value::String(text) => text.encode_utf16().count(),
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    i64::try_from(length).ok()
}
