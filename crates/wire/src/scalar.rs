//! Scalars as text: what forms, XML, headers, paths and query strings carry. In values a time is a
//! number of epoch seconds and bytes are base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use value::Value;

use crate::model::{Kind, Shape};

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// `2026-11-23T12:00:00Z`.
    Iso8601,
    /// `Mon, 23 Nov 2026 12:00:00 GMT`.
    Rfc822,
    /// Seconds since 1970.
    EpochSeconds,
}

impl TimeFormat {
    /// Returns the shape's own format, where it has one, else this one.
    pub(crate) fn or_own(self, shape: &Shape) -> TimeFormat {
        match shape.timestamp_format() {
            Some("iso8601") => TimeFormat::Iso8601,
            Some("rfc822") => TimeFormat::Rfc822,
            Some("unixTimestamp") => TimeFormat::EpochSeconds,
            Some(_) | None => self,
        }
    }
}

/// Returns epoch seconds of a time in any of the formats.
pub(crate) fn parse_time(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    let time: Timestamp = text
        .parse()
        .ok()
        .or_else(|| format!("{text}Z").parse().ok())
        .or_else(|| format!("{text}T00:00:00Z").parse().ok())
        .or_else(|| Some(rfc2822::parse(text).ok()?.timestamp()))?;
    Some(time.as_millisecond() as f64 / 1000.0)
}

/// Writes epoch seconds; ISO 8601 has milliseconds where there are any.
pub(crate) fn print_time(seconds: f64, format: TimeFormat) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let millis = (seconds * 1000.0).round() as i64;
    let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    let pattern = match format {
        TimeFormat::EpochSeconds => return Value::from(seconds).to_string(),
        TimeFormat::Iso8601 if millis % 1000 == 0 => "%Y-%m-%dT%H:%M:%SZ",
        TimeFormat::Iso8601 => "%Y-%m-%dT%H:%M:%S%.3fZ",
        TimeFormat::Rfc822 => "%a, %d %b %Y %H:%M:%S GMT",
    };
    time.strftime(pattern).to_string()
}

/// Writes milliseconds since the epoch as HTTP's headers have times.
pub fn http_date(millis: i64) -> String {
    print_time(millis as f64 / 1000.0, TimeFormat::Rfc822)
}

/// Returns the epoch seconds that a value of a time shape stands for.
pub(crate) fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => parse_time(text),
        other => other.as_f64(),
    }
}

/// Writes a scalar; times in the shape's own format, else in `format`.
pub(crate) fn print(shape: &Shape, value: &Value, format: TimeFormat) -> String {
    match (shape.kind(), value) {
        (Kind::Timestamp, value) if seconds(value).is_some() => {
            print_time(seconds(value).unwrap_or_default(), format.or_own(shape))
        }
        (_, Value::String(text)) => text.to_string(),
        (_, other) => other.to_string(),
    }
}

/// Reads a scalar; the error names what it should have been.
pub(crate) fn parse(shape: &Shape, text: &str) -> Result<Value, &'static str> {
    match shape.kind() {
        Kind::String => Ok(text.into()),
        Kind::Blob => match STANDARD.decode(text.trim()) {
            Ok(_) => Ok(text.trim().into()),
            Err(_) => Err("base64 text"),
        },
        Kind::Boolean => match text.trim() {
            "true" | "True" | "TRUE" => Ok(true.into()),
            "false" | "False" | "FALSE" => Ok(false.into()),
            _ => Err("Boolean"),
        },
        Kind::Integer | Kind::Long => {
            text.trim().parse::<i64>().map(Value::from).map_err(|_| "Integer")
        }
        Kind::Float | Kind::Double => match text.trim() {
            special @ ("NaN" | "Infinity" | "-Infinity") => Ok(special.into()),
            plain => match value::parse(plain) {
                Ok(number @ Value::Number(_)) => Ok(number),
                Ok(_) | Err(_) => Err("Double"),
            },
        },
        Kind::Timestamp => parse_time(text).map(Value::from).ok_or("Timestamp"),
        Kind::Structure => Err("Structure"),
        Kind::List => Err("List"),
        Kind::Map => Err("Map"),
    }
}

/// Returns bytes as base64.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Returns the bytes of base64 text; `None` when it is none.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Returns the bytes that a caller means by a text: those of base64 text, else the text itself.
pub fn blob(text: &str) -> Vec<u8> {
    from_base64(text).unwrap_or_else(|| text.as_bytes().to_vec())
}
