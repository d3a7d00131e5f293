//! The command line: one file per command.

mod automation;
mod backup;
mod check;
mod clock;
mod doctor;
mod env;
mod eval;
mod excerpt;
mod graph;
mod jsonl;
mod lint;
mod log;
pub(crate) mod paint;
mod policy;
mod problem;
mod reach;
mod remote;
mod restore;
mod run;
mod scripts;
mod test;
mod up;
mod why;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use value::Value;

/// A durable AWS Step Functions and SSM Automation engine, with the IAM, STS, EventBridge and
/// CloudFormation that such workflows live in.
#[derive(Parser)]
#[command(name = "stepwell", version, arg_required_else_help = true)]
struct Arguments {
    /// The form of the log on standard error; STEPWELL_LOG says how much of it: warn, info, debug
    #[arg(long, global = true, value_enum, default_value = "text", env = "STEPWELL_LOG_FORMAT")]
    log_format: log::Format,
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
    Eval(eval::Arguments),
    Lint(lint::Arguments),
    Policy(policy::Arguments),
    Graph(graph::Arguments),
    Automation(automation::Arguments),
    Test(test::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Check(check::Arguments),
    Why(why::Arguments),
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
    log::start(arguments.log_format);
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
            Command::Eval(arguments) => eval::run(&arguments),
            Command::Lint(arguments) => lint::run(&arguments),
            Command::Policy(arguments) => policy::run(&arguments),
            Command::Graph(arguments) => graph::run(&arguments),
            Command::Automation(arguments) => automation::run(&arguments),
            Command::Test(arguments) => test::run(&arguments),
            Command::Backup(arguments) => backup::run(&arguments),
            Command::Restore(arguments) => restore::run(&arguments),
            Command::Check(arguments) => check::run(&arguments),
            Command::Why(arguments) => why::run(&arguments),
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

/// Returns what an argument says: a text, the text of `@FILE`, or standard input for `-`.
fn text_argument(argument: &str) -> Result<String> {
    match argument.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("reading {path}")),
        None if argument == "-" => {
            std::io::read_to_string(std::io::stdin()).context("reading standard input")
        }
        None => Ok(argument.to_owned()),
    }
}

/// Returns the JSON of an argument, as [`text_argument`] takes it.
fn json_argument(name: &str, argument: &str) -> Result<Value> {
    value::parse(&text_argument(argument)?).map_err(|err| {
        let what = format!("{name}:{}:{}: {}", err.line, err.column, err.message);
        hint(anyhow::anyhow!(what), "write JSON in quotes, as '{\"username\": \"kim\"}', or @FILE")
    })
}

/// The stack of a thread that serves requests: what they carry may nest as deep as a value may.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Runs async work on all cores.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().thread_stack_size(STACK_BYTES).build()?.block_on(work)
}
