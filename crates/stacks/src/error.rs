//! Why a template, its parameters or a request were refused.

/// A refusal, in AWS's words; CloudFormation answers `ValidationError` with this text, and
/// `InsufficientCapabilitiesException` for [`Error::Capabilities`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The template has a wrong shape.
    #[error("Template format error: {0}")]
    Format(String),
    /// An intrinsic function is used wrongly.
    #[error("Template error: {0}")]
    Template(String),
    /// Resources wait for each other.
    #[error("Circular dependency between resources: [{}]", .0.join(", "))]
    Circular(Vec<String>),
    /// A parameter is missing, unknown or breaks its constraints.
    #[error("{0}")]
    Parameters(String),
    /// The caller has not acknowledged what the template may do.
    #[error("Requires capabilities : [{0}]")]
    Capabilities(String),
    /// The update would change nothing.
    #[error("No updates are to be performed.")]
    NoUpdates,
}

impl Error {
    pub(crate) fn format(text: impl Into<String>) -> Error {
        Error::Format(text.into())
    }

    pub(crate) fn template(text: impl Into<String>) -> Error {
        Error::Template(text.into())
    }
}
