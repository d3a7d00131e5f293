//! `$partition(array, size)`: an array of arrays with at most `size` items.

use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Run};
use crate::functions::{argument, number_argument};

/// Cuts an array into pieces; odd arguments give nothing, a negative size fails.
// UNVERIFIED: the text for a negative size.
pub(in crate::functions) fn partition(
    evaluator: &mut Evaluator,
    arguments: &[Datum],
) -> Run<Datum> {
    let array = argument(arguments, 0);
    let (Some(items), Some(size)) = (array.items(), number_argument(arguments, 1)) else {
        return Ok(Datum::Undefined);
    };
    let size = size.trunc();
    if size < 0.0 {
        return Err(Fault::uncoded("the size of $partition must be a positive number"));
    }
    if size == 0.0 {
        return Ok(Datum::Undefined);
    }
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    #[expect(clippy::cast_sign_loss, reason = "checked to be above 0")]
    let size = size as usize;
    let items = items.to_vec();
    let mut pieces = Vec::with_capacity(items.len() / size + 1);
    for piece in items.chunks(size) {
        pieces.push(evaluator.array(piece.to_vec())?);
    }
    evaluator.array(pieces)
}
