//! Number pictures (XPath functions and operators 3.1, "Formatting numbers").

use super::integer::regular_distance;
use crate::Dialect;
use crate::datum::Datum;
use crate::error::INTERNAL_TEXT;
use crate::fault::{Fault, Run};
use crate::functions::rounded;

/// The characters with a meaning in a picture.
struct Symbols {
    decimal: char,
    grouping: char,
    exponent: char,
    minus: String,
    percent: char,
    per_mille: char,
    zero: char,
    digit: char,
    pattern: char,
}

/// A picture, or one half of it, taken apart.
#[derive(Clone)]
struct Parts {
    whole: Vec<char>,
    prefix: String,
    active: Vec<char>,
    integer: Vec<char>,
    fraction: Vec<char>,
    exponent: Option<Vec<char>>,
    suffix: String,
}

/// How a number is laid out.
struct Shape {
    /// Distance of regular separators.
    regular: Option<usize>,
    integer_groups: Vec<usize>,
    fraction_groups: Vec<usize>,
    integer_min: usize,
    fraction_min: usize,
    fraction_max: usize,
    /// Digits before the point of a number with an exponent.
    scaling: usize,
    exponent_min: usize,
}

/// Digits behind the point that are written; ECMAScript's `toFixed` knows no more.
const FRACTION_DIGITS_MAX: usize = 100;
/// Exponents tried before a number counts as unscalable.
const EXPONENT_MAX: i32 = 400;

/// `$formatNumber`
pub(crate) fn format(number: f64, picture: &str, options: &Datum, dialect: Dialect) -> Run<String> {
    let symbols = Symbols::new(options);
    let pictures: Vec<&str> = picture.split(symbols.pattern).collect();
    if pictures.len() > 2 {
        return Err(Fault::new("D3080"));
    }
    let mut halves = Vec::with_capacity(2);
    for picture in pictures {
        // Release 2.0.6 breaks down where there is nothing to put a digit.
        if dialect == Dialect::Aws && picture.chars().all(|letter| symbols.is_edge(letter)) {
            return Err(Fault::uncoded(INTERNAL_TEXT));
        }
        let parts = symbols.split(picture);
        symbols.validate(&parts)?;
        halves.push(parts);
    }
    let negative = number < 0.0;
    let single = halves.len() == 1;
    let chosen = if negative { halves.pop() } else { halves.into_iter().next() };
    let Some(mut parts) = chosen else { return Ok(String::new()) };
    if negative && single {
        parts.prefix.insert_str(0, &symbols.minus);
    }
    let shape = symbols.shape(&parts);
    Ok(symbols.write(number, &parts, &shape))
}

impl Symbols {
    fn new(options: &Datum) -> Symbols {
        let text = |name: &str| options.field(name).as_text().map(ToString::to_string);
        let letter = |name: &str, usual: char| {
            text(name).and_then(|text| text.chars().next()).unwrap_or(usual)
        };
        Symbols {
            decimal: letter("decimal-separator", '.'),
            grouping: letter("grouping-separator", ','),
            exponent: letter("exponent-separator", 'e'),
            minus: text("minus-sign").unwrap_or_else(|| "-".to_owned()),
            percent: letter("percent", '%'),
            per_mille: letter("per-mille", '\u{2030}'),
            zero: letter("zero-digit", '0'),
            digit: letter("digit", '#'),
            pattern: letter("pattern-separator", ';'),
        }
    }

    /// Returns whether a character is a digit of the picture's script.
    fn is_digit(&self, letter: char) -> bool {
        u32::from(letter).checked_sub(u32::from(self.zero)).is_some_and(|value| value <= 9)
    }

    fn is_place(&self, letter: char) -> bool {
        self.is_digit(letter) || letter == self.digit
    }

    fn is_active(&self, letter: char) -> bool {
        self.is_place(letter)
            || [self.decimal, self.exponent, self.grouping, self.pattern].contains(&letter)
    }

    /// Returns whether a character may stand in front of or behind what is active.
    fn is_edge(&self, letter: char) -> bool {
        !self.is_active(letter) || letter == self.exponent
    }

    fn split(&self, picture: &str) -> Parts {
        let whole: Vec<char> = picture.chars().collect();
        let edge = |letter: &&char| self.is_edge(**letter);
        let inside = whole.iter().any(|letter| !edge(&letter));
        // Without any active character everything counts as inside.
        let (start, behind) = if inside {
            (whole.iter().take_while(edge).count(), whole.iter().rev().take_while(edge).count())
        } else {
            (0, 0)
        };
        let end = whole.len() - behind;
        let cut = |from: usize, to: usize| -> Vec<char> {
            whole.get(from..to).unwrap_or_default().to_vec()
        };
        let active = cut(start, end);
        let at = active.iter().position(|letter| *letter == self.exponent);
        let mantissa_end = at.map_or(end, |at| start + at);
        let exponent = at.map(|at| cut(start + at + 1, end));
        let mantissa = cut(start, mantissa_end);
        let point = mantissa.iter().position(|letter| *letter == self.decimal);
        let (integer, fraction) = match point {
            Some(at) => (cut(start, start + at), cut(start + at + 1, mantissa_end)),
            None => (mantissa, Vec::new()),
        };
        Parts {
            prefix: cut(0, start).into_iter().collect(),
            suffix: cut(end, whole.len()).into_iter().collect(),
            active,
            integer,
            fraction,
            exponent,
            whole,
        }
    }

    /// Checks a picture; of several faults the last one is reported, as in the reference.
    fn validate(&self, parts: &Parts) -> Run<()> {
        let count = |wanted: char| parts.whole.iter().filter(|letter| **letter == wanted).count();
        let (percents, per_milles) = (count(self.percent), count(self.per_mille));
        let point = parts.whole.iter().position(|letter| *letter == self.decimal);
        let beside = |at: usize| parts.whole.get(at) == Some(&self.grouping);
        let near_point =
            point.is_some_and(|at| beside(at + 1) || at.checked_sub(1).is_some_and(beside));
        let mantissa = || parts.integer.iter().chain(&parts.fraction);
        let pairs = || parts.whole.iter().zip(parts.whole.iter().skip(1));
        let optional = |letter: &char| *letter == self.digit;
        let before_optional = parts.integer.iter().take_while(|letter| !optional(letter));
        let optional_in_integer = parts.integer.iter().any(optional);
        let after_optional = parts.fraction.iter().rev().take_while(|letter| !optional(letter));
        let optional_in_fraction = parts.fraction.iter().any(optional);
        let digits = |mut letters: Box<dyn Iterator<Item = &char> + '_>| {
            letters.any(|letter| self.is_digit(*letter))
        };
        let faults = [
            ("D3081", count(self.decimal) > 1),
            ("D3082", percents > 1),
            ("D3083", per_milles > 1),
            ("D3084", percents > 0 && per_milles > 0),
            ("D3085", !mantissa().any(|letter| self.is_place(*letter))),
            ("D3086", parts.active.iter().any(|letter| !self.is_active(*letter))),
            ("D3087", near_point),
            ("D3088", point.is_none() && parts.integer.last() == Some(&self.grouping)),
            ("D3089", pairs().any(|(a, b)| *a == self.grouping && *b == self.grouping)),
            ("D3090", optional_in_integer && digits(Box::new(before_optional))),
            ("D3091", optional_in_fraction && digits(Box::new(after_optional))),
            (
                "D3092",
                parts.exponent.as_ref().is_some_and(|exponent| !exponent.is_empty())
                    && percents + per_milles > 0,
            ),
            (
                "D3093",
                parts.exponent.as_ref().is_some_and(|exponent| {
                    exponent.is_empty() || !exponent.iter().all(|letter| self.is_digit(*letter))
                }),
            ),
        ];
        match faults.into_iter().rev().find(|(_, found)| *found) {
            Some((code, _)) => Err(Fault::new(code)),
            None => Ok(()),
        }
    }

    fn shape(&self, parts: &Parts) -> Shape {
        let digits = |letters: &[char]| letters.iter().filter(|l| self.is_digit(**l)).count();
        let places = |letters: &[char]| letters.iter().filter(|l| self.is_place(**l)).count();
        let separators = |letters: &[char]| -> Vec<usize> {
            let found = letters.iter().enumerate().filter(|(_, l)| **l == self.grouping);
            found.map(|(at, _)| at).collect()
        };
        let right = |at: usize| places(parts.integer.get(at..).unwrap_or_default());
        let left = |at: usize| places(parts.fraction.get(..at).unwrap_or_default());
        let integer_groups: Vec<usize> =
            separators(&parts.integer).into_iter().map(right).collect();
        let scaling = digits(&parts.integer);
        let mut shape = Shape {
            regular: regular_distance(&integer_groups),
            integer_groups,
            fraction_groups: separators(&parts.fraction).into_iter().map(left).collect(),
            integer_min: scaling,
            fraction_min: digits(&parts.fraction),
            fraction_max: places(&parts.fraction),
            scaling,
            exponent_min: parts.exponent.as_ref().map_or(0, |exponent| digits(exponent)),
        };
        let exponent = parts.exponent.is_some();
        if shape.integer_min == 0 && shape.fraction_max == 0 {
            if exponent {
                (shape.fraction_min, shape.fraction_max) = (1, 1);
            } else {
                shape.integer_min = 1;
            }
        }
        if exponent && shape.integer_min == 0 && parts.integer.contains(&self.digit) {
            shape.integer_min = 1;
        }
        if shape.integer_min == 0 && shape.fraction_min == 0 {
            shape.fraction_min = 1;
        }
        shape
    }

    fn write(&self, number: f64, parts: &Parts, shape: &Shape) -> String {
        let factor = match parts.whole.iter().find(|l| [self.percent, self.per_mille].contains(l)) {
            Some(letter) if *letter == self.percent => 100.0,
            Some(_) => 1000.0,
            None => 1.0,
        };
        let (mantissa, exponent) = scaled(number * factor, shape);
        let digits = Self::digits(rounded(mantissa, shape.fraction_max as f64), shape.fraction_max);
        let (integer, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let integer = pad_start(integer.trim_start_matches('0'), shape.integer_min);
        let fraction = pad_end(fraction.trim_end_matches('0'), shape.fraction_min);
        let mut out = parts.prefix.clone();
        self.write_integer(&mut out, &integer, shape);
        if parts.whole.contains(&self.decimal) && !fraction.is_empty() {
            out.push(self.decimal);
            for (at, digit) in fraction.chars().enumerate() {
                if shape.fraction_groups.contains(&at) {
                    out.push(self.grouping);
                }
                out.push(self.in_script(digit));
            }
        }
        if let Some(exponent) = exponent {
            out.push(self.exponent);
            if exponent < 0 {
                out.push_str(&self.minus);
            }
            let digits = exponent.unsigned_abs().to_string();
            let digits = pad_start(&digits, shape.exponent_min);
            out.extend(digits.chars().map(|digit| self.in_script(digit)));
        }
        out.push_str(&parts.suffix);
        out
    }

    fn write_integer(&self, out: &mut String, digits: &str, shape: &Shape) {
        for (at, digit) in digits.chars().enumerate() {
            let behind = digits.len() - at;
            let separated = match shape.regular {
                Some(every) => behind.is_multiple_of(every),
                None => shape.integer_groups.contains(&behind),
            };
            if at > 0 && separated {
                out.push(self.grouping);
            }
            out.push(self.in_script(digit));
        }
    }

    /// Returns plain digits with a point and at most `places` digits behind it.
    fn digits(number: f64, places: usize) -> String {
        let places = places.min(FRACTION_DIGITS_MAX);
        format!("{:.places$}", number.abs())
    }

    fn in_script(&self, digit: char) -> char {
        let value = digit.to_digit(10).unwrap_or_default();
        char::from_u32(u32::from(self.zero) + value).unwrap_or(digit)
    }
}

/// Moves the point for a picture with an exponent.
fn scaled(number: f64, shape: &Shape) -> (f64, Option<i32>) {
    if shape.exponent_min == 0 {
        return (number, None);
    }
    let digits = i32::try_from(shape.scaling).unwrap_or(i32::MAX);
    let (most, least) = (10_f64.powi(digits), 10_f64.powi(digits.saturating_sub(1)));
    let mut mantissa = number;
    let mut exponent = 0;
    while mantissa != 0.0 && mantissa.abs() < least && exponent > -EXPONENT_MAX {
        mantissa *= 10.0;
        exponent -= 1;
    }
    while mantissa.abs() > most && exponent < EXPONENT_MAX {
        mantissa /= 10.0;
        exponent += 1;
    }
    (mantissa, Some(exponent))
}

fn pad_start(digits: &str, width: usize) -> String {
    format!("{}{digits}", "0".repeat(width.saturating_sub(digits.len())))
}

fn pad_end(digits: &str, width: usize) -> String {
    format!("{digits}{}", "0".repeat(width.saturating_sub(digits.len())))
}
