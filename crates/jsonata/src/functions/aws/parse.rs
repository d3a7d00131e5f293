//! `$parse(text)`: a JSON text as data.

use value::Value;

use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Run};
use crate::functions::text_argument;

/// Parses JSON; `-0` comes out as `0`.
// UNVERIFIED: the text for broken JSON.
pub(in crate::functions) fn parse(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    evaluator.charge(text.len())?;
    match value::parse(text) {
        Ok(Value::Number(number)) if number.as_f64() == 0.0 => Ok(Datum::from(0.0)),
        Ok(value) => evaluator.made(Datum::Value(value)),
        Err(err) => Err(Fault::uncoded(format!("not a JSON text: {err}"))),
    }
}
