//! `ArnEquals` and `ArnLike`, which are the same, and their negations: ARNs part by part.

use super::{Operator, Polarity, Test};
use crate::Context;
use crate::arn::ARN_PARTS;
use crate::pattern::{Atom, Pattern, Version, Wildcards, glob};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "ArnEquals", polarity: Polarity::Positive, compile: like },
    Operator { name: "ArnLike", polarity: Polarity::Positive, compile: like },
    Operator { name: "ArnNotEquals", polarity: Polarity::Negated, compile: like },
    Operator { name: "ArnNotLike", polarity: Polarity::Negated, compile: like },
];

#[derive(Debug)]
struct Like(Pattern);

fn like(text: &str, version: Version) -> Box<dyn Test> {
    Box::new(Like(Pattern::compile(text, Wildcards::Expand, version)))
}

impl Test for Like {
    /// A wildcard never crosses one of the first five colons.
    fn test(&self, value: &str, context: &Context) -> Option<bool> {
        let values: Vec<&str> = value.splitn(ARN_PARTS, ':').collect();
        if values.len() < ARN_PARTS || values.first() != Some(&"arn") {
            return None;
        }
        let Some(atoms) = self.0.atoms(context) else {
            return Some(false);
        };
        let parts = split_at_colons(&atoms);
        if parts.len() < ARN_PARTS {
            return None;
        }
        Some(parts.iter().zip(values).all(|(pattern, value)| glob(pattern, value)))
    }

    fn pattern(&self) -> Option<&Pattern> {
        Some(&self.0)
    }
}

/// Splits a pattern at its first five colons.
fn split_at_colons<'a>(atoms: &[Atom<'a>]) -> Vec<Vec<Atom<'a>>> {
    let mut parts = Vec::with_capacity(ARN_PARTS);
    let mut part = Vec::new();
    for atom in atoms {
        let Atom::Text(mut text) = *atom else {
            part.push(*atom);
            continue;
        };
        while parts.len() + 1 < ARN_PARTS
            && let Some((before, after)) = text.split_once(':')
        {
            part.push(Atom::Text(before));
            parts.push(std::mem::take(&mut part));
            text = after;
        }
        part.push(Atom::Text(text));
    }
    parts.push(part);
    parts
}
