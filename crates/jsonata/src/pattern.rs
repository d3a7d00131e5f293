//! Regular expressions of the reference (ECMAScript's), run by a bounded engine.

use std::fmt::Write;

use fancy_regex::{Captures, Regex, RegexBuilder};

use crate::fault::{Fault, Run};

/// Steps of backtracking after which a match is given up.
const BACKTRACK_MAX: usize = 1_000_000;
/// Memory of one compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A compiled regular expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// Where the literal stands in the text.
    position: usize,
}

/// One match; places are byte offsets.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What the groups matched, by byte offsets.
    pub(crate) groups: Vec<Option<(usize, usize)>>,
}

impl Pattern {
    /// Compiles `/source/flags`, whose literal ends at `position`.
    pub(crate) fn new(source: &str, flags: &str, position: usize) -> Run<Pattern> {
        let mut translated = String::with_capacity(source.len() + 8);
        if !flags.is_empty() {
            let _ = write!(translated, "(?{flags})");
        }
        Translator { rest: source, out: translated }
            .translate()
            .and_then(|text| {
                RegexBuilder::new(&text)
                    .backtrack_limit(BACKTRACK_MAX)
                    .delegate_size_limit(PATTERN_BYTES_MAX)
                    .build()
                    .ok()
            })
            .map(|regex| Pattern { regex, position })
            .ok_or_else(|| {
                let text = format!("Invalid regular expression: /{source}/{flags}g");
                Fault::uncoded(text).at(position)
            })
    }

    /// Finds the first match at or after the byte `from`; an empty one is an error.
    pub(crate) fn find(&self, text: &str, from: usize) -> Run<Option<Match>> {
        let captures = self.regex.captures_from_pos(text, from).map_err(|_| {
            Fault::uncoded("Expression evaluation timeout: Check for infinite loop")
        })?;
        match captures.and_then(|captures| found(&captures)) {
            Some(found) if found.start == found.end => {
                Err(Fault::new("D1004").at(self.position).value(""))
            }
            other => Ok(other),
        }
    }
}

fn found(captures: &Captures<str>) -> Option<Match> {
    let whole = captures.get(0)?;
    let groups = captures.iter().skip(1).map(|group| group.map(|g| (g.start(), g.end())));
    Some(Match { start: whole.start(), end: whole.end(), groups: groups.collect() })
}

/// Rewrites ECMAScript's syntax where the engine's differs.
struct Translator<'s> {
    rest: &'s str,
    out: String,
}

/// ECMAScript's white space and line ends, as the inside of a class.
const BLANKS: &str = concat!(
    r"\t\n\x0B\x0C\r \x{A0}\x{FEFF}\x{1680}\x{2000}-\x{200A}",
    r"\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
);

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn translate(mut self) -> Option<String> {
        while let Some(letter) = self.next() {
            match letter {
                '.' => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '{' if !is_quantifier(self.rest) => self.out.push_str(r"\{"),
                other => self.out.push(other),
            }
        }
        Some(self.out)
    }

    fn class(&mut self) -> Option<()> {
        let negated = self.rest.starts_with('^');
        if negated {
            self.next();
        }
        if self.rest.starts_with(']') {
            self.next();
            self.out.push_str(if negated { "(?s:.)" } else { "(?!)" });
            return Some(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        loop {
            match self.next()? {
                ']' => break,
                '\\' => self.escape(true)?,
                special @ ('[' | '&' | '~') => {
                    self.out.push('\\');
                    self.out.push(special);
                }
                other => self.out.push(other),
            }
        }
        self.out.push(']');
        Some(())
    }

    fn escape(&mut self, in_class: bool) -> Option<()> {
        let letter = self.next()?;
        let set = |inside: &str, negated: bool| match (in_class, negated) {
            (true, false) => inside.to_owned(),
            (_, true) => format!("[^{inside}]"),
            (false, false) => format!("[{inside}]"),
        };
        let text = match letter {
            'd' | 'D' => set("0-9", letter == 'D'),
            'w' | 'W' => set("A-Za-z0-9_", letter == 'W'),
            's' | 'S' => set(BLANKS, letter == 'S'),
            'b' if in_class => r"\x08".to_owned(),
            'b' | 'B' | 'n' | 'r' | 't' | 'f' | 'v' | 'k' => format!("\\{letter}"),
            '1'..='9' if !in_class => format!("\\{letter}"),
            '0' => r"\x00".to_owned(),
            'x' => self.code_point(2, letter),
            'u' => self.code_point(4, letter),
            'c' => {
                let control = self.next()?;
                format!("\\x{:02X}", u32::from(control) % 32)
            }
            plain if plain.is_ascii_punctuation() => format!("\\{plain}"),
            plain => plain.to_string(),
        };
        self.out.push_str(&text);
        Some(())
    }

    /// Reads hexadecimal digits; without them the letter stands for itself.
    fn code_point(&mut self, digits: usize, letter: char) -> String {
        let Some(first) = self.hexadecimal(digits) else { return letter.to_string() };
        if (0xD800..0xDC00).contains(&first)
            && let Some(after) = self.rest.strip_prefix("\\u")
        {
            let before = std::mem::replace(&mut self.rest, after);
            if let Some(second @ 0xDC00..0xE000) = self.hexadecimal(digits) {
                return format!(
                    "\\x{{{:X}}}",
                    0x10000 + ((first - 0xD800) << 10) + second - 0xDC00
                );
            }
            self.rest = before;
        }
        format!("\\x{{{first:X}}}")
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let text = self.rest.get(..digits)?;
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = self.rest.get(digits..).unwrap_or_default();
        u32::from_str_radix(text, 16).ok()
    }
}

/// Returns whether what follows `{` makes it a quantifier.
fn is_quantifier(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}
