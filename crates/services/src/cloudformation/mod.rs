//! AWS CloudFormation: stacks, on top of the pure `stacks` crate.

mod change_sets;
mod create;
mod delete;
mod describe;
mod error;
mod events;
mod operation;
mod parameter_store;
mod protection;
mod request;
mod resources;
mod retention;
mod secure_references;
mod stack;
mod templates;
mod update;

pub(crate) use retention::PURGED;

use crate::Operation;

/// Every operation, one line per file; a change set is more than one.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    change_sets::CREATE,
    change_sets::DELETE,
    change_sets::EXECUTE,
    change_sets::SHOW,
    create::OPERATIONS,
    delete::OPERATIONS,
    describe::OPERATIONS,
    events::OPERATIONS,
    protection::OPERATIONS,
    resources::OPERATIONS,
    templates::OPERATIONS,
    update::OPERATIONS,
];
