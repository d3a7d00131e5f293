//! `cargo xtask sim`: runs worlds until one fails. docs/simulation.md has the rest.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use sim::End;

/// Runs the whole system under a seeded scheduler with faults.
#[derive(Parser)]
#[command(name = "sim")]
struct Arguments {
    /// How many seeds to run
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, value_name = "S", default_value_t = 1)]
    from: u64,
    /// Only this seed, and everything that happens
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Plant a bug and see it found: skip-fence, answer-early, drop-event, fresh-effect,
    /// lose-commit
    #[cfg(feature = "planted-bugs")]
    #[arg(long, value_name = "NAME")]
    planted: Option<String>,
    /// Go on after a failure, and count
    #[arg(long)]
    keep_going: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    #[cfg(feature = "planted-bugs")]
    if let Some(name) = &arguments.planted {
        sim::plant(name)?;
    }
    if let Some(seed) = arguments.seed {
        let end = sim::run_aloud(seed)?;
        println!("seed {seed}: hash {:016x}", end.hash);
        return Ok(report(&end));
    }
    let began = Instant::now();
    let (mut run, mut failed) = (0_u64, 0_u64);
    for seed in arguments.from..arguments.from + arguments.seeds {
        let end = sim::run(seed)?;
        run += 1;
        if let Some(what) = &end.violation {
            failed += 1;
            if !arguments.keep_going {
                return Ok(report(&end));
            }
            println!("seed {seed}: {what}");
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{run} seeds, {failed} failed, {seconds:.1} s, {:.0} seeds/s", run as f64 / seconds);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a failure and how to see it again.
fn report(end: &End) -> ExitCode {
    let Some(what) = &end.violation else { return ExitCode::SUCCESS };
    println!("the last things that happened:");
    for line in &end.lines {
        println!("{line}");
    }
    println!("\nseed {} violates: {what}", end.seed);
    println!("reproduce: cargo xtask sim --seed {}", end.seed);
    ExitCode::FAILURE
}
