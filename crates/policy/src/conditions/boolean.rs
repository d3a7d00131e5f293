//! `Bool`.

use super::{Operator, Polarity, Test};
use crate::Context;

pub(super) const OPERATORS: &[Operator] = &[Operator {
    name: "Bool",
    polarity: Polarity::Positive,
    compile: |text, _| Box::new(Boolean(parse(text))),
}];

#[derive(Debug)]
struct Boolean(Option<bool>);

fn parse(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

impl Test for Boolean {
    fn test(&self, value: &str, _: &Context) -> Option<bool> {
        Some(parse(value)? == self.0?)
    }
}
