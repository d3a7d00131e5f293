//! Filters: `[?(@.k == 'v' && !(@.n < 3))]`.

mod operator;
mod parse;

pub(crate) use parse::parse;

use value::Value;

use crate::read;
use crate::token::Token;
use operator::Operator;

/// A parsed filter expression.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    /// `@.path` alone: the path leads somewhere.
    Exists(Operand),
    Compare(Operand, Operator, Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Literal(Value),
    /// `@…`, read from the value under test.
    Current(SubPath),
    /// `$…`, read from the whole document.
    Root(SubPath),
    /// `/…/i`.
    Pattern(regex::Regex),
}

/// A path inside a filter.
#[derive(Clone, Debug)]
pub(crate) struct SubPath {
    pub(crate) tokens: Vec<Token>,
    pub(crate) definite: bool,
}

impl Filter {
    /// Returns whether `current` passes.
    pub(crate) fn accepts(&self, current: &Value, root: &Value) -> bool {
        match self {
            Filter::Or(filters) => filters.iter().any(|filter| filter.accepts(current, root)),
            Filter::And(filters) => filters.iter().all(|filter| filter.accepts(current, root)),
            Filter::Not(filter) => !filter.accepts(current, root),
            Filter::Exists(operand) => operand.exists(current, root),
            Filter::Compare(left, operator, right) => operator.holds(left, right, current, root),
        }
    }
}

impl Operand {
    /// Returns the value of this side; `None` is Jayway's undefined.
    pub(crate) fn value(&self, current: &Value, root: &Value) -> Option<Value> {
        match self {
            Operand::Literal(value) => Some(value.clone()),
            Operand::Current(path) => path.read(current),
            Operand::Root(path) => path.read(root),
            Operand::Pattern(_) => None,
        }
    }

    // UNVERIFIED: an indefinite path inside a filter exists when it finds at least one value.
    fn exists(&self, current: &Value, root: &Value) -> bool {
        let (path, from) = match self {
            Operand::Literal(value) => return value.as_bool() == Some(true),
            Operand::Pattern(_) => return false,
            Operand::Current(path) => (path, current),
            Operand::Root(path) => (path, root),
        };
        let found = path.read(from);
        if path.definite {
            return found.is_some();
        }
        found.is_some_and(|found| found.as_array().is_some_and(|items| !items.is_empty()))
    }
}

impl SubPath {
    fn read(&self, from: &Value) -> Option<Value> {
        read::read(&self.tokens, self.definite, from).ok()
    }
}
