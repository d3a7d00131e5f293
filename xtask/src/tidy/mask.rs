//! Which bytes of a Rust file are code: a scanner for comments and texts, nothing more.
//!
//! It knows line and nested block comments, texts with escapes, raw texts, byte texts, characters
//! and lifetimes. It does not parse; rules that count braces or look for words rely on texts and
//! comments being blanked, and on nothing else.

use std::ops::RangeInclusive;

/// A file with everything blanked that is not code.
#[derive(Default)]
pub(super) struct Mask {
    /// The text with comments and the inside of texts as spaces; lines keep their numbers.
    pub(super) code: String,
    /// The lines of `#[cfg(test)]` modules, counted from 1.
    tests: Vec<RangeInclusive<usize>>,
}

impl Mask {
    /// Returns whether a line belongs to a test module.
    pub(super) fn in_tests(&self, line: usize) -> bool {
        self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// Returns how many lines are not in test modules.
    pub(super) fn lines_outside_tests(&self) -> usize {
        let tests: usize = self.tests.iter().map(|lines| lines.clone().count()).sum();
        self.code.lines().count() - tests
    }
}

/// Blanks comments and texts.
pub(super) fn mask(text: &str) -> Mask {
    let mut scanner = Scanner { rest: text, code: String::with_capacity(text.len()) };
    while scanner.step() {}
    let tests = test_modules(&scanner.code);
    Mask { code: scanner.code, tests }
}

struct Scanner<'a> {
    rest: &'a str,
    code: String,
}

impl Scanner<'_> {
    /// Takes one token; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest;
        let Some(first) = rest.chars().next() else { return false };
        if rest.starts_with("//") {
            self.blank(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.blank(block_comment_bytes(rest));
        } else if let Some(bytes) = raw_text_bytes(rest).filter(|_| !self.inside_word()) {
            self.blank(bytes);
        } else if first == '"' {
            self.blank(text_bytes(rest));
        } else if first == '\'' {
            self.quote();
        } else {
            self.keep(first.len_utf8());
        }
        true
    }

    /// A character, or a lifetime.
    fn quote(&mut self) {
        let mut inside = self.rest.chars().skip(1);
        let bytes = match (inside.next(), inside.next()) {
            (Some('\\'), _) => {
                // The character behind the backslash may itself be a quote.
                let closing = self.rest.char_indices().skip(3).find(|(_, c)| *c == '\'');
                closing.map_or(1, |(at, _)| at + 1)
            }
            (Some(c), Some('\'')) => 2 + c.len_utf8(),
            _ => {
                self.keep(1);
                return;
            }
        };
        self.blank(bytes);
    }

    /// Returns whether the last byte taken belongs to a name, so that `r"` is its end.
    fn inside_word(&self) -> bool {
        self.code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
    }

    fn keep(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.code.push_str(taken);
        self.rest = rest;
    }

    fn blank(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }
}

fn block_comment_bytes(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            match rest.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => break,
            }
        }
    }
    text.len()
}

/// Returns the length of a raw text or byte text (`r"`, `r#"`, `br"`), if one starts here.
fn raw_text_bytes(text: &str) -> Option<usize> {
    let after_prefix = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let after_hashes = after_prefix.trim_start_matches('#');
    let hashes = after_prefix.len() - after_hashes.len();
    let inside = after_hashes.strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&closing).map_or(inside.len(), |at| at + closing.len());
    Some(text.len() - inside.len() + length)
}

/// Returns the length of the text that starts here with a quote.
fn text_bytes(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Finds `#[cfg(test)] mod name { … }` in masked code.
fn test_modules(code: &str) -> Vec<RangeInclusive<usize>> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if line.trim() == "#[cfg(test)]"
            && lines.get(at + 1).is_some_and(|next| next.contains("mod ") && next.contains('{'))
        {
            let last = at + 1 + block_lines(lines.get(at + 1..).unwrap_or_default());
            found.push(at + 1..=last);
            at = last;
        } else {
            at += 1;
        }
    }
    found
}

/// Returns how many of these lines of masked code pass until the first brace is closed again; 0
/// when no block opens before a `;`.
pub(super) fn block_lines(lines: &[&str]) -> usize {
    let (mut depth, mut brackets, mut opened) = (0_i32, 0_i32, false);
    for (index, line) in lines.iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => {
                    depth += 1;
                    opened = true;
                }
                '}' => depth -= 1,
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                // A declaration without a body; a `;` inside `[u8; 4]` does not count.
                ';' if !opened && brackets == 0 => return 0,
                _ => {}
            }
            if opened && depth == 0 {
                return index + 1;
            }
        }
    }
    lines.len()
}
