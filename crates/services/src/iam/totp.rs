//! Time-based one-time passwords (RFC 6238: HMAC-SHA-1, 30 seconds, six digits), as virtual MFA
//! devices show them.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// How long a code is shown, in seconds.
const STEP_SECONDS: i64 = 30;
/// How many steps ago the second of two codes may have been shown; and one ahead, for slow clocks.
const STEPS_BACK_MAX: i64 = 10;
const STEPS_AHEAD_MAX: i64 = 1;

/// Returns the number of the step at a time.
pub(super) fn step_at(unix_seconds: i64) -> i64 {
    unix_seconds.div_euclid(STEP_SECONDS)
}

/// Returns the code of a step.
pub(super) fn code(seed: &[u8], step: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(seed) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last().copied().unwrap_or_default() & 15);
    let bytes = digest.iter().skip(offset).take(4);
    let number = bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Returns the step of the second of two successive codes, if they are that, lie near `now_step`
/// and were not used before `last_used` (the step of the last code that was).
pub(super) fn second_step(
    seed: &[u8],
    codes: [&str; 2],
    now_step: i64,
    last_used: Option<i64>,
) -> Option<i64> {
    let [first, second] = codes;
    let steps = now_step - STEPS_BACK_MAX..=now_step + STEPS_AHEAD_MAX;
    steps
        .filter(|step| last_used.is_none_or(|used| used < step - 1))
        .find(|step| code(seed, step - 1) == first && code(seed, *step) == second)
}

/// Returns the step of one code, if it lies near `now_step` and was not used before.
pub(super) fn single_step(
    seed: &[u8],
    given: &str,
    now_step: i64,
    last_used: Option<i64>,
) -> Option<i64> {
    let steps = now_step - STEPS_AHEAD_MAX..=now_step + STEPS_AHEAD_MAX;
    steps
        .filter(|step| last_used.is_none_or(|used| used < *step))
        .find(|step| code(seed, *step) == given)
}

/// Returns bytes as base32 (RFC 4648) without padding, as authenticator apps take them.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut push = |five: u32| {
        let letter = usize::try_from(five & 31).ok().and_then(|at| ALPHABET.get(at));
        text.extend(letter.map(|letter| char::from(*letter)));
    };
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(held << (5 - bits));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let vectors = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, expected) in vectors {
            assert_eq!(code(SEED, step_at(seconds)), expected, "at {seconds}");
        }
    }

    #[test]
    fn two_codes_count_when_successive_near_and_new() {
        let now = step_at(1_234_567_890);
        let at = |step: i64| code(SEED, step);
        let found = |one: i64, two: i64, used| second_step(SEED, [&at(one), &at(two)], now, used);
        assert_eq!(found(now - 1, now, None), Some(now));
        assert_eq!(found(now, now + 1, None), Some(now + 1));
        assert_eq!(found(now, now - 1, None), None, "the wrong way round");
        assert_eq!(found(now, now, None), None, "the same code twice");
        assert_eq!(found(now - 2, now, None), None, "one left out");
        assert_eq!(found(now - 20, now - 19, None), None, "too old");
        assert_eq!(found(now - 1, now, Some(now)), None, "already used");
        assert_eq!(found(now - 1, now, Some(now - 1)), None, "the first already used");
        assert_eq!(found(now - 1, now, Some(now - 2)), Some(now));
    }

    #[test]
    fn a_single_code_counts_once() {
        let now = step_at(1_234_567_890);
        let given = code(SEED, now);
        assert_eq!(single_step(SEED, &given, now, None), Some(now));
        assert_eq!(single_step(SEED, &given, now, Some(now)), None);
        assert_eq!(single_step(SEED, &given, now + 2, None), None);
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        let vectors =
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")];
        for (text, expected) in vectors {
            assert_eq!(base32(text.as_bytes()), expected);
        }
    }
}
