//! Lines that stand too far left for YAML, but not for the readers that deploy definitions:
//! SnakeYAML and PyYAML do not look at indentation within quotes and brackets, and published
//! definitions rely on it. Such lines are moved to the right, where saphyr reads them as well;
//! blanks at the beginning of a line mean nothing there.

use std::borrow::Cow;
use std::collections::BTreeSet;

use saphyr_parser::{Marker, ScanError};

/// How far a line is moved: deeper than anything around it.
const MOVED_COLUMNS: usize = 2 * value::DEPTH_MAX;
/// How many quotes and brackets of a document may have such lines; each has it read again.
const MOVES_MAX: usize = 100;
/// What saphyr says of a quoted text, and where it begins.
const IN_QUOTES: &str = "invalid indentation in quoted scalar";
/// What saphyr says of a line within brackets.
const IN_BRACKETS: [&str; 2] = ["invalid indentation", "invalid indentation in flow construct"];

/// A text, some of whose lines are moved.
pub(super) struct Lines<'t> {
    written: &'t str,
    text: Cow<'t, str>,
    /// The numbers of those that are, from 1.
    moved: BTreeSet<usize>,
    moves: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn of(written: &'t str) -> Lines<'t> {
        Lines { written, text: Cow::Borrowed(written), moved: BTreeSet::new(), moves: 0 }
    }

    /// Returns the text with the moved lines.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the byte offset of every character of the text in what is written.
    pub(super) fn offsets(&self) -> Vec<usize> {
        let mut offsets = Vec::with_capacity(self.text.len() + 1);
        let mut begin = 0;
        for (number, line) in numbered(self.written) {
            if self.moved.contains(&number) {
                offsets.extend(std::iter::repeat_n(begin, MOVED_COLUMNS));
            }
            offsets.extend(line.char_indices().map(|(offset, _)| begin + offset));
            begin += line.len();
        }
        offsets.push(begin);
        offsets
    }

    /// Returns the column of a place in what is written, from 1.
    pub(super) fn column(&self, marker: Marker) -> usize {
        let moved = if self.moved.contains(&marker.line()) { MOVED_COLUMNS } else { 0 };
        marker.col().saturating_sub(moved) + 1
    }

    /// Moves the lines that a fault is about; false when that is no remedy.
    pub(super) fn remedy(&mut self, err: &ScanError) -> bool {
        let marker = *err.marker();
        let last = match err.info() {
            IN_QUOTES => self.last_quoted(marker),
            info if IN_BRACKETS.contains(&info) => marker.line(),
            _ => return false,
        };
        let first = if err.info() == IN_QUOTES { marker.line() + 1 } else { last };
        let before = self.moved.len();
        self.moved.extend(first..=last);
        self.moves += 1;
        if self.moved.len() == before || MOVES_MAX < self.moves {
            return false;
        }
        let blanks = " ".repeat(MOVED_COLUMNS);
        let lines = numbered(self.written).flat_map(|(number, line)| {
            let before = if self.moved.contains(&number) { &*blanks } else { "" };
            [before, line]
        });
        self.text = Cow::Owned(lines.collect());
        true
    }

    /// Returns the last line of the quoted text that begins there.
    fn last_quoted(&self, marker: Marker) -> usize {
        let mut rest = self.text.chars().skip(marker.index()).peekable();
        let quote = rest.next();
        let mut line = marker.line();
        while let Some(next) = rest.next() {
            match next {
                '\n' => line += 1,
                '\\' if quote == Some('"') => line += usize::from(rest.next() == Some('\n')),
                _ if Some(next) != quote => {}
                '\'' if rest.peek() == Some(&'\'') => {
                    rest.next();
                }
                _ => break,
            }
        }
        line
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.split_inclusive('\n'))
}
