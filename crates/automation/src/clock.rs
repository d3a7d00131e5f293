//! Times as AWS prints them, always UTC.

use jiff::Timestamp;
use value::{Number, Value};

/// Milliseconds in a second.
pub(crate) const MILLIS_PER_SECOND: i64 = 1000;

/// Prints a moment by a `strftime` pattern.
fn print(millis: i64, pattern: &str) -> String {
    Timestamp::from_millisecond(millis)
        .map(|moment| moment.strftime(pattern).to_string())
        .unwrap_or_default()
}

/// `global:DATE`.
pub(crate) fn date(millis: i64) -> String {
    print(millis, "%Y-%m-%d")
}

/// `global:DATE_TIME`.
pub(crate) fn date_time(millis: i64) -> String {
    print(millis, "%Y-%m-%d_%H.%M.%S")
}

/// The moment in the folder name of a script.
pub(crate) fn folder_time(millis: i64) -> String {
    print(millis, "%Y-%m-%d-%H-%M-%S")
}

/// The moment in an EventBridge event: `Nov 29, 2024 7:43:25 PM`.
pub(crate) fn event_time(millis: i64) -> String {
    print(millis, "%b %-d, %Y %-I:%M:%S %p")
}

/// Epoch seconds with milliseconds, as JSON answers carry them.
pub(crate) fn epoch_seconds(millis: i64) -> Value {
    let seconds = millis.div_euclid(MILLIS_PER_SECOND);
    match millis.rem_euclid(MILLIS_PER_SECOND) {
        0 => Value::from(seconds),
        _ => Value::Number(Number::Float(millis as f64 / MILLIS_PER_SECOND as f64)),
    }
}

/// Parses an ISO 8601 timestamp; a missing offset means UTC.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let moment: Timestamp = text.parse().or_else(|_| format!("{text}Z").parse()).ok()?;
    Some(moment.as_millisecond())
}

/// Parses an ISO 8601 duration of days, hours, minutes and seconds into milliseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok()?;
    let days = i64::from(span.get_days()) + 7 * i64::from(span.get_weeks());
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let seconds = days * 86_400
        + i64::from(span.get_hours()) * 3600
        + span.get_minutes() * 60
        + span.get_seconds();
    Some(seconds * MILLIS_PER_SECOND + span.get_milliseconds())
}
