//! Paths and conditions over bound variables, answered without an evaluator.
//!
//! Most expressions of state machines are such. They fail, call and assign nothing, so they need
//! neither frames nor budgets; what is not as simple as it looks (an array on the way, an operand
//! of another kind, a deep nesting) is left to the evaluator.

use std::sync::Arc;

use value::{Key, Value};

use super::operand::{Seen, followed};
use super::{compare_text, fields_of};
use crate::Bindings;
use crate::compile::code::{Code, Compare, Operands, Variable};
use crate::datum::Datum;

/// How deeply a condition may nest here; below what any budget allows.
const NESTING_MAX: usize = 16;

/// The outermost variables: their names by slot, and what is bound.
pub(crate) struct Shortcut<'a> {
    pub(crate) layout: &'a [Arc<str>],
    pub(crate) bindings: &'a Bindings,
}

impl<'a> Shortcut<'a> {
    /// Returns what `code` comes to, or `None` where that takes an evaluator.
    pub(crate) fn answer(&self, code: &'a Code) -> Option<Datum> {
        match code {
            Code::Fields(variable, names) => Some(fields_of(self.bound(variable)?, names)),
            _ => self.truth(code, NESTING_MAX).map(Datum::from),
        }
    }

    fn truth(&self, code: &'a Code, nesting: usize) -> Option<bool> {
        let below = nesting.checked_sub(1)?;
        match code {
            Code::And(sides) => {
                Some(self.truth(&sides.left, below)? && self.truth(&sides.right, below)?)
            }
            Code::Or(sides) => {
                Some(self.truth(&sides.left, below)? || self.truth(&sides.right, below)?)
            }
            Code::Equal(sides) => {
                let (left, right) = self.both(sides)?;
                Some(left.zip(right).is_some_and(|(left, right)| left == right))
            }
            Code::Unequal(sides) => {
                let (left, right) = self.both(sides)?;
                Some(left.zip(right).is_some_and(|(left, right)| left != right))
            }
            Code::In(sides) => match self.both(sides)? {
                (Some(item), Some(Value::Array(items))) => Some(items.contains(item)),
                (Some(_), Some(_)) => None,
                (None, _) | (_, None) => Some(false),
            },
            Code::Compare(op, sides) => match self.both(sides)? {
                (Some(left), Some(right)) => compared(*op, left, right),
                (None, _) | (_, None) => None,
            },
            _ => None,
        }
    }

    /// Reads both operands, each of which may be undefined.
    fn both(&self, sides: &'a Operands) -> Option<(Option<&'a Value>, Option<&'a Value>)> {
        match (self.read(&sides.left), self.read(&sides.right)) {
            (Seen::Unclear, _) | (_, Seen::Unclear) => None,
            (left, right) => Some((left.value(), right.value())),
        }
    }

    fn read(&self, code: &'a Code) -> Seen<'a> {
        match code {
            Code::Constant(value) => Seen::Value(value),
            Code::Variable(variable) => self.field(variable, &[]),
            Code::Fields(variable, names) => self.field(variable, names),
            _ => Seen::Unclear,
        }
    }

    fn field(&self, variable: &Variable, names: &[Key]) -> Seen<'a> {
        self.bound(variable).map_or(Seen::Unclear, |value| followed(value, names))
    }

    fn bound(&self, variable: &Variable) -> Option<&'a Value> {
        let [place] = &*variable.places else { return None };
        self.bindings.get(self.layout.get(place.slot)?)
    }
}

fn compared(op: Compare, left: &Value, right: &Value) -> Option<bool> {
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().partial_cmp(&right.as_f64())?
        }
        (Value::String(left), Value::String(right)) => compare_text(left, right),
        _ => return None,
    };
    Some(op.holds(order))
}
