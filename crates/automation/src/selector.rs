//! Selectors: the JSONPath of outputs and properties.
//!
//! AWS names dot, index and deep scan; constant filters and bracketed names occur in its own
//! documents, and so do selectors without the leading `$.` (`InstanceIds[0]`).

use jsonpath::{Error, Path};
use value::Value;

/// Returns what a selector finds; a deep scan or a filter always finds a list.
pub(crate) fn select(selector: &str, value: &Value) -> Option<Value> {
    Path::parse_relative(selector).ok()?.read(value).ok()
}

/// Returns why a text is no selector.
pub(crate) fn check(text: &str) -> Result<(), Error> {
    Path::parse_relative(text).map(|_| ())
}
