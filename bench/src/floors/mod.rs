//! What this machine can do at best: the disk, bare HTTP, SQLite. Measured first, in every run, and
//! the two yardsticks once more at the end.

pub(crate) mod bare_http;
pub(crate) mod fsync;
mod sqlite_insert;

use anyhow::Result;

use crate::bench::Bench;
use crate::report::Row;
use crate::statistics::percentile;
use fsync::Disk;

/// How far a yardstick may move during a run before the run is to be repeated.
const DRIFT_MAX: f64 = 1.25;
/// The scenario's name in the table.
const NAME: &str = "floors";

/// The figures that others are divided by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floors {
    /// One write of 4 KiB and one fdatasync, p50.
    pub(crate) fsync_us: f64,
    /// One request to the bare server on one connection, p50.
    pub(crate) http_us: f64,
    /// Processor time of the bare server per request on 32 connections.
    pub(crate) http_cpu_us: f64,
    /// Requests per second of the bare server on 32 connections.
    pub(crate) http_per_second: f64,
    /// Rows of 256 B per second, 64 per commit.
    pub(crate) sqlite_rows_per_second: f64,
}

/// Measures all of them.
pub(crate) fn measure(bench: &Bench) -> Result<(Floors, Vec<Row>)> {
    let seconds = bench.sizes.round_seconds;
    let folder = bench.fresh_directory()?;
    let fsyncs_us = Disk::new(&folder)?.measure(seconds)?;
    let fsync_us = percentile(&fsyncs_us, 50);
    let (sqlite_rows_per_second, commit_us) = sqlite_insert::measure(&folder, seconds)?;
    let bare = bare_http::start(&folder)?;
    let alone = bare_http::load(bare.address, 1, seconds)?;
    let before = bare.usage()?;
    let busy = bare_http::load(bare.address, 32, seconds)?;
    let http_cpu_us = bare.usage()?.seconds_since(&before) * 1e6 / busy.count as f64;
    let floors = Floors {
        fsync_us,
        http_us: alone.latency_us(50),
        http_cpu_us,
        http_per_second: busy.per_second(),
        sqlite_rows_per_second,
    };
    let rows = vec![
        Row::number("4 KiB write + fdatasync, p50", fsync_us, "us"),
        Row::number("4 KiB write + fdatasync, p99", percentile(&fsyncs_us, 99), "us"),
        Row::number("4 KiB write + fdatasync", fsyncs_us.len() as f64 / seconds, "/s"),
        Row::number("SQLite, 64 x 256 B per commit", sqlite_rows_per_second, "rows/s"),
        Row::number("SQLite, one such commit, p50", commit_us, "us"),
        Row::number("bare HTTP, 1 connection, p50", floors.http_us, "us"),
        Row::number("bare HTTP, 1 connection, p99", alone.latency_us(99), "us"),
        Row::number("bare HTTP, 32 connections", floors.http_per_second, "req/s"),
        Row::number("bare HTTP, CPU per request", http_cpu_us, "us"),
    ];
    Ok((floors, rows.into_iter().map(|row| row.of(NAME)).collect()))
}

/// Measures the yardsticks again: a machine that has changed makes ratios worthless.
pub(crate) fn again(bench: &Bench) -> Result<Vec<Row>> {
    let seconds = bench.sizes.round_seconds;
    let folder = bench.fresh_directory()?;
    let fsync_us = percentile(&Disk::new(&folder)?.measure(seconds)?, 50);
    let bare = bare_http::start(&folder)?;
    let http_us = bare_http::load(bare.address, 1, seconds)?.latency_us(50);
    let drift = |now: f64, before: f64| (now / before).max(before / now);
    let row = |what: &str, now: f64, before: f64| {
        Row::number(what, drift(now, before), "x").at_most(DRIFT_MAX).of(NAME)
    };
    Ok(vec![
        row("fdatasync p50, drift during the run", fsync_us, bench.floors.fsync_us),
        row("bare HTTP p50, drift during the run", http_us, bench.floors.http_us),
    ])
}
