//! `{"wildcard": "dir/*.png"}`; `\*` and `\\` are the characters themselves.

use value::Value;

use super::Comparison;
use super::compile::{Refusal, text};
use super::positions::Node;

/// The leaf is these texts, in order, with anything between them.
#[derive(Clone, Debug)]
pub(super) struct Wildcard {
    /// At least one; one part alone means equality.
    parts: Vec<String>,
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    let pattern = text(operand, "wildcard match pattern must be a string")?;
    let mut parts = vec![String::new()];
    // AWS counts the opening quote as position 0.
    let mut characters = pattern.chars().zip(1..).peekable();
    while let Some((character, position)) = characters.next() {
        match character {
            '*' if characters.peek().is_some_and(|(next, _)| *next == '*') => {
                let reason = format!("Consecutive wildcard characters at pos {position}");
                return Err(Refusal::of(operand, reason));
            }
            '*' => parts.push(String::new()),
            '\\' => {
                if let Some((escaped @ ('*' | '\\'), _)) = characters.next() {
                    push(&mut parts, escaped);
                } else {
                    let reason = format!("Invalid escape character at pos {position}");
                    return Err(Refusal::of(operand, reason));
                }
            }
            other => push(&mut parts, other),
        }
    }
    Ok(Comparison::Wildcard(Wildcard { parts }))
}

fn push(parts: &mut [String], character: char) {
    if let Some(last) = parts.last_mut() {
        last.push(character);
    }
}

impl Wildcard {
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        let (Some(leaf), Some((first, rest))) = (leaf.as_str(), self.parts.split_first()) else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else { return leaf == first };
        let inner = leaf.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last));
        let Some(mut inner) = inner else { return false };
        for part in middle {
            match inner.split_once(&**part) {
                Some((_, after)) => inner = after,
                None => return false,
            }
        }
        true
    }
}
