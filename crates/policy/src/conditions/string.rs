//! `StringEquals`, `StringEqualsIgnoreCase`, `StringLike` and their negations.

use super::{Operator, Polarity, Test};
use crate::Context;
use crate::pattern::{Pattern, Version, Wildcards};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "StringEquals", polarity: Polarity::Positive, compile: equals },
    Operator { name: "StringNotEquals", polarity: Polarity::Negated, compile: equals },
    Operator { name: "StringEqualsIgnoreCase", polarity: Polarity::Positive, compile: ignore_case },
    Operator {
        name: "StringNotEqualsIgnoreCase",
        polarity: Polarity::Negated,
        compile: ignore_case,
    },
    Operator { name: "StringLike", polarity: Polarity::Positive, compile: like },
    Operator { name: "StringNotLike", polarity: Polarity::Negated, compile: like },
];

#[derive(Debug)]
struct Like(Pattern);

#[derive(Debug)]
struct IgnoreCase(Pattern);

fn equals(text: &str, version: Version) -> Box<dyn Test> {
    Box::new(Like(Pattern::compile(text, Wildcards::Literal, version)))
}

fn like(text: &str, version: Version) -> Box<dyn Test> {
    Box::new(Like(Pattern::compile(text, Wildcards::Expand, version)))
}

fn ignore_case(text: &str, version: Version) -> Box<dyn Test> {
    Box::new(IgnoreCase(Pattern::compile(text, Wildcards::Literal, version)))
}

impl Test for Like {
    fn test(&self, value: &str, context: &Context) -> Option<bool> {
        Some(self.0.matches(value, context))
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.0)
    }
}

impl Test for IgnoreCase {
    fn test(&self, value: &str, context: &Context) -> Option<bool> {
        let wanted = self.0.literal(context);
        Some(wanted.is_some_and(|wanted| wanted.to_lowercase() == value.to_lowercase()))
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.0)
    }
}
