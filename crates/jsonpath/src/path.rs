//! Paths: the grammar.

use std::fmt;
use std::sync::Arc;

use value::Value;

use crate::cursor::Cursor;
use crate::filter::{self, Filter};
use crate::token::{self, Slice, Token};
use crate::{Error, Miss, PATH_BYTES_MAX, read};

/// A parsed path: `$.a.b`, `$['a'][0]`, `$..name`, `$.list[?(@.k == 'v')]`.
///
/// ```
/// use jsonpath::Path;
/// use value::value;
///
/// let path = Path::parse("$.store..price").unwrap();
/// let shop = value!({"store": {"a": {"price": 1}, "price": 2}});
/// assert_eq!(path.read(&shop).unwrap(), value!([2, 1]));
/// // An indefinite path never misses.
/// assert_eq!(path.read(&value!({})).unwrap(), value!([]));
/// ```
#[derive(Clone, Debug)]
pub struct Path {
    text: Arc<str>,
    tokens: Vec<Token>,
    definite: bool,
}

impl Path {
    /// Parses a path that starts with `$`.
    pub fn parse(text: &str) -> Result<Path, Error> {
        if text.len() > PATH_BYTES_MAX {
            return Err(Error::new("path too long", PATH_BYTES_MAX));
        }
        let mut cursor = Cursor::new(text, 0);
        cursor.skip_spaces();
        if !cursor.eat("$") {
            return Err(cursor.error("a path must start with `$`"));
        }
        Path::from_cursor(text, &mut cursor)
    }

    /// Parses a path whose leading `$.` may be left out, as the selectors of Systems Manager allow:
    /// `InstanceIds[0]` is `$.InstanceIds[0]`.
    pub fn parse_relative(text: &str) -> Result<Path, Error> {
        let trimmed = text.trim();
        if trimmed.starts_with('$') {
            return Path::parse(trimmed);
        }
        if trimmed.is_empty() {
            return Err(Error::new("empty path", 0));
        }
        Path::parse(&format!("$.{trimmed}"))
    }

    fn from_cursor(text: &str, cursor: &mut Cursor<'_>) -> Result<Path, Error> {
        let tokens = tokens(cursor, Context::Whole, 0)?;
        let definite = token::definite(&tokens);
        Ok(Path { text: Arc::from(text.trim()), tokens, definite })
    }

    /// Returns whether the path names at most one value.
    pub fn is_definite(&self) -> bool {
        self.definite
    }

    /// Returns whether the path is `$` alone.
    pub fn is_root(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Returns the text the path was parsed from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path in bracket notation, `$['a']['b']`.
    pub fn normalized(&self) -> Arc<str> {
        token::normalized(&self.tokens)
    }

    /// Returns what the path names in `root`.
    ///
    /// A definite path gives the value or a [`Miss`]; an indefinite one gives a list, empty on a
    /// miss. The one exception is a slice of the root, `$[1:5]`, which misses when the root is no
    /// array.
    pub fn read(&self, root: &Value) -> Result<Value, Miss> {
        read::read(&self.tokens, self.definite, root)
    }

    pub(crate) fn into_tokens(self) -> Vec<Token> {
        self.tokens
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a path stands, which decides where it ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// The path is the whole text.
    Whole,
    /// The path is an operand in a filter.
    Operand,
}

/// Reads the tokens behind `$` or `@`.
pub(crate) fn tokens(
    cursor: &mut Cursor<'_>,
    context: Context,
    depth: usize,
) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let first = cursor.peek();
    if context == Context::Whole && first.is_some_and(|c| c != '.' && c != '[') {
        return Err(cursor.error("expected `.` or `[`"));
    }
    loop {
        match cursor.peek() {
            None => return Ok(tokens),
            Some('[') => tokens.push(bracket(cursor, depth)?),
            Some('.') => dot(cursor, context, &mut tokens)?,
            Some(_) if context == Context::Operand => return Ok(tokens),
            Some(_) => tokens.push(name(cursor, context)?),
        }
    }
}

fn dot(cursor: &mut Cursor<'_>, context: Context, tokens: &mut Vec<Token>) -> Result<(), Error> {
    if cursor.eat("..") {
        tokens.push(Token::Scan);
    } else {
        cursor.expect(".")?;
    }
    match cursor.peek() {
        None => Err(cursor.error("path must not end with a `.`")),
        Some('.') => Err(cursor.error("unexpected `.`")),
        Some('[') => Ok(()),
        Some('*') => {
            cursor.eat("*");
            tokens.push(Token::Wildcard);
            Ok(())
        }
        Some(_) => {
            tokens.push(name(cursor, context)?);
            Ok(())
        }
    }
}

/// Reads a name in dot notation; `-` and every letter of every script may be part of it.
fn name(cursor: &mut Cursor<'_>, context: Context) -> Result<Token, Error> {
    let name = cursor.take_while(|c| match context {
        Context::Whole => !matches!(c, '.' | '[' | '(' | ' '),
        Context::Operand => {
            !matches!(c, '.' | '[' | '(' | ')' | ']' | ',' | '=' | '!' | '<' | '>' | '&' | '|')
                && !c.is_whitespace()
        }
    });
    match cursor.peek() {
        Some('(') => Err(cursor.error("functions are not available")),
        Some(' ') if context == Context::Whole => {
            Err(cursor.error("a name with blanks must stand in brackets and quotes"))
        }
        _ if name.is_empty() => Err(cursor.error("expected a name")),
        _ => Ok(Token::Property(Arc::from(name))),
    }
}

fn bracket(cursor: &mut Cursor<'_>, depth: usize) -> Result<Token, Error> {
    cursor.expect("[")?;
    cursor.skip_spaces();
    let token = match cursor.peek() {
        Some('\'' | '"') => names(cursor)?,
        Some('*') => {
            cursor.eat("*");
            Token::Wildcard
        }
        Some('?') => {
            cursor.eat("?");
            Token::Filter(filter_in_parentheses(cursor, depth)?)
        }
        _ => indices(cursor)?,
    };
    cursor.skip_spaces();
    cursor.expect("]")?;
    Ok(token)
}

fn names(cursor: &mut Cursor<'_>) -> Result<Token, Error> {
    let mut names = vec![cursor.quoted()?];
    cursor.skip_spaces();
    while cursor.eat(",") {
        cursor.skip_spaces();
        if !matches!(cursor.peek(), Some('\'' | '"')) {
            return Err(cursor.error("expected a name in quotes"));
        }
        names.push(cursor.quoted()?);
        cursor.skip_spaces();
    }
    match (names.len(), names.pop()) {
        (1, Some(name)) => Ok(Token::Property(name)),
        (_, last) => {
            names.extend(last);
            Ok(Token::Properties(names))
        }
    }
}

fn filter_in_parentheses(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, Error> {
    cursor.skip_spaces();
    cursor.expect("(")?;
    let filter = filter::parse(cursor, depth + 1)?;
    cursor.skip_spaces();
    cursor.expect(")")?;
    Ok(filter)
}

fn indices(cursor: &mut Cursor<'_>) -> Result<Token, Error> {
    let first = cursor.integer()?;
    cursor.skip_spaces();
    if cursor.eat(":") {
        return slice(cursor, first);
    }
    let Some(first) = first else {
        return Err(cursor.error("expected `?`, a quote, a number or `*`"));
    };
    let mut indices = vec![first];
    while cursor.eat(",") {
        cursor.skip_spaces();
        let next = cursor.integer()?;
        indices.push(next.ok_or_else(|| cursor.error("expected a number"))?);
        cursor.skip_spaces();
    }
    Ok(if indices.len() == 1 { Token::Index(first) } else { Token::Indices(indices) })
}

/// Reads what follows the first `:`; a step is read and, as in Jayway, has no effect.
fn slice(cursor: &mut Cursor<'_>, from: Option<i64>) -> Result<Token, Error> {
    cursor.skip_spaces();
    let to = cursor.integer()?;
    cursor.skip_spaces();
    if cursor.eat(":") {
        cursor.skip_spaces();
        cursor.integer()?;
    }
    match (from, to) {
        (Some(from), Some(to)) => Ok(Token::Slice(Slice::Between(from, to))),
        (Some(from), None) => Ok(Token::Slice(Slice::From(from))),
        (None, Some(to)) => Ok(Token::Slice(Slice::To(to))),
        (None, None) => Err(cursor.error("a slice needs a bound")),
    }
}
