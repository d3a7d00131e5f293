//! Integer pictures (XPath functions and operators 3.1, "Formatting integers").

use value::JavaScriptNumber;

use super::{letters, roman, words};
use crate::fault::{Fault, Run};

/// An analysed integer picture.
#[derive(Clone, Debug)]
pub(super) struct Format {
    pub(super) primary: Primary,
    pub(super) case: Case,
    pub(super) ordinal: bool,
}

/// How the number is written.
#[derive(Clone, Debug)]
pub(super) enum Primary {
    Decimal(Decimal),
    Letters,
    Roman,
    Words,
    /// A numbering that nobody implements.
    Sequence(String),
}

/// Upper, lower or title case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    Upper,
    Title,
}

/// A pattern of digits.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    /// The digit zero of the script.
    pub(super) zero: u32,
    pub(super) mandatory: usize,
    pub(super) optional: usize,
    pub(super) grouping: Grouping,
    /// How many digits to parse where another number follows directly.
    pub(super) parse_width: Option<usize>,
}

/// Where separators stand, counted in digits from the right.
#[derive(Clone, Debug)]
pub(super) enum Grouping {
    Regular(usize, char),
    Irregular(Vec<(usize, char)>),
}

/// The zeros of the scripts whose digits a picture may use.
const ZEROS: &[u32] = &[
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10,
];
const ASCII_ZERO: u32 = 0x30;

/// `$formatInteger`
pub(crate) fn format(number: f64, picture: &str) -> Run<String> {
    Format::parse(picture)?.write(number)
}

/// `$parseInteger`
pub(crate) fn parse(text: &str, picture: &str) -> Run<Option<f64>> {
    Format::parse(picture)?.read(text)
}

impl Format {
    /// Analyses a picture such as `#,##0;o`.
    pub(super) fn parse(picture: &str) -> Run<Format> {
        let (primary, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
        let (kind, case) = match primary {
            "A" => (Primary::Letters, Case::Upper),
            "a" => (Primary::Letters, Case::Lower),
            "I" => (Primary::Roman, Case::Upper),
            "i" => (Primary::Roman, Case::Lower),
            "W" => (Primary::Words, Case::Upper),
            "Ww" => (Primary::Words, Case::Title),
            "w" => (Primary::Words, Case::Lower),
            pattern => (decimal(pattern)?, Case::Lower),
        };
        Ok(Format { primary: kind, case, ordinal: modifier.starts_with('o') })
    }

    /// Writes a whole number.
    pub(super) fn write(&self, number: f64) -> Run<String> {
        let size = number.abs();
        let text = match &self.primary {
            Primary::Letters => letters::write(size, self.case),
            Primary::Roman => roman::write(size, self.case),
            Primary::Words => {
                let words = words::write(size, self.ordinal);
                match self.case {
                    Case::Lower => words.to_lowercase(),
                    Case::Upper => words.to_uppercase(),
                    Case::Title => words,
                }
            }
            Primary::Decimal(decimal) => decimal.write(size, self.ordinal),
            Primary::Sequence(token) => return Err(unsupported(token)),
        };
        Ok(if number < 0.0 { format!("-{text}") } else { text })
    }

    /// Reads a whole number; what is none reads as nothing.
    pub(super) fn read(&self, text: &str) -> Run<Option<f64>> {
        match &self.primary {
            Primary::Letters => Ok(letters::read(text, self.case)),
            Primary::Roman => Ok(roman::read(text)),
            Primary::Words => Ok(words::read(text)),
            Primary::Decimal(decimal) => Ok(decimal.read(text, self.ordinal)),
            Primary::Sequence(token) => Err(unsupported(token)),
        }
    }

    /// Returns the digits' pattern.
    pub(super) fn decimal_mut(&mut self) -> Option<&mut Decimal> {
        match &mut self.primary {
            Primary::Decimal(decimal) => Some(decimal),
            Primary::Letters | Primary::Roman | Primary::Words | Primary::Sequence(_) => None,
        }
    }
}

fn unsupported(token: &str) -> Fault {
    Fault::new("D3130").value(token)
}

/// Analyses a pattern of digits, optional digits and separators, from the right.
fn decimal(pattern: &str) -> Run<Primary> {
    let mut zero = None;
    let (mut mandatory, mut optional) = (0, 0);
    let mut separators = Vec::new();
    for letter in pattern.chars().rev() {
        let code = u32::from(letter);
        let group = ZEROS.iter().copied().find(|zero| (*zero..=zero + 9).contains(&code));
        match (group, zero) {
            (Some(group), Some(known)) if group != known => return Err(Fault::new("D3131")),
            (Some(group), _) => {
                zero = Some(group);
                mandatory += 1;
            }
            (None, _) if letter == '#' => optional += 1,
            (None, _) => separators.push((mandatory + optional, letter)),
        }
    }
    let Some(zero) = zero else { return Ok(Primary::Sequence(pattern.to_owned())) };
    let grouping = match (regular(&separators), separators.first()) {
        (Some(every), Some((_, letter))) => Grouping::Regular(every, *letter),
        _ => Grouping::Irregular(separators),
    };
    Ok(Primary::Decimal(Decimal { zero, mandatory, optional, grouping, parse_width: None }))
}

/// Returns the distance of separators that are all alike and equally far apart.
fn regular(separators: &[(usize, char)]) -> Option<usize> {
    let (_, letter) = separators.first()?;
    if separators.iter().any(|(_, other)| other != letter) {
        return None;
    }
    let places: Vec<usize> = separators.iter().map(|(place, _)| *place).collect();
    regular_distance(&places)
}

/// Returns the distance of places that are its first multiples.
pub(super) fn regular_distance(places: &[usize]) -> Option<usize> {
    let every = places.iter().copied().reduce(greatest_common_divisor)?;
    let complete = (1..=places.len()).all(|times| places.contains(&(times * every)));
    (every > 0 && complete).then_some(every)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl Decimal {
    fn write(&self, size: f64, ordinal: bool) -> String {
        let digits = JavaScriptNumber(size).to_string();
        let count = digits.chars().count();
        let padding = std::iter::repeat_n('0', self.mandatory.saturating_sub(count));
        let ascii: Vec<char> = padding.chain(digits.chars()).collect();
        let suffix = if ordinal { ordinal_suffix(&ascii) } else { "" };
        let mut out = String::new();
        for (at, digit) in ascii.iter().enumerate() {
            let behind = ascii.len() - at;
            if at > 0
                && let Some(separator) = self.separator(behind)
            {
                out.push(separator);
            }
            out.push(in_script(*digit, self.zero));
        }
        out.push_str(suffix);
        out
    }

    /// Returns the separator that stands before the last `behind` digits.
    fn separator(&self, behind: usize) -> Option<char> {
        match &self.grouping {
            Grouping::Regular(every, letter) => behind.is_multiple_of(*every).then_some(*letter),
            Grouping::Irregular(places) => {
                places.iter().find(|(place, _)| *place == behind).map(|(_, letter)| *letter)
            }
        }
    }

    fn read(&self, text: &str, ordinal: bool) -> Option<f64> {
        let mut digits: Vec<char> = text.chars().collect();
        if ordinal {
            digits.truncate(digits.len().saturating_sub(2));
        }
        let separators: Vec<char> = match &self.grouping {
            // The reference expects commas here, whatever the picture says.
            Grouping::Regular(..) => vec![','],
            Grouping::Irregular(places) => places.iter().map(|(_, letter)| *letter).collect(),
        };
        let plain = digits.into_iter().filter(|letter| !separators.contains(letter));
        leading_integer(&plain.map(|letter| from_script(letter, self.zero)).collect::<String>())
    }
}

/// Reads the digits at the start of a text, as `parseInt` does.
pub(super) fn leading_integer(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    let number: f64 = digits.get(..end)?.parse().ok()?;
    Some(if negative { -number } else { number })
}

fn in_script(digit: char, zero: u32) -> char {
    match digit.to_digit(10) {
        Some(value) => char::from_u32(zero + value).unwrap_or(digit),
        None => digit,
    }
}

fn from_script(letter: char, zero: u32) -> char {
    let value = u32::from(letter).checked_sub(zero).filter(|value| *value <= 9);
    value.and_then(|value| char::from_u32(ASCII_ZERO + value)).unwrap_or(letter)
}

fn ordinal_suffix(digits: &[char]) -> &'static str {
    match digits {
        [.., '1', _] => "th",
        [.., '1'] => "st",
        [.., '2'] => "nd",
        [.., '3'] => "rd",
        _ => "th",
    }
}
