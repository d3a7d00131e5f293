//! From starting the process to its first answer; and the memory of a server that does nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::bench::Bench;
use crate::report::Row;
use crate::server::Server;
use crate::statistics::Spread;

/// Starts per round.
const STARTS: usize = 3;
/// How long a server may settle before its memory is read.
const SETTLE_SECONDS: u64 = 2;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Starts servers on new and on existing directories, by turns.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let (mut on_new, mut on_existing) = (Vec::new(), Vec::new());
    for _ in 0..bench.sizes.rounds * STARTS {
        let data = bench.fresh_directory()?;
        on_new.push(first_answer(bench, &data)?.0);
        on_existing.push(first_answer(bench, &data)?.0);
    }
    let (_, server) = first_answer(bench, &bench.fresh_directory()?)?;
    std::thread::sleep(Duration::from_secs(SETTLE_SECONDS));
    let idle = server.resident_bytes()? / MEBIBYTE;
    Ok(vec![
        Row::spread("first answer, new directory", Spread::of(on_new), "ms").at_most(50.0),
        Row::spread("first answer, existing directory", Spread::of(on_existing), "ms")
            .at_most(50.0),
        Row::number("idle RSS", idle, "MiB").at_most(25.0),
    ])
}

/// Starts a server, and returns after how many milliseconds it answered.
fn first_answer(bench: &Bench, data: &Path) -> Result<(f64, Server)> {
    let server = Server::start(bench, data, &[])?;
    let page = server.api()?.page("/_stepwell/health")?;
    if page.status != 200 {
        bail!("the health page answered {}", page.summary());
    }
    Ok((server.started.elapsed().as_secs_f64() * 1e3, server))
}
