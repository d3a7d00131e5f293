//! IAM's errors in AWS's words (reference/iam.md §2.1 and §2.2).

use crate::Error;

/// Returns what a missing entity answers.
pub(super) fn no_such_entity(message: impl Into<String>) -> Error {
    Error::new("NoSuchEntity", message)
}

/// Returns what a taken name answers.
pub(super) fn already_exists(message: impl Into<String>) -> Error {
    Error::new("EntityAlreadyExists", message)
}

/// Returns what a used-up quota answers.
pub(super) fn quota(name: &str, max: usize) -> Error {
    Error::new("LimitExceeded", format!("Cannot exceed quota for {name}: {max}"))
}

/// Returns what deleting an entity answers while something hangs on it.
pub(super) fn delete_conflict(obstacle: &str) -> Error {
    Error::new("DeleteConflict", format!("Cannot delete entity, must {obstacle}"))
}

/// Returns what a change of a service-linked role answers.
pub(super) fn unmodifiable(role: &str) -> Error {
    Error::new(
        "UnmodifiableEntity",
        format!(
            "Cannot perform the operation on the protected role '{role}' - this role is only \
             modifiable by AWS"
        ),
    )
}

/// Returns what a value answers that is well-formed but makes no sense.
pub(super) fn invalid_input(message: impl Into<String>) -> Error {
    Error::new("InvalidInput", message)
}

/// Returns what a value outside its constraints answers; `shown` is left out where AWS hides it.
pub(super) fn constraint(member: &str, shown: Option<&str>, constraint: &str) -> Error {
    let value = shown.map(|shown| format!(" '{shown}'")).unwrap_or_default();
    Error::validation(format!(
        "1 validation error detected: Value{value} at '{member}' failed to satisfy constraint: \
         {constraint}"
    ))
}
