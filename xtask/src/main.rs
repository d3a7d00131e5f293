//! Repository chores: `tidy` checks the house rules, `models` makes the API models, `authorization`
//! the tables of actions, `managed-policies` AWS's own policies, `bench` measures the server,
//! `fuzz` runs the fuzz targets, `sim` the simulator.

mod authorization;
mod bench;
mod fuzz;
mod managed_policies;
mod models;
mod sim;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("xtask: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let findings = match words.as_slice() {
        ["tidy"] => tidy::run(tidy::Pages::Check)?,
        ["tidy", "--write"] => tidy::run(tidy::Pages::Write)?,
        ["models"] => models::run(None).map(|()| 0)?,
        ["models", "--from", from] => models::run(Some(from)).map(|()| 0)?,
        ["authorization", "--from", from] => authorization::run(from).map(|()| 0)?,
        ["managed-policies", "--from", from, "--ids", ids] => {
            managed_policies::run(from, ids).map(|()| 0)?
        }
        ["bench", ..] => return bench::run(arguments.get(1..).unwrap_or_default()),
        ["fuzz", ..] => return fuzz::run(arguments.get(1..).unwrap_or_default()),
        ["sim", ..] => return sim::run(arguments.get(1..).unwrap_or_default()),
        _ => bail!(
            "usage: cargo xtask tidy [--write] | models [--from DIR] | \
             authorization --from DIR | \
             managed-policies --from DIR --ids DIR | bench [--help] | \
             fuzz TARGET [--seconds N] | sim [--help]"
        ),
    };
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
