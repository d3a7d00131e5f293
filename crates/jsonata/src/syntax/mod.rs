//! From text to a shaped tree: tokens, grammar, paths and ancestors.

mod ancestry;
mod expr;
mod lexer;
mod parser;
mod shape;
pub(crate) mod signature;
pub(crate) mod tree;

use crate::Dialect;
use crate::fault::Run;

/// How deeply a text may nest; keeps every recursive pass within a thread's stack.
pub(crate) const NESTING_MAX: u32 = 200;

/// Parses `text` into a tree whose paths and ancestors are resolved.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Run<tree::Node> {
    shape::shape(parser::parse(text, dialect)?)
}
