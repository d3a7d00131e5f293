//! One field of a cron expression: lists, ranges, steps and names.

/// What a field may hold.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) first: i16,
    pub(super) last: i16,
    pub(super) names: &'static [&'static str],
}

pub(super) const MINUTES: Kind = Kind { name: "minutes", first: 0, last: 59, names: &[] };
pub(super) const HOURS: Kind = Kind { name: "hours", first: 0, last: 23, names: &[] };
pub(super) const DAYS_OF_MONTH: Kind =
    Kind { name: "day-of-month", first: 1, last: 31, names: &[] };
pub(super) const MONTHS: Kind = Kind {
    name: "month",
    first: 1,
    last: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
/// 1 is Sunday.
pub(super) const DAYS_OF_WEEK: Kind = Kind {
    name: "day-of-week",
    first: 1,
    last: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};
pub(super) const YEARS: Kind = Kind { name: "year", first: 1970, last: 2199, names: &[] };

/// The values a field allows, in ascending order.
pub(super) type Values = Vec<i16>;

impl Kind {
    /// Reads one value, a number or a name.
    pub(super) fn value(&self, text: &str) -> Result<i16, String> {
        let invalid = || format!("invalid {} `{text}`", self.name);
        if let Some(at) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return i16::try_from(at).map(|at| at + self.first).map_err(|_| invalid());
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let value: i16 = text.parse().map_err(|_| invalid())?;
        if self.first <= value && value <= self.last { Ok(value) } else { Err(invalid()) }
    }

    /// Reads a list of values, ranges and steps; `*` is every value.
    pub(super) fn values(&self, text: &str) -> Result<Values, String> {
        let mut values = Vec::new();
        for part in text.split(',') {
            self.part(part, &mut values)?;
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn part(&self, part: &str, values: &mut Values) -> Result<(), String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (part, None),
        };
        let (from, to) = if range == "*" {
            (self.first, self.last)
        } else if let Some((from, to)) = range.split_once('-') {
            (self.value(from)?, self.value(to)?)
        } else {
            let from = self.value(range)?;
            (from, if step.is_some() { self.last } else { from })
        };
        let step = step.unwrap_or(1);
        // A range that runs backwards goes round the end of the field: FRI-MON.
        let span = self.last - self.first + 1;
        let to = if to < from { to + span } else { to };
        let mut value = from;
        while value <= to {
            values.push(if self.last < value { value - span } else { value });
            value += step;
        }
        Ok(())
    }

    /// A step is at least 1 and within the field: `*/60` minutes is refused.
    fn step(&self, text: &str) -> Result<i16, String> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let step: Option<i16> = text.parse().ok();
        step.filter(|step| digits && 0 < *step && *step <= self.last)
            .ok_or_else(|| format!("invalid step `{text}` in {}", self.name))
    }
}
