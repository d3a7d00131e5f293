//! The command line: one file per command.

mod clock;
mod doctor;
mod env;
mod run;
mod up;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// A durable AWS Step Functions and SSM Automation engine, with the IAM, STS, EventBridge and
/// CloudFormation that such workflows live in.
#[derive(Parser)]
#[command(name = "stepwell", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Arguments),
    Run(run::Arguments),
    Env(env::Arguments),
    Doctor(doctor::Arguments),
    Clock(clock::Arguments),
}

/// An error that knows what to do about it.
#[derive(Debug)]
pub(crate) struct Hint(&'static str);

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// Gives an error a hint, which is shown below it.
pub(crate) fn hint(err: anyhow::Error, hint: &'static str) -> anyhow::Error {
    err.context(Hint(hint))
}

/// Reads the arguments, runs the command and turns errors into text: 0 is success, 1 an outcome
/// other than the wanted one, 2 a wrong command line.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("STEPWELL_LOG");
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter.unwrap_or_else(|_| "warn".into()))
        .init();
    match arguments.command.run() {
        Ok(code) => code,
        Err(err) => {
            report(&err);
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn run(self) -> Result<ExitCode> {
        match self {
            Command::Up(arguments) => up::run(&arguments),
            Command::Run(arguments) => run::run(&arguments),
            Command::Env(arguments) => Ok(env::run(&arguments)),
            Command::Doctor(arguments) => doctor::run(&arguments),
            Command::Clock(arguments) => clock::run(&arguments),
        }
    }
}

/// Prints an error: what, because of what, and what to do about it.
fn report(err: &anyhow::Error) {
    let hint = err.downcast_ref::<Hint>().map(Hint::to_string);
    let causes = err.chain().map(ToString::to_string).filter(|cause| Some(cause) != hint.as_ref());
    for (index, cause) in causes.enumerate() {
        eprintln!("{} {cause}", if index == 0 { "error:" } else { "  because:" });
    }
    if let Some(hint) = hint {
        eprintln!("hint: {hint}");
    }
}

/// The stack of a thread that serves requests: what they carry may nest as deep as a value may.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Runs async work on all cores.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().thread_stack_size(STACK_BYTES).build()?.block_on(work)
}
