//! What Systems Manager answers when it refuses, in AWS's words.

use super::documents::is_reserved;
use crate::Error;

pub(super) fn invalid_document(name: &str) -> Error {
    let why = why_absent(name);
    Error::new("InvalidDocument", format!("Document with name {name} does not exist.{why}"))
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

pub(super) fn other_document_type(kind: &str) -> Error {
    Error::new(
        "InvalidDocumentContent",
        format!(
            "Stepwell keeps documents of type Automation only, and {kind} is another: set \
             DocumentType to Automation. Where Run Command is (--endpoint ssm/unserved=URL), its \
             documents are too."
        ),
    )
}

/// The words are those of the API's description of the error, as in the next two.
pub(super) fn invalid_permission_type(kind: &str) -> Error {
    Error::new(
        "InvalidPermissionType",
        format!(
            "The permission type {kind} isn't supported. Share is the only supported permission \
             type."
        ),
    )
}

pub(super) fn permission_limit() -> Error {
    Error::new(
        "DocumentPermissionLimit",
        "The document can't be shared with more AWS accounts. You can specify a maximum of 20 \
         accounts per API operation to share a private document. By default, you can share a \
         private document with a maximum of 1,000 accounts and publicly share up to five \
         documents.",
    )
}

// UNVERIFIED: code and wording.
pub(super) fn public_sharing_blocked() -> Error {
    Error::new(
        "InvalidDocumentOperation",
        "Public sharing of documents is blocked for this account: the service setting \
         /ssm/documents/console/public-sharing-permission is Disable.",
    )
}

pub(super) fn still_shared() -> Error {
    Error::new(
        "InvalidDocumentOperation",
        "You attempted to delete a document while it is still shared. You must stop sharing the \
         document before you can delete it.",
    )
}

pub(super) fn not_owned(name: &str) -> Error {
    Error::new(
        "InvalidDocumentOperation",
        format!("The document {name} is owned by Amazon and cannot be changed."),
    )
}

/// Returns what there is to say about a name that is not there: some are Amazon's.
fn why_absent(name: &str) -> &'static str {
    if is_reserved(name) {
        " Such names are those of Amazon's own documents; ListDocuments shows which are here."
    } else {
        ""
    }
}

pub(super) fn definition_not_found(name: &str) -> Error {
    Error::new(
        "AutomationDefinitionNotFoundException",
        format!("Automation definition with name {name} could not be found.{}", why_absent(name)),
    )
}

pub(super) fn definition_version_not_found(name: &str, version: &str) -> Error {
    Error::new(
        "AutomationDefinitionVersionNotFoundException",
        format!("Automation definition {name} with version {version} could not be found."),
    )
}

// UNVERIFIED: code and wording for a version that could not be made.
pub(super) fn definition_failed(name: &str, version: u32, why: &str) -> Error {
    Error::new(
        "AutomationDefinitionVersionNotFoundException",
        format!("Automation definition {name} with version {version} has failed: {why}"),
    )
}

pub(super) fn invalid_target(message: impl Into<String>) -> Error {
    Error::new("InvalidTarget", message)
}

pub(super) fn execution_limit_exceeded(message: impl Into<String>) -> Error {
    Error::new("AutomationExecutionLimitExceededException", message)
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

pub(super) fn step_not_found(step: &str) -> Error {
    // UNVERIFIED: that the message names the step.
    Error::new(
        "AutomationStepNotFoundException",
        format!(
            "The specified step name and execution ID don't exist. Verify the information and try \
             again: {step}"
        ),
    )
}

pub(super) fn already_ended(id: &str) -> Error {
    // UNVERIFIED: the wording.
    Error::new(
        "InvalidAutomationStatusUpdateException",
        format!("Automation execution {id} has already ended and cannot be stopped."),
    )
}

pub(super) fn invalid_signal(why: &str) -> Error {
    // UNVERIFIED: that the message says why.
    Error::new(
        "InvalidAutomationSignalException",
        format!("The signal is not valid for the current Automation execution: {why}."),
    )
}

pub(super) fn invalid_filter_value(value: &str) -> Error {
    Error::new(
        "InvalidFilterValue",
        format!("The filter value {value} isn't valid. Verify the value and try again."),
    )
}

pub(super) fn invalid_next_token() -> Error {
    Error::new("InvalidNextToken", "The specified token is not valid.")
}

pub(super) fn invalid_filter_key(key: &str) -> Error {
    Error::new("InvalidFilterKey", format!("The specified filter key {key} is not valid."))
}
