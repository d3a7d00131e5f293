//! What CloudFormation answers when it refuses, in AWS's words.

use stacks::Status;

use crate::Error;

/// Returns what a refused template, parameter or capability answers.
pub(super) fn refused(err: &stacks::Error) -> Error {
    let code = match err {
        stacks::Error::Capabilities(_) => "InsufficientCapabilitiesException",
        stacks::Error::Format(_)
        | stacks::Error::Template(_)
        | stacks::Error::Circular(_)
        | stacks::Error::Parameters(_)
        | stacks::Error::NoUpdates => "ValidationError",
    };
    Error::new(code, err.to_string())
}

pub(super) fn no_stack_with_id(name: &str) -> Error {
    Error::validation(format!("Stack with id {name} does not exist"))
}

pub(super) fn no_stack(name: &str) -> Error {
    Error::validation(format!("Stack [{name}] does not exist"))
}

pub(super) fn already_exists(name: &str) -> Error {
    Error::new("AlreadyExistsException", format!("Stack [{name}] already exists"))
}

pub(super) fn not_updatable(stack_id: &str, status: Status) -> Error {
    Error::validation(format!(
        "Stack:{stack_id} is in {} state and can not be updated.",
        status.as_str()
    ))
}

pub(super) fn not_deletable(stack_id: &str, status: Status) -> Error {
    Error::validation(format!(
        "Stack [{stack_id}] cannot be deleted while in status {}",
        status.as_str()
    ))
}

pub(super) fn is_protected(name: &str) -> Error {
    Error::validation(format!(
        "Stack [{name}] cannot be deleted while TerminationProtection is enabled"
    ))
}

pub(super) fn role_not_assumable(role_arn: &str) -> Error {
    Error::validation(format!("Role {role_arn} is invalid or cannot be assumed"))
}

// UNVERIFIED: the exact words.
pub(super) fn token_already_exists(token: &str) -> Error {
    Error::new(
        "TokenAlreadyExistsException",
        format!("ClientRequestToken {token} has been used for another operation"),
    )
}

// UNVERIFIED: the exact words.
pub(super) fn invalid_next_token() -> Error {
    Error::validation("The specified NextToken is not valid")
}

pub(super) fn no_change_set(name: &str) -> Error {
    Error::new("ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"))
}

// UNVERIFIED: the exact words.
pub(super) fn change_set_exists(name: &str) -> Error {
    Error::new("AlreadyExistsException", format!("ChangeSet [{name}] already exists"))
}

pub(super) fn already_created(stack_name: &str, change_set_name: &str) -> Error {
    Error::validation(format!(
        "Stack [{stack_name}] already exists and cannot be created again with the changeSet \
         [{change_set_name}]."
    ))
}

// UNVERIFIED: the exact words.
pub(super) fn not_executable(id: &str, status: &str) -> Error {
    Error::new(
        "InvalidChangeSetStatus",
        format!(
            "ChangeSet [{id}] cannot be executed in its current execution status of [{status}]"
        ),
    )
}

// UNVERIFIED: the exact words.
pub(super) fn not_deletable_change_set(id: &str, status: &str) -> Error {
    Error::new(
        "InvalidChangeSetStatus",
        format!("ChangeSet [{id}] cannot be deleted in its current execution status of [{status}]"),
    )
}

pub(super) fn not_available(member: &str) -> Error {
    Error::validation(format!(
        "Stepwell does not take {member}; docs/compat/cloudformation.md says why."
    ))
}
