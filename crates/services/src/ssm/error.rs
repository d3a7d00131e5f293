//! What Systems Manager answers when it refuses, in AWS's words.

use crate::Error;

pub(super) fn invalid_document(name: &str) -> Error {
    Error::new("InvalidDocument", format!("Document with name {name} does not exist."))
}

pub(super) fn invalid_document_version(name: &str) -> Error {
    Error::new(
        "InvalidDocumentVersion",
        format!("The specified document version of {name} is not valid or does not exist."),
    )
}

pub(super) fn document_already_exists(name: &str) -> Error {
    Error::new("DocumentAlreadyExists", format!("Document with same name {name} already exists"))
}

pub(super) fn reserved_name(name: &str) -> Error {
    Error::new(
        "ValidationException",
        format!(
            "Document name {name} is not valid: names may not begin with aws, amazon or amzn, \
             which are reserved"
        ),
    )
}

pub(super) fn not_owned(name: &str) -> Error {
    Error::new(
        "InvalidDocumentOperation",
        format!("The document {name} is owned by Amazon and cannot be changed."),
    )
}

pub(super) fn definition_not_found(name: &str) -> Error {
    Error::new(
        "AutomationDefinitionNotFoundException",
        format!("Automation definition with name {name} could not be found."),
    )
}

pub(super) fn definition_version_not_found(name: &str, version: &str) -> Error {
    Error::new(
        "AutomationDefinitionVersionNotFoundException",
        format!("Automation definition {name} with version {version} could not be found."),
    )
}

pub(super) fn invalid_parameters(message: impl Into<String>) -> Error {
    Error::new("InvalidAutomationExecutionParametersException", message)
}

pub(super) fn execution_not_found(id: &str) -> Error {
    Error::new(
        "AutomationExecutionNotFoundException",
        format!("Automation execution with ID {id} not found."),
    )
}

pub(super) fn invalid_next_token() -> Error {
    Error::new("InvalidNextToken", "The specified token is not valid.")
}

pub(super) fn invalid_filter_key(key: &str) -> Error {
    Error::new("InvalidFilterKey", format!("The specified filter key {key} is not valid."))
}
