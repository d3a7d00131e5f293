//! AWS Systems Manager: Automation documents and their executions.

mod automations;
mod document_versions;
mod documents;
mod error;
mod retention;
mod start;
mod tags;

pub(crate) use retention::PURGED;

use crate::Operation;

/// Every operation, one line per file.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    automations::OPERATIONS,
    document_versions::OPERATIONS,
    documents::OPERATIONS,
    start::OPERATIONS,
    tags::OPERATIONS,
];
