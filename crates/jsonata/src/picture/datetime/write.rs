//! Points in time as texts.

use super::calendar::{MINUTE_MILLIS, Moment};
use super::spec::{Marker, Part, Style, analyse};
use super::{DAYS, MONTHS};
use crate::fault::{Fault, Run};
use crate::picture::integer::{self, Case, Format, Grouping, Primary};

/// The picture of ISO 8601.
const ISO: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

/// The distance from UTC.
#[derive(Clone, Copy)]
struct Offset {
    hours: f64,
    minutes: f64,
}

impl Offset {
    /// Reads `+hhmm`.
    fn parse(zone: Option<&str>) -> Offset {
        let number = zone.and_then(integer::leading_integer).unwrap_or(0.0);
        // Rounds down for negative half hours, as the reference does.
        Offset { hours: (number / 100.0).floor(), minutes: number % 100.0 }
    }

    fn millis(self) -> f64 {
        (60.0 * self.hours + self.minutes) * MINUTE_MILLIS
    }

    /// Returns the digits `hhmm` as a number.
    fn digits(self) -> f64 {
        self.hours * 100.0 + self.minutes
    }
}

/// Writes a point in time with a picture (ISO 8601 without one) in a time zone.
pub(crate) fn format(millis: f64, picture: Option<&str>, zone: Option<&str>) -> Run<String> {
    let offset = Offset::parse(zone);
    let moment = Moment::new(millis.trunc() + offset.millis());
    let mut out = String::new();
    for part in analyse(picture.unwrap_or(ISO))? {
        match part {
            Part::Literal(text) => out.push_str(&text),
            Part::Marker(marker) => out.push_str(&component(moment, offset, &marker)?),
        }
    }
    Ok(out)
}

fn component(moment: Moment, offset: Offset, marker: &Marker) -> Run<String> {
    match marker.component {
        'Z' | 'z' => zone(offset, marker),
        'P' => Ok(day_half(moment, marker)),
        'C' | 'E' => Ok("ISO".to_owned()),
        _ => match &marker.style {
            Style::Name(case) => name(moment, *case, marker),
            Style::Number(format) => number(moment, format, marker),
            Style::Fixed => Ok(String::new()),
        },
    }
}

fn number(moment: Moment, format: &Format, marker: &Marker) -> Run<String> {
    let mut value = moment.component(marker.component);
    if let Some(digits) = marker.year_digits.and_then(|digits| i32::try_from(digits).ok()) {
        value %= 10_f64.powi(digits);
    }
    format.write(value)
}

fn name(moment: Moment, case: Case, marker: &Marker) -> Run<String> {
    let names = match marker.component {
        'M' | 'x' => MONTHS,
        'F' => DAYS,
        other => return Err(Fault::new("D3133").value(other.to_string())),
    };
    let value = moment.component(marker.component);
    #[expect(clippy::cast_possible_truncation, reason = "at most 12")]
    #[expect(clippy::cast_sign_loss, reason = "at least 1")]
    let name = names.get((value - 1.0) as usize).copied().unwrap_or_default();
    let cased = match case {
        Case::Lower => name.to_lowercase(),
        Case::Upper => name.to_uppercase(),
        Case::Title => name.to_owned(),
    };
    Ok(cased.chars().take(marker.width_max.unwrap_or(usize::MAX)).collect())
}

fn day_half(moment: Moment, marker: &Marker) -> String {
    let half = if moment.component('P') == 0.0 { "am" } else { "pm" };
    match marker.style {
        Style::Name(Case::Upper) => half.to_uppercase(),
        Style::Name(Case::Lower | Case::Title) | Style::Number(_) | Style::Fixed => half.to_owned(),
    }
}

fn zone(offset: Offset, marker: &Marker) -> Run<String> {
    let Style::Number(format) = &marker.style else { return Ok(String::new()) };
    let digits = offset.digits();
    let text = match &format.primary {
        Primary::Decimal(decimal) => match (&decimal.grouping, decimal.mandatory) {
            (Grouping::Regular(..), _) | (_, 3 | 4) => format.write(digits)?,
            (_, 1 | 2) if offset.minutes == 0.0 => format.write(offset.hours)?,
            (_, 1 | 2) => {
                let minutes = integer::format(offset.minutes, "00")?;
                format!("{}:{minutes}", format.write(offset.hours)?)
            }
            (_, many) => return Err(Fault::new("D3134").value(many as f64)),
        },
        Primary::Letters | Primary::Roman | Primary::Words | Primary::Sequence(_) => {
            return Err(Fault::new("D3134").value(0.0));
        }
    };
    if digits == 0.0 && marker.traditional {
        return Ok("Z".to_owned());
    }
    let sign = if digits >= 0.0 { "+" } else { "" };
    let prefix = if marker.component == 'z' { "GMT" } else { "" };
    Ok(format!("{prefix}{sign}{text}"))
}
