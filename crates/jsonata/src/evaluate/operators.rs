//! Operators and the conversions they rest on.

use std::cmp::Ordering;
use std::rc::Rc;

use value::Value;

use super::Evaluator;
use super::operand::{Operand, is_simple};
use crate::compile::code::{Arithmetic, Code, Compare, Operands};
use crate::datum::{Datum, Env};
use crate::fault::{Fault, Run};
use crate::json;

/// How many items `..` may make.
const RANGE_ITEMS_MAX: f64 = 1e7;

impl Evaluator<'_> {
    fn both<'a>(
        &mut self,
        operands: &'a Operands,
        input: &'a Datum,
        env: &'a Env,
    ) -> Run<(Operand<'a>, Operand<'a>)> {
        let left = if is_simple(&operands.right) {
            self.operand(&operands.left, input, env)?
        } else {
            Operand::Made(self.eval(&operands.left, input, env)?)
        };
        self.waits.add(1);
        Ok((left, self.operand(&operands.right, input, env)?))
    }

    pub(super) fn arithmetic(
        &mut self,
        op: Arithmetic,
        operands: &Operands,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let (left, right) = self.both(operands, input, env)?;
        let fault = |fault: Fault| fault.at(operands.position).token(op.symbol());
        let a = operand(&left, "T2001").map_err(fault)?;
        let b = operand(&right, "T2002").map_err(fault)?;
        let (Some(a), Some(b)) = (a, b) else { return Ok(Datum::Undefined) };
        Ok(self.number(match op {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide => a / b,
            Arithmetic::Remainder => a % b,
        }))
    }

    pub(super) fn compare(
        &mut self,
        op: Compare,
        operands: &Operands,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let (left, right) = self.both(operands, input, env)?;
        let fault = |fault: Fault| Err(fault.at(operands.position).token(op.symbol()));
        for side in [&left, &right] {
            if !side.is_undefined() && side.as_number().is_none() && side.as_text().is_none() {
                return fault(Fault::new("T2010").value_some(side.to_json()));
            }
        }
        if left.is_undefined() || right.is_undefined() {
            return Ok(Datum::Undefined);
        }
        let order = match (left.as_text(), right.as_text()) {
            (Some(a), Some(b)) => Some(compare_text(a, b)),
            (None, None) => left.as_number().partial_cmp(&right.as_number()),
            (Some(_), None) | (None, Some(_)) => {
                let mixed = Fault::new("T2009").value_some(left.to_json());
                return fault(mixed.value2(right.to_json()));
            }
        };
        Ok(Datum::from(order.is_some_and(|order| op.holds(order))))
    }

    pub(super) fn equality(
        &mut self,
        operands: &Operands,
        input: &Datum,
        env: &Env,
        wanted: bool,
    ) -> Run<Datum> {
        let (left, right) = self.both(operands, input, env)?;
        if left.is_undefined() || right.is_undefined() {
            return Ok(Datum::from(false));
        }
        if let (Some(left), Some(right)) = (left.value(), right.value())
            && !(is_container(left) && is_container(right))
        {
            return Ok(Datum::from((left == right) == wanted));
        }
        let (left, right) = (left.into_datum(), right.into_datum());
        self.read_whole(&left)?;
        Ok(Datum::from(equal(&left, &right) == wanted))
    }

    pub(super) fn and(&mut self, operands: &Operands, input: &Datum, env: &Env) -> Run<Datum> {
        let left = self.eval(&operands.left, input, env)?;
        self.waits.add(1);
        if !boolean(&left).unwrap_or(false) {
            return Ok(Datum::from(false));
        }
        self.right_truth(operands, "and", input, env)
    }

    /// Evaluates the right side of `and` or `or`; its errors name the operator, as the
    /// reference's do.
    fn right_truth(
        &mut self,
        operands: &Operands,
        symbol: &'static str,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        self.waits.add(1);
        let right = self.eval(&operands.right, input, env);
        let right = right.map_err(|fault| fault.at(operands.position).token(symbol))?;
        Ok(Datum::from(boolean(&right).unwrap_or(false)))
    }

    pub(super) fn or(&mut self, operands: &Operands, input: &Datum, env: &Env) -> Run<Datum> {
        let left = self.eval(&operands.left, input, env)?;
        self.waits.add(1);
        if boolean(&left).unwrap_or(false) {
            return Ok(Datum::from(true));
        }
        self.right_truth(operands, "or", input, env)
    }

    pub(super) fn inclusion(
        &mut self,
        operands: &Operands,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let (left, right) = self.both(operands, input, env)?;
        if left.is_undefined() || right.is_undefined() {
            return Ok(Datum::from(false));
        }
        if let (Some(left), Some(Value::Array(items))) = (left.value(), right.value())
            && !is_container(left)
        {
            self.work(items.len())?;
            return Ok(Datum::from(items.contains(left)));
        }
        let (left, right) = (left.into_datum(), right.into_datum());
        self.read_whole(&right)?;
        self.work(right.spread().len())?;
        Ok(Datum::from(right.spread().iter().any(|item| equal(&left, &item))))
    }

    pub(super) fn concat(&mut self, operands: &Operands, input: &Datum, env: &Env) -> Run<Datum> {
        let (left, right) = self.both(operands, input, env)?;
        if let (Some(left), Some(right)) = (left.as_text(), right.as_text()) {
            self.charge(left.len() + right.len())?;
            return Ok(Datum::from([&**left, &**right].concat()));
        }
        let mut out = String::new();
        for side in [left, right] {
            if let Some(text) = side.as_text() {
                out.push_str(text);
                continue;
            }
            let side = side.into_datum();
            self.read_whole(&side)?;
            let text = json::to_text(&side, json::Layout::Compact, self.dialect);
            out.push_str(&text.map_err(|fault| fault.at(operands.position).token("&"))?);
        }
        self.text(out)
    }

    pub(super) fn range(&mut self, operands: &Operands, input: &Datum, env: &Env) -> Run<Datum> {
        let (left, right) = self.both(operands, input, env)?;
        let fault = |fault: Fault| fault.at(operands.position).token("..");
        for (side, code) in [(&left, "T2003"), (&right, "T2004")] {
            let whole = side.as_number().is_some_and(|number| number.fract() == 0.0);
            if !side.is_undefined() && !whole {
                return Err(fault(Fault::new(code).value_some(side.to_json())));
            }
        }
        let (Some(from), Some(to)) = (left.as_number(), right.as_number()) else {
            return Ok(Datum::Undefined);
        };
        if from > to {
            return Ok(Datum::Undefined);
        }
        let count = to - from + 1.0;
        if count > RANGE_ITEMS_MAX {
            return Err(fault(Fault::new("D2014").value(count)));
        }
        #[expect(clippy::cast_possible_truncation, reason = "both ends are whole numbers")]
        #[expect(clippy::cast_sign_loss, reason = "`from` is not above `to`")]
        let (first, count) = (from as i64, count as usize);
        // The array constructor around it charges; here it only must be affordable.
        self.afford_slots(count)?;
        let items: Vec<Datum> =
            (first..).take(count).map(|number| Datum::Value(Value::from(number))).collect();
        Ok(Datum::sequence(items))
    }

    pub(super) fn negate(
        &mut self,
        operand: &Code,
        position: usize,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let value = self.eval(operand, input, env)?;
        if value.is_undefined() {
            return Ok(Datum::Undefined);
        }
        match finite(&value)? {
            Some(number) => Ok(Datum::from(-number)),
            None => Err(Fault::new("D1002").at(position).token("-").value_some(value.to_json())),
        }
    }
}

/// Returns a number operand; undefined is fine, anything else is not.
fn operand(side: &Operand, code: &'static str) -> Run<Option<f64>> {
    match side.as_number() {
        Some(number) if !number.is_finite() => Err(Fault::new("D1001").value(Value::Null)),
        Some(number) => Ok(Some(number)),
        None if side.is_undefined() => Ok(None),
        None => Err(Fault::new(code).value_some(side.to_json())),
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

/// Returns a number; one that JSON lacks is an error.
pub(crate) fn finite(datum: &Datum) -> Run<Option<f64>> {
    match datum.as_number() {
        Some(number) if !number.is_finite() => Err(Fault::new("D1001").value(Value::Null)),
        other => Ok(other),
    }
}

/// Casts to a boolean; undefined has none.
pub(crate) fn boolean(datum: &Datum) -> Option<bool> {
    if let Some(items) = datum.items() {
        return Some(match items.len() {
            1 => items.get(0).and_then(|item| boolean(&item)).unwrap_or(false),
            _ => items.iter().any(|item| boolean(&item).unwrap_or(false)),
        });
    }
    match datum {
        Datum::Undefined => None,
        Datum::Value(value) => Some(boolean_of(value)),
        Datum::Record(members) => Some(!members.is_empty()),
        Datum::List(_) | Datum::Native(_) | Datum::Function(_) | Datum::Tuples(_) => Some(false),
    }
}

fn boolean_of(value: &Value) -> bool {
    match value {
        Value::Null | Value::Array(_) => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Compares deeply; functions are equal only to themselves.
pub(crate) fn equal(left: &Datum, right: &Datum) -> bool {
    match (left, right) {
        (Datum::Value(a), Datum::Value(b)) => a == b,
        (Datum::Native(a), Datum::Native(b)) => std::ptr::eq(*a, *b),
        (Datum::Function(a), Datum::Function(b)) => Rc::ptr_eq(a, b),
        _ => match (left.items(), right.items()) {
            (Some(a), Some(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(&a, &b))
            }
            _ if left.is_object() && right.is_object() => {
                let (a, b) = (left.members(), right.members());
                a.len() == b.len() && a.iter().all(|(key, member)| equal(member, &right.field(key)))
            }
            _ => false,
        },
    }
}

/// Compares texts by UTF-16 units, as the reference does.
///
/// That is the order of their bytes, but for characters beyond U+FFFF: their surrogates come before
/// U+E000 and what follows it.
pub(crate) fn compare_text(left: &str, right: &str) -> Ordering {
    /// The first byte of U+E000.
    const ABOVE_SURROGATES: u8 = 0xEE;
    /// The first byte of U+10000.
    const SUPPLEMENTARY: u8 = 0xF0;
    let differing = left.bytes().zip(right.bytes()).find(|(a, b)| a != b);
    match differing {
        None => left.len().cmp(&right.len()),
        Some((a, b)) if a >= SUPPLEMENTARY && (ABOVE_SURROGATES..SUPPLEMENTARY).contains(&b) => {
            Ordering::Less
        }
        Some((a, b)) if b >= SUPPLEMENTARY && (ABOVE_SURROGATES..SUPPLEMENTARY).contains(&a) => {
            Ordering::Greater
        }
        Some((a, b)) => a.cmp(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_compare_by_utf16_units() {
        let texts =
            ["", "a", "ab", "b", "é", "\u{d7ff}", "\u{e000}", "\u{ffff}", "😀", "😀a", "a😀"];
        for left in texts {
            for right in texts {
                let wanted = left.encode_utf16().cmp(right.encode_utf16());
                assert_eq!(compare_text(left, right), wanted, "{left:?} {right:?}");
            }
        }
    }
}
