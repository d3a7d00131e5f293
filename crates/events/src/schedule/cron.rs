//! `cron(minutes hours day-of-month month day-of-week year)`.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::field::{self, Values};
use super::{next_minute, tomorrow};

/// A parsed cron expression of six fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Values,
    hours: Values,
    days: Days,
    months: Values,
    years: Values,
}

/// Which days; the other of the two day fields is `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<MonthDay>),
    OfWeek(Vec<WeekDay>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum MonthDay {
    On(Values),
    /// `L`.
    Last,
    /// `LW`.
    LastWeekday,
    /// `3W`: the weekday nearest to the 3rd, within the month.
    NearestWeekday(i16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum WeekDay {
    On(Values),
    /// `6L`: the last Friday.
    Last(i16),
    /// `3#2`: the second Tuesday.
    Nth(i16, i16),
}

impl Cron {
    pub(super) fn parse(body: &str) -> Result<Cron, String> {
        let fields: Vec<&str> = body.split_whitespace().collect();
        let [minutes, hours, month_days, months, week_days, years] = fields.as_slice() else {
            return Err("cron needs six fields".to_owned());
        };
        let days = match (*month_days, *week_days) {
            ("?", "?") => return Err("one of the two day fields must not be `?`".to_owned()),
            (list, "?") => Days::OfMonth(list.split(',').map(month_day).collect::<Result<_, _>>()?),
            ("?", list) => Days::OfWeek(list.split(',').map(week_day).collect::<Result<_, _>>()?),
            _ => return Err("one of the two day fields must be `?`".to_owned()),
        };
        Ok(Cron {
            minutes: field::MINUTES.values(minutes)?,
            hours: field::HOURS.values(hours)?,
            days,
            months: field::MONTHS.values(months)?,
            years: field::YEARS.values(years)?,
        })
    }

    /// Returns the first time after `after_millis`.
    pub(super) fn next_after(&self, after_millis: i64, zone: &TimeZone) -> Option<i64> {
        let start = zone.to_datetime(next_minute(after_millis)?);
        let mut date = start.date();
        // INVARIANT: ends, because `next_date` gives nothing beyond the last year.
        loop {
            date = self.next_date(date)?;
            let from = (date == start.date()).then_some(start);
            let times = self.times(date, from);
            let mut found = times.filter_map(|time| timestamp(time, zone));
            if let Some(millis) = found.find(|millis| after_millis < *millis) {
                return Some(millis);
            }
            date = tomorrow(date)?;
        }
    }

    /// Returns the first allowed date at or after `date`.
    fn next_date(&self, mut date: Date) -> Option<Date> {
        let last_year = *self.years.last()?;
        while date.year() <= last_year {
            if !self.years.contains(&date.year()) {
                let year = *self.years.iter().find(|year| date.year() < **year)?;
                date = Date::new(year, 1, 1).ok()?;
            } else if !self.months.contains(&i16::from(date.month())) {
                date = tomorrow(date.last_of_month())?;
            } else if !self.days.contain(date) {
                date = tomorrow(date)?;
            } else {
                return Some(date);
            }
        }
        None
    }

    /// Returns the allowed times of `date`, at or after `from`.
    fn times(&self, date: Date, from: Option<DateTime>) -> impl Iterator<Item = DateTime> {
        let hours = self.hours.iter().filter_map(|hour| i8::try_from(*hour).ok());
        let minutes = self.minutes.iter().filter_map(|minute| i8::try_from(*minute).ok());
        hours
            .flat_map(move |hour| minutes.clone().map(move |minute| date.at(hour, minute, 0, 0)))
            .filter(move |time| from.is_none_or(|from| from <= *time))
    }
}

impl Days {
    fn contain(&self, date: Date) -> bool {
        match self {
            Days::OfMonth(days) => days.iter().any(|day| day.contains(date)),
            Days::OfWeek(days) => days.iter().any(|day| day.contains(date)),
        }
    }
}

impl MonthDay {
    fn contains(&self, date: Date) -> bool {
        match self {
            MonthDay::On(days) => days.contains(&i16::from(date.day())),
            MonthDay::Last => date == date.last_of_month(),
            MonthDay::LastWeekday => {
                nearest_weekday(date, i16::from(date.days_in_month())) == Some(date)
            }
            MonthDay::NearestWeekday(day) => nearest_weekday(date, *day) == Some(date),
        }
    }
}

impl WeekDay {
    fn contains(&self, date: Date) -> bool {
        let today = i16::from(date.weekday().to_sunday_one_offset());
        match self {
            WeekDay::On(days) => days.contains(&today),
            WeekDay::Last(day) => today == *day && date.days_in_month() - date.day() < 7,
            WeekDay::Nth(day, nth) => today == *day && (i16::from(date.day()) - 1) / 7 + 1 == *nth,
        }
    }
}

/// Returns the weekday nearest to the given day in the month of `date`, without leaving the month.
fn nearest_weekday(date: Date, day: i16) -> Option<Date> {
    let last = i16::from(date.days_in_month());
    let on = |day: i16| Date::new(date.year(), date.month(), i8::try_from(day).ok()?).ok();
    let wanted = on(day)?;
    match wanted.weekday() {
        Weekday::Saturday if day == 1 => on(3),
        Weekday::Saturday => on(day - 1),
        Weekday::Sunday if day == last => on(day - 2),
        Weekday::Sunday => on(day + 1),
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday => Some(wanted),
    }
}

fn month_day(text: &str) -> Result<MonthDay, String> {
    match text {
        "L" => return Ok(MonthDay::Last),
        "LW" => return Ok(MonthDay::LastWeekday),
        _ => {}
    }
    match text.strip_suffix('W') {
        Some(day) => field::DAYS_OF_MONTH.value(day).map(MonthDay::NearestWeekday),
        None => field::DAYS_OF_MONTH.values(text).map(MonthDay::On),
    }
}

fn week_day(text: &str) -> Result<WeekDay, String> {
    let kind = &field::DAYS_OF_WEEK;
    if text == "L" {
        return Ok(WeekDay::On(vec![kind.last]));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth: Option<i16> = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
        let nth = nth.ok_or_else(|| format!("invalid day-of-week `{text}`"))?;
        return Ok(WeekDay::Nth(kind.value(day)?, nth));
    }
    match text.strip_suffix('L') {
        Some(day) => kind.value(day).map(WeekDay::Last),
        None => kind.values(text).map(WeekDay::On),
    }
}

/// Returns when `time` comes in `zone`: never in a gap, and at its first coming in a fold.
fn timestamp(time: DateTime, zone: &TimeZone) -> Option<i64> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let timestamp = match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => return None,
        AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. } => ambiguous.earlier(),
    };
    timestamp.ok().map(jiff::Timestamp::as_millisecond)
}
