//! AWS Systems Manager: Automation documents and their executions.

mod attachments;
mod automations;
mod document;
mod document_lists;
mod document_permissions;
mod document_versions;
mod documents;
mod error;
mod listing;
mod locations;
mod lookup;
mod parameter_defaults;
mod parameter_lists;
mod parameter_names;
mod parameters;
mod retention;
mod secure_strings;
mod service_settings;
mod signals;
mod start;
mod step_listing;
mod tags;
mod targets;

pub(crate) use parameter_names::why_absent;
pub(crate) use parameters::{Named, named_parameter, parameter_check};
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
    parameter_lists::OPERATIONS,
    parameters::OPERATIONS,
    service_settings::OPERATIONS,
    listing::OPERATIONS,
    signals::OPERATIONS,
    start::OPERATIONS,
    step_listing::OPERATIONS,
    tags::OPERATIONS,
];
