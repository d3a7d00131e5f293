//! `stepwell graph`: a state machine as a picture.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::hint;
use crate::{definitions, graph};

/// Draw a state machine as SVG.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A definition (.asl.json, .asl.yaml), or a CloudFormation or SAM template
    file: PathBuf,
    /// Which machine of a template
    #[arg(long, value_name = "LOGICAL_ID")]
    machine: Option<String>,
    /// Where the picture goes [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Draws.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let machine = definitions::one_machine(&arguments.file, arguments.machine.as_deref())
        .map_err(|err| hint(err, "--machine chooses a machine of a template"))?;
    let picture = graph::draw(&machine.value());
    if let Some(path) = &arguments.output {
        std::fs::write(path, picture).with_context(|| format!("writing {}", path.display()))?;
    } else {
        print!("{picture}");
    }
    Ok(ExitCode::SUCCESS)
}
