//! `NumericEquals`, `NumericLessThan` and the like: decimal numbers.

use super::comparison::Comparison;
use super::{Operator, Polarity, Test};
use crate::Context;
use crate::pattern::Version;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "NumericEquals", polarity: Polarity::Positive, compile: equal },
    Operator { name: "NumericNotEquals", polarity: Polarity::Negated, compile: equal },
    Operator {
        name: "NumericLessThan",
        polarity: Polarity::Positive,
        compile: |text, _| number(text, Comparison::Less),
    },
    Operator {
        name: "NumericLessThanEquals",
        polarity: Polarity::Positive,
        compile: |text, _| number(text, Comparison::LessOrEqual),
    },
    Operator {
        name: "NumericGreaterThan",
        polarity: Polarity::Positive,
        compile: |text, _| number(text, Comparison::Greater),
    },
    Operator {
        name: "NumericGreaterThanEquals",
        polarity: Polarity::Positive,
        compile: |text, _| number(text, Comparison::GreaterOrEqual),
    },
];

#[derive(Debug)]
struct Number {
    wanted: Option<f64>,
    comparison: Comparison,
}

fn equal(text: &str, _: Version) -> Box<dyn Test> {
    number(text, Comparison::Equal)
}

fn number(text: &str, comparison: Comparison) -> Box<dyn Test> {
    Box::new(Number { wanted: parse(text), comparison })
}

/// Reads a decimal number; words such as `inf`, which Rust would take, are none.
fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if plain { text.parse().ok() } else { None }
}

impl Test for Number {
    fn test(&self, value: &str, _: &Context) -> Option<bool> {
        let ordering = parse(value)?.partial_cmp(&self.wanted?)?;
        Some(self.comparison.accepts(ordering))
    }
}
