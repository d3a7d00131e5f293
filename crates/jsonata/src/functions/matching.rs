//! Functions that look for texts or regular expressions in texts.

use std::rc::Rc;
use std::sync::Arc;

use value::{Key, Value};

use super::{argument, number_argument, text_argument};
use crate::Dialect;
use crate::datum::{Datum, Function};
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Run};
use crate::pattern::{Match, Pattern};

/// Something that finds matches one after another.
enum Matcher {
    Pattern(Arc<Pattern>, Rc<str>, usize),
    /// A function of the program that answers objects like those of a pattern.
    Custom(Datum, Rc<str>),
    Ended,
}

/// One match, with byte offsets into the text.
struct Found {
    text: String,
    start: usize,
    end: usize,
    groups: Vec<Datum>,
    /// The object that the reference would pass around; made on demand.
    object: Option<Datum>,
    native: Option<(Arc<Pattern>, Match)>,
}

impl Evaluator<'_> {
    /// Returns the object for a pattern's first match at or after the byte `from`.
    pub(crate) fn first_match(
        &mut self,
        pattern: &Arc<Pattern>,
        text: &Rc<str>,
        from: usize,
    ) -> Run<Datum> {
        self.work(1)?;
        if from > 0 && from >= text.len() {
            return Ok(Datum::Undefined);
        }
        match pattern.find(text, from)? {
            Some(found) => Ok(match_object(pattern, text, found)),
            None => Ok(Datum::Undefined),
        }
    }
}

fn match_object(pattern: &Arc<Pattern>, text: &Rc<str>, found: Match) -> Datum {
    let key = |name: &str| Key::from(name);
    let groups = group_texts(text, &found);
    let members = vec![
        (key("match"), Datum::from(slice(text, found.start, found.end))),
        (key("start"), Datum::from(units(text, found.start))),
        (key("end"), Datum::from(units(text, found.end))),
        (key("groups"), Datum::array(groups)),
        (
            key("next"),
            Datum::from(Function::Next { pattern: pattern.clone(), text: text.clone(), found }),
        ),
    ];
    Datum::object(members)
}

fn group_texts(text: &str, found: &Match) -> Vec<Datum> {
    let groups = found.groups.iter();
    groups
        .map(|group| match group {
            Some((start, end)) => Datum::from(slice(text, *start, *end)),
            None => Datum::Value(Value::Null),
        })
        .collect()
}

fn slice(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

/// Returns how many UTF-16 units stand before a byte.
fn units(text: &str, byte: usize) -> f64 {
    slice(text, 0, byte).encode_utf16().count() as f64
}

/// Returns the byte at which the UTF-16 unit `unit` begins.
fn byte_of(text: &str, unit: f64) -> usize {
    let mut count = 0.0;
    for (byte, letter) in text.char_indices() {
        if count >= unit {
            return byte;
        }
        count += letter.len_utf16() as f64;
    }
    text.len()
}

impl Matcher {
    fn new(evaluator: &mut Evaluator, matcher: &Datum, text: &str) -> Run<Matcher> {
        if let Datum::Function(function) = matcher
            && let Function::Regex(pattern) = &**function
        {
            return Ok(Matcher::Pattern(pattern.clone(), Rc::from(text), 0));
        }
        if !matcher.is_function() {
            // The reference stumbles over its own feet here; the text is what it says then.
            let text = "Cannot read properties of undefined (reading 'apply')";
            return Err(Fault::uncoded(text));
        }
        let first = evaluator.apply(matcher, vec![Datum::from(text)])?;
        Ok(Matcher::Custom(first, Rc::from(text)))
    }

    fn next(&mut self, evaluator: &mut Evaluator) -> Run<Option<Found>> {
        evaluator.work(1)?;
        match std::mem::replace(self, Matcher::Ended) {
            Matcher::Ended => Ok(None),
            Matcher::Pattern(pattern, text, from) => {
                if from > 0 && from >= text.len() {
                    return Ok(None);
                }
                let Some(found) = pattern.find(&text, from)? else { return Ok(None) };
                *self = Matcher::Pattern(pattern.clone(), text.clone(), found.end);
                Ok(Some(Found {
                    text: slice(&text, found.start, found.end).to_owned(),
                    start: found.start,
                    end: found.end,
                    groups: group_texts(&text, &found),
                    object: None,
                    native: Some((pattern, found)),
                }))
            }
            Matcher::Custom(object, text) => {
                let Some(found) = custom(&object, &text)? else { return Ok(None) };
                let next = object.field("next");
                *self = if next.is_function() {
                    Matcher::Custom(evaluator.apply(&next, Vec::new())?, text)
                } else {
                    Matcher::Ended
                };
                Ok(Some(found))
            }
        }
    }
}

/// Reads the object that a program's own matcher answered.
fn custom(object: &Datum, text: &str) -> Run<Option<Found>> {
    if object.is_undefined() || !crate::evaluate::boolean(object).unwrap_or(false) {
        return Ok(None);
    }
    let (start, end, groups) = (object.field("start"), object.field("end"), object.field("groups"));
    let fits = start.as_number().is_some()
        || end.as_number().is_some()
        || groups.is_array()
        || object.field("next").is_function();
    if !fits {
        return Err(Fault::new("T1010"));
    }
    let matched = object.field("match").as_text().map_or("", |text| text).to_owned();
    Ok(Some(Found {
        text: matched,
        start: byte_of(text, start.as_number().unwrap_or(0.0)),
        end: byte_of(text, end.as_number().unwrap_or(0.0)),
        groups: groups.spread().to_vec(),
        object: Some(object.clone()),
        native: None,
    }))
}

/// Checks a limit that must not be negative; none is no limit.
fn limit(arguments: &[Datum], at: usize, code: &'static str) -> Run<f64> {
    match number_argument(arguments, at) {
        Some(limit) if limit < 0.0 => Err(Fault::new(code).value(limit).index(at + 1)),
        Some(limit) => Ok(limit),
        None => Ok(f64::INFINITY),
    }
}

/// `$match(text, pattern, limit)`
pub(super) fn match_(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let limit = limit(arguments, 2, "D3040")?;
    let mut results = Vec::new();
    if limit > 0.0 {
        let mut matcher = Matcher::new(evaluator, argument(arguments, 1), text)?;
        while let Some(found) = matcher.next(evaluator)? {
            results.push(Datum::object(vec![
                (Key::from("match"), Datum::from(found.text)),
                (Key::from("index"), Datum::from(units(text, found.start))),
                (Key::from("groups"), Datum::array(found.groups)),
            ]));
            if results.len() as f64 >= limit {
                break;
            }
        }
    }
    evaluator.sequence(results)
}

/// `$contains(text, pattern)`
pub(super) fn contains(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    if let Some(part) = text_argument(arguments, 1) {
        return Ok(Datum::from(text.contains(part)));
    }
    if argument(arguments, 1).is_undefined() && evaluator.dialect == Dialect::Full {
        return Ok(Datum::Undefined);
    }
    let mut matcher = Matcher::new(evaluator, argument(arguments, 1), text)?;
    Ok(Datum::from(matcher.next(evaluator)?.is_some()))
}

/// `$split(text, separator, limit)`
pub(super) fn split(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let limit = limit(arguments, 2, "D3020")?;
    let mut parts = Vec::new();
    if limit <= 0.0 {
        return evaluator.array(parts);
    }
    if let Some(separator) = text_argument(arguments, 1) {
        let all: Vec<&str> = match separator {
            "" => text.split("").filter(|letter| !letter.is_empty()).collect(),
            _ => text.split(separator).collect(),
        };
        parts.extend(all.into_iter().map(Datum::from));
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        #[expect(clippy::cast_sign_loss, reason = "checked to be above 0")]
        parts.truncate(limit as usize);
        evaluator.charge(text.len())?;
        return evaluator.array(parts);
    }
    let mut matcher = Matcher::new(evaluator, argument(arguments, 1), text)?;
    let mut start = 0;
    while (parts.len() as f64) < limit {
        let Some(found) = matcher.next(evaluator)? else {
            parts.push(Datum::from(slice(text, start, text.len())));
            break;
        };
        parts.push(Datum::from(slice(text, start, found.start)));
        start = found.end;
    }
    evaluator.charge(text.len())?;
    evaluator.array(parts)
}

/// `$replace(text, pattern, replacement, limit)`
pub(super) fn replace(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let pattern = argument(arguments, 1);
    if pattern.as_text().is_some_and(|pattern| pattern.is_empty()) {
        return Err(Fault::new("D3010").value("").index(2));
    }
    let limit = limit(arguments, 3, "D3011")?;
    let replacement = argument(arguments, 2);
    let mut out = String::with_capacity(text.len());
    let mut position = 0;
    let mut count = 0.0;
    if let Some(pattern) = pattern.as_text() {
        let with = replacement.as_text().map_or("", |text| text);
        while count < limit
            && let Some(at) = text.get(position..).and_then(|rest| rest.find(&**pattern))
        {
            out.push_str(slice(text, position, position + at));
            out.push_str(with);
            position += at + pattern.len();
            count += 1.0;
            evaluator.work(1)?;
        }
    } else if limit > 0.0 {
        let mut matcher = Matcher::new(evaluator, pattern, text)?;
        while count < limit
            && let Some(found) = matcher.next(evaluator)?
        {
            out.push_str(slice(text, position, found.start));
            out.push_str(&substitute(evaluator, replacement, text, &found)?);
            position = found.start + found.text.len();
            count += 1.0;
        }
    }
    out.push_str(slice(text, position, text.len()));
    evaluator.text(out)
}

/// Returns what stands for one match.
fn substitute(
    evaluator: &mut Evaluator,
    replacement: &Datum,
    text: &str,
    found: &Found,
) -> Run<String> {
    if let Some(template) = replacement.as_text() {
        return Ok(filled(template, found));
    }
    let object = match (&found.object, &found.native) {
        (Some(object), _) => object.clone(),
        (None, Some((pattern, found))) => match_object(pattern, &Rc::from(text), found.clone()),
        (None, None) => Datum::Undefined,
    };
    let result = evaluator.apply(replacement, vec![object])?;
    match result.as_text() {
        Some(text) => Ok(text.to_string()),
        None => Err(Fault::new("D3012").value_some(result.to_json())),
    }
}

/// Fills `$0`, `$1`, … into a replacement.
fn filled(template: &str, found: &Found) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('0') {
            out.push_str(&found.text);
            rest = after;
        } else {
            rest = group_reference(rest, found, &mut out);
        }
    }
    out.push_str(rest);
    out
}

/// Writes the group that the digits at the start of `rest` name; returns what follows them.
fn group_reference<'t>(rest: &'t str, found: &Found, out: &mut String) -> &'t str {
    let groups = found.groups.len();
    let digits_max = groups.max(1).to_string().len();
    let digits = rest.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
    let parse = |count: usize| rest.get(..count).and_then(|digits| digits.parse::<usize>().ok());
    let number = match parse(digits) {
        Some(number) if digits_max > 1 && number > groups => parse(digits_max - 1).or(Some(number)),
        other => other,
    };
    let Some(number) = number else {
        out.push('$');
        return rest;
    };
    if let Some(group) = number.checked_sub(1).and_then(|at| found.groups.get(at)) {
        out.push_str(group.as_text().map_or("", |text| text));
    }
    rest.get(number.to_string().len()..).unwrap_or_default()
}
