//! Timestamps of the language: ISO-8601 extended offset date-times.

/// Nanoseconds in a millisecond.
const NANOS_PER_MILLI: i64 = 1_000_000;
/// Milliseconds in a day.
const MILLIS_PER_DAY: i64 = 86_400_000;

/// A moment: seconds since the Unix epoch, and nanoseconds within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// Reads `2016-03-14T01:59:00Z`: an uppercase `T`, an uppercase `Z` or an offset `+01:00`, up
    /// to nine fractional digits, a date that exists. Seconds may be left out, as in Java.
    ///
    /// ```
    /// use asl::Timestamp;
    /// let parsed = Timestamp::parse("2016-03-14T01:59:00.5+01:00").unwrap();
    /// assert_eq!(parsed.millis(), 1_457_917_140_500);
    /// assert_eq!(Timestamp::parse("2016-13-14T01:59:00Z"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Timestamp> {
        let (date, clock) = text.split_once('T')?;
        let mut date_parts = date.splitn(3, '-');
        let year = digits(date_parts.next()?, 4)?;
        let month = digits(date_parts.next()?, 2)?;
        let day = digits(date_parts.next()?, 2)?;
        let (clock, offset_seconds) = split_offset(clock)?;
        let (clock, nanos) = split_fraction(clock)?;
        let mut clock_parts = clock.split(':');
        let hour = digits(clock_parts.next()?, 2)?;
        let minute = digits(clock_parts.next()?, 2)?;
        let second = clock_parts.next().map_or(Some(0), |part| digits(part, 2))?;
        let in_range = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && clock_parts.next().is_none();
        if !in_range {
            return None;
        }
        let days = days_from_civil(year, month, day);
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds;
        Some(Timestamp { seconds, nanos })
    }

    /// Returns milliseconds since the Unix epoch, fractions of a millisecond cut off.
    pub fn millis(self) -> i64 {
        self.seconds * 1_000 + i64::from(self.nanos) / NANOS_PER_MILLI
    }
}

/// Returns a moment as the context object and the API write it: `2016-03-14T01:59:00.000Z`.
///
/// ```
/// assert_eq!(asl::format_millis(1_457_917_140_500), "2016-03-14T00:59:00.500Z");
/// ```
pub fn format_millis(millis: i64) -> String {
    let (year, month, day) = civil_from_days(millis.div_euclid(MILLIS_PER_DAY));
    let rest = millis.rem_euclid(MILLIS_PER_DAY);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

fn split_offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(rest) = clock.strip_suffix('Z') {
        return Some((rest, 0));
    }
    let sign_at = clock.rfind(['+', '-'])?;
    let (rest, offset) = clock.split_at_checked(sign_at)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':').unwrap_or((offset.get(1..)?, "00"));
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let in_range = hours <= 18 && minutes < 60;
    in_range.then_some((rest, sign * (hours * 3_600 + minutes * 60)))
}

fn split_fraction(clock: &str) -> Option<(&str, u32)> {
    let Some((whole, fraction)) = clock.split_once('.') else { return Some((clock, 0)) };
    let valid = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    // A fraction belongs to seconds, so there must be some.
    if !valid || whole.matches(':').count() != 2 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some((whole, nanos))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a Gregorian date, by eras of 400 years that start on 1 March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, format_millis};

    #[test]
    fn dates_round_trip() {
        for millis in [0, -1, 951_782_400_000, 1_735_689_599_999, 4_102_444_800_000] {
            assert_eq!(Timestamp::parse(&format_millis(millis)).unwrap().millis(), millis);
        }
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for text in [
            "2016-12-05 21:29:29Z",
            "2016-12-05T21:29:29",
            "05-12-2016T21:29:29Z",
            "2016-12-05T25:29:29Z",
            "2016-02-30T21:29:29Z",
            "",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
