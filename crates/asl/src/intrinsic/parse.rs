//! Reading calls.

use value::Value;

use super::{Argument, FUNCTIONS, INTRINSIC_DEPTH_MAX, Intrinsic};
use crate::path::Path;

/// Reads a text that is one whole call.
pub(super) fn call(text: &str) -> Option<Intrinsic> {
    let (call, rest) = read_call(text.trim(), 1)?;
    rest.trim().is_empty().then_some(call)
}

fn read_call(text: &str, depth: usize) -> Option<(Intrinsic, &str)> {
    if depth > INTRINSIC_DEPTH_MAX {
        return None;
    }
    let (name, mut rest) = text.split_once('(')?;
    let (_, counts, function) = FUNCTIONS.iter().find(|(known, ..)| *known == name.trim_end())?;
    let mut arguments = Vec::new();
    rest = rest.trim_start();
    if let Some(behind) = rest.strip_prefix(')') {
        rest = behind;
    } else {
        loop {
            let (argument, behind) = read_argument(rest.trim_start(), depth)?;
            arguments.push(argument);
            let behind = behind.trim_start();
            if let Some(behind) = behind.strip_prefix(',') {
                rest = behind;
            } else {
                rest = behind.strip_prefix(')')?;
                break;
            }
        }
    }
    let text = text.get(..text.len() - rest.len())?.to_owned();
    let fits = counts.contains(&arguments.len());
    fits.then_some((Intrinsic { text, function: *function, arguments }, rest))
}

fn read_argument(text: &str, depth: usize) -> Option<(Argument, &str)> {
    if let Some(inside) = text.strip_prefix('\'') {
        let (literal, rest) = read_string(inside)?;
        return Some((Argument::Literal(literal.into()), rest));
    }
    if text.starts_with('$') {
        let end = path_end(text);
        let (path, rest) = text.split_at_checked(end)?;
        return Some((Argument::Path(Path::parse(path.trim_end())?), rest));
    }
    if text.starts_with("States.") {
        let (call, rest) = read_call(text, depth + 1)?;
        return Some((Argument::Call(call), rest));
    }
    let end = text.find([',', ')'])?;
    let (literal, rest) = text.split_at_checked(end)?;
    let literal = value::parse(literal.trim()).ok()?;
    let plain = matches!(literal, Value::Null | Value::Bool(_) | Value::Number(_));
    plain.then_some((Argument::Literal(literal), rest))
}

/// Reads a string behind its opening quote; only quotes, braces and backslashes are escaped.
fn read_string(inside: &str) -> Option<(String, &str)> {
    let mut literal = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, next)) = chars.next() {
        match next {
            '\'' => return Some((literal, inside.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                // Format needs to tell an escaped brace from a hole.
                brace @ ('{' | '}') => literal.extend(['\\', brace]),
                plain @ ('\'' | '\\') => literal.push(plain),
                _ => return None,
            },
            plain => literal.push(plain),
        }
    }
    None
}

/// Returns where a path argument ends: at a comma or bracket outside of its own brackets and
/// quotes.
fn path_end(text: &str) -> usize {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, next) in text.char_indices() {
        match next {
            '\'' => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            ',' | ')' if !quoted && depth == 0 => return at,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    text.len()
}
