//! `$range(first, last, step)`: the numbers from `first` to `last`, both included.

use value::Value;

use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Run};
use crate::functions::number_argument;

/// The most numbers that Step Functions was seen to make before it ran out of memory.
const RANGE_ITEMS_MAX: i64 = 360_145;

/// Counts in steps; fractions are cut off towards zero, odd arguments give nothing.
// UNVERIFIED: that a step of zero gives nothing.
pub(in crate::functions) fn range(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let whole = |at| number_argument(arguments, at).and_then(whole);
    let (Some(first), Some(last), Some(step)) = (whole(0), whole(1), whole(2)) else {
        return Ok(Datum::Undefined);
    };
    let steps = last.checked_sub(first).and_then(|distance| distance.checked_div(step));
    let Some(steps) = steps else { return Ok(Datum::Undefined) };
    let towards = (last - first).signum() * step.signum() >= 0;
    let count = if towards { steps + 1 } else { 0 };
    if count > RANGE_ITEMS_MAX {
        return Err(Fault::uncoded(crate::evaluate::BYTES_TEXT));
    }
    let numbers = (0..count).map(|at| Datum::Value(Value::from(first + at * step)));
    evaluator.array(numbers.collect())
}

/// Cuts a number off towards zero.
fn whole(number: f64) -> Option<i64> {
    /// Beyond this `f64` skips whole numbers.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let number = number.trunc();
    #[expect(clippy::cast_possible_truncation, reason = "checked to be within 2^53")]
    (number.abs() <= EXACT_MAX).then_some(number as i64)
}
