//! Schedule expressions.

use events::ScheduleExpression;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

fn millis(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn next(expression: &str, after: &str, zone: &TimeZone) -> Option<String> {
    let parsed = ScheduleExpression::parse(expression).unwrap_or_else(|err| panic!("{err:?}"));
    let next = parsed.next_after(millis(after), zone)?;
    Some(Timestamp::from_millisecond(next).unwrap().to_string())
}

#[test]
fn cron_gives_the_next_time() {
    let table = [
        ("0 10 * * ? *", "2026-11-24T10:00:00Z", "2026-11-25T10:00:00Z"),
        ("15 12 * * ? *", "2026-11-24T10:00:00Z", "2026-11-24T12:15:00Z"),
        ("0 18 ? * MON-FRI *", "2026-11-27T18:00:00Z", "2026-11-30T18:00:00Z"),
        ("0 8 1 * ? *", "2026-11-24T00:00:00Z", "2026-12-01T08:00:00Z"),
        ("0/15 * * * ? *", "2026-11-24T10:07:30Z", "2026-11-24T10:15:00Z"),
        ("*/20 9-11 * * ? *", "2026-11-24T11:40:00Z", "2026-11-25T09:00:00Z"),
        ("0/5 8-17 ? * MON-FRI *", "2026-11-27T17:55:00Z", "2026-11-30T08:00:00Z"),
        ("0 0 L * ? *", "2027-02-01T00:00:00Z", "2027-02-28T00:00:00Z"),
        ("0 0 LW * ? *", "2027-02-01T00:00:00Z", "2027-02-26T00:00:00Z"),
        ("0 0 3W * ? *", "2026-09-30T00:00:00Z", "2026-10-02T00:00:00Z"),
        ("0 0 1W * ? *", "2026-07-31T00:00:00Z", "2026-08-03T00:00:00Z"),
        ("0 0 ? * 6L *", "2026-11-01T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 ? * 3#2 *", "2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"),
        ("0 0 ? * L *", "2026-11-24T00:00:00Z", "2026-11-28T00:00:00Z"),
        ("0 0 ? * 1 *", "2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 ? * FRI-SUN *", "2026-11-24T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 29 2 ? *", "2026-11-24T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 1 jan,JUL ? 2028-2030/2", "2028-08-01T00:00:00Z", "2030-01-01T00:00:00Z"),
    ];
    for (fields, after, expected) in table {
        let found = next(&format!("cron({fields})"), after, &TimeZone::UTC);
        assert_eq!(found.as_deref(), Some(expected), "{fields}");
    }
    assert_eq!(next("cron(0 0 30 2 ? *)", "2026-01-01T00:00:00Z", &TimeZone::UTC), None);
    assert_eq!(next("cron(0 0 1 1 ? 2020)", "2026-01-01T00:00:00Z", &TimeZone::UTC), None);
}

#[test]
fn time_zones_skip_gaps_and_take_folds_once() {
    let tokyo = TimeZone::fixed(Offset::constant(9));
    assert_eq!(
        next("cron(0 9 * * ? *)", "2026-11-24T00:00:00Z", &tokyo).as_deref(),
        Some("2026-11-25T00:00:00Z")
    );
    let new_york = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
    // 02:30 does not exist on 2026-03-08.
    assert_eq!(
        next("cron(30 2 * * ? *)", "2026-03-07T12:00:00Z", &new_york).as_deref(),
        Some("2026-03-09T06:30:00Z")
    );
    // 01:30 comes twice on 2026-11-01.
    assert_eq!(
        next("cron(30 1 * * ? *)", "2026-11-01T00:00:00Z", &new_york).as_deref(),
        Some("2026-11-01T05:30:00Z")
    );
    assert_eq!(
        next("cron(30 1 * * ? *)", "2026-11-01T05:30:00Z", &new_york).as_deref(),
        Some("2026-11-02T06:30:00Z")
    );
    assert_eq!(
        next("at(2026-11-24T09:00:00)", "2026-01-01T00:00:00Z", &tokyo).as_deref(),
        Some("2026-11-24T00:00:00Z")
    );
    assert_eq!(next("at(2026-11-24T09:00:00)", "2026-11-24T00:00:00Z", &tokyo), None);
}

#[test]
fn rates_count_from_the_last_time() {
    let after = "2026-11-24T00:00:30Z";
    for (rate, expected) in [
        ("rate(1 minute)", "2026-11-24T00:01:30Z"),
        ("rate(5 minutes)", "2026-11-24T00:05:30Z"),
        ("rate(2 hours)", "2026-11-24T02:00:30Z"),
        ("rate(1 day)", "2026-11-25T00:00:30Z"),
    ] {
        assert_eq!(next(rate, after, &TimeZone::UTC).as_deref(), Some(expected), "{rate}");
    }
}

#[test]
fn broken_expressions_are_refused_in_the_words_of_aws() {
    for text in [
        "",
        "rate()",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(-1 minutes)",
        "rate(1 week)",
        "rate(5 minutes",
        "Rate(5 minutes)",
        "rate(9999999999999999 days)",
        "cron(0 10 * * ?)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(*/60 * * * ? *)",
        "cron(60 * * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * 0 *)",
        "cron(0 0 ? * 2#6 *)",
        "cron(0 0 1 13 ? *)",
        "cron(0 0 1 1 ? 1969)",
        "cron(0/5, 9-18, ?, *, MON-FRI, *)",
        "cron(a * * * ? *)",
        "cron(15 12 ? * -1 *)",
        "at(2026-11-24)",
        "at(2026-13-24T00:00:00)",
        "at(2026-11-24 00:00:00)",
    ] {
        let err = ScheduleExpression::parse(text).unwrap_err();
        assert_eq!(err.to_string(), "Parameter ScheduleExpression is not valid.", "{text}");
    }
    assert!(ScheduleExpression::parse("at(2026-11-24T00:00:00)").is_ok());
    assert!(ScheduleExpression::parse_for_rule("at(2026-11-24T00:00:00)").is_err());
}
