//! `Null`: whether a key is absent.

use super::{Operator, Polarity, Test};
use crate::Context;

pub(super) const OPERATORS: &[Operator] = &[Operator {
    name: "Null",
    polarity: Polarity::Presence,
    compile: |text, _| Box::new(Absent(text.into())),
}];

#[derive(Debug)]
struct Absent(Box<str>);

impl Test for Absent {
    /// The value compared is `true` for an absent key and `false` for one that is there.
    fn test(&self, value: &str, _: &Context) -> Option<bool> {
        Some(value.eq_ignore_ascii_case(&self.0))
    }
}
