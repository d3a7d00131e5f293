//! JSON text out of values. Unicode is written as it is; only what JSON demands is escaped.

use std::fmt::{self, Write};

use crate::Value;

impl fmt::Display for Value {
    /// Writes compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_compact(f, self)
    }
}

fn write_compact(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(flag) => out.write_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write!(out, "{number}"),
        Value::String(text) => escape_into(out, text),
        Value::Array(items) => {
            out.write_char('[')?;
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.write_char(',')?;
                }
                write_compact(out, item)?;
            }
            out.write_char(']')
        }
        Value::Object(map) => {
            out.write_char('{')?;
            for (at, (key, member)) in map.iter().enumerate() {
                if at > 0 {
                    out.write_char(',')?;
                }
                escape_into(out, key)?;
                out.write_char(':')?;
                write_compact(out, member)?;
            }
            out.write_char('}')
        }
    }
}

/// Returns `text` as a JSON string, quotes included.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    // Writing into a String cannot fail.
    let _ = escape_into(&mut out, text);
    out
}

/// Writes `text` as a JSON string, quotes included.
pub fn escape_into(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(text.get(plain_from..at).unwrap_or_default())?;
        plain_from = at + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            0x08 => out.write_str("\\b")?,
            0x0c => out.write_str("\\f")?,
            control => write!(out, "\\u{control:04x}")?,
        }
    }
    out.write_str(text.get(plain_from..).unwrap_or_default())?;
    out.write_char('"')
}

/// Counts bytes instead of keeping them.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

pub(crate) fn compact_length(value: &Value) -> usize {
    let mut counter = Counter(0);
    let _ = write_compact(&mut counter, value);
    counter.0
}

pub(crate) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    let _ = write_pretty(&mut out, value, 0);
    out
}

fn indent(out: &mut String, depth: usize) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("  "));
}

fn write_pretty(out: &mut String, value: &Value, depth: usize) -> fmt::Result {
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                indent(out, depth + 1);
                write_pretty(out, item, depth + 1)?;
            }
            indent(out, depth);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (at, (key, member)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                indent(out, depth + 1);
                escape_into(out, key)?;
                out.push_str(": ");
                write_pretty(out, member, depth + 1)?;
            }
            indent(out, depth);
            out.push('}');
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => write_compact(out, value)?,
    }
    Ok(())
}
