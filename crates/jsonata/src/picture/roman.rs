//! Roman numerals.

use super::integer::Case;

const NUMERALS: &[(f64, &str)] = &[
    (1000.0, "m"),
    (900.0, "cm"),
    (500.0, "d"),
    (400.0, "cd"),
    (100.0, "c"),
    (90.0, "xc"),
    (50.0, "l"),
    (40.0, "xl"),
    (10.0, "x"),
    (9.0, "ix"),
    (5.0, "v"),
    (4.0, "iv"),
    (1.0, "i"),
];

/// The largest number written; beyond it the text would only be a row of `m`.
const NUMBER_MAX: f64 = 1e6;

/// Writes a number.
// DIFFERS: beyond a million we write nothing, where the reference would fill the memory.
pub(super) fn write(number: f64, case: Case) -> String {
    let mut out = String::new();
    let mut rest = if number <= NUMBER_MAX { number } else { 0.0 };
    for (value, numeral) in NUMERALS {
        while rest >= *value {
            out.push_str(numeral);
            rest -= value;
        }
    }
    if case == Case::Upper { out.to_uppercase() } else { out }
}

/// Reads a number.
pub(super) fn read(text: &str) -> Option<f64> {
    let mut sum = 0.0;
    let mut highest = 1.0;
    for letter in text.to_lowercase().chars().rev() {
        let numeral = NUMERALS.iter().find(|(_, numeral)| numeral.chars().eq([letter]));
        let (value, _) = numeral?;
        if *value < highest {
            sum -= value;
        } else {
            highest = *value;
            sum += value;
        }
    }
    Some(sum)
}
