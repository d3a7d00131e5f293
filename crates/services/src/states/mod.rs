//! AWS Step Functions: state machines, their executions, activities.

mod activities;
mod aliases;
mod arn;
mod callbacks;
mod configuration;
mod definition_uses;
mod definitions;
mod deletion;
mod error;
mod executions;
mod express;
mod history;
mod known;
mod labels;
mod map_runs;
mod redrive;
mod retention;
mod state_machines;
mod tags;
mod test_state;
mod versions;

use crate::Operation;

/// Every operation, one line per file.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    activities::OPERATIONS,
    aliases::OPERATIONS,
    callbacks::OPERATIONS,
    definitions::OPERATIONS,
    deletion::OPERATIONS,
    executions::OPERATIONS,
    express::OPERATIONS,
    history::OPERATIONS,
    map_runs::OPERATIONS,
    redrive::OPERATIONS,
    state_machines::OPERATIONS,
    tags::OPERATIONS,
    test_state::OPERATIONS,
    versions::OPERATIONS,
];

pub(crate) use definition_uses::{PURGED as PURGED_DEFINITIONS, keep_other as keep_content};
pub(crate) use deletion::PURGED as PURGED_MACHINES;
pub(crate) use known::KnownMachines;
pub(crate) use retention::PURGED;
