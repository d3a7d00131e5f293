//! The example of the README: an event, a state machine, a runbook, and a user who is gone. On the
//! virtual clock and in memory, as `stepwell run` does it; from the event to the end.

use std::process::Command;

use anyhow::{Context, Result, bail};
use value::Value;

use crate::bench::Bench;
use crate::report::Row;
use crate::statistics::Spread;

/// The example.
const EXAMPLE: &str = "examples/delete-iam-user";

/// Runs the example several times.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut millis = Vec::new();
    for _ in 0..bench.sizes.rounds {
        let mut command = Command::new(&bench.stepwell);
        let done = command.args(["run", EXAMPLE, "--json"]).current_dir(Bench::repository());
        let done = done.output().context("starting `stepwell run`")?;
        if !done.status.success() {
            bail!("`stepwell run {EXAMPLE}`: {}", String::from_utf8_lossy(&done.stderr));
        }
        let outcome = value::parse_bytes(&done.stdout)?;
        let found = outcome.get("wallMillis").and_then(Value::as_f64);
        millis.push(found.context("the outcome has no wallMillis")?);
    }
    Ok(vec![
        Row::spread("event to end, virtual clock, in memory", Spread::of(millis), "ms")
            .at_most(25.0),
    ])
}
