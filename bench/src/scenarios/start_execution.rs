//! StartExecution over HTTP: a stored user's key signs every request, and a policy allows it.

use anyhow::Result;

use super::durable_chain::{all_ended, until_ended};
use crate::api::{MachineType, Site, execution_arn};
use crate::bench::{Bench, TURN_SECONDS};
use crate::definitions::pass;
use crate::floors::bare_http;
use crate::floors::fsync::Disk;
use crate::load::{Until, drive};
use crate::report::Row;
use crate::statistics::{Spread, percentile};

/// On how many connections executions are started.
const CONNECTIONS: usize = 32;

/// Measures the rate on many connections, then the latency on one.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.fresh_server()?;
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let machine_arn = api.create_machine("pass", MachineType::Standard, &pass(), &role_arn)?;
    let site = api.create_starter(&machine_arn)?;
    let until = Until::Seconds(bench.sizes.round_seconds);
    let (mut per_second, mut cpu_us) = (Vec::new(), Vec::new());
    let (mut p50_us, mut p99_us) = (Vec::new(), Vec::new());
    for round in 0..bench.sizes.rounds {
        let prefix = format!("round-{round}");
        let make = site.start_executions(&machine_arn, &prefix, "{}");
        let before = server.usage()?;
        let load = drive(site.address, CONNECTIONS, until, &make)?;
        // What was answered still has to run, and that is paid for too; to look whether all have
        // is not.
        let last = format!("{prefix}-{}", load.count - 1);
        until_ended(&mut api, &execution_arn(&machine_arn, &last))?;
        cpu_us.push(server.usage()?.seconds_since(&before) * 1e6 / load.count as f64);
        all_ended(&mut api, &machine_arn, &last)?;
        per_second.push(load.per_second());
        p50_us.push(load.latency_us(50));
        p99_us.push(load.latency_us(99));
    }
    let mut rows = vec![
        Row::spread("signed, 32 connections", Spread::of(per_second), "req/s")
            .per(bench.floors.http_per_second, "bare HTTP req/s"),
        Row::spread("server CPU per request, with its execution", Spread::of(cpu_us), "us")
            .at_most(80.0)
            .per(bench.floors.http_cpu_us, "bare HTTP CPU"),
        Row::spread("32 connections, p50", Spread::of(p50_us), "us"),
        Row::spread("32 connections, p99", Spread::of(p99_us), "us"),
    ];
    rows.extend(latency(bench, &site, &machine_arn)?);
    Ok(rows)
}

/// One connection, by short turns with the bare server and the disk, so that all three meet the
/// same neighbours.
fn latency(bench: &Bench, site: &Site, machine_arn: &str) -> Result<Vec<Row>> {
    let folder = bench.fresh_directory()?;
    let bare = bare_http::start(&folder)?;
    let mut disk = Disk::new(&folder)?;
    let (mut bare_us, mut fsync_us, mut start_us) = (Vec::new(), Vec::new(), Vec::new());
    let (mut p99_us, mut ratios) = (Vec::new(), Vec::new());
    for turn in 0..bench.sizes.latency_turns {
        let bare_load = bare_http::load(bare.address, 1, TURN_SECONDS)?;
        let sync_us = percentile(&disk.measure(TURN_SECONDS)?, 50);
        let make = site.start_executions(machine_arn, &format!("alone-{turn}"), "{}");
        let load = drive(site.address, 1, Until::Seconds(TURN_SECONDS), &make)?;
        ratios.push(load.latency_us(50) / (bare_load.latency_us(50) + sync_us));
        bare_us.push(bare_load.latency_us(50));
        fsync_us.push(sync_us);
        start_us.push(load.latency_us(50));
        p99_us.push(load.latency_us(99));
    }
    Ok(vec![
        Row::spread("1 connection, p50", Spread::of(start_us), "us"),
        Row::spread("1 connection, p99", Spread::of(p99_us), "us"),
        Row::spread("bare HTTP p50 in the same turns", Spread::of(bare_us), "us"),
        Row::spread("fdatasync p50 in the same turns", Spread::of(fsync_us), "us"),
        Row::spread("p50 / (bare HTTP + fdatasync) p50", Spread::of(ratios), "x").at_most(2.0),
    ])
}
