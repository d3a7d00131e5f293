//! AWS Systems Manager: Automation documents and their executions.

mod attachments;
mod automations;
mod document;
mod document_lists;
mod document_permissions;
mod document_versions;
mod documents;
mod error;
mod retention;
mod service_settings;
mod start;
mod tags;

pub(crate) use retention::PURGED;
pub(crate) use start::SERVICE;

use crate::Operation;

/// Every operation, one line per file.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    automations::OPERATIONS,
    document_lists::OPERATIONS,
    document_permissions::OPERATIONS,
    document_versions::OPERATIONS,
    documents::OPERATIONS,
    service_settings::OPERATIONS,
    start::OPERATIONS,
    tags::OPERATIONS,
];
