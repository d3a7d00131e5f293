//! `cargo xtask sim`: builds the simulator and runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// Builds it optimised, with planted bugs if one is asked for; every argument goes to the program.
/// docs/simulation.md has them.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
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
