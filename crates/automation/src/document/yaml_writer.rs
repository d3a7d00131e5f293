//! Values into YAML, so that reading it again gives the same data.

use value::Value;

use super::yaml_reader;

/// How far each level is indented.
const INDENT_SPACES: usize = 2;

/// Prints a value as a block-style YAML document.
pub(crate) fn write(document: &Value) -> String {
    let mut out = String::new();
    block(&mut out, document, 0);
    if out.starts_with('\n') {
        out.remove(0);
    }
    out
}

/// Prints `value` behind `key:` or `-`; ends with a line break.
fn block(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members.iter() {
                line(out, depth);
                out.push_str(&key_text(key));
                out.push(':');
                block(out, member, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items.iter() {
                line(out, depth);
                out.push('-');
                block(out, item, depth + 1);
            }
        }
        Value::String(text) if fits_literal_block(text) => literal_block(out, text, depth),
        Value::String(text) => {
            out.push(' ');
            out.push_str(&scalar_text(text));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            out.push(' ');
            out.push_str(&value.to_string());
        }
    }
    if depth == 0 {
        out.push('\n');
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', depth * INDENT_SPACES));
}

/// Returns whether a text reads well, and reads back exactly, as a `|` block.
fn fits_literal_block(text: &str) -> bool {
    let inner = text.trim_end_matches('\n');
    inner.contains('\n')
        && !inner.starts_with([' ', '\n', '\t'])
        && inner.chars().all(|c| c == '\n' || c == '\t' || printable(c))
        && !inner.split('\n').any(|line| !line.is_empty() && line.trim().is_empty())
}

fn literal_block(out: &mut String, text: &str, depth: usize) {
    let inner = text.trim_end_matches('\n');
    let breaks = text.len() - inner.len();
    out.push_str(match breaks {
        0 => " |-",
        1 => " |",
        _ => " |+",
    });
    for one in inner.split('\n') {
        out.push('\n');
        if !one.is_empty() {
            out.extend(std::iter::repeat_n(' ', depth.max(1) * INDENT_SPACES));
            out.push_str(one);
        }
    }
    out.extend(std::iter::repeat_n('\n', breaks.saturating_sub(1)));
}

/// Returns a key, quoted where it must be; a key is always a text, so numbers may stand bare.
fn key_text(key: &str) -> String {
    scalar_text(key)
}

/// Returns a text as a plain scalar where that reads back as the same text, quoted elsewhere.
fn scalar_text(text: &str) -> String {
    let plain = text.chars().all(printable)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && text.trim() == text
        && !text.starts_with(|c| "-?:,[]{}#&*!|>'\"%@`.".contains(c))
        && !is_old_boolean(text)
        && matches!(yaml_reader::read(text), Ok(Value::String(read)) if *read == *text);
    if plain { text.to_owned() } else { value::quote(text) }
}

/// YAML 1.1 readers take these for booleans, so they are quoted for them.
fn is_old_boolean(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns whether YAML lets a character stand as it is, on any reader.
fn printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}
