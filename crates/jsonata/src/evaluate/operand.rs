//! Operands that are read where they stand: constants, variables and plain fields.

use std::cell::Ref;
use std::sync::Arc;

use value::{Key, Value};

use super::{Evaluator, outwards};
use crate::compile::code::{Code, Variable};
use crate::datum::{Datum, Env};
use crate::fault::Run;

/// What an operand comes to.
pub(super) enum Operand<'a> {
    /// A value of the program or of the context item.
    Borrowed(&'a Value),
    /// A value of a variable, which cannot be assigned meanwhile.
    Held(Ref<'a, Value>),
    /// Anything else.
    Made(Datum),
}

impl Operand<'_> {
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Operand::Borrowed(value) => Some(value),
            Operand::Held(value) => Some(value),
            Operand::Made(Datum::Value(value)) => Some(value),
            Operand::Made(_) => None,
        }
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Operand::Made(Datum::Undefined))
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self.value()? {
            Value::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        match self.value()? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn to_json(&self) -> Option<Value> {
        match self {
            Operand::Made(datum) => datum.to_json(),
            Operand::Borrowed(_) | Operand::Held(_) => self.value().cloned(),
        }
    }

    pub(super) fn into_datum(self) -> Datum {
        match self {
            Operand::Borrowed(value) => Datum::Value(value.clone()),
            Operand::Held(value) => Datum::Value(value.clone()),
            Operand::Made(datum) => datum,
        }
    }
}

impl Evaluator<'_> {
    /// Evaluates `code` without copying what it only reads.
    ///
    /// While the answer lives no variable may be assigned: callers evaluate nothing but simple
    /// code meanwhile.
    pub(super) fn operand<'a>(
        &mut self,
        code: &'a Code,
        input: &'a Datum,
        env: &'a Env,
    ) -> Run<Operand<'a>> {
        match peek(code, input, env) {
            // Where waits are counted, every evaluation counts.
            Some(operand) if !self.waits.racing => {
                self.descend()?;
                self.depth -= 1;
                Ok(operand)
            }
            _ => self.eval(code, input, env).map(Operand::Made),
        }
    }
}

/// Returns whether evaluating `code` runs nothing that could assign a variable.
pub(super) fn is_simple(code: &Code) -> bool {
    matches!(
        code,
        Code::Constant(_) | Code::Variable(_) | Code::Fields(..) | Code::ContextFields(_)
    )
}

/// Reads what simple code stands for; `None` if it takes more than reading.
fn peek<'a>(code: &'a Code, input: &'a Datum, env: &'a Env) -> Option<Operand<'a>> {
    match code {
        Code::Constant(value) => Some(Operand::Borrowed(value)),
        Code::Variable(variable) => variable_fields(variable, &[], env),
        Code::Fields(variable, names) => variable_fields(variable, names, env),
        Code::ContextFields(names) => match input {
            Datum::Value(value) => match followed(value, names) {
                Seen::Value(value) => Some(Operand::Borrowed(value)),
                Seen::Nothing => Some(Operand::Made(Datum::Undefined)),
                Seen::Unclear => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn variable_fields<'a>(variable: &Variable, names: &[Key], env: &'a Env) -> Option<Operand<'a>> {
    for place in &variable.places {
        let slots = outwards(env, place.hops)?.slots.borrow();
        match slots.get(place.slot) {
            Some(Some(Datum::Value(_))) => {}
            Some(None) | None => continue,
            Some(Some(_)) => return None,
        }
        let mut found = None;
        let value = Ref::filter_map(slots, |slots| {
            let Some(Some(Datum::Value(value))) = slots.get(place.slot) else { return None };
            match followed(value, names) {
                Seen::Value(value) => return Some(value),
                Seen::Nothing => found = Some(Operand::Made(Datum::Undefined)),
                Seen::Unclear => {}
            }
            None
        });
        return value.map_or(found, |value| Some(Operand::Held(value)));
    }
    Some(Operand::Made(Datum::Undefined))
}

/// What is seen without evaluating anything.
pub(super) enum Seen<'a> {
    Value(&'a Value),
    Nothing,
    /// It takes an evaluation, e.g. because an array stands in the way.
    Unclear,
}

impl<'a> Seen<'a> {
    pub(super) fn value(self) -> Option<&'a Value> {
        match self {
            Seen::Value(value) => Some(value),
            Seen::Nothing | Seen::Unclear => None,
        }
    }
}

/// Follows field names through objects.
pub(super) fn followed<'a>(value: &'a Value, names: &[Key]) -> Seen<'a> {
    let mut current = value;
    for name in names {
        match current {
            Value::Object(map) => match map.get(name) {
                Some(member) => current = member,
                None => return Seen::Nothing,
            },
            Value::Array(_) => return Seen::Unclear,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Seen::Nothing;
            }
        }
    }
    Seen::Value(current)
}
