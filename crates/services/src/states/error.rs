//! What Step Functions answers when it refuses, in AWS's words.

use crate::Error;

pub(super) fn state_machine_does_not_exist(arn: &str) -> Error {
    Error::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

pub(super) fn state_machine_already_exists(arn: &str) -> Error {
    Error::new("StateMachineAlreadyExists", format!("State Machine Already Exists: '{arn}'"))
}

// UNVERIFIED: AWS's wording.
pub(super) fn state_machine_deleting(arn: &str) -> Error {
    Error::new("StateMachineDeleting", format!("State Machine is being deleted: '{arn}'"))
}

pub(super) fn execution_does_not_exist(arn: &str) -> Error {
    Error::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

pub(super) fn execution_already_exists(arn: &str) -> Error {
    Error::new("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'"))
}

// UNVERIFIED: AWS's wording around the reason.
pub(super) fn execution_not_redrivable(reason: &str) -> Error {
    Error::new("ExecutionNotRedrivable", format!("Execution Not Redrivable: '{reason}'"))
}

pub(super) fn activity_does_not_exist(arn: &str) -> Error {
    Error::new("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'"))
}

// UNVERIFIED: AWS's wording.
pub(super) fn activity_already_exists(arn: &str) -> Error {
    Error::new("ActivityAlreadyExists", format!("Activity Already Exists: '{arn}'"))
}

// UNVERIFIED: AWS's wording.
pub(super) fn activity_worker_limit_exceeded(arn: &str) -> Error {
    Error::new("ActivityWorkerLimitExceeded", format!("Activity Worker Limit Exceeded: '{arn}'"))
}

// UNVERIFIED: AWS's wording.
pub(super) fn invalid_encryption_configuration() -> Error {
    Error::new(
        "InvalidEncryptionConfiguration",
        "Invalid Encryption Configuration: 'kmsKeyId is required for CUSTOMER_MANAGED_KMS_KEY'",
    )
}

/// The task is over, or its execution is.
pub(super) fn task_timed_out() -> Error {
    Error::new("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
}

// UNVERIFIED: AWS's wording.
pub(super) fn task_does_not_exist() -> Error {
    Error::new("TaskDoesNotExist", "Task Does Not Exist: 'Provided task does not exist'")
}

// UNVERIFIED: AWS's wording.
pub(super) fn invalid_output(what: &str) -> Error {
    Error::new("InvalidOutput", format!("Invalid Output: '{what}'"))
}

pub(super) fn invalid_arn_prefix(arn: &str) -> Error {
    Error::new("InvalidArn", format!("Invalid Arn: 'Invalid ARN prefix: {arn}'"))
}

// UNVERIFIED: AWS's wording.
pub(super) fn invalid_role_arn(arn: &str) -> Error {
    Error::new("InvalidArn", format!("Invalid Role Arn: '{arn}'"))
}

/// `what` is the word for the kind of resource, or the ARN when it has none.
// UNVERIFIED: the text for the wrong kind stands in reports of AWS's users; for no kind, nowhere.
pub(super) fn invalid_arn(what: &str) -> Error {
    Error::new(
        "InvalidArn",
        format!("Invalid Arn: 'Resource type not valid in this context: {what}'"),
    )
}

pub(super) fn invalid_name(name: &str) -> Error {
    Error::new("InvalidName", format!("Invalid Name: '{name}'"))
}

pub(super) fn invalid_token() -> Error {
    Error::new("InvalidToken", "Invalid Token: 'Invalid token'")
}

pub(super) fn invalid_execution_input(what: &str) -> Error {
    Error::new("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{what}'"))
}

/// What cannot be read as JSON, in the words of the parser that AWS reads definitions with.
// UNVERIFIED: that AWS says the same of an input.
pub(super) fn unreadable_input(text: &str, err: &value::ParseError) -> Error {
    let told = asl::Node::parse(text).err().map(|problem| problem.message);
    invalid_execution_input(&told.unwrap_or_else(|| err.to_string()))
}

pub(super) fn invalid_definition(problems: &str) -> Error {
    Error::new("InvalidDefinition", format!("Invalid State Machine Definition: '{problems}'"))
}

pub(super) fn missing_update_parameter() -> Error {
    Error::new(
        "MissingRequiredParameter",
        "Either the definition, the role ARN, the LoggingConfiguration, or the \
            TracingConfiguration must be specified",
    )
}

pub(super) fn state_machine_type_not_supported() -> Error {
    Error::new(
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )
}

// UNVERIFIED: AWS's wording.
pub(super) fn execution_limit_exceeded(what: &str) -> Error {
    Error::new("ExecutionLimitExceeded", format!("Execution Limit Exceeded: '{what}'"))
}

/// The role's trust policy does not let Step Functions in.
pub(super) fn role_not_assumable() -> Error {
    Error::new(
        "AccessDeniedException",
        "Neither the global service principal states.amazonaws.com, nor the regional one is \
         authorized to assume the provided role.",
    )
}

pub(super) fn resource_not_found(arn: &str) -> Error {
    Error::new("ResourceNotFound", format!("Resource not found: '{arn}'"))
}

pub(super) fn resource_does_not_exist() -> Error {
    Error::new("ResourceNotFound", "Request references a resource that does not exist.")
}

pub(super) fn conflict(text: impl Into<String>) -> Error {
    Error::new("ConflictException", text)
}

pub(super) fn validation(text: impl Into<String>) -> Error {
    Error::new("ValidationException", text)
}

pub(super) fn invalid_logging(what: &str) -> Error {
    Error::new("InvalidLoggingConfiguration", format!("Invalid Logging Configuration: {what}"))
}

pub(super) fn invalid_encryption(what: &str) -> Error {
    let text = format!("Invalid Encryption Configuration: {what}");
    Error::new("InvalidEncryptionConfiguration", text)
}
