//! `stepwell run`: deploy and run one example or one runbook on a server of its own.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};

use super::paint::Paint;
use super::reach::{Reach, Target};
use super::up::Clock;
use super::{block_on, json_argument};
use crate::example::{self, Conditions, Manifest, Screen};
use crate::runbook::{self, Play};

/// Run an example, a state machine or a runbook on a server in this process, gone afterwards.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A folder with a stepwell.yaml, a state machine (.asl.json, .asl.yaml), a template with one,
    /// or a runbook (.yaml, .json)
    path: PathBuf,
    /// Which machine of a template
    #[arg(long, value_name = "LOGICAL_ID")]
    machine: Option<String>,
    /// The input as JSON, or @FILE
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// A parameter of the runbook; given again, its list grows
    #[arg(long = "param", value_name = "NAME=VALUE", conflicts_with = "input")]
    parameters: Vec<String>,
    /// Another runbook, which the first one runs by the name of its file
    #[arg(long, value_name = "FILE", conflicts_with = "input")]
    with: Vec<PathBuf>,
    /// Print the outcome as JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// How time passes: `virtual` jumps over waits
    #[arg(long, value_enum, default_value = "virtual")]
    clock: Clock,
    /// A Lambda function is this command: it reads the event and prints the answer, both JSON
    #[arg(long = "lambda", value_name = "NAME=COMMAND")]
    lambdas: Vec<String>,
    /// Call a service there: SERVICE=http://HOST:PORT or SERVICE=aws
    #[arg(long = "endpoint", value_name = "SERVICE=URL", value_delimiter = ',')]
    endpoints: Vec<String>,
    /// The objects of S3 are the files of this directory, with a folder for each bucket
    #[arg(long = "objects", value_name = "DIR")]
    objects: Option<PathBuf>,
}

impl Arguments {
    /// What is run stays here but for what the command line itself says: the variables of `up`,
    /// set for a server, do not count.
    fn conditions(&self) -> Result<Conditions> {
        let reach = Reach {
            target: Target::Embedded,
            endpoints: self.endpoints.clone(),
            lambdas: self.lambdas.clone(),
            objects: self.objects.clone(),
        };
        let outward = reach.outward(Conditions::REGION, Conditions::PARTITION)?;
        Ok(Conditions { clock: self.clock.mode(), outward: Arc::new(outward) })
    }
}

/// Runs it; the status is 0 when it ended as the example says it should, or in success.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if runbook::is_runbook(&arguments.path) {
        return run_runbook(arguments);
    }
    if !arguments.parameters.is_empty() || !arguments.with.is_empty() {
        bail!("{} is no runbook: it takes no --param and no --with", arguments.path.display());
    }
    let mut manifest = Manifest::read(&arguments.path, arguments.machine.as_deref())?;
    if let Some(text) = &arguments.input {
        manifest.input = json_argument("--input", text)?;
    }
    let screen = if arguments.json { Screen::silent() } else { Screen::standard() };
    let outcome = block_on(example::run(&manifest, &arguments.conditions()?, screen))?;
    if arguments.json {
        println!("{}", outcome.to_value().to_pretty());
    } else {
        screen.summary(&outcome);
    }
    Ok(if outcome.is_as_expected() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_runbook(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.input.is_some() {
        bail!("a runbook takes --param NAME=VALUE, not --input");
    }
    let paint = Paint::of(&std::io::stdout());
    let play = Play {
        path: arguments.path.clone(),
        with: arguments.with.clone(),
        parameters: runbook::parameters(&arguments.parameters)?,
        conditions: arguments.conditions()?,
        paint: (!arguments.json).then_some(paint),
    };
    let outcome = block_on(runbook::play(&play))?;
    if arguments.json {
        println!("{}", outcome.seen.to_value().to_pretty());
    } else {
        print!("\n{}", runbook::report(&outcome.seen, paint, outcome.now));
    }
    Ok(if outcome.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
