//! AWS Systems Manager: Automation documents and their executions.

mod automations;
mod document_versions;
mod documents;
mod error;
mod start;
mod tags;

use crate::Operation;

/// Every operation, one line per file.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    automations::OPERATIONS,
    document_versions::OPERATIONS,
    documents::OPERATIONS,
    start::OPERATIONS,
    tags::OPERATIONS,
];
