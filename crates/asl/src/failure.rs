//! Failures as data: what flows through Retry and Catch.

use std::fmt;

/// The names of the errors that the language itself raises.
pub mod error_name {
    /// Matches every error but `States.DataLimitExceeded` and `States.Runtime`.
    pub const ALL: &str = "States.ALL";
    /// A payload exceeded its quota.
    pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
    /// A task sent no heartbeat in time.
    pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
    /// An intrinsic function failed.
    pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
    /// The items of a Map could not be read.
    pub const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
    /// The results of a Map could not be written.
    pub const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
    /// Too many iterations of a Map failed.
    pub const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
    /// No rule of a Choice matched and there is no Default.
    pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
    /// A payload template could not be filled in.
    pub const PARAMETER_PATH_FAILURE: &str = "States.ParameterPathFailure";
    /// The execution role may not do what the task asks.
    pub const PERMISSIONS: &str = "States.Permissions";
    /// A JSONata expression failed or gave a value of the wrong type.
    pub const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
    /// A result could not be placed by ResultPath.
    pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
    /// The execution itself is broken; never caught by `States.ALL`.
    pub const RUNTIME: &str = "States.Runtime";
    /// Any failure of a task but `States.Timeout`.
    pub const TASK_FAILED: &str = "States.TaskFailed";
    /// A task or an execution took too long.
    pub const TIMEOUT: &str = "States.Timeout";
}

/// A failure of a state: an error name and a cause, both as the user sees them.
///
/// What went wrong while evaluating the definition itself carries no place yet: the engine puts
/// "An error occurred while executing the state …" before the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error name, e.g. `States.QueryEvaluationError`.
    pub error: String,
    /// The cause, without the state's name.
    pub cause: String,
    /// The field whose expression failed, e.g. `Output/result`.
    pub location: Option<String>,
}

impl Failure {
    /// A failure that breaks the execution, in the JSONPath query language.
    pub fn runtime(cause: impl Into<String>) -> Failure {
        Failure { error: error_name::RUNTIME.to_owned(), cause: cause.into(), location: None }
    }

    /// A failure of an evaluation in the JSONata query language.
    pub fn query(cause: impl Into<String>, location: Option<String>) -> Failure {
        let error = error_name::QUERY_EVALUATION_ERROR.to_owned();
        Failure { error, cause: cause.into(), location }
    }

    /// A failure with any other name.
    pub fn named(error: &str, cause: impl Into<String>) -> Failure {
        Failure { error: error.to_owned(), cause: cause.into(), location: None }
    }
}

/// Where an expression stands in its state: `Output/users[0]/name`; rendered only on failure.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// A field of the state, e.g. `Output` or `Choices[1]/Condition`.
    Top(&'a str),
    /// A member of an object.
    Key(&'a Field<'a>, &'a str),
    /// An element of an array.
    Index(&'a Field<'a>, usize),
}

impl Field<'_> {
    /// Returns the innermost name as the definition spells it: a member filled in by a path ends in
    /// `.$` there.
    pub(crate) fn as_written(&self) -> String {
        match self {
            Field::Top(name) => (*name).to_owned(),
            Field::Key(_, key) => format!("{key}.$"),
            Field::Index(outer, _) => outer.as_written(),
        }
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Top(name) => f.write_str(name),
            Field::Key(outer, key) => write!(f, "{outer}/{key}"),
            Field::Index(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}
