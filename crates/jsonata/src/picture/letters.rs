//! Numbers as letters: a, b, …, z, aa, ab, …

use super::integer::Case;

/// Letters in the alphabet.
const ALPHABET: f64 = 26.0;

fn first(case: Case) -> char {
    match case {
        Case::Upper => 'A',
        Case::Lower | Case::Title => 'a',
    }
}

/// Writes a number as letters.
pub(super) fn write(number: f64, case: Case) -> String {
    let mut letters = Vec::new();
    let mut rest = number;
    while rest > 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "below 26")]
        #[expect(clippy::cast_sign_loss, reason = "not below 0")]
        let place = ((rest - 1.0) % ALPHABET) as u32;
        letters.push(char::from_u32(u32::from(first(case)) + place).unwrap_or(' '));
        rest = ((rest - 1.0) / ALPHABET).floor();
    }
    letters.into_iter().rev().collect()
}

/// Reads letters as a number.
pub(super) fn read(text: &str, case: Case) -> Option<f64> {
    let places = text
        .chars()
        .map(|letter| f64::from(u32::from(letter)) - f64::from(u32::from(first(case))) + 1.0);
    Some(places.fold(0.0, |number, place| number * ALPHABET + place))
}
