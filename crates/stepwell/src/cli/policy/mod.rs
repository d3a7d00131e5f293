//! `stepwell policy`: one file or folder per subcommand.

mod check;
mod evaluate;
mod least_privilege;

use std::process::ExitCode;

use anyhow::Result;

/// Judge IAM policies, and derive them.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(check::Arguments),
    Evaluate(evaluate::Arguments),
    LeastPrivilege(least_privilege::Arguments),
}

/// Runs a subcommand.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Check(arguments) => check::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::LeastPrivilege(arguments) => least_privilege::run(arguments),
    }
}
