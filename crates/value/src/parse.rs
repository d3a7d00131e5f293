//! JSON text into values: RFC 8259, with the place of the first fault.

use std::collections::HashMap;
use std::sync::Arc;

use crate::print::plain_bytes;
use crate::{Key, Map, Number, Value};

/// How deeply arrays and objects may nest.
pub const DEPTH_MAX: usize = 512;

/// Keys longer than this are not shared within a document.
const SHARED_KEY_BYTES_MAX: usize = 64;

/// How many keys of a document are scanned before the others are hashed.
const SCANNED_KEYS_MAX: usize = 24;

/// Why a text is not JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct ParseError {
    /// What was wrong, without the place.
    pub message: String,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, counted in characters.
    pub column: usize,
    /// 0-based byte offset.
    pub offset: usize,
}

/// Parses one JSON text.
///
/// A repeated key keeps its first place and its last value, as Jackson and Python do.
///
/// # Errors
/// The first fault, with line, column and offset; nesting beyond [`DEPTH_MAX`] is one.
pub fn parse(text: &str) -> Result<Value, ParseError> {
    parse_without(text, &[])
}

/// Parses one JSON text, but for some members of the outermost object, which are left out.
///
/// What is left out is not looked at more closely than to find its end. This is for texts that were
/// written by [`Value`]'s `Display`.
///
/// ```
/// let text = r#"{"name": "a", "policies": {"p": "{\"Statement\": []}"}, "id": 1}"#;
/// let value = value::parse_without(text, &["policies"]).unwrap();
/// assert_eq!(value.to_string(), r#"{"name":"a","id":1}"#);
/// ```
///
/// # Errors
/// As [`parse`].
pub fn parse_without(text: &str, left_out: &[&str]) -> Result<Value, ParseError> {
    let mut parser = Parser { text, at: 0, depth: 0, keys: Keys::default(), left_out };
    parser.blanks();
    let value = parser.value()?;
    parser.blanks();
    if parser.at < text.len() {
        return Err(parser.fault("unexpected text after the end of the JSON value"));
    }
    Ok(value)
}

/// Parses one JSON text given as bytes.
///
/// # Errors
/// As [`parse`]; bytes that are not UTF-8 are a fault at their place.
pub fn parse_bytes(bytes: &[u8]) -> Result<Value, ParseError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(err) => {
            let valid = bytes.get(..err.valid_up_to()).unwrap_or_default();
            let before = String::from_utf8_lossy(valid);
            Err(place(&before, before.len(), "invalid UTF-8"))
        }
    }
}

fn place(text: &str, offset: usize, message: impl Into<String>) -> ParseError {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    ParseError { message: message.into(), line, column, offset }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    keys: Keys<'t>,
    /// Members of the outermost object that are skipped.
    left_out: &'t [&'t str],
}

/// Keys seen in a document; equal keys share one allocation.
#[derive(Default)]
struct Keys<'t> {
    /// The first ones: a scan beats a hash.
    few: Vec<Key>,
    many: HashMap<&'t str, Key>,
}

impl<'t> Keys<'t> {
    fn share(&mut self, text: &'t str) -> Key {
        if let Some(known) = self.few.iter().find(|key| &***key == text) {
            return known.clone();
        }
        if self.few.len() < SCANNED_KEYS_MAX {
            let key: Key = Arc::from(text);
            self.few.push(key.clone());
            return key;
        }
        self.many.entry(text).or_insert_with(|| Arc::from(text)).clone()
    }
}

impl<'t> Parser<'t> {
    fn fault(&self, message: impl Into<String>) -> ParseError {
        place(self.text, self.at, message)
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => {
                self.fault(format!("expected {wanted}, found `{}`", found.escape_debug()))
            }
            None => self.fault(format!("expected {wanted}, found the end of the text")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, ParseError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(self.string()?.into()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) | None => Err(self.unexpected("a JSON value")),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, ParseError>,
    ) -> Result<Value, ParseError> {
        if self.depth >= DEPTH_MAX {
            return Err(self.fault(format!("nested more than {DEPTH_MAX} levels deep")));
        }
        self.depth += 1;
        self.at += 1;
        self.blanks();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, ParseError> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.unexpected("a JSON value"))
    }

    /// Reads `,` or `end` after an element; true when the list goes on.
    fn goes_on(&mut self, end: u8, wanted: &str) -> Result<bool, ParseError> {
        self.blanks();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blanks();
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            Some(_) | None => Err(self.unexpected(wanted)),
        }
    }

    fn array(&mut self) -> Result<Value, ParseError> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(Arc::new(items)));
        }
        loop {
            items.push(self.value()?);
            if !self.goes_on(b']', "`,` or `]`")? {
                return Ok(Value::Array(Arc::new(items)));
            }
        }
    }

    fn object(&mut self) -> Result<Value, ParseError> {
        let mut map = Map::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(map.into());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a string as the key of an object"));
            }
            let key = self.key()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.at += 1;
            self.blanks();
            if self.depth == 1 && self.left_out.contains(&&*key) {
                self.skip();
            } else {
                let value = self.value()?;
                map.insert(key, value);
            }
            if !self.goes_on(b'}', "`,` or `}`")? {
                return Ok(map.into());
            }
        }
    }

    /// Goes to the end of a value. What is not JSON is found out behind it.
    fn skip(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => open += 1,
                b'}' | b']' | b',' if open == 0 => return,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Goes to the closing quote of a string.
    fn skip_string(&mut self) {
        self.at += 1;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += plain_bytes(rest);
            match self.peek() {
                Some(b'"') | None => return,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
    }

    /// Reads a key; one without escapes is shared within the document.
    fn key(&mut self) -> Result<Key, ParseError> {
        let rest: &'t str = self.text.get(self.at + 1..).unwrap_or_default();
        let length = plain_bytes(rest.as_bytes());
        if length > SHARED_KEY_BYTES_MAX || rest.as_bytes().get(length) != Some(&b'"') {
            return self.string();
        }
        let raw = rest.get(..length).unwrap_or_default();
        self.at += length + 2;
        Ok(self.keys.share(raw))
    }

    fn string(&mut self) -> Result<Arc<str>, ParseError> {
        self.at += 1;
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        self.at += plain_bytes(rest.as_bytes());
        match self.peek() {
            Some(b'"') => {
                let text = self.text.get(start..self.at).unwrap_or_default();
                self.at += 1;
                Ok(Arc::from(text))
            }
            Some(b'\\') => self.string_with_escapes(start),
            Some(_) => Err(self.fault("control character in a string; write it as `\\u00XX`")),
            None => Err(self.unexpected("the closing `\"` of a string")),
        }
    }

    fn string_with_escapes(&mut self, start: usize) -> Result<Arc<str>, ParseError> {
        let mut out = String::from(self.text.get(start..self.at).unwrap_or_default());
        loop {
            let plain_from = self.at;
            let rest = self.text.get(self.at..).unwrap_or_default();
            self.at += plain_bytes(rest.as_bytes());
            out.push_str(self.text.get(plain_from..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Arc::from(out));
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => {
                    return Err(self.fault("control character in a string; write it as `\\u00XX`"));
                }
                None => return Err(self.unexpected("the closing `\"` of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        self.at += 1;
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            Some(_) | None => return Err(self.unexpected("one of `\"\\/bfnrtu` after `\\`")),
        };
        self.at += 1;
        Ok(escaped)
    }

    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let first = self.hex4()?;
        if let Some(found) = char::from_u32(first) {
            return Ok(found);
        }
        // A high surrogate needs its partner; a lone one has no UTF-8 form and is replaced.
        let rest = self.text.get(self.at..).unwrap_or_default();
        if first < 0xDC00 && rest.starts_with("\\u") {
            let back = self.at;
            self.at += 1;
            let second = self.hex4()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// Reads `uXXXX`, standing on the `u`.
    fn hex4(&mut self) -> Result<u32, ParseError> {
        self.at += 1;
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        let hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u32::from_str_radix(digits, 16) {
            Ok(code) if hex => {
                self.at += 4;
                Ok(code)
            }
            Ok(_) | Err(_) => Err(self.unexpected("four hexadecimal digits after `\\u`")),
        }
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected("a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, ParseError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.fault("a number may not start with `0`"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(Value::Number(Number::from_json_text(text)))
    }
}
