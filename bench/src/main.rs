//! `cargo xtask bench`: measures the server over HTTP, beside raw floors and peers, in one run.
//!
//! `floors/` are what the machine can do at best, `scenarios/` has a file per scenario, `load.rs`
//! is the load generator, `report.rs` the table. docs/bench.md says what each row means.

mod api;
mod bench;
mod definitions;
mod floors;
mod http;
mod load;
mod machine;
mod process;
mod report;
mod scenarios;
mod server;
mod statistics;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use bench::{Bench, Sizes};
use machine::Machine;
use report::{Report, Row};

/// Measures Stepwell, in one run, beside what this machine can do at best.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
    /// Only these scenarios
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Everything smaller: a minute instead of a quarter of an hour
    #[arg(long)]
    quick: bool,
    /// Write the results to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure MiniStack too, as `--only peers` does; installs it below target/ with pip
    #[arg(long)]
    peers: bool,
    /// Measure the durable chain on this store too: `postgres://…`
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How many executions wait
    #[arg(long, value_name = "N")]
    waiting: Option<usize>,
    /// How many executions finish while memory is watched
    #[arg(long, value_name = "N")]
    finished: Option<usize>,
    /// The server to measure [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    stepwell: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Mode {
    /// Serve bare HTTP, for the floor
    #[command(hide = true)]
    BareHttp,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.mode {
        Some(Mode::BareHttp) => floors::bare_http::serve().map(|()| ExitCode::SUCCESS),
        None => run(&arguments),
    };
    done.unwrap_or_else(|err| {
        eprintln!("bench: {err:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen = chosen(&arguments.only)?;
    let mut sizes = if arguments.quick { Sizes::quick() } else { Sizes::full() };
    sizes.waiting = arguments.waiting.unwrap_or(sizes.waiting);
    sizes.finished = arguments.finished.unwrap_or(sizes.finished);
    let stepwell = match &arguments.stepwell {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("stepwell"),
    };
    if !stepwell.is_file() {
        bail!("no server at {}: build it, or name one with --stepwell", stepwell.display());
    }
    let mut bench = Bench::new(sizes, stepwell, arguments.store.clone())?;
    let machine = Machine::look(&bench);
    eprintln!("floors …");
    let mut rows = bench.measure_floors()?;
    let mut failures = 0;
    for (name, scenario) in chosen {
        if *name == scenarios::PEERS && !arguments.peers && arguments.only.is_empty() {
            continue;
        }
        eprintln!("{name} …");
        match scenario(&bench) {
            Ok(found) => rows.extend(found.into_iter().map(|row| row.of(name))),
            Err(err) => {
                failures += 1;
                eprintln!("{name}: {err:#}");
                rows.push(Row::text("failed", "see above").of(name));
            }
        }
    }
    rows.extend(bench.floors_again()?);
    let report = Report { machine: machine.look_again(), rows };
    println!("{}", report.table());
    if let Some(path) = &arguments.json {
        let text = report.to_value().to_pretty();
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the scenarios of these names, or all.
fn chosen(only: &[String]) -> Result<Vec<&'static scenarios::Scenario>> {
    let names = || scenarios::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    for name in only {
        if scenarios::ALL.iter().all(|(known, _)| known != name) {
            bail!("there is no scenario `{name}`; there are {}", names());
        }
    }
    let wanted = |name: &str| only.is_empty() || only.iter().any(|asked| asked == name);
    Ok(scenarios::ALL.iter().filter(|(name, _)| wanted(name)).collect())
}
