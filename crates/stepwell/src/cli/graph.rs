//! `stepwell graph`: a state machine as a picture.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::definitions::{self, Content, Machine};
use crate::graph;

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
    let machine = one_machine(&arguments.file, arguments.machine.as_deref())?;
    let picture = graph::draw(&machine.value());
    if let Some(path) = &arguments.output {
        std::fs::write(path, picture).with_context(|| format!("writing {}", path.display()))?;
    } else {
        print!("{picture}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the one machine of a file that is meant.
pub(super) fn one_machine(path: &Path, logical_id: Option<&str>) -> Result<Machine> {
    let sources = definitions::read(path)?;
    let mut names = Vec::new();
    let mut found = Vec::new();
    for source in sources {
        let name = source.logical_id.clone().unwrap_or_default();
        let wanted = logical_id.is_none_or(|wanted| wanted == name);
        match source.content {
            Content::Machine(machine) if wanted => found.push(*machine),
            Content::Broken(problem) if wanted => bail!("{}: {}", path.display(), problem.message),
            Content::Machine(_) | Content::Broken(_) | Content::Runbook(_) | Content::Elsewhere => {
            }
        }
        names.push(name);
    }
    let (file, names) = (path.display(), names.join(", "));
    match found.len() {
        1 => found.pop().context("a machine"),
        0 => bail!("{file} holds no state machine of that name, or not its definition: {names}"),
        _ => bail!("{file} holds several state machines: choose with --machine one of {names}"),
    }
}
