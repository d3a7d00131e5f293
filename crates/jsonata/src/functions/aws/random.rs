//! `$random(seed)`: a number from 0 up to but without 1; the same seed gives the same number.

use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::Run;
use crate::functions::number_argument;

/// Draws from the moment's entropy, or from the seed as Java's `Random.nextDouble` does.
pub(in crate::functions) fn random(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let number = match number_argument(arguments, 0) {
        #[expect(clippy::cast_possible_truncation, reason = "Java's cast saturates too")]
        Some(seed) => JavaRandom::new(seed as i64).next_double(),
        None => evaluator.moment.unit(),
    };
    Ok(Datum::from(number))
}

/// The linear congruential generator that the Java documentation of `java.util.Random` defines.
struct JavaRandom(i64);

const MULTIPLIER: i64 = 0x5_DEEC_E66D;
const ADDEND: i64 = 0xB;
const STATE_MASK: i64 = (1 << 48) - 1;

impl JavaRandom {
    fn new(seed: i64) -> JavaRandom {
        JavaRandom((seed ^ MULTIPLIER) & STATE_MASK)
    }

    fn next(&mut self, bits: u32) -> i64 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(ADDEND) & STATE_MASK;
        self.0 >> (48 - bits)
    }

    fn next_double(&mut self) -> f64 {
        let high = self.next(26) << 27;
        (high + self.next(27)) as f64 / (1_i64 << 53) as f64
    }
}
