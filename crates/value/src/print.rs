//! JSON text out of values. Unicode is written as it is; only what JSON demands is escaped.

use std::fmt::{self, Write as _};

use crate::{Number, Value};

impl fmt::Display for Value {
    /// Writes compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A formatter costs more per piece than a copy of the whole.
        f.write_str(&self.to_json())
    }
}

impl Value {
    /// Appends the value as compact JSON; cheaper than formatting it.
    ///
    /// ```
    /// let mut out = String::from("n=");
    /// value::value!({"a": [1, "b"]}).write_json(&mut out);
    /// assert_eq!(out, r#"n={"a":[1,"b"]}"#);
    /// ```
    pub fn write_json(&self, out: &mut String) {
        write_compact(out, self);
    }

    /// Returns the value as compact JSON; cheaper than `to_string`.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(TEXT_BYTES);
        self.write_json(&mut out);
        out
    }
}

/// What a text is given at first; most take less.
const TEXT_BYTES: usize = 128;

/// Where text goes.
trait Sink {
    fn text(&mut self, text: &str);
}

impl Sink for String {
    #[inline]
    fn text(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// Counts bytes instead of keeping them.
struct Counter(usize);

impl Sink for Counter {
    #[inline]
    fn text(&mut self, text: &str) {
        self.0 += text.len();
    }
}

fn write_compact(out: &mut impl Sink, value: &Value) {
    match value {
        Value::Null => out.text("null"),
        Value::Bool(flag) => out.text(if *flag { "true" } else { "false" }),
        Value::Number(Number::Int(int)) => integer(out, *int),
        Value::Number(Number::Raw(text)) => out.text(text),
        Value::Number(Number::Float(float)) => {
            out.text(&crate::JavaScriptNumber(*float).to_string());
        }
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            out.text("[");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.text(",");
                }
                write_compact(out, item);
            }
            out.text("]");
        }
        Value::Object(map) => {
            out.text("{");
            for (at, (key, member)) in map.iter().enumerate() {
                if at > 0 {
                    out.text(",");
                }
                string(out, key);
                out.text(":");
                write_compact(out, member);
            }
            out.text("}");
        }
    }
}

/// Returns `text` as a JSON string, quotes included.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    escape_into(&mut out, text);
    out
}

/// Appends `text` as a JSON string, quotes included.
pub fn escape_into(out: &mut String, text: &str) {
    string(out, text);
}

/// Appends `int` in decimal.
///
/// ```
/// let mut out = String::new();
/// value::integer_into(&mut out, i64::MIN);
/// assert_eq!(out, "-9223372036854775808");
/// ```
pub fn integer_into(out: &mut String, int: i64) {
    integer(out, int);
}

/// As many characters as the longest `i64` has.
const INTEGER_CHARS_MAX: usize = 20;

fn integer(out: &mut impl Sink, int: i64) {
    let mut digits = [b'0'; INTEGER_CHARS_MAX];
    let mut rest = int.unsigned_abs();
    let mut from = INTEGER_CHARS_MAX;
    for (at, place) in digits.iter_mut().enumerate().rev() {
        let digit = (rest % 10) as u8;
        *place = b'0' + digit;
        from = at;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        out.text("-");
    }
    let shown = digits.get(from..).and_then(|digits| std::str::from_utf8(digits).ok());
    out.text(shown.unwrap_or_default());
}

/// Bytes looked at in one go.
const WORD_BYTES: usize = 8;
/// The lowest bit of every byte of a word.
const LOW_BITS: u64 = u64::MAX / 0xFF;
/// The highest bit of every byte of a word.
const HIGH_BITS: u64 = LOW_BITS << 7;

/// Returns how many bytes at the front need no escape.
pub(crate) fn plain_bytes(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk::<WORD_BYTES>() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            let within = (marks.trailing_zeros() / u8::BITS) as usize;
            return bytes.len() - rest.len() + within;
        }
        rest = behind;
    }
    let within = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'));
    within.map_or(bytes.len(), |within| bytes.len() - rest.len() + within)
}

/// Marks bytes of a word that need an escape in their highest bit. Of the marks only the lowest
/// counts: a borrow may set more above it.
fn marks(word: u64) -> u64 {
    let below = |word: u64, bound: u8| word.wrapping_sub(LOW_BITS * u64::from(bound)) & !word;
    let quote = word ^ (LOW_BITS * u64::from(b'"'));
    let backslash = word ^ (LOW_BITS * u64::from(b'\\'));
    (below(word, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGH_BITS
}

fn string(out: &mut impl Sink, text: &str) {
    out.text("\"");
    let mut rest = text;
    loop {
        let (plain, escaped) =
            rest.split_at_checked(plain_bytes(rest.as_bytes())).unwrap_or((rest, ""));
        out.text(plain);
        let Some(byte) = escaped.bytes().next() else { break };
        escape(out, byte);
        rest = escaped.get(1..).unwrap_or_default();
    }
    out.text("\"");
}

fn escape(out: &mut impl Sink, byte: u8) {
    match byte {
        b'"' => out.text("\\\""),
        b'\\' => out.text("\\\\"),
        b'\n' => out.text("\\n"),
        b'\r' => out.text("\\r"),
        b'\t' => out.text("\\t"),
        0x08 => out.text("\\b"),
        0x0c => out.text("\\f"),
        control => {
            let mut shown = String::new();
            // Writing into a String cannot fail.
            let _ = write!(shown, "\\u{control:04x}");
            out.text(&shown);
        }
    }
}

pub(crate) fn compact_length(value: &Value) -> usize {
    let mut counter = Counter(0);
    write_compact(&mut counter, value);
    counter.0
}

pub(crate) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write_pretty(&mut out, value, 0);
    out
}

fn indent(out: &mut String, depth: usize) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("  "));
}

fn write_pretty(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                indent(out, depth + 1);
                write_pretty(out, item, depth + 1);
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
                escape_into(out, key);
                out.push_str(": ");
                write_pretty(out, member, depth + 1);
            }
            indent(out, depth);
            out.push('}');
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => write_compact(out, value),
    }
}
