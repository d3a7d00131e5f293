//! Where the statements of a policy stand in its text.

use super::{Position, Span};

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) span: Span,
    /// Where AWS's simulator says that it starts: its parser stands behind the bracket of the list
    /// then, or behind the statement before.
    // UNVERIFIED: the place of the second and later statements; that of the first stands in AWS's
    // examples for the CLI.
    pub(super) reported_start: Position,
}

/// Returns the places of the statements, in order; the text must be JSON already.
///
/// Of two `Statement` members the last one counts, as everywhere.
pub(super) fn statements(text: &str) -> Vec<Placed> {
    let mut scanner = Scanner::new(text);
    let mut spans = Vec::new();
    scanner.blanks();
    scanner.skip('{');
    while let Some(key) = scanner.next_key() {
        if key == "Statement" {
            spans = scanner.elements();
        } else {
            scanner.value();
        }
    }
    spans
}

/// Returns the position of the first character of each statement, as editors count.
pub(super) fn starts(text: &str) -> Vec<Position> {
    let editors = |place: Placed| {
        let start = place.span.start;
        Position { column: start.column.saturating_sub(1), ..start }
    };
    statements(text).into_iter().map(editors).collect()
}

struct Scanner<'t> {
    rest: std::str::Chars<'t>,
    line: usize,
    /// Characters read on this line.
    read: usize,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Scanner<'t> {
        Scanner { rest: text.chars(), line: 1, read: 0 }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.line += 1;
            self.read = 0;
        } else {
            self.read += 1;
        }
        Some(next)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|next| next.is_ascii_whitespace()) {
            self.advance();
        }
    }

    fn skip(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.advance();
        }
        self.blanks();
        found
    }

    /// The position behind the character read last, counted from 1.
    fn behind(&self) -> Position {
        Position { line: self.line, column: self.read + 1 }
    }

    /// Reads `"key":` of the top object.
    fn next_key(&mut self) -> Option<String> {
        self.skip(',');
        if self.peek() != Some('"') {
            return None;
        }
        let before = self.rest.as_str();
        self.string();
        let bytes = before.len() - self.rest.as_str().len();
        let quoted = before.get(..bytes)?;
        let key = value::parse(quoted).ok()?.as_str()?.to_owned();
        self.blanks();
        self.skip(':');
        Some(key)
    }

    /// Reads one statement or a list of them.
    fn elements(&mut self) -> Vec<Placed> {
        if self.peek() != Some('[') {
            let span = self.value();
            return vec![Placed { span, reported_start: span.start }];
        }
        self.advance();
        let mut reported_start = self.behind();
        self.blanks();
        let mut places = Vec::new();
        while self.peek().is_some_and(|next| next != ']') {
            let span = self.value();
            places.push(Placed { span, reported_start });
            reported_start = span.end;
            self.skip(',');
        }
        self.skip(']');
        places
    }

    /// Reads one value of any kind.
    fn value(&mut self) -> Span {
        let mut start = self.behind();
        match self.peek() {
            Some('{' | '[') => {
                self.advance();
                start = self.behind();
                self.nested();
            }
            Some('"') => self.string(),
            Some(_) | None => {
                while self.peek().is_some_and(|next| !matches!(next, ',' | ']' | '}' | ' ' | '\n'))
                {
                    self.advance();
                }
            }
        }
        let span = Span { start, end: self.behind() };
        self.blanks();
        span
    }

    /// Reads up to the bracket that closes the one just read.
    fn nested(&mut self) {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.peek() {
                Some('"') => self.string(),
                Some(next) => {
                    self.advance();
                    match next {
                        '{' | '[' => depth += 1,
                        '}' | ']' => depth -= 1,
                        _ => {}
                    }
                }
                None => return,
            }
        }
    }

    /// Reads a string, standing on its opening quote.
    fn string(&mut self) {
        self.advance();
        while let Some(next) = self.advance() {
            match next {
                '"' => return,
                '\\' => {
                    self.advance();
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn columns_are_those_recorded_on_aws() {
        // A document of 113 characters whose statement opens at offset 39 and closes at 111.
        let head = r#"{"Version": "2012-10-17", "Statement": "#;
        let body = format!("{{\"Sid\": \"{}\"}}", "x".repeat(62));
        let text = format!("{head}{body}}}");
        assert_eq!((head.len(), text.len()), (39, 113));
        let span = Span { start: pair(1, 41), end: pair(1, 113) };
        assert_eq!(statements(&text), [Placed { span, reported_start: span.start }]);
    }

    #[test]
    fn lists_lines_strings_with_brackets_and_escaped_keys() {
        let text = r#"{
 "Id": "}\"", "n": [1, {"a": 2}],
 "Stat\u0065ment": [
  {"日": "]"},
  {}
 ]
}"#;
        let first = Span { start: pair(4, 4), end: pair(4, 13) };
        let second = Span { start: pair(5, 4), end: pair(5, 5) };
        let place = |span: Span, reported_start| Placed { span, reported_start };
        let expected = [place(first, pair(3, 21)), place(second, first.end)];
        assert_eq!(statements(text), expected);
        assert_eq!(starts(text), [pair(4, 3), pair(5, 3)]);
    }
}
