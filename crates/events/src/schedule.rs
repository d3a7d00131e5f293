//! Schedule expressions: `rate(5 minutes)`, `cron(0 12 ? * MON-FRI *)`, `at(2026-11-24T12:00:00)`.
//!
//! AWS pages: "Setting a schedule pattern for scheduled rules" and "Schedule types in EventBridge
//! Scheduler" (read 2026-11-24).

mod cron;
mod field;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub use cron::Cron;

/// Why an expression was refused. The text is that of the rules of EventBridge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Parameter ScheduleExpression is not valid.")]
pub struct Error {
    /// The expression as it was given.
    pub expression: String,
    /// What is wrong with it, as a lower-case fragment, for logs and tools.
    pub reason: String,
}

impl Error {
    /// Returns the text with which EventBridge Scheduler refuses the expression.
    // UNVERIFIED: the exact words.
    pub fn scheduler_text(&self) -> String {
        format!("Invalid Schedule Expression {}.", self.expression)
    }
}

/// A parsed schedule expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleExpression {
    /// Every so many milliseconds, counted from the last time.
    Rate {
        /// The milliseconds between two times.
        period_millis: i64,
    },
    /// At the minutes that six fields describe.
    Cron(Box<Cron>),
    /// Once, at a time of the calendar.
    At(DateTime),
}

impl ScheduleExpression {
    /// Parses the expression of a rule, which may be `rate` or `cron`.
    pub fn parse_for_rule(text: &str) -> Result<ScheduleExpression, Error> {
        match ScheduleExpression::parse(text)? {
            ScheduleExpression::At(_) => Err(refused(text, "a rule knows only rate and cron")),
            expression @ (ScheduleExpression::Rate { .. } | ScheduleExpression::Cron(_)) => {
                Ok(expression)
            }
        }
    }

    /// Parses the expression of a schedule: `rate`, `cron` or `at`.
    pub fn parse(text: &str) -> Result<ScheduleExpression, Error> {
        let body = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let parsed = if let Some(body) = body("rate") {
            rate(body)
        } else if let Some(body) = body("cron") {
            Cron::parse(body).map(|cron| ScheduleExpression::Cron(Box::new(cron)))
        } else if let Some(body) = body("at") {
            at(body)
        } else {
            Err("expected `rate(…)`, `cron(…)` or `at(…)`".to_owned())
        };
        parsed.map_err(|reason| refused(text, &reason))
    }

    /// Returns the first time after `after_millis` in the given time zone, or `None` when there is
    /// none before the year 2200.
    ///
    /// A rate counts from `after_millis`, so the caller passes the last time (or the creation).
    /// A calendar time that a change of clocks skips is skipped; one that happens twice is taken
    /// once, at its first coming.
    ///
    /// ```
    /// use events::ScheduleExpression;
    /// use jiff::tz::TimeZone;
    ///
    /// let noon = ScheduleExpression::parse_for_rule("cron(0 12 * * ? *)").unwrap();
    /// assert_eq!(noon.next_after(0, &TimeZone::UTC), Some(12 * 3_600_000));
    /// ```
    pub fn next_after(&self, after_millis: i64, zone: &TimeZone) -> Option<i64> {
        match self {
            ScheduleExpression::Rate { period_millis } => after_millis.checked_add(*period_millis),
            ScheduleExpression::Cron(cron) => cron.next_after(after_millis, zone),
            ScheduleExpression::At(time) => {
                let millis = zone.to_ambiguous_timestamp(*time).compatible().ok()?;
                Some(millis.as_millisecond()).filter(|millis| after_millis < *millis)
            }
        }
    }
}

fn refused(text: &str, reason: &str) -> Error {
    Error { expression: text.to_owned(), reason: reason.to_owned() }
}

fn rate(body: &str) -> Result<ScheduleExpression, String> {
    let mut words = body.split_whitespace();
    let (Some(count), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err("rate needs a number and a unit".to_owned());
    };
    let digits = count.bytes().all(|byte| byte.is_ascii_digit());
    let count: i64 = count
        .parse()
        .ok()
        .filter(|count| digits && 0 < *count)
        .ok_or("rate needs a positive whole number")?;
    let (singular, unit_millis) = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => ("minute", 60_000_i64),
        "hour" => ("hour", 3_600_000),
        "day" => ("day", 86_400_000),
        _ => return Err(format!("unknown unit `{unit}`")),
    };
    if (count == 1) != (unit == singular) {
        return Err("the unit is singular for 1 and plural for all else".to_owned());
    }
    let period_millis = count.checked_mul(unit_millis).ok_or("rate too large")?;
    Ok(ScheduleExpression::Rate { period_millis })
}

fn at(body: &str) -> Result<ScheduleExpression, String> {
    const FORM: &str = "at needs a time of the form yyyy-mm-ddThh:mm:ss";
    if body.len() != "yyyy-mm-ddThh:mm:ss".len() || !body.contains('T') {
        return Err(FORM.to_owned());
    }
    body.parse::<DateTime>().map(ScheduleExpression::At).map_err(|_| FORM.to_owned())
}

/// Returns the start of the first minute after `millis`.
fn next_minute(millis: i64) -> Option<Timestamp> {
    let minute = millis.div_euclid(60_000).checked_add(1)?;
    Timestamp::from_second(minute.checked_mul(60)?).ok()
}

/// Returns the day after `date`.
fn tomorrow(date: jiff::civil::Date) -> Option<jiff::civil::Date> {
    date.checked_add(1.day()).ok()
}
