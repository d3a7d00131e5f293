//! The proleptic Gregorian calendar, in milliseconds since the Unix epoch.

pub(super) const MINUTE_MILLIS: f64 = 60_000.0;
const HOUR_MILLIS: f64 = 60.0 * MINUTE_MILLIS;
pub(super) const DAY_MILLIS: f64 = 24.0 * HOUR_MILLIS;
const WEEK_MILLIS: f64 = 7.0 * DAY_MILLIS;

/// A point in time, taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) millis: f64,
    pub(super) year: f64,
    /// From 1.
    pub(super) month: f64,
    pub(super) day: f64,
}

/// A month of a year, or the year itself as its first month.
#[derive(Clone, Copy)]
struct Span {
    year: f64,
    /// From 0.
    month: f64,
}

/// Returns the days from the epoch to a date; months beyond the year roll over.
fn days(year: f64, month: f64, day: f64) -> f64 {
    let year = year + (month / 12.0).floor();
    let month = month.rem_euclid(12.0);
    // Counts years from March, so that the leap day is the last of its year.
    let shifted = if month < 2.0 { year - 1.0 } else { year };
    let era = (shifted / 400.0).floor();
    let of_era = shifted - era * 400.0;
    let march_month = (month + 10.0).rem_euclid(12.0);
    let of_year = ((153.0 * march_month + 2.0) / 5.0).floor() + day - 1.0;
    let of_era = of_era * 365.0 + (of_era / 4.0).floor() - (of_era / 100.0).floor() + of_year;
    era * 146_097.0 + of_era - 719_468.0
}

/// Returns the milliseconds of a date at midnight; months count from 0.
pub(super) fn date_millis(year: f64, month: f64, day: f64) -> f64 {
    // The reference reads years of two digits as those of the last century.
    let year = if (0.0..=99.0).contains(&year) { year + 1900.0 } else { year };
    days(year, month, day) * DAY_MILLIS
}

/// Returns the milliseconds of the first of January of exactly this year.
pub(super) fn year_millis(year: f64) -> f64 {
    days(year, 0.0, 1.0) * DAY_MILLIS
}

impl Moment {
    pub(super) fn new(millis: f64) -> Moment {
        // The inverse of `days`.
        let shifted = (millis / DAY_MILLIS).floor() + 719_468.0;
        let era = (shifted / 146_097.0).floor();
        let of_era = shifted - era * 146_097.0;
        let years = ((of_era - (of_era / 1_460.0).floor() + (of_era / 36_524.0).floor()
            - (of_era / 146_096.0).floor())
            / 365.0)
            .floor();
        let of_year = of_era - (365.0 * years + (years / 4.0).floor() - (years / 100.0).floor());
        let march_month = ((5.0 * of_year + 2.0) / 153.0).floor();
        let day = of_year - ((153.0 * march_month + 2.0) / 5.0).floor() + 1.0;
        let month = if march_month < 10.0 { march_month + 3.0 } else { march_month - 9.0 };
        let year = years + era * 400.0 + if month <= 2.0 { 1.0 } else { 0.0 };
        Moment { millis, year, month, day }
    }

    fn today(self) -> f64 {
        (self.millis / DAY_MILLIS).floor() * DAY_MILLIS
    }

    fn of_day(self) -> f64 {
        self.millis.rem_euclid(DAY_MILLIS)
    }

    /// Returns a component's number; those that are no numbers are 0.
    pub(super) fn component(self, component: char) -> f64 {
        match component {
            'Y' => self.year,
            'M' => self.month,
            'D' => self.day,
            'd' => (self.today() - days(self.year, 0.0, 1.0) * DAY_MILLIS) / DAY_MILLIS + 1.0,
            'F' => weekday(self.millis),
            'W' => self.week_of(Span { year: self.year, month: 0.0 }, 12.0, 52.0),
            'w' => self.week_of(self.span(), 1.0, 4.0),
            'X' => self.week_year(),
            'x' => self.week_month(),
            'H' => (self.of_day() / HOUR_MILLIS).floor(),
            'h' => {
                let hour = (self.of_day() / HOUR_MILLIS).floor() % 12.0;
                if hour == 0.0 { 12.0 } else { hour }
            }
            'P' => f64::from(u8::from(self.of_day() >= DAY_MILLIS / 2.0)),
            'm' => (self.of_day() % HOUR_MILLIS / MINUTE_MILLIS).floor(),
            's' => (self.of_day() % MINUTE_MILLIS / 1000.0).floor(),
            'f' => self.of_day() % 1000.0,
            _ => 0.0,
        }
    }

    fn span(self) -> Span {
        Span { year: self.year, month: self.month - 1.0 }
    }

    /// Returns the number of the week within a year or a month of `months`.
    fn week_of(self, span: Span, months: f64, weeks_min: f64) -> f64 {
        let today = self.today();
        let week = weeks(span.first_week(), today);
        if week > weeks_min && today >= span.plus(months).first_week() {
            return 1.0;
        }
        if week < 1.0 {
            return weeks(span.plus(-months).first_week(), today).floor();
        }
        week.floor()
    }

    fn week_year(self) -> f64 {
        let year = Span { year: self.year, month: 0.0 };
        if self.millis < year.first_week() {
            self.year - 1.0
        } else if self.millis >= year.plus(12.0).first_week() {
            self.year + 1.0
        } else {
            self.year
        }
    }

    fn week_month(self) -> f64 {
        let span = self.span();
        let found = if self.millis < span.first_week() {
            span.plus(-1.0)
        } else if self.millis >= span.plus(1.0).first_week() {
            span.plus(1.0)
        } else {
            span
        };
        found.month + 1.0
    }
}

impl Span {
    fn plus(self, months: f64) -> Span {
        let month = self.month + months;
        Span { year: self.year + (month / 12.0).floor(), month: month.rem_euclid(12.0) }
    }

    /// Returns the start of the first week: the one with at least four days in the span.
    fn first_week(self) -> f64 {
        let first = days(self.year, self.month, 1.0) * DAY_MILLIS;
        let weekday = weekday(first);
        let back = weekday - 1.0;
        if weekday > 4.0 { first + (7.0 - back) * DAY_MILLIS } else { first - back * DAY_MILLIS }
    }
}

/// Returns the day of the week, Monday is 1.
fn weekday(millis: f64) -> f64 {
    // The epoch was a Thursday.
    ((millis / DAY_MILLIS).floor() + 3.0).rem_euclid(7.0) + 1.0
}

/// Returns which week after `start` a day falls in, from 1.
fn weeks(start: f64, day: f64) -> f64 {
    (day - start) / WEEK_MILLIS + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_the_round_trip() {
        for day in (-800_000..800_000).step_by(377) {
            let moment = Moment::new(f64::from(day) * DAY_MILLIS);
            assert_eq!(days(moment.year, moment.month - 1.0, moment.day), f64::from(day));
        }
    }
}
