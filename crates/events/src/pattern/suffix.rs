//! `{"suffix": ".png"}` and `{"suffix": {"equals-ignore-case": ".PNG"}}`.

use value::Value;

use super::Comparison;
use super::compile::{Refusal, ignoring_case, text};
use super::positions::Node;

const REASON: &str = "suffix match pattern must be a string";

/// The leaf ends with a text.
#[derive(Clone, Debug)]
pub(super) enum Suffix {
    Same(String),
    IgnoringCase(String),
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    Ok(Comparison::Suffix(match ignoring_case(operand, REASON)? {
        Some(text) => Suffix::IgnoringCase(text.to_lowercase()),
        None => Suffix::Same(text(operand, REASON)?.to_owned()),
    }))
}

impl Suffix {
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        leaf.as_str().is_some_and(|leaf| match self {
            Suffix::Same(text) => leaf.ends_with(text),
            Suffix::IgnoringCase(text) => leaf.to_lowercase().ends_with(text),
        })
    }
}
