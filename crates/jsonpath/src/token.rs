//! The parts of a parsed path.

use std::fmt;
use std::sync::Arc;

use crate::filter::Filter;

/// One part of a path.
#[derive(Clone, Debug)]
pub(crate) enum Token {
    /// `.name` or `['name']`.
    Property(Arc<str>),
    /// `['a','b']`: an object of these members at the end of a path, each of them before.
    Properties(Vec<Arc<str>>),
    /// `[0]`, `[-1]`.
    Index(i64),
    /// `[0,2]`.
    Indices(Vec<i64>),
    /// `[1:]`, `[:2]`, `[1:2]`.
    Slice(Slice),
    /// `*` or `[*]`.
    Wildcard,
    /// `..`: the next token applies to every value below.
    Scan,
    /// `[?(…)]`.
    Filter(Filter),
}

/// The bounds of a slice; at least one is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slice {
    From(i64),
    To(i64),
    Between(i64, i64),
}

/// Returns whether `tokens` name at most one value.
///
/// Several names at the end count as definite: they are merged into one object.
pub(crate) fn definite(tokens: &[Token]) -> bool {
    let last = tokens.len().saturating_sub(1);
    tokens.iter().enumerate().all(|(at, token)| match token {
        Token::Property(_) | Token::Index(_) => true,
        Token::Properties(_) => at == last,
        Token::Indices(_) | Token::Slice(_) | Token::Wildcard | Token::Scan | Token::Filter(_) => {
            false
        }
    })
}

/// Writes the tokens in bracket notation behind `$`.
pub(crate) fn normalized(tokens: &[Token]) -> Arc<str> {
    let mut text = String::from("$");
    for token in tokens {
        text.push_str(&token.to_string());
    }
    Arc::from(text)
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Property(name) => write!(f, "['{}']", escaped(name)),
            Token::Properties(names) => {
                let names: Vec<String> =
                    names.iter().map(|name| format!("'{}'", escaped(name))).collect();
                write!(f, "[{}]", names.join(","))
            }
            Token::Index(index) => write!(f, "[{index}]"),
            Token::Indices(indices) => {
                let indices: Vec<String> = indices.iter().map(i64::to_string).collect();
                write!(f, "[{}]", indices.join(","))
            }
            Token::Slice(Slice::From(from)) => write!(f, "[{from}:]"),
            Token::Slice(Slice::To(to)) => write!(f, "[:{to}]"),
            Token::Slice(Slice::Between(from, to)) => write!(f, "[{from}:{to}]"),
            Token::Wildcard => f.write_str("[*]"),
            Token::Scan => f.write_str(".."),
            Token::Filter(_) => f.write_str("[?]"),
        }
    }
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('\'', "\\'")
}
