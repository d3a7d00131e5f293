//! Times on the wire: epoch seconds in JSON, ISO 8601 in XML.

use jiff::Timestamp;

/// Returns epoch seconds of an ISO-8601 time.
pub(crate) fn parse_iso(text: &str) -> Option<f64> {
    let time: Timestamp = text.parse().ok()?;
    Some(time.as_millisecond() as f64 / 1000.0)
}

/// Returns the ISO-8601 text of epoch seconds: to the second, or with milliseconds where there are.
pub(crate) fn iso(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let millis = (seconds * 1000.0).round() as i64;
    let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    if millis % 1000 == 0 {
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }
}
