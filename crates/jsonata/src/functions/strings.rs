//! Functions on strings that need no matching.

use super::{argument, number_argument, text_argument};
use crate::datum::Datum;
use crate::error::INTERNAL_TEXT;
use crate::evaluate::{Evaluator, boolean};
use crate::fault::{Fault, Run};
use crate::{Dialect, json};

/// `$string(value, prettify)`: casts to a string, structures as JSON.
pub(super) fn string(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let value = argument(arguments, 0);
    if value.is_undefined() || value.as_text().is_some() {
        return Ok(value.clone());
    }
    let pretty = boolean(argument(arguments, 1)).unwrap_or(false);
    let layout = if pretty { json::Layout::Indented } else { json::Layout::Compact };
    evaluator.read_whole(value)?;
    let text = json::to_text(value, layout, evaluator.dialect)?;
    evaluator.text(text)
}

/// `$substring(text, start, length)`: counts characters; a negative start counts from the end.
pub(super) fn substring(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let count = text.chars().count() as f64;
    let start = number_argument(arguments, 1).unwrap_or(0.0);
    let start = if count + start < 0.0 { 0.0 } else { start };
    let end = match number_argument(arguments, 2) {
        Some(length) if length <= 0.0 => return Ok(Datum::from("")),
        Some(length) if start >= 0.0 => start + length,
        Some(length) => count + start + length,
        None => count,
    };
    let (from, to) = (offset(start, count), offset(end, count));
    let part: String = text.chars().take(to).skip(from).collect();
    evaluator.text(part)
}

/// Resolves an offset that may be fractional, negative or too large.
fn offset(number: f64, count: f64) -> usize {
    let whole = number.trunc();
    let place = if whole < 0.0 { (count + whole).max(0.0) } else { whole.min(count) };
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and the length")]
    #[expect(clippy::cast_sign_loss, reason = "not below 0")]
    let place = place as usize;
    place
}

/// Returns the separator; the reference takes a missing one for its name.
fn separator(arguments: &[Datum]) -> &str {
    text_argument(arguments, 1).unwrap_or("undefined")
}

/// `$substringBefore(text, chars)`
pub(super) fn substring_before(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    match text.split_once(separator(arguments)) {
        Some((before, _)) => evaluator.text(before),
        None => Ok(argument(arguments, 0).clone()),
    }
}

/// `$substringAfter(text, chars)`
pub(super) fn substring_after(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    match text.split_once(separator(arguments)) {
        Some((_, after)) => evaluator.text(after),
        None => Ok(argument(arguments, 0).clone()),
    }
}

/// `$lowercase(text)`
pub(super) fn lowercase(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    match text_argument(arguments, 0) {
        Some(text) => evaluator.text(text.to_lowercase()),
        None => Ok(Datum::Undefined),
    }
}

/// `$uppercase(text)`
pub(super) fn uppercase(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    match text_argument(arguments, 0) {
        Some(text) => evaluator.text(text.to_uppercase()),
        None => Ok(Datum::Undefined),
    }
}

/// `$length(text)`: counts characters.
pub(super) fn length(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let text = text_argument(arguments, 0);
    Ok(text.map_or(Datum::Undefined, |text| Datum::from(text.chars().count() as f64)))
}

/// `$trim(text)`: makes every run of blanks one space and drops those at the ends.
pub(super) fn trim(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let mut out = String::with_capacity(text.len());
    let words = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
    evaluator.text(out)
}

/// `$pad(text, width, char)`: fills up to the width, on the left if it is negative.
pub(super) fn pad(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let width = number_argument(arguments, 1).unwrap_or(0.0);
    let fill = text_argument(arguments, 2).filter(|fill| !fill.is_empty()).unwrap_or(" ");
    let missing = width.abs() - text.chars().count() as f64;
    if missing <= 0.0 {
        return Ok(argument(arguments, 0).clone());
    }
    // Release 2.0.6 breaks down on part of a character.
    if evaluator.dialect == Dialect::Aws && missing.fract() != 0.0 {
        return Err(Fault::uncoded(INTERNAL_TEXT));
    }
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is metered next")]
    #[expect(clippy::cast_sign_loss, reason = "checked to be above 0")]
    let missing = missing as usize;
    evaluator.charge(missing)?;
    let padding: String = fill.chars().cycle().take(missing).collect();
    evaluator.text(if width > 0.0 {
        format!("{text}{padding}")
    } else {
        format!("{padding}{text}")
    })
}

/// `$join(texts, separator)`
pub(super) fn join(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let texts = argument(arguments, 0);
    if texts.is_undefined() {
        return Ok(Datum::Undefined);
    }
    let separator = text_argument(arguments, 1).unwrap_or("");
    let mut out = String::new();
    for (at, text) in texts.spread().iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(text.as_text().map_or("", |text| text));
    }
    evaluator.text(out)
}
