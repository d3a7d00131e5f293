//! Texts as points in time.

use std::fmt::Write;

use fancy_regex::{Regex, RegexBuilder};

use super::calendar::{DAY_MILLIS, MINUTE_MILLIS, Moment, date_millis};
use super::spec::{Marker, Part, Style, analyse};
use super::{DAYS, MONTHS};
use crate::Dialect;
use crate::fault::{Fault, Run};
use crate::picture::integer::{self, Case, Format, Grouping, Primary};
use crate::picture::words;

/// Steps of backtracking after which a text counts as not matching.
const BACKTRACK_MAX: usize = 100_000;

/// Reads an ISO 8601 timestamp.
pub(crate) fn parse_iso(text: &str) -> Run<f64> {
    iso(text).ok_or_else(|| Fault::new("D3110").value(text))
}

fn iso(text: &str) -> Option<f64> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, '-', 2).unwrap_or(1.0);
    let day = after(&mut rest, '-', 2).unwrap_or(1.0);
    let mut millis = date_millis(year, month - 1.0, day);
    if (0.0..=99.0).contains(&year) {
        // A timestamp's year means what it says.
        millis -= date_millis(year + 1900.0, 0.0, 1.0) - super::calendar::year_millis(year);
    }
    if let Some(hour) = after(&mut rest, 'T', 2) {
        let minute = after(&mut rest, ':', 2)?;
        let second = after(&mut rest, ':', 2)?;
        if minute > 59.0 || second > 59.0 || hour > 24.0 {
            return None;
        }
        millis += ((hour * 60.0 + minute) * 60.0 + second) * 1000.0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            millis += fraction_millis(fraction.get(..end).filter(|digits| !digits.is_empty())?);
            rest = fraction.get(end..)?;
        }
    }
    if !(1.0..=12.0).contains(&month) || !(1.0..=31.0).contains(&day) {
        return None;
    }
    match rest {
        "" | "Z" => Some(millis),
        zone => Some(millis - zone_minutes(zone)? * MINUTE_MILLIS),
    }
}

fn zone_minutes(zone: &str) -> Option<f64> {
    let (sign, mut rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, zone.strip_prefix('+')?),
    };
    let hours = digits(&mut rest, 2)?;
    rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = digits(&mut rest, 2)?;
    (rest.is_empty() && minutes < 60.0 && hours < 24.0).then_some(sign * (hours * 60.0 + minutes))
}

/// Reads exactly `count` digits.
fn digits(rest: &mut &str, count: usize) -> Option<f64> {
    let text = rest.get(..count).filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    *rest = rest.get(count..)?;
    text.parse().ok()
}

/// Reads exactly `count` digits after `mark`, or leaves the text alone.
fn after(rest: &mut &str, mark: char, count: usize) -> Option<f64> {
    let mut inside = rest.strip_prefix(mark)?;
    let number = digits(&mut inside, count)?;
    *rest = inside;
    Some(number)
}

/// Reads the digits after a decimal point as whole milliseconds.
fn fraction_millis(digits: &str) -> f64 {
    let three: String = digits.chars().chain("000".chars()).take(3).collect();
    three.parse().unwrap_or(0.0)
}

/// What a picture's marker reads.
#[derive(Clone, Debug, Default)]
struct Components(Vec<(char, f64)>);

impl Components {
    fn get(&self, component: char) -> Option<f64> {
        self.0.iter().rev().find(|(known, _)| *known == component).map(|(_, value)| *value)
    }

    fn value(&self, component: char) -> f64 {
        self.get(component).unwrap_or(0.0)
    }

    fn set(&mut self, component: char, value: f64) {
        self.0.push((component, value));
    }

    /// Returns whether some of `wanted` and nothing else of `all` was read.
    fn only(&self, wanted: &str, all: &str) -> bool {
        let read = |component: char| self.get(component).is_some_and(|value| value != 0.0);
        wanted.chars().any(read) && !all.chars().any(|c| !wanted.contains(c) && read(c))
    }
}

/// Reads a timestamp with a picture; a text that does not fit reads as nothing. What the picture
/// leaves out before its first component comes from `now`.
pub(crate) fn parse(text: &str, picture: &str, now: i64, dialect: Dialect) -> Run<Option<f64>> {
    let mut parts = analyse(picture)?;
    if dialect == Dialect::Aws {
        for part in &mut parts {
            if let Part::Marker(marker) = part {
                marker.read_as_2_0_6();
            }
        }
    }
    let regex = regex(&parts)?;
    let Some(captures) = regex.captures(text).ok().flatten() else { return Ok(None) };
    let mut components = Components::default();
    for (at, part) in parts.iter().enumerate() {
        let Part::Marker(marker) = part else { continue };
        let found = captures.name(&format!("p{at}")).map_or("", |found| found.as_str());
        if let Some(value) = read(marker, found, dialect)? {
            components.set(marker.component, value);
        }
    }
    if components.0.is_empty() {
        return Ok(None);
    }
    assemble(components, Moment::new(now as f64)).map(Some)
}

fn regex(parts: &[Part]) -> Run<Regex> {
    let mut pattern = String::from("(?i)^");
    for (at, part) in parts.iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = match part {
            Part::Literal(text) => write!(pattern, "{}", fancy_regex::escape(text)),
            Part::Marker(marker) => write!(pattern, "(?<p{at}>{})", marker_regex(marker)?),
        };
    }
    pattern.push('$');
    RegexBuilder::new(&pattern)
        .backtrack_limit(BACKTRACK_MAX)
        .build()
        .map_err(|_| Fault::new("D3136"))
}

fn marker_regex(marker: &Marker) -> Run<String> {
    let Style::Number(format) = &marker.style else {
        return match marker.component {
            'M' | 'x' | 'F' | 'P' => Ok("[a-zA-Z]+".to_owned()),
            other => Err(Fault::new("D3133").value(other.to_string())),
        };
    };
    if matches!(marker.component, 'Z' | 'z') {
        let prefix = if marker.component == 'z' { "GMT" } else { "" };
        let tail = zone_separator(format)
            .map(|letter| format!("{}[0-9]+", fancy_regex::escape(&letter.to_string())));
        return Ok(format!("{prefix}[-+][0-9]+{}", tail.unwrap_or_default()));
    }
    Ok(match &format.primary {
        Primary::Letters if format.case == Case::Upper => "[A-Z]+".to_owned(),
        Primary::Letters => "[a-z]+".to_owned(),
        Primary::Roman => "[mdclxvi]+".to_owned(),
        Primary::Words => {
            let mut words: Vec<String> = words::vocabulary().collect();
            words.extend(["and".to_owned(), "[\\-, ]".to_owned()]);
            format!("(?:{})+", words.join("|"))
        }
        Primary::Decimal(decimal) => {
            let count = decimal.parse_width.map_or("+".to_owned(), |width| format!("{{{width}}}"));
            let ordinal = if format.ordinal { "(?:th|st|nd|rd)" } else { "" };
            format!("[0-9]{count}{ordinal}")
        }
        Primary::Sequence(token) => return Err(Fault::new("D3130").value(token.as_str())),
    })
}

fn zone_separator(format: &Format) -> Option<char> {
    match &format.primary {
        Primary::Decimal(decimal) => match &decimal.grouping {
            Grouping::Regular(_, letter) => Some(*letter),
            Grouping::Irregular(_) => None,
        },
        Primary::Letters | Primary::Roman | Primary::Words | Primary::Sequence(_) => None,
    }
}

/// Reads what a marker matched.
fn read(marker: &Marker, text: &str, dialect: Dialect) -> Run<Option<f64>> {
    let Style::Number(format) = &marker.style else { return Ok(read_name(marker, text)) };
    match marker.component {
        'Z' | 'z' => Ok(Some(read_zone(format, text.trim_start_matches(['G', 'M', 'T'])))),
        // Release 2.0.6 takes the digits for milliseconds, whatever their number.
        'f' if dialect == Dialect::Full => Ok(Some(fraction_millis(text))),
        _ => format.read(text),
    }
}

fn read_name(marker: &Marker, text: &str) -> Option<f64> {
    let width = marker.width_max.unwrap_or(usize::MAX);
    let place = |names: &[&str]| {
        let mut names = names.iter();
        names.position(|name| name.chars().take(width).eq(text.chars())).map(|at| at as f64 + 1.0)
    };
    match marker.component {
        'M' | 'x' => place(MONTHS),
        'F' => place(DAYS),
        _ => match text {
            "am" | "AM" => Some(0.0),
            "pm" | "PM" => Some(1.0),
            _ => None,
        },
    }
}

/// Reads a time zone as minutes.
fn read_zone(format: &Format, text: &str) -> f64 {
    let number = |text: &str| integer::leading_integer(text).unwrap_or(0.0);
    if let Some((hours, minutes)) = zone_separator(format).and_then(|mark| text.split_once(mark)) {
        return number(hours) * 60.0 + number(minutes);
    }
    if text.len() <= 3 {
        return number(text) * 60.0;
    }
    let (hours, minutes) = text.split_at_checked(3).unwrap_or((text, ""));
    number(hours) * 60.0 + number(minutes)
}

/// Fills in what was not read, and puts the parts together.
fn assemble(mut components: Components, now: Moment) -> Run<f64> {
    const DATE: &str = "YXMxWwdD";
    const TIME: &str = "PHhmsf";
    let incomplete = || Fault::new("D3136");
    let calendar = components.only("YMD", DATE);
    let day_of_year = !calendar && components.only("Yd", DATE);
    let week_of_month = components.only("YxwF", DATE);
    let week_of_year = !week_of_month && components.only("XW", DATE);
    let half_days = !components.only("Hmsf", TIME) && components.only("Phmsf", TIME);
    let date = match (day_of_year, week_of_month && !calendar, week_of_year) {
        (true, ..) => "YD",
        (_, true, _) => "XxwF",
        (_, _, true) => "XWF",
        _ => "YMD",
    };
    let time = if half_days { "Phmsf" } else { "Hmsf" };
    let (mut started, mut ended) = (false, false);
    for component in date.chars().chain(time.chars()) {
        match components.get(component) {
            Some(_) if ended => return Err(incomplete()),
            Some(_) => started = true,
            None if started => {
                let least = if matches!(component, 'M' | 'D' | 'd') { 1.0 } else { 0.0 };
                components.set(component, least);
                ended = true;
            }
            None => components.set(component, now.component(component)),
        }
    }
    if matches!(date, "XxwF" | "XWF") {
        return Err(incomplete());
    }
    let year = components.value('Y');
    let mut millis = if day_of_year {
        date_millis(year, 0.0, 1.0) + (components.value('d') - 1.0) * DAY_MILLIS
    } else {
        let month = components.value('M');
        date_millis(year, if month > 0.0 { month - 1.0 } else { 0.0 }, components.value('D'))
    };
    let mut hour = components.value('H');
    if half_days {
        let read = components.value('h');
        hour = if read == 12.0 { 0.0 } else { read };
        if components.get('P') == Some(1.0) {
            hour += 12.0;
        }
    }
    millis += ((hour * 60.0 + components.value('m')) * 60.0 + components.value('s')) * 1000.0;
    millis += components.value('f');
    let zone = components.get('Z').filter(|zone| *zone != 0.0).or(components.get('z'));
    Ok(millis - zone.unwrap_or(0.0) * MINUTE_MILLIS)
}
