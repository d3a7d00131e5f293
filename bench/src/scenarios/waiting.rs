//! Many executions that wait a day: their memory, and a restart after a kill.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use value::{Value, value};

use crate::api::{Api, MachineType, execution_arn};
use crate::bench::Bench;
use crate::definitions::wait_a_day;
use crate::load::{Until, drive};
use crate::report::Row;
use crate::server::{Server, health};

/// On how many connections executions are started.
const CONNECTIONS: usize = 32;
/// How long a server may settle before its memory is read.
const SETTLE_SECONDS: u64 = 2;
/// How long timers may take to be armed.
const ARMED_SECONDS_MAX: u64 = 300;
/// How many must wait for the memory of each to be a goal: of few, most is what the server takes
/// anyway for its first thousands.
const MEASURED_FROM: usize = 100_000;
/// How much memory each may take, in bytes.
const BYTES_MAX: f64 = 1_024.0;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Starts them, kills the server, starts it again.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let count = bench.sizes.waiting;
    let data = bench.fresh_directory()?;
    let server = Server::start(bench, &data, &[])?;
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let machine_arn =
        api.create_machine("wait", MachineType::Standard, &wait_a_day(), &role_arn)?;
    let before = settled_bytes(&server)?;
    let make = api.site.start_executions(&machine_arn, "w", "{}");
    let load = drive(api.site.address, CONNECTIONS, Until::Count(count), &make)?;
    all_armed(&mut api, count)?;
    let after = settled_bytes(&server)?;
    server.kill();

    let server = Server::start(bench, &data, &[])?;
    let mut api = server.api()?;
    let last = execution_arn(&machine_arn, &format!("w-{}", count - 1));
    let found = api.states("DescribeExecution", &value!({"executionArn": last}))?;
    let first_answer_ms = server.started.elapsed().as_secs_f64() * 1e3;
    if found.get("status").and_then(Value::as_str) != Some("RUNNING") {
        bail!("after the restart an execution is {found}");
    }
    all_armed(&mut api, count)?;
    let armed_ms = server.started.elapsed().as_secs_f64() * 1e3;
    let restarted = settled_bytes(&server)?;

    let waiting = count as f64;
    let each = |name: &str, bytes: f64| {
        let row = Row::number(name, (bytes - before) / waiting, "B");
        if count < MEASURED_FROM { row } else { row.at_most(BYTES_MAX) }
    };
    Ok(vec![
        Row::number("executions waiting", waiting, ""),
        Row::number("started", load.per_second(), "/s"),
        Row::number("RSS before", before / MEBIBYTE, "MiB"),
        Row::number("RSS", after / MEBIBYTE, "MiB"),
        each("memory of each", after),
        Row::number("first answer after kill -9", first_answer_ms, "ms").at_most(500.0),
        Row::number("all timers armed after kill -9", armed_ms, "ms").at_most(1_000.0),
        Row::number("RSS after the restart", restarted / MEBIBYTE, "MiB"),
        each("memory of each after the restart", restarted),
    ])
}

fn settled_bytes(server: &Server) -> Result<f64> {
    std::thread::sleep(Duration::from_secs(SETTLE_SECONDS));
    server.resident_bytes()
}

/// Waits until so many timers are armed.
fn all_armed(api: &mut Api, count: usize) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(ARMED_SECONDS_MAX);
    loop {
        let armed = health(api, "timersArmed").context("looking for timers")?;
        if count as f64 <= armed {
            return Ok(());
        }
        if end < Instant::now() {
            bail!("after {ARMED_SECONDS_MAX} s only {armed} of {count} timers are armed");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
