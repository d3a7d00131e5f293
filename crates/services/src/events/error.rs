//! What EventBridge answers when it refuses, in AWS's words.

use crate::Error;

pub(super) fn rule_not_found(name: &str, bus: &str) -> Error {
    Error::new(
        "ResourceNotFoundException",
        format!("Rule {name} does not exist on EventBus {bus}."),
    )
}

pub(super) fn bus_not_found(bus: &str) -> Error {
    Error::new("ResourceNotFoundException", format!("Event bus {bus} does not exist."))
}

pub(super) fn invalid_parameter(message: impl Into<String>) -> Error {
    Error::new("ValidationException", message)
}

pub(super) fn rule_has_targets() -> Error {
    Error::new("ValidationException", "Rule can't be deleted since it has targets.")
}

pub(super) fn invalid_pattern(err: &events::pattern::Error) -> Error {
    Error::new("InvalidEventPatternException", err.to_string())
}

pub(super) fn invalid_token() -> Error {
    Error::new("ValidationException", "Parameter NextToken is not valid.")
}

pub(super) fn limit_exceeded() -> Error {
    Error::new(
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
}

// UNVERIFIED: AWS's wording of these two.
pub(super) fn connection_not_found(name: &str) -> Error {
    Error::new("ResourceNotFoundException", format!("Connection '{name}' does not exist."))
}

pub(super) fn connection_exists(name: &str) -> Error {
    Error::new("ResourceAlreadyExistsException", format!("Connection {name} already exists."))
}
