//! What is wrong with a definition, in AWS's words.

use std::fmt;

use crate::span::Span;

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The definition is refused.
    Error,
    /// The definition is accepted, though probably not meant so.
    Warning,
}

impl Severity {
    /// Returns the API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
        }
    }
}

/// The kind of a [`Diagnostic`]: the codes of `ValidateStateMachineDefinition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The text is not JSON.
    InvalidJsonDescription,
    /// A field is missing, unknown or has a bad value.
    SchemaValidationFailed,
    /// A transition leads nowhere, or a state is never reached.
    MissingTransitionTarget,
    /// Two states of one machine have the same name.
    DuplicateStateName,
    /// A state's name is too long or empty.
    InvalidStateName,
    /// A JSONata expression does not parse.
    InvalidJsonataExpression,
    /// A JSONata expression refers to what does not exist in a state.
    UnsupportedJsonataExpression,
    /// A machine has no state that it could end at.
    MissingEndState,
    /// A text field that looks like a path or an intrinsic function, without `.$`.
    NoDollar,
    /// A path in a field whose name does not end with `Path`.
    NoPath,
    /// A path in the Result of a Pass state.
    PassResultIsStatic,
}

impl Code {
    /// Returns the API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Code::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Code::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Code::DuplicateStateName => "DUPLICATE_STATE_NAME",
            Code::InvalidStateName => "INVALID_STATE_NAME",
            Code::InvalidJsonataExpression => "INVALID_JSONATA_EXPRESSION",
            Code::UnsupportedJsonataExpression => "UNSUPPORTED_JSONATA_EXPRESSION",
            Code::MissingEndState => "MISSING_END_STATE",
            Code::NoDollar => "NO_DOLLAR",
            Code::NoPath => "NO_PATH",
            Code::PassResultIsStatic => "PASS_RESULT_IS_STATIC",
        }
    }
}

/// One problem of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind.
    pub code: Code,
    /// AWS's text, without the location.
    pub message: String,
    /// The field, as AWS writes it: `/States/X/Field`.
    pub location: String,
    /// Where it stands in the text.
    pub span: Option<Span>,
    /// What could be done about it; shown by our own command line and console only.
    pub hint: Option<String>,
}

/// `CODE: message at /location`, the form of `InvalidDefinition`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)?;
        // Jackson's text carries its own place.
        if self.code == Code::InvalidJsonDescription {
            return Ok(());
        }
        write!(f, " at {}", self.location)
    }
}

/// Every problem of a definition that was refused, in the order of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

/// The message of the API's `InvalidDefinition` error.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invalid State Machine Definition: '")?;
        let errors = self.0.iter().filter(|found| found.severity == Severity::Error);
        for (index, diagnostic) in errors.enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{diagnostic}")?;
        }
        f.write_str("'")
    }
}

impl std::error::Error for Diagnostics {}
