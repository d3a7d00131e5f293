//! `cargo xtask sim`: builds the simulator and runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// What asks for the simulation of a directory's log instead.
const LOG: &str = "--log";

/// Builds it optimised, with planted bugs if one is asked for; every argument goes to the program.
/// docs/simulation.md has them.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    if arguments.iter().any(|argument| argument == LOG) {
        return run_log(build.current_dir(root), arguments);
    }
    build.args(["build", "--quiet", "--profile", "sim", "--package", "sim"]);
    if arguments.iter().any(|argument| argument.starts_with("--planted")) {
        build.args(["--features", "sim/planted-bugs"]);
    }
    if !build.current_dir(root).status().context("starting cargo")?.success() {
        bail!("the build failed");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let mut sim = Command::new(target.join("sim/sim"));
    let status = sim.args(arguments).status().context("starting the simulator")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the simulation of a directory's log, which is a test of the store, optimised.
fn run_log(cargo: &mut Command, arguments: &[String]) -> Result<ExitCode> {
    cargo.args(["test", "--quiet", "--profile", "sim", "--package", "store", "--lib"]);
    cargo.arg("sqlite::simulated::everything_that_must_hold_does");
    let mut rest = arguments.iter().filter(|argument| *argument != LOG);
    while let Some(argument) = rest.next() {
        let variable = match argument.as_str() {
            "--seeds" => "STEPWELL_LOG_SEEDS",
            "--seed" => "STEPWELL_LOG_SEED",
            _ => bail!("with {LOG} there are --seeds and --seed, not {argument}"),
        };
        let number: u64 = rest.next().context("a number is missing")?.parse()?;
        cargo.env(variable, number.to_string());
    }
    let status = cargo.status().context("starting cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
