//! `$uuid()`: a random UUID of version 4.

use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::Run;

/// Draws a UUID from the moment's entropy.
pub(in crate::functions) fn uuid(evaluator: &mut Evaluator, _: &[Datum]) -> Run<Datum> {
    let mut bits = u128::from_be_bytes(evaluator.moment.bytes());
    // RFC 9562: version 4 in the 13th digit, variant 10 in the top bits of the 17th.
    bits = bits & !(0xF << 76) | (0x4 << 76);
    bits = bits & !(0x3 << 62) | (0x2 << 62);
    let digits = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    evaluator.text(text)
}
