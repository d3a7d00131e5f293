//! `{"exists": true}` and `{"exists": false}`; leaves only.
// DIFFERS: below an array of objects, `false` is met by one element without the field, where Event
// Ruler wants the field absent from all of them.

use value::Value;

use super::Comparison;
use super::compile::Refusal;
use super::positions::{Kind, Node};

/// The leaf is there, or is not.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exists {
    Present,
    Absent,
}

pub(super) fn compile(operand: &Node) -> Result<Comparison, Refusal> {
    match &operand.kind {
        Kind::Scalar(Value::Bool(true)) => Ok(Comparison::Exists(Exists::Present)),
        Kind::Scalar(Value::Bool(false)) => Ok(Comparison::Exists(Exists::Absent)),
        Kind::Scalar(_) | Kind::Array(_) | Kind::Object(_) => {
            Err(Refusal::of(operand, "exists match pattern must be either true or false."))
        }
    }
}

impl Exists {
    pub(super) fn matches_present(self) -> bool {
        matches!(self, Exists::Present)
    }

    pub(super) fn matches_absent(self) -> bool {
        matches!(self, Exists::Absent)
    }
}
