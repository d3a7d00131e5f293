//! `{"numeric": [">", 0, "<=", 5]}`.

use value::Value;

use super::Comparison;
use super::compile::Refusal;
use super::positions::{Kind, Node};

/// The largest number, either side of zero, that may stand in a pattern.
const NUMBER_MAX: f64 = 5_000_000_000.0;

/// The leaf is a number within these bounds.
#[derive(Clone, Debug)]
pub(super) struct Numeric {
    bounds: Vec<(Bound, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Equal,
    Above,
    AtLeast,
    Below,
    AtMost,
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    let Kind::Array(items) = &operand.kind else {
        return Err(Refusal::of(operand, "Value of numeric must be an array."));
    };
    let (first, rest) = term(items, operand, "Unrecognized numeric range operator: ")?;
    let mut bounds = vec![first];
    if let [extra, ..] = rest {
        if !matches!(first.0, Bound::Above | Bound::AtLeast) {
            return Err(Refusal::of(extra, "Too many elements in numeric expression"));
        }
        let (second, rest) = term(rest, operand, "Bad numeric range operator: ")?;
        if !matches!(second.0, Bound::Below | Bound::AtMost) {
            let sign = extra.as_str().map_or("", |sign| &**sign);
            return Err(Refusal::of(extra, format!("Bad numeric range operator: {sign}")));
        }
        if let Some(extra) = rest.first() {
            return Err(Refusal::of(extra, "Too many terms in numeric range expression"));
        }
        if second.1 <= first.1 {
            // UNVERIFIED: Event Ruler's words for an empty range.
            return Err(Refusal::new("Bottom must be less than top", operand.end));
        }
        bounds.push(second);
    }
    Ok(Comparison::Numeric(Numeric { bounds }))
}

/// Reads an operator and its number from the front of `items`.
fn term<'a>(
    items: &'a [Node],
    array: &Node,
    unknown: &str,
) -> Result<((Bound, f64), &'a [Node]), Refusal> {
    let Some((operator, rest)) = items.split_first() else {
        return Err(Refusal::new("Invalid member in numeric match: ]", array.end));
    };
    let Some(sign) = operator.as_str() else {
        let found = operator.as_number().map_or_else(String::new, |number| number.to_string());
        return Err(Refusal::of(operator, format!("Invalid member in numeric match: {found}")));
    };
    let bound = match &**sign {
        "=" => Bound::Equal,
        ">" => Bound::Above,
        ">=" => Bound::AtLeast,
        "<" => Bound::Below,
        "<=" => Bound::AtMost,
        other => return Err(Refusal::of(operator, format!("{unknown}{other}"))),
    };
    let name = if bound == Bound::Equal { "equals" } else { &**sign };
    let reason = format!("Value of {name} must be numeric");
    let Some((number, rest)) = rest.split_first() else {
        return Err(Refusal::new(reason, array.end));
    };
    let Some(value) = number.as_number() else { return Err(Refusal::of(number, reason)) };
    if value.abs() > NUMBER_MAX {
        let reason = "Value must be between -5.0E9 and 5.0E9, inclusive";
        return Err(Refusal::of(number, reason));
    }
    Ok(((bound, value), rest))
}

impl Numeric {
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        let Some(number) = leaf.as_f64() else { return false };
        self.bounds.iter().all(|(bound, limit)| match bound {
            Bound::Equal => *limit <= number && number <= *limit,
            Bound::Above => *limit < number,
            Bound::AtLeast => *limit <= number,
            Bound::Below => number < *limit,
            Bound::AtMost => number <= *limit,
        })
    }
}
