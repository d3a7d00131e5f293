//! Templates, parameters, and whole operations against fake services.
#![cfg(test)]

mod delete_and_rollback;
mod dynamic_references;
mod each_resource;
mod fake;
mod functions;
mod parameters;
mod preview;
mod replay;
mod templates;
mod update;
