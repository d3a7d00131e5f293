//! The scenarios: a file each, and a line in [`ALL`].

mod automations;
mod cold_start;
mod distributed_map;
mod durable_chain;
mod express;
mod finished;
mod inline_map;
mod peers;
mod policy_decisions;
mod seed_machine;
mod start_execution;
mod waiting;

use anyhow::Result;

use crate::bench::Bench;
use crate::report::Row;

/// A scenario: its name and what it measures.
pub(crate) type Scenario = (&'static str, fn(&Bench) -> Result<Vec<Row>>);

/// The scenario that runs only when asked for with `--peers`.
pub(crate) const PEERS: &str = "peers";

/// All scenarios, in the order in which they run.
pub(crate) const ALL: &[Scenario] = &[
    ("durable-chain", durable_chain::run),
    ("express", express::run),
    ("inline-map", inline_map::run),
    ("distributed-map", distributed_map::run),
    ("start-execution", start_execution::run),
    ("seed-machine", seed_machine::run),
    ("automations", automations::run),
    ("cold-start", cold_start::run),
    ("waiting", waiting::run),
    ("finished", finished::run),
    ("policy-decisions", policy_decisions::run),
    (PEERS, peers::run),
];
