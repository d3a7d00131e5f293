//! `DateEquals`, `DateLessThan` and the like: ISO 8601 or seconds of the Unix epoch.

use super::comparison::Comparison;
use super::{Operator, Polarity, Test};
use crate::Context;
use crate::pattern::Version;
use crate::time::days_from_civil;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "DateEquals", polarity: Polarity::Positive, compile: equal },
    Operator { name: "DateNotEquals", polarity: Polarity::Negated, compile: equal },
    Operator {
        name: "DateLessThan",
        polarity: Polarity::Positive,
        compile: |text, _| date(text, Comparison::Less),
    },
    Operator {
        name: "DateLessThanEquals",
        polarity: Polarity::Positive,
        compile: |text, _| date(text, Comparison::LessOrEqual),
    },
    Operator {
        name: "DateGreaterThan",
        polarity: Polarity::Positive,
        compile: |text, _| date(text, Comparison::Greater),
    },
    Operator {
        name: "DateGreaterThanEquals",
        polarity: Polarity::Positive,
        compile: |text, _| date(text, Comparison::GreaterOrEqual),
    },
];

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const FRACTION_DIGITS_MAX: usize = 9;

#[derive(Debug)]
struct Date {
    /// Nanoseconds since the epoch.
    wanted: Option<i128>,
    comparison: Comparison,
}

fn equal(text: &str, _: Version) -> Box<dyn Test> {
    date(text, Comparison::Equal)
}

fn date(text: &str, comparison: Comparison) -> Box<dyn Test> {
    Box::new(Date { wanted: nanos(text), comparison })
}

impl Test for Date {
    fn test(&self, value: &str, _: &Context) -> Option<bool> {
        Some(self.comparison.accepts(nanos(value)?.cmp(&self.wanted?)))
    }
}

/// Returns whether a condition value is a date that IAM accepts in a policy.
pub(crate) fn is_date(text: &str) -> bool {
    nanos(text).is_some()
}

/// Reads a date as nanoseconds since the epoch.
fn nanos(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(i128::from(seconds) * NANOS_PER_SECOND);
    }
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = day.splitn(3, '-');
    let year = number(parts.next()?, 4, 4)?;
    let month = number(parts.next()?, 2, 2)?;
    let day = parts.next().map_or(Some(1), |day| number(day, 2, 2))?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let midnight = i128::from(days_from_civil(year, month, day)) * 86_400 * NANOS_PER_SECOND;
    Some(midnight + time.map_or(Some(0), time_nanos)?)
}

/// Reads `H:MM`, `H:MM:SS` or `H:MM:SS.fraction` with an optional offset.
fn time_nanos(text: &str) -> Option<i128> {
    let (clock, offset_seconds) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => {
            let (clock, offset) = text.split_at_checked(at)?;
            (clock, offset_seconds(offset)?)
        }
        None => (text, 0),
    };
    let mut parts = clock.splitn(3, ':');
    let hours = number(parts.next()?, 1, 2)?;
    let minutes = number(parts.next()?, 2, 2)?;
    let (seconds, fraction) = match parts.next() {
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "0")),
        None => ("00", "0"),
    };
    let seconds = number(seconds, 2, 2)?;
    if hours > 24 || minutes > 59 || seconds > 60 {
        return None;
    }
    let digits = u32::try_from(FRACTION_DIGITS_MAX.checked_sub(fraction.len())?).ok()?;
    let fraction = number(fraction, 1, FRACTION_DIGITS_MAX)? * 10_i64.pow(digits);
    let whole = i128::from(hours * 3600 + minutes * 60 + seconds - offset_seconds);
    Some(whole * NANOS_PER_SECOND + i128::from(fraction))
}

/// Reads `Z`, `+09`, `+0900` or `+09:00`.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let text = text.strip_prefix(['+', '-'])?;
    let (hours, minutes) = text.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let minutes = if minutes.is_empty() { 0 } else { number(minutes, 2, 2)? };
    let hours = number(hours, 2, 2)?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Reads a number of so many digits.
fn number(text: &str, digits_min: usize, digits_max: usize) -> Option<i64> {
    let right_length = (digits_min..=digits_max).contains(&text.len());
    let digits = right_length && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_instant_in_every_spelling() {
        let expected = nanos("1795348800");
        for text in [
            "2026-11-22T12:00:00Z",
            "2026-11-22T12:00Z",
            "2026-11-22t21:00:00+09:00",
            "2026-11-22T21:00:00.000+0900",
            "2026-11-22T12:00:00",
        ] {
            assert_eq!(nanos(text), expected, "{text}");
        }
    }

    #[test]
    fn faulty_dates_are_none() {
        for text in ["", "soon", "2026-13-01", "2026-11-22T25:00:00Z", "9223372036854775808"] {
            assert_eq!(nanos(text), None, "{text}");
        }
        assert_eq!(nanos("2016-12-13t2:00:00.1999999999+10:59"), None);
    }
}
