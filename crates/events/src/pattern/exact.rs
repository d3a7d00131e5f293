//! A literal: `["running", 5, true, null, ""]`, and the older spelling `{"exactly": "text"}`.

use std::net::IpAddr;

use value::Value;

use super::Comparison;
use super::compile::{Refusal, text};
use super::positions::Node;

/// Equality with one scalar.
#[derive(Clone, Debug)]
pub(super) struct Exact {
    value: Value,
    /// Text that is an address matches every spelling of it.
    address: Option<IpAddr>,
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    let text = text(operand, "exact match pattern must be a string")?;
    Ok(Comparison::Exact(Exact::new(&Value::from(text))))
}

impl Exact {
    pub(super) fn new(value: &Value) -> Exact {
        let address = value.as_str().and_then(|text| text.parse().ok());
        Exact { value: value.clone(), address }
    }

    /// Numbers match by value: `300` meets `300.0` and `3.0e2`.
    pub(super) fn matches(&self, leaf: &Value) -> bool {
        if *leaf == self.value {
            return true;
        }
        match (self.address, leaf.as_str()) {
            (Some(address), Some(text)) => text.parse() == Ok(address),
            _ => false,
        }
    }
}
