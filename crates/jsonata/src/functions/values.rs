//! Functions on any value, and those that steer the evaluation.

use super::{argument, text_argument};
use crate::datum::Datum;
use crate::evaluate::{Evaluator, boolean};
use crate::fault::{Fault, Run};

/// `$boolean(value)`
pub(super) fn boolean_(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(boolean(argument(arguments, 0)).map_or(Datum::Undefined, Datum::from))
}

/// `$not(value)`
pub(super) fn not(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(boolean(argument(arguments, 0)).map_or(Datum::Undefined, |flag| Datum::from(!flag)))
}

/// `$exists(value)`
pub(super) fn exists(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(Datum::from(!argument(arguments, 0).is_undefined()))
}

/// `$type(value)`
pub(super) fn type_(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(match argument(arguments, 0) {
        Datum::Undefined => Datum::Undefined,
        Datum::Value(value) => Datum::from(value.type_name()),
        Datum::List(_) | Datum::Tuples(_) => Datum::from("array"),
        Datum::Record(_) => Datum::from("object"),
        Datum::Native(_) | Datum::Function(_) => Datum::from("function"),
    })
}

/// `$error(message)`: fails.
pub(super) fn error(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let message = text_argument(arguments, 0).filter(|message| !message.is_empty());
    Err(Fault::new("D3137").message(message.unwrap_or("$error() function evaluated")))
}

/// `$assert(condition, message)`: fails unless the condition holds.
pub(super) fn assert(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    if boolean(argument(arguments, 0)).unwrap_or(false) {
        return Ok(Datum::Undefined);
    }
    let message = text_argument(arguments, 1).filter(|message| !message.is_empty());
    Err(Fault::new("D3141").message(message.unwrap_or("$assert() statement failed")))
}

/// `$eval(text, context)`: evaluates a text as JSONata where the call stands.
pub(super) fn eval(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let Some((input, env)) = evaluator.caller.clone() else { return Ok(Datum::Undefined) };
    let input = match argument(arguments, 1) {
        Datum::Undefined => input,
        context => crate::program::wrapped(context.clone()),
    };
    let compiled = crate::syntax::parse(text, evaluator.dialect)
        .and_then(|tree| crate::compile::compile(tree, evaluator.dialect))
        .map_err(|fault| nested("D3120", fault))?;
    let slots = compiled.layout.iter().zip(&compiled.natives);
    let slots = slots.map(|(name, native)| env.find(name).or_else(|| native.map(Datum::Native)));
    let frame = crate::datum::Frame::new(&compiled.layout, slots.collect(), None);
    evaluator.eval(&compiled.code, &input, &frame).map_err(|fault| nested("D3121", fault))
}

/// Wraps the error of an inner text. A spent budget stays what it is; so does an error that was
/// wrapped often, because every wrapping escapes the quotes within.
fn nested(code: &'static str, fault: Fault) -> Fault {
    /// Beyond this many bytes a text is not wrapped once more.
    const MESSAGE_BYTES_MAX: usize = 4096;
    if fault.is_uncoded() {
        return fault;
    }
    let message = fault.clone().finish().message;
    if message.len() > MESSAGE_BYTES_MAX { fault } else { Fault::new(code).value(message) }
}
