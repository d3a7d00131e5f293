//! What CloudWatch Logs answers when it refuses.

use crate::Error;

pub(super) fn group_exists() -> Error {
    Error::new("ResourceAlreadyExistsException", "The specified log group already exists")
}

pub(super) fn stream_exists() -> Error {
    Error::new("ResourceAlreadyExistsException", "The specified log stream already exists")
}

pub(super) fn no_group() -> Error {
    Error::new("ResourceNotFoundException", "The specified log group does not exist.")
}

pub(super) fn no_stream() -> Error {
    Error::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

pub(super) fn invalid_parameter(what: impl Into<String>) -> Error {
    Error::new("InvalidParameterException", what)
}

pub(super) fn invalid_token() -> Error {
    invalid_parameter("The specified nextToken is invalid.")
}
