//! Numbers as English words.

const FEW: &[&str] = &[
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const ORDINALS: &[&str] = &[
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const DECADES: &[&str] =
    &["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];
const MAGNITUDES: &[&str] = &["Thousand", "Million", "Billion", "Trillion"];

/// What stands before a part of the number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Larger,
}

/// Writes a number with capitalised words.
pub(super) fn write(number: f64, ordinal: bool) -> String {
    part(number, Before::Nothing, ordinal)
}

fn word(list: &'static [&'static str], at: f64) -> &'static str {
    #[expect(clippy::cast_possible_truncation, reason = "callers stay within the list")]
    #[expect(clippy::cast_sign_loss, reason = "callers stay above 0")]
    list.get(at as usize).copied().unwrap_or_default()
}

fn part(number: f64, before: Before, ordinal: bool) -> String {
    let joined =
        |joint: &str| if before == Before::Larger { joint.to_owned() } else { String::new() };
    if number <= 19.0 {
        let list = if ordinal { ORDINALS } else { FEW };
        return joined(" and ") + word(list, number);
    }
    if number < 100.0 {
        let decade = word(DECADES, (number / 10.0).floor() - 2.0);
        let rest = number % 10.0;
        let text = match (rest > 0.0, ordinal) {
            (true, _) => format!("{decade}-{}", part(rest, Before::Nothing, ordinal)),
            (false, true) => format!("{}ieth", decade.trim_end_matches('y')),
            (false, false) => decade.to_owned(),
        };
        return joined(" and ") + &text;
    }
    let (head, rest) = if number < 1000.0 {
        (format!("{} Hundred", word(FEW, (number / 100.0).floor())), number % 100.0)
    } else {
        let magnitude = (number.log10() / 3.0).floor().min(MAGNITUDES.len() as f64);
        let factor = 10_f64.powf(magnitude * 3.0);
        let count = (number / factor).floor();
        let name = word(MAGNITUDES, magnitude - 1.0);
        (format!("{} {name}", part(count, Before::Nothing, false)), number - count * factor)
    };
    let tail = match (rest > 0.0, ordinal) {
        (true, _) => part(rest, Before::Larger, ordinal),
        (false, true) => "th".to_owned(),
        (false, false) => String::new(),
    };
    joined(", ") + &head + &tail
}

/// Reads words in any case; an unknown word makes it no number.
pub(super) fn read(text: &str) -> Option<f64> {
    let lower = text.to_lowercase().replace(", ", " ");
    let words = lower.split([' ', '-', '\\']).filter(|word| *word != "and");
    let mut segments: Vec<f64> = vec![0.0];
    for value in words.map(value_of) {
        let value = value?;
        let top = segments.pop().unwrap_or(0.0);
        if value >= 100.0 {
            segments.push(top * value);
        } else if top >= 1000.0 {
            segments.extend([top, value]);
        } else {
            segments.push(top + value);
        }
    }
    Some(segments.into_iter().sum())
}

fn value_of(word: &str) -> Option<f64> {
    let place = |list: &[&str]| list.iter().position(|known| known.eq_ignore_ascii_case(word));
    if let Some(at) = place(FEW).or_else(|| place(ORDINALS)) {
        return Some(at as f64);
    }
    let decade = DECADES.iter().position(|known| {
        let stem = known.to_lowercase();
        word == stem || word.strip_suffix("ieth") == stem.strip_suffix('y')
    });
    if let Some(at) = decade {
        return Some((at + 2) as f64 * 10.0);
    }
    let cardinal = word.strip_suffix("th").unwrap_or(word);
    if cardinal == "hundred" {
        return Some(100.0);
    }
    let magnitude = MAGNITUDES.iter().position(|known| known.eq_ignore_ascii_case(cardinal))?;
    Some(10_f64.powf((magnitude + 1) as f64 * 3.0))
}

/// Returns every word that a number may be made of, in lower case.
pub(super) fn vocabulary() -> impl Iterator<Item = String> {
    let decades = DECADES.iter().map(|word| word.trim_end_matches('y').to_lowercase() + "ieth");
    let large =
        MAGNITUDES.iter().copied().chain(["Hundred"]).map(|word| word.to_lowercase() + "th");
    let plain = FEW.iter().chain(ORDINALS).chain(DECADES).chain(MAGNITUDES).chain(&["Hundred"]);
    plain.map(|word| word.to_lowercase()).chain(decades).chain(large)
}
