//! `BinaryEquals`: base64 text against base64 text.

use super::{Operator, Polarity, Test};
use crate::Context;

pub(super) const OPERATORS: &[Operator] = &[Operator {
    name: "BinaryEquals",
    polarity: Polarity::Positive,
    compile: |text, _| Box::new(Binary(text.into())),
}];

#[derive(Debug)]
struct Binary(Box<str>);

impl Test for Binary {
    /// Both sides are base64 of one alphabet, so equal bytes mean equal text but for the padding.
    fn test(&self, value: &str, _: &Context) -> Option<bool> {
        Some(value.trim_end_matches('=') == self.0.trim_end_matches('='))
    }
}
