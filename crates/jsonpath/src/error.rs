//! Why a path could not be parsed, and why it found nothing.

use std::sync::Arc;

/// A text that is no path of this dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at position {position}")]
pub struct Error {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// Where it is wrong: a byte offset into the text that was parsed.
    pub position: usize,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>, position: usize) -> Error {
        Error { message: message.into(), position }
    }
}

/// Why a definite path gave no value, in the words that AWS shows after `Invalid path '…' : `.
///
/// The paths inside are written in bracket notation, `$['a'][0]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// The last part of the path is not there.
    #[error("No results for path: {0}")]
    NoResults(Arc<str>),
    /// A part before the last is not there.
    #[error("Missing property in path {0}")]
    MissingProperty(Arc<str>),
    /// A property was asked of something that is no object.
    // UNVERIFIED: the two Java class names are those of Jayway over Jackson's tree.
    #[error(
        "Expected to find an object with property {property} in path {path} but found '{found}'. \
         This is not a json object according to the JsonProvider: \
         'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."
    )]
    NotAnObject {
        /// The property, `['b']`.
        property: String,
        /// Where it was looked for.
        path: Arc<str>,
        /// The Java class of what stood there.
        found: &'static str,
    },
    /// An index or slice was asked of something that is no array.
    #[error("Filter: {token} can only be applied to arrays. Current context is: {context}")]
    NotAnArray {
        /// The index or slice, `[0]`.
        token: String,
        /// What stood there, as JSON.
        context: String,
    },
    /// An index or slice was asked of `null`.
    #[error("The path {0} is null")]
    IsNull(Arc<str>),
    /// The read visited more than [`READ_STEPS_MAX`](crate::READ_STEPS_MAX) nodes.
    #[error("the path `{0}` visits too many values")]
    TooManySteps(Arc<str>),
}
