//! Places in a definition's text.

/// One place: a byte offset with its line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// 0-based byte offset.
    pub offset: usize,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, counted in characters.
    pub column: usize,
}

/// The text from one position up to, not including, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// The character behind the last one.
    pub end: Position,
}

impl Position {
    /// The beginning of a text.
    pub const START: Position = Position { offset: 0, line: 1, column: 1 };

    /// Returns the place behind a character that stands here.
    #[must_use]
    pub fn after(self, character: char) -> Position {
        let offset = self.offset + character.len_utf8();
        if character == '\n' {
            Position { offset, line: self.line + 1, column: 1 }
        } else {
            Position { offset, line: self.line, column: self.column + 1 }
        }
    }
}

/// How a string is written, told by its first character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// JSON, or YAML in double quotes.
    Double,
    /// YAML in single quotes.
    Single,
    /// YAML without quotes, or in a block.
    Bare,
}

/// Returns where each character of the string `value`, written at `span` of `text` in JSON or YAML,
/// stands; fewer places where it is written in a way that is not understood.
///
/// ```
/// use asl::{Position, Span, positions};
///
/// let text = r#"{"a": "x\"y"}"#;
/// let start = Position { offset: 6, line: 1, column: 7 };
/// let end = Position { offset: 12, line: 1, column: 13 };
/// let columns: Vec<usize> =
///     positions(text, Span { start, end }, "x\"y").iter().map(|place| place.column).collect();
/// assert_eq!(columns, [8, 9, 11]);
/// ```
pub fn positions(text: &str, span: Span, value: &str) -> Vec<Position> {
    let written = text.get(span.start.offset..span.end.offset).unwrap_or_default();
    let style = match written.chars().next() {
        Some('"') => Style::Double,
        Some('\'') => Style::Single,
        _ => Style::Bare,
    };
    let mut walk = Walk { rest: written, at: span.start };
    match written.chars().next() {
        Some('"' | '\'') => walk.pass(1),
        // The header of a block.
        Some('|' | '>') => walk.pass(written.chars().take_while(|c| *c != '\n').count() + 1),
        _ => {}
    }
    let mut found = Vec::with_capacity(value.len());
    for wanted in value.chars() {
        match walk.find(wanted, style) {
            Some(place) => found.push(place),
            None => break,
        }
    }
    found
}

/// The written text that has not been passed yet.
struct Walk<'t> {
    rest: &'t str,
    at: Position,
}

impl Walk<'_> {
    fn pass(&mut self, characters: usize) {
        for _ in 0..characters {
            let mut rest = self.rest.chars();
            let Some(next) = rest.next() else { return };
            self.at = self.at.after(next);
            self.rest = rest.as_str();
        }
    }

    /// Passes the written form of one character and returns where it began.
    fn find(&mut self, wanted: char, style: Style) -> Option<Position> {
        loop {
            let at = self.at;
            let mut written = self.rest.chars();
            let (first, second) = (written.next()?, written.next());
            match (style, first, second) {
                (Style::Double, '\\', Some('u')) => self.pass(6),
                (Style::Double, '\\', _) | (Style::Single, '\'', Some('\'')) => self.pass(2),
                _ if first == wanted => self.pass(1),
                // A folded line break.
                (_, '\n', _) if wanted == ' ' => self.pass(1),
                // Indentation, line breaks that mean nothing.
                _ if first.is_whitespace() => {
                    self.pass(1);
                    continue;
                }
                _ => return None,
            }
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, start: (usize, usize, usize), value: &str) -> Vec<(usize, usize)> {
        let (offset, line, column) = start;
        let start = Position { offset, line, column };
        let end = Position { offset: text.len(), line, column };
        let found = positions(text, Span { start, end }, value);
        found.iter().map(|place| (place.line, place.column)).collect()
    }

    #[test]
    fn characters_are_found_however_they_are_written() {
        assert_eq!(places("a: 'it''s'", (3, 1, 4), "it's"), [(1, 5), (1, 6), (1, 7), (1, 9)]);
        assert_eq!(places(r#""\u65e5x""#, (0, 1, 1), "日x"), [(1, 2), (1, 8)]);
        assert_eq!(places("a: |\n  x\n  y\n", (3, 1, 4), "x\ny"), [(2, 3), (2, 4), (3, 3)]);
        assert_eq!(places("a: x\n  y", (3, 1, 4), "x y"), [(1, 4), (1, 5), (2, 3)]);
        assert_eq!(places("abc", (0, 1, 1), "abx"), [(1, 1), (1, 2)]);
    }
}
