//! `{"equals-ignore-case": "ALICE"}`.

use value::Value;

use super::Comparison;
use super::compile::{Refusal, text};
use super::positions::Node;

/// The leaf is a text, whatever the case of its letters.
#[derive(Clone, Debug)]
pub(super) struct EqualsIgnoreCase {
    lower: String,
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    let text = text(operand, "equals-ignore-case match pattern must be a string")?;
    Ok(Comparison::EqualsIgnoreCase(EqualsIgnoreCase { lower: text.to_lowercase() }))
}

impl EqualsIgnoreCase {
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        leaf.as_str().is_some_and(|leaf| leaf.to_lowercase() == self.lower)
    }
}
