//! Repository chores: `tidy` checks the house rules, `models` makes the API models.

mod models;
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
    match arguments.split_first() {
        Some((command, rest)) if command == "tidy" => {
            let findings = tidy::run(rest)?;
            Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some((command, rest)) if command == "models" => {
            models::run(rest.first().map(String::as_str))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("usage: cargo xtask tidy [--write] | models [--from DIR]"),
    }
}
