//! Templates, parameters, and whole operations against fake services.
#![cfg(test)]

mod delete_and_rollback;
mod fake;
mod functions;
mod parameters;
mod preview;
mod replay;
mod resource_types;
mod templates;
mod update;
