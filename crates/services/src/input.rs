//! Reading members of an operation's input. The model has already refused missing and misshapen
//! ones; what is read here is there, or optional.

use value::Value;

use crate::Error;

/// Typed reads of input members.
pub trait Input {
    /// Returns the text of a required member.
    ///
    /// # Errors
    /// `ValidationError` when it is missing (an embedded caller is not checked by a model).
    fn text(&self, member: &str) -> Result<&str, Error>;

    /// Returns the text of an optional member.
    fn maybe_text(&self, member: &str) -> Option<&str>;

    /// Returns the elements of an optional list; none when it is missing.
    fn list(&self, member: &str) -> &[Value];

    /// Returns an optional flag; false when it is missing.
    fn flag(&self, member: &str) -> bool;

    /// Returns an optional whole number.
    fn integer(&self, member: &str) -> Option<i64>;
}

impl Input for Value {
    fn text(&self, member: &str) -> Result<&str, Error> {
        self.maybe_text(member).ok_or_else(|| {
            let mut letters = member.chars();
            let name: String = letters
                .next()
                .map(|first| first.to_ascii_lowercase())
                .into_iter()
                .chain(letters)
                .collect();
            Error::validation(format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: \
                 Member must not be null"
            ))
        })
    }

    fn maybe_text(&self, member: &str) -> Option<&str> {
        self.get(member).and_then(Value::as_str)
    }

    fn list(&self, member: &str) -> &[Value] {
        self.get(member).and_then(Value::as_array).unwrap_or_default()
    }

    fn flag(&self, member: &str) -> bool {
        self.get(member).and_then(Value::as_bool).unwrap_or(false)
    }

    fn integer(&self, member: &str) -> Option<i64> {
        self.get(member).and_then(Value::as_i64)
    }
}
