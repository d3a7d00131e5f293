//! `{"prefix": "eu-"}` and `{"prefix": {"equals-ignore-case": "EU-"}}`.

use value::Value;

use super::Comparison;
use super::compile::{Refusal, ignoring_case, text};
use super::positions::Node;

const REASON: &str = "prefix match pattern must be a string";

/// The leaf begins with a text.
#[derive(Clone, Debug)]
pub(super) enum Prefix {
    Same(String),
    IgnoringCase(String),
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    Ok(Comparison::Prefix(match ignoring_case(operand, REASON)? {
        Some(text) => Prefix::IgnoringCase(text.to_lowercase()),
        None => Prefix::Same(text(operand, REASON)?.to_owned()),
    }))
}

impl Prefix {
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        leaf.as_str().is_some_and(|leaf| match self {
            Prefix::Same(text) => leaf.starts_with(text),
            Prefix::IgnoringCase(text) => leaf.to_lowercase().starts_with(text),
        })
    }
}
