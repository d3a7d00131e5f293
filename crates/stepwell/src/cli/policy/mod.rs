//! `stepwell policy`: one file or folder per subcommand.

mod evaluate;

use std::process::ExitCode;

use anyhow::Result;

/// Judge IAM policies without a server.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Evaluate(evaluate::Arguments),
}

/// Runs a subcommand.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Evaluate(arguments) => evaluate::run(arguments),
    }
}
