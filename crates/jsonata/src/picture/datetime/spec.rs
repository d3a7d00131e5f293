//! Pictures of dates and times, analysed.

use crate::fault::{Fault, Run};
use crate::picture::integer::{Case, Format};

/// A part of a picture.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Literal(String),
    Marker(Marker),
}

/// `[…]`: a component and how it is written.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    pub(super) component: char,
    pub(super) style: Style,
    /// `t` at the end: UTC is written `Z`.
    pub(super) traditional: bool,
    pub(super) width_max: Option<usize>,
    /// How many digits of a year are written; none: all.
    pub(super) year_digits: Option<usize>,
}

/// Whether a component is a name or a number.
#[derive(Clone, Debug)]
pub(super) enum Style {
    Name(Case),
    Number(Format),
    /// Neither: the component has one form only.
    Fixed,
}

/// Characters that a component is filled up to.
const WIDTH_MAX: usize = 1_000;

/// Components that are numbers unless the picture says otherwise.
const NUMBERS: &str = "YMDdFWwXxHhmsf";

/// Returns how a component is written unless the picture says otherwise.
fn presentation(component: char) -> Option<&'static str> {
    match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => Some("1"),
        'm' | 's' => Some("01"),
        'Z' | 'z' => Some("01:01"),
        'F' | 'P' | 'C' | 'E' => Some("n"),
        _ => None,
    }
}

/// Analyses a picture.
pub(super) fn analyse(picture: &str) -> Run<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut literal = String::new();
    let mut rest = picture;
    while let Some((before, after)) = rest.split_once('[') {
        literal.push_str(before);
        if let Some(after) = after.strip_prefix('[') {
            flush(&mut parts, &mut literal);
            parts.push(Part::Literal("[".to_owned()));
            rest = after;
            continue;
        }
        flush(&mut parts, &mut literal);
        let (marker, after) = after.split_once(']').ok_or_else(|| Fault::new("D3135"))?;
        let marker = analyse_marker(marker)?;
        if let Some(Part::Marker(Marker { style: Style::Number(previous), .. })) = parts.last_mut()
            && matches!(marker.style, Style::Number(_))
            && let Some(decimal) = previous.decimal_mut()
        {
            // With nothing in between, the picture says where the first number ends.
            decimal.parse_width = Some(decimal.mandatory);
        }
        parts.push(Part::Marker(marker));
        rest = after;
    }
    literal.push_str(rest);
    flush(&mut parts, &mut literal);
    Ok(parts)
}

fn flush(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal).replace("]]", "]")));
    }
}

fn analyse_marker(text: &str) -> Run<Marker> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let mut letters = text.chars();
    let component = letters.next();
    let (modifier, width) = letters.as_str().rsplit_once(',').unwrap_or((letters.as_str(), ""));
    let (width_min, width_max) = width.split_once('-').unwrap_or((width, ""));
    let width = |text: &str| text.parse().ok().map(|width: usize| width.min(WIDTH_MAX));
    let (width_min, width_max) = (width(width_min), width(width_max));
    let unknown = || {
        let name = component.map(String::from).unwrap_or_default();
        Fault::new("D3132").value(name)
    };
    let component = component.ok_or_else(unknown)?;
    let (first, second) = modifiers(modifier);
    let first = match first {
        "" => presentation(component).ok_or_else(unknown)?,
        written => written,
    };
    let mut marker = Marker {
        component,
        style: Style::Fixed,
        traditional: second == Some('t'),
        width_max,
        year_digits: None,
    };
    marker.style = match first.as_bytes() {
        [b'n', ..] => Style::Name(Case::Lower),
        [b'N', b'n', ..] => Style::Name(Case::Title),
        [b'N', ..] => Style::Name(Case::Upper),
        _ if NUMBERS.contains(component) => {
            let modifier = second.map(|letter| format!(";{letter}")).unwrap_or_default();
            let mut format = Format::parse(&format!("{first}{modifier}"))?;
            marker.fit(&mut format, width_min);
            Style::Number(format)
        }
        _ if matches!(component, 'Z' | 'z') => Style::Number(Format::parse(first)?),
        _ => Style::Fixed,
    };
    Ok(marker)
}

/// Splits off the second modifier.
fn modifiers(text: &str) -> (&str, Option<char>) {
    match text.char_indices().next_back() {
        Some((at, letter @ ('a' | 't' | 'c' | 'o'))) if at > 0 => {
            (text.get(..at).unwrap_or_default(), Some(letter))
        }
        _ => (text, None),
    }
}

impl Marker {
    /// Applies the widths to the digits' pattern.
    fn fit(&mut self, format: &mut Format, width_min: Option<usize>) {
        let Some(decimal) = format.decimal_mut() else { return };
        if let Some(width) = width_min {
            decimal.mandatory = decimal.mandatory.max(width);
        }
        if self.component != 'Y' {
            return;
        }
        let digits = decimal.mandatory + decimal.optional;
        self.year_digits = match self.width_max {
            Some(width) => {
                decimal.mandatory = width;
                Some(width)
            }
            None if digits >= 2 => Some(digits),
            None => None,
        };
    }

    /// Sets how many digits are read as release 2.0.6 does: of a year, a month or a day exactly as
    /// many as the picture shows (from two on), of everything else any number.
    pub(super) fn read_as_2_0_6(&mut self) {
        let (component, width_max) = (self.component, self.width_max);
        let Style::Number(format) = &mut self.style else { return };
        let Some(decimal) = format.decimal_mut() else { return };
        let shown = Some(decimal.mandatory + decimal.optional).filter(|digits| *digits >= 2);
        let dated = matches!(component, 'Y' | 'M' | 'D');
        decimal.parse_width = width_max.or(shown).filter(|_| dated);
    }
}
