//! Text into tokens.

use std::sync::Arc;

use value::Value;

use crate::Dialect;
use crate::fault::{Fault, Run};

/// One token and where it ends.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// End of the token in UTF-16 units.
    pub(crate) position: usize,
}

/// What a token is.
#[derive(Clone, Debug)]
pub(crate) enum TokenKind {
    /// A field name, bare or in backquotes.
    Name(Arc<str>),
    /// `$name`, without the `$`; empty for `$` itself and `$` for `$$`.
    Variable(Arc<str>),
    /// A string literal.
    Text(Arc<str>),
    /// A number literal.
    Number(f64),
    /// `true`, `false` or `null`.
    Constant(Value),
    /// A regular expression with its flags.
    Regex(Arc<str>, Arc<str>),
    /// An operator or a bracket; also `and`, `or` and `in`.
    Operator(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// Returns what the errors call this token.
    pub(crate) fn value(&self) -> Value {
        match &self.kind {
            TokenKind::Name(text) | TokenKind::Variable(text) | TokenKind::Text(text) => {
                Value::String(text.clone())
            }
            TokenKind::Number(number) => Value::from(*number),
            TokenKind::Constant(value) => value.clone(),
            TokenKind::Regex(..) => Value::object(),
            TokenKind::Operator(symbol) => Value::from(*symbol),
            TokenKind::End => Value::from("(end)"),
        }
    }

    /// Returns whether this is the operator `symbol`.
    pub(crate) fn is(&self, symbol: &str) -> bool {
        matches!(self.kind, TokenKind::Operator(own) if own == symbol)
    }
}

/// What the next `/` means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// An operand may follow: `/` opens a regular expression.
    Operand,
    /// An operator may follow: `/` divides.
    Operator,
}

/// Reads tokens one after another.
pub(crate) struct Lexer<'t> {
    rest: &'t str,
    /// UTF-16 units read so far.
    units: usize,
    previous: Option<char>,
    dialect: Dialect,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str, dialect: Dialect) -> Lexer<'t> {
        Lexer { rest: text, units: 0, previous: None, dialect }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        self.units += next.len_utf16();
        self.previous = Some(next);
        Some(next)
    }

    fn skip(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        self.units += if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
        self.previous = text.chars().next_back().or(self.previous);
        true
    }

    fn token(&self, kind: TokenKind) -> Token {
        Token { kind, position: self.units }
    }

    /// Reads the next token.
    pub(crate) fn next(&mut self, expect: Expect) -> Run<Token> {
        self.blanks_and_comments()?;
        let Some(first) = self.peek() else { return Ok(self.token(TokenKind::End)) };
        if first == '/' && expect == Expect::Operand {
            self.bump();
            return self.regex();
        }
        if let Some(symbol) = self.symbol() {
            self.skip(symbol);
            return Ok(self.token(TokenKind::Operator(symbol)));
        }
        match first {
            '"' | '\'' => self.text(),
            '`' => self.quoted_name(),
            '0'..='9' => self.number(),
            _ => Ok(self.name()),
        }
    }

    /// Returns the operator that comes next, the longest that fits.
    fn symbol(&self) -> Option<&'static str> {
        let mut bytes = self.rest.bytes();
        let first = bytes.next()?;
        match (first, bytes.next()) {
            (b'.', Some(b'.')) => Some(".."),
            (b':', Some(b'=')) => Some(":="),
            (b'!', Some(b'=')) => Some("!="),
            (b'>', Some(b'=')) => Some(">="),
            (b'<', Some(b'=')) => Some("<="),
            (b'*', Some(b'*')) => Some("**"),
            (b'~', Some(b'>')) => Some("~>"),
            // Only newer releases know these.
            (b'?', Some(b':')) if self.dialect == Dialect::Full => Some("?:"),
            (b'?', Some(b'?')) if self.dialect == Dialect::Full => Some("??"),
            _ => single(first),
        }
    }

    fn blanks_and_comments(&mut self) -> Run<()> {
        loop {
            if self.peek().is_some_and(is_blank) {
                self.bump();
                continue;
            }
            let start = self.units;
            if !self.skip("/*") {
                return Ok(());
            }
            while !self.skip("*/") {
                if self.bump().is_none() {
                    return Err(Fault::new("S0106").at(start));
                }
            }
        }
    }

    fn text(&mut self) -> Run<Token> {
        let quote = self.bump();
        let mut out = String::new();
        loop {
            match self.bump() {
                None => return Err(Fault::new("S0101").at(self.units)),
                Some('\\') => self.escape(&mut out)?,
                end if end == quote => break,
                Some(plain) => out.push(plain),
            }
        }
        Ok(self.token(TokenKind::Text(Arc::from(out))))
    }

    fn escape(&mut self, out: &mut String) -> Run<()> {
        let at = self.units;
        let Some(letter) = self.bump() else { return Err(Fault::new("S0101").at(self.units)) };
        out.push(match letter {
            '"' | '\'' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode_escape(at)?,
            other => return Err(Fault::new("S0103").at(at).token(other.to_string())),
        });
        Ok(())
    }

    /// Reads the four digits after `\u`, and the second half of a surrogate pair.
    // DIFFERS: a lone surrogate becomes U+FFFD, because our strings are UTF-8.
    fn unicode_escape(&mut self, at: usize) -> Run<char> {
        let first = self.four_digits().ok_or_else(|| Fault::new("S0104").at(at))?;
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let (rest, units, previous) = (self.rest, self.units, self.previous);
        if self.skip("\\u")
            && let Some(second @ 0xDC00..0xE000) = self.four_digits()
        {
            let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        (self.rest, self.units, self.previous) = (rest, units, previous);
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits =
            self.rest.get(..4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        (0..4).for_each(|_| {
            self.bump();
        });
        Some(code)
    }

    fn quoted_name(&mut self) -> Run<Token> {
        self.bump();
        let Some((name, _)) = self.rest.split_once('`') else {
            let end = self.units + self.rest.encode_utf16().count();
            return Err(Fault::new("S0105").at(end));
        };
        self.skip(name);
        self.bump();
        Ok(self.token(TokenKind::Name(Arc::from(name))))
    }

    fn number(&mut self) -> Run<Token> {
        let start = self.units;
        let text = number_text(self.rest);
        let number = text.parse::<f64>().unwrap_or(f64::INFINITY);
        if !number.is_finite() {
            return Err(Fault::new("S0102").at(start).token(text));
        }
        self.skip(text);
        Ok(self.token(TokenKind::Number(number)))
    }

    fn name(&mut self) -> Token {
        let end = self.rest.find(|c| is_blank(c) || is_symbol(c)).unwrap_or(self.rest.len());
        let name = self.rest.get(..end).unwrap_or_default();
        self.skip(name);
        if let Some(variable) = name.strip_prefix('$') {
            return self.token(TokenKind::Variable(Arc::from(variable)));
        }
        self.token(match name {
            "and" => TokenKind::Operator("and"),
            "or" => TokenKind::Operator("or"),
            "in" => TokenKind::Operator("in"),
            "true" => TokenKind::Constant(Value::Bool(true)),
            "false" => TokenKind::Constant(Value::Bool(false)),
            "null" => TokenKind::Constant(Value::Null),
            _ => TokenKind::Name(Arc::from(name)),
        })
    }

    /// Reads a regular expression after its opening slash.
    fn regex(&mut self) -> Run<Token> {
        let body = self.rest;
        let mut depth = 0_i64;
        let mut backslashes = 0_usize;
        let mut bytes = 0_usize;
        loop {
            let escaped = self.previous == Some('\\');
            let Some(next) = self.peek() else { return Err(Fault::new("S0302").at(self.units)) };
            if next == '/' && depth == 0 && backslashes.is_multiple_of(2) {
                break;
            }
            match next {
                '(' | '[' | '{' if !escaped => depth += 1,
                ')' | ']' | '}' if !escaped => depth -= 1,
                _ => {}
            }
            backslashes = if next == '\\' { backslashes + 1 } else { 0 };
            bytes += next.len_utf8();
            self.bump();
        }
        let pattern = body.get(..bytes).unwrap_or_default();
        if pattern.is_empty() {
            return Err(Fault::new("S0301").at(self.units));
        }
        self.bump();
        let mut flags = String::new();
        while let Some(flag @ ('i' | 'm')) = self.peek() {
            flags.push(flag);
            self.bump();
        }
        Ok(self.token(TokenKind::Regex(Arc::from(pattern), Arc::from(flags))))
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}')
}

fn is_symbol(c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| single(byte).is_some())
}

/// Returns the operator or bracket of one character.
fn single(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'.' => ".",
        b'[' => "[",
        b']' => "]",
        b'{' => "{",
        b'}' => "}",
        b'(' => "(",
        b')' => ")",
        b',' => ",",
        b'@' => "@",
        b'#' => "#",
        b';' => ";",
        b':' => ":",
        b'?' => "?",
        b'+' => "+",
        b'-' => "-",
        b'*' => "*",
        b'/' => "/",
        b'%' => "%",
        b'|' => "|",
        b'=' => "=",
        b'<' => "<",
        b'>' => ">",
        b'^' => "^",
        b'&' => "&",
        b'!' => "!",
        b'~' => "~",
        _ => return None,
    })
}

/// Returns the longest prefix that is a JSON number without sign.
fn number_text(text: &str) -> &str {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let mut end = if bytes.first() == Some(&b'0') { 1 } else { digits(0) };
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let count = digits(end + 1 + sign);
        if count > 0 {
            end += 1 + sign + count;
        }
    }
    text.get(..end).unwrap_or_default()
}
