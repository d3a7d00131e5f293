//! What goes wrong, in the words of the reference implementation.

use std::fmt;

use value::Value;

/// Why a text is no program, or why its evaluation stopped.
///
/// [`fmt::Display`] gives the reference implementation's text without the code.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The code the reference defines, e.g. `T1006`; none for exhausted budgets.
    pub code: Option<&'static str>,
    /// Where in the text, in UTF-16 units: usually the end of the offending token.
    pub position: Option<usize>,
    /// The offending token: mostly text, sometimes a number.
    pub token: Option<Value>,
    /// The offending value.
    pub value: Option<Value>,
    /// Which argument, counted from 1.
    pub index: Option<usize>,
    /// The filled-in text.
    pub message: String,
}

/// The text of what Step Functions calls an internal error, e.g. of `$base64decode("!!!")`.
pub(crate) const INTERNAL_TEXT: &str = "internal error";

impl Error {
    /// Returns whether Step Functions would report an internal error, without a code or a text.
    pub fn is_internal(&self) -> bool {
        self.code.is_none() && self.message == INTERNAL_TEXT
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
