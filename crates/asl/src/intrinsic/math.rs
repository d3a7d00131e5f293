//! "Intrinsics for math operations".

use jsonata::Moment;
use value::Value;

use super::integer_of;

pub(super) fn add(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let (left, right) = (integer_of(arguments, 0)?, integer_of(arguments, 1)?);
    left.checked_add(right).map(Value::from).ok_or_else(|| "the sum is too large".to_owned())
}

/// From the first number up to, not including, the second; a third one is a seed.
pub(super) fn random(arguments: &[Value], moment: &mut Moment) -> Result<Value, String> {
    let (start, end) = (integer_of(arguments, 0)?, integer_of(arguments, 1)?);
    if end <= start {
        return Err("the end must be greater than the start".to_owned());
    }
    let unit = match arguments.len() {
        3 => seeded(integer_of(arguments, 2)?),
        _ => moment.unit(),
    };
    let span = (i128::from(end) - i128::from(start)) as f64;
    #[expect(clippy::cast_possible_truncation, reason = "below the distance of two i64")]
    let drawn = i128::from(start) + (unit * span).floor() as i128;
    Ok(i64::try_from(drawn).unwrap_or(start).into())
}

/// The first number that Java's `Random(seed)` draws with `nextDouble`.
fn seeded(seed: i64) -> f64 {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed.cast_unsigned() ^ MULTIPLIER) & MASK;
    let mut bits = |wanted: u32| {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        state >> (48 - wanted)
    };
    let high = bits(26) << 27;
    let both = high + bits(27);
    both as f64 / (1_u64 << 53) as f64
}
