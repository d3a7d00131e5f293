//! AWS Step Functions: state machines and their executions.

mod arn;
mod error;
mod executions;
mod express;
mod history;
mod known;
mod retention;
mod state_machines;
mod tags;
mod test_state;

use crate::Operation;

/// Every operation, one line per file.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    executions::OPERATIONS,
    express::OPERATIONS,
    history::OPERATIONS,
    state_machines::OPERATIONS,
    tags::OPERATIONS,
    test_state::OPERATIONS,
];

pub(crate) use known::KnownMachines;
pub(crate) use retention::PURGED;
