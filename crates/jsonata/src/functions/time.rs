//! Functions on points in time.

use super::{number_argument, text_argument};
use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::Run;
use crate::picture::datetime;

/// `$now(picture, timezone)`: the moment of the evaluation.
pub(super) fn now(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let millis = evaluator.moment.millis() as f64;
    let text = datetime::format(millis, text_argument(arguments, 0), text_argument(arguments, 1))?;
    evaluator.text(text)
}

/// `$millis()`
pub(super) fn millis(evaluator: &mut Evaluator, _: &[Datum]) -> Run<Datum> {
    Ok(Datum::from(evaluator.moment.millis() as f64))
}

/// `$fromMillis(millis, picture, timezone)`
pub(super) fn from_millis(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(millis) = number_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let text = datetime::format(millis, text_argument(arguments, 1), text_argument(arguments, 2))?;
    evaluator.text(text)
}

/// `$toMillis(text, picture)`
pub(super) fn to_millis(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let now = evaluator.moment.millis();
    let millis = match text_argument(arguments, 1) {
        Some(picture) => datetime::parse(text, picture, now, evaluator.dialect)?,
        None => Some(datetime::parse_iso(text)?),
    };
    Ok(millis.map_or(Datum::Undefined, Datum::from))
}
