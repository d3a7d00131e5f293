//! The grammar of filters.

use std::sync::Arc;

use value::Value;

use super::{Filter, Operand, Operator, SubPath};
use crate::cursor::Cursor;
use crate::path::{self, Context};
use crate::{Error, FILTER_DEPTH_MAX, token};

/// Reads a filter up to its closing parenthesis.
pub(crate) fn parse(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, Error> {
    if depth > FILTER_DEPTH_MAX {
        return Err(cursor.error("filter nested too deeply"));
    }
    let mut any = vec![all(cursor, depth)?];
    while eat_spaced(cursor, "||") {
        any.push(all(cursor, depth)?);
    }
    Ok(single_or(any, Filter::Or))
}

fn all(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, Error> {
    let mut all = vec![term(cursor, depth)?];
    while eat_spaced(cursor, "&&") {
        all.push(term(cursor, depth)?);
    }
    Ok(single_or(all, Filter::And))
}

fn single_or(mut filters: Vec<Filter>, combine: fn(Vec<Filter>) -> Filter) -> Filter {
    match (filters.len(), filters.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            filters.extend(last);
            combine(filters)
        }
    }
}

fn term(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, Error> {
    if depth > FILTER_DEPTH_MAX {
        return Err(cursor.error("filter nested too deeply"));
    }
    if eat_spaced(cursor, "!") {
        return Ok(Filter::Not(Box::new(term(cursor, depth + 1)?)));
    }
    if eat_spaced(cursor, "(") {
        let inner = parse(cursor, depth + 1)?;
        cursor.skip_spaces();
        cursor.expect(")")?;
        return Ok(inner);
    }
    let left = operand(cursor, depth)?;
    cursor.skip_spaces();
    let Some(operator) = Operator::read(cursor) else { return Ok(Filter::Exists(left)) };
    cursor.skip_spaces();
    let right = right_operand(cursor, depth)?;
    Ok(Filter::Compare(left, operator, right))
}

/// Reads what stands right of an operator: an operand, else a text without quotes.
// UNVERIFIED: what AWS compares such a text with. It takes `[?(@.code == es)]` when a machine is
// created, and samples of its own rely on it.
fn right_operand(cursor: &mut Cursor<'_>, depth: usize) -> Result<Operand, Error> {
    let start = cursor.position();
    let read = operand(cursor, depth);
    cursor.skip_spaces();
    let is_whole = cursor.peek().is_none_or(|c| matches!(c, ')' | '&' | '|'));
    if is_whole && read.is_ok() {
        return read;
    }
    let end = cursor.position();
    cursor.rewind(start);
    let word = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    if word.is_empty() {
        cursor.rewind(end);
        return read;
    }
    Ok(Operand::Literal(Value::from(word)))
}

fn eat_spaced(cursor: &mut Cursor<'_>, text: &str) -> bool {
    cursor.skip_spaces();
    cursor.eat(text)
}

fn operand(cursor: &mut Cursor<'_>, depth: usize) -> Result<Operand, Error> {
    match cursor.peek() {
        Some('@') => {
            cursor.eat("@");
            Ok(Operand::Current(sub_path(cursor, depth)?))
        }
        Some('$') => {
            cursor.eat("$");
            Ok(Operand::Root(sub_path(cursor, depth)?))
        }
        Some('\'' | '"') => Ok(Operand::Literal(Value::from(cursor.quoted()?))),
        Some('/') => pattern(cursor),
        Some('[' | '{') => json(cursor),
        Some(c) if matches!(c, '-' | '.') || c.is_ascii_digit() => number(cursor),
        Some(_) => word(cursor),
        None => Err(cursor.error("filter ends too early")),
    }
}

fn sub_path(cursor: &mut Cursor<'_>, depth: usize) -> Result<SubPath, Error> {
    let tokens = path::tokens(cursor, Context::Operand, depth)?;
    let definite = token::definite(&tokens);
    Ok(SubPath { tokens, definite })
}

fn number(cursor: &mut Cursor<'_>) -> Result<Operand, Error> {
    let start = cursor.position();
    let text =
        cursor.take_while(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E'));
    if let Ok(value @ Value::Number(_)) = value::parse(text) {
        return Ok(Operand::Literal(value));
    }
    // As Java reads numbers: `.85` and `1.` are some.
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    match number.map(Value::from) {
        Some(value) => Ok(Operand::Literal(value)),
        None => Err(Error::new(format!("invalid number `{text}`"), start)),
    }
}

fn word(cursor: &mut Cursor<'_>) -> Result<Operand, Error> {
    let start = cursor.position();
    let word = cursor.take_while(char::is_alphanumeric);
    match word {
        "true" => Ok(Operand::Literal(Value::Bool(true))),
        "false" => Ok(Operand::Literal(Value::Bool(false))),
        "null" => Ok(Operand::Literal(Value::Null)),
        _ => Err(Error::new("expected a value or a path in the filter", start)),
    }
}

/// Reads `/pattern/flags`; the pattern must match the whole text.
// DIFFERS: Java's look-around and back references are refused, patterns run in linear time.
fn pattern(cursor: &mut Cursor<'_>) -> Result<Operand, Error> {
    let start = cursor.position();
    cursor.expect("/")?;
    let mut pattern = String::new();
    loop {
        match cursor.next() {
            None => return Err(Error::new("unclosed pattern", start)),
            Some('/') => break,
            Some('\\') if cursor.eat("/") => pattern.push('/'),
            Some('\\') => {
                pattern.push('\\');
                pattern.extend(cursor.next());
            }
            Some(c) => pattern.push(c),
        }
    }
    let flags = cursor.take_while(|c| c.is_ascii_alphabetic());
    let known: String = flags.chars().filter(|c| matches!(c, 'i' | 'm' | 's' | 'x')).collect();
    let flags = if known.is_empty() { known } else { format!("(?{known})") };
    regex::Regex::new(&format!(r"{flags}\A(?:{pattern})\z"))
        .map(Operand::Pattern)
        .map_err(|_| Error::new(format!("invalid pattern `{pattern}`"), start))
}

/// Reads a list or object literal; Jayway allows single quotes around its texts.
fn json(cursor: &mut Cursor<'_>) -> Result<Operand, Error> {
    let start = cursor.position();
    let mut text = String::new();
    let mut depth = 0_usize;
    loop {
        match cursor.peek() {
            None => return Err(Error::new("unclosed literal", start)),
            Some('\'' | '"') => {
                let quoted: Arc<str> = cursor.quoted()?;
                text.push_str(&Value::from(quoted).to_string());
                continue;
            }
            Some('[' | '{') => depth += 1,
            Some(']' | '}') => depth -= 1,
            Some(_) => {}
        }
        text.extend(cursor.next());
        if depth == 0 {
            break;
        }
    }
    value::parse(&text)
        .map(Operand::Literal)
        .map_err(|_| Error::new(format!("invalid literal `{text}`"), start))
}
