//! Where the members of a JSON text stand.

use crate::diagnostic::{Path, Position};
use crate::document::Places;

/// Returns every place of a JSON text that `value::parse` accepts.
pub(crate) fn places(content: &str) -> Places {
    let mut scan =
        Scan { rest: content, at: Position { line: 1, column: 1 }, found: Places::new() };
    scan.value(&Path::default());
    scan.found
}

/// Walks a text known to be JSON, so it needs no error handling: it only counts lines and columns.
struct Scan<'a> {
    rest: &'a str,
    at: Position,
    found: Places,
}

impl<'a> Scan<'a> {
    /// Walks over one value; nesting is bounded by `value::DEPTH_MAX`, checked before.
    fn value(&mut self, path: &Path) {
        self.blanks();
        self.found.entry(path.to_string()).or_insert(self.at);
        match self.rest.chars().next() {
            Some('{') => self.object(path),
            Some('[') => self.array(path),
            Some('"') => {
                self.string();
            }
            _ => self.skip_while(|c| !matches!(c, ',' | ']' | '}') && !c.is_whitespace()),
        }
    }

    fn object(&mut self, path: &Path) {
        self.advance();
        loop {
            self.skip_while(|c| c == ',' || c.is_whitespace());
            let at = self.at;
            if !self.rest.starts_with('"') {
                self.advance();
                return;
            }
            let key = self.string();
            // Keys with escapes are read as JSON once more; problems are rarely about them.
            let member = match value::parse(key) {
                Ok(value) => path.key(value.as_str().unwrap_or_default()),
                Err(_) => path.key(key),
            };
            self.found.insert(member.to_string(), at);
            self.skip_while(|c| c == ':' || c.is_whitespace());
            self.value(&member);
        }
    }

    fn array(&mut self, path: &Path) {
        self.advance();
        for index in 0.. {
            self.skip_while(|c| c == ',' || c.is_whitespace());
            if self.rest.is_empty() || self.rest.starts_with(']') {
                self.advance();
                return;
            }
            self.value(&path.index(index));
        }
    }

    /// Walks over a string and returns it with its quotes.
    fn string(&mut self) -> &'a str {
        let start = self.rest;
        self.advance();
        while let Some(c) = self.advance() {
            match c {
                '"' => break,
                '\\' => {
                    self.advance();
                }
                _ => {}
            }
        }
        start.get(..start.len() - self.rest.len()).unwrap_or(start)
    }

    fn blanks(&mut self) {
        self.skip_while(char::is_whitespace);
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        while self.rest.chars().next().is_some_and(&keep) {
            self.advance();
        }
    }

    fn advance(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        if c == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(c)
    }
}
