//! Amazon EventBridge: the default bus, rules, targets, events and schedules.
//!
//! An event is durable when PutEvents answers: it stands in the outbox. The pump matches it against
//! the rules and turns it into deliveries, one per target, in one transaction; each delivery is
//! made as the target's role and repeated until it succeeds or grows too old.

mod buses;
pub(crate) mod connections;
mod deliveries;
mod error;
mod pump;
mod put_events;
mod rules;
mod schedules;
mod targets;

use crate::Operation;

pub(crate) use pump::Pump;

/// Every operation, one line per file.
pub(crate) const OPERATIONS: &[&[Operation]] = &[
    buses::OPERATIONS,
    connections::OPERATIONS,
    put_events::OPERATIONS,
    rules::OPERATIONS,
    targets::OPERATIONS,
];

/// The one bus that is always there.
const DEFAULT_BUS: &str = "default";
