//! A position in the text of a path, and the small pieces every grammar rule reads.

use std::sync::Arc;

use crate::Error;

/// Reads a path text from left to right.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, at: usize) -> Cursor<'a> {
        Cursor { text, at }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to a position that [`Cursor::position`] gave.
    pub(crate) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Steps over `text` if it comes next.
    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let here = self.rest().starts_with(text);
        if here {
            self.at += text.len();
        }
        here
    }

    pub(crate) fn expect(&mut self, text: &str) -> Result<(), Error> {
        if self.eat(text) { Ok(()) } else { Err(self.error(format!("expected `{text}`"))) }
    }

    pub(crate) fn skip_spaces(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    /// Steps over the longest run of characters that `keep` accepts, and returns it.
    pub(crate) fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::new(message, self.at)
    }

    /// Reads a quoted text; a backslash makes the next character literal, except that the JSON
    /// escapes `\n`, `\t`, `\r` and `\uXXXX` mean what they mean in JSON.
    pub(crate) fn quoted(&mut self) -> Result<Arc<str>, Error> {
        let start = self.at;
        let quote = self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(Error::new("unclosed quote", start)),
                Some('\\') => text.push(self.escape(start)?),
                next if next == quote => return Ok(Arc::from(text)),
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<char, Error> {
        match self.next() {
            None => Err(Error::new("unclosed quote", start)),
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            Some('r') => Ok('\r'),
            Some('u') => {
                let digits = self.rest().get(..4);
                let c = digits
                    .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                    .and_then(char::from_u32)
                    .ok_or_else(|| self.error("invalid unicode escape"))?;
                self.at += 4;
                Ok(c)
            }
            Some(c) => Ok(c),
        }
    }

    /// Reads a whole number if one comes next.
    pub(crate) fn integer(&mut self) -> Result<Option<i64>, Error> {
        let start = self.at;
        let minus = self.eat("-");
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            self.at = start;
            return Ok(None);
        }
        let value: i64 = digits.parse().map_err(|_| Error::new("number out of range", start))?;
        Ok(Some(if minus { -value } else { value }))
    }
}
