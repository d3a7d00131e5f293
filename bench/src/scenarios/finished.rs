//! Memory while executions come and go: it must not grow with those that have ended.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::durable_chain::all_ended;
use crate::api::MachineType;
use crate::bench::Bench;
use crate::definitions::pass;
use crate::load::{Until, drive};
use crate::report::Row;

/// On how many connections executions are started.
const CONNECTIONS: usize = 32;
/// Executions that fill the caches before memory is read first.
const WARM_UP: usize = 1_000;
/// How long the server may settle before its memory is read.
const SETTLE_SECONDS: u64 = 2;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Finishes a million, and compares.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.fresh_server()?;
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let machine_arn = api.create_machine("pass", MachineType::Standard, &pass(), &role_arn)?;
    let mut finish = |prefix: &str, count: usize| -> Result<f64> {
        let make = api.site.start_executions(&machine_arn, prefix, "{}");
        drive(api.site.address, CONNECTIONS, Until::Count(count), &make)?;
        all_ended(&mut api, &machine_arn, &format!("{prefix}-{}", count - 1))?;
        std::thread::sleep(Duration::from_secs(SETTLE_SECONDS));
        server.resident_bytes()
    };
    let before = finish("warm", WARM_UP)?;
    let started = Instant::now();
    let after = finish("f", bench.sizes.finished)?;
    let seconds = started.elapsed().as_secs_f64() - SETTLE_SECONDS as f64;
    let finished = bench.sizes.finished as f64;
    Ok(vec![
        Row::number("executions finished", finished, ""),
        Row::number("started and finished", finished / seconds, "/s"),
        Row::number("RSS before", before / MEBIBYTE, "MiB"),
        Row::number("RSS growth", (after - before) / MEBIBYTE, "MiB").at_most(64.0),
    ])
}
