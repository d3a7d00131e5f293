//! `stepwell run`: deploy and run one example on a server of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::up::Clock;
use super::{block_on, json_argument};
use crate::example::{self, Manifest, Screen};

/// Run one example on a server inside this process, which is gone afterwards.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A folder with a stepwell.yaml, or a state machine (.asl.json)
    path: PathBuf,
    /// The input as JSON, or @FILE
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Print the outcome as JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// How time passes: `virtual` jumps over waits
    #[arg(long, value_enum, default_value = "virtual")]
    clock: Clock,
}

/// Runs it; the status is 0 when it ended as the example says it should.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut manifest = Manifest::read(&arguments.path)?;
    if let Some(text) = &arguments.input {
        manifest.input = json_argument("--input", text)?;
    }
    let screen = if arguments.json { Screen::silent() } else { Screen::standard() };
    let outcome = block_on(example::run(&manifest, arguments.clock.mode(), screen))?;
    if arguments.json {
        println!("{}", outcome.to_value().to_pretty());
    } else {
        screen.summary(&outcome);
    }
    Ok(if outcome.is_as_expected() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
