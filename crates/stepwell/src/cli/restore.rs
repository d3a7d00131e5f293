//! `stepwell restore`: bring a backup back, into an empty place.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use store::{Backup, RestoreError};

use super::backup::Progress;
use super::{block_on, hint};
use crate::server::Keep;

/// Bring a backup back into a directory where nothing is yet.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The backup
    file: PathBuf,
    /// The directory for a server; made if it is not there
    #[arg(long, value_name = "DIR", default_value = ".stepwell", env = "STEPWELL_DATA")]
    data: PathBuf,
    /// Print what was brought back as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

/// Reads the whole backup, and only then writes anything.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { file, data, json } = arguments;
    let progress = Progress::start("checking", *json, None);
    let backup = Backup::open(file, |counts| progress.show(counts))
        .with_context(|| format!("reading the backup {}", file.display()))
        .map_err(|err| hint(err, "nothing was changed; is there an older backup?"))?;
    let keep = Keep::Directory(data.clone());
    let store = keep.open()?;
    let progress = Progress::start("restoring", *json, Some(backup.counts()));
    let shown = progress.clone();
    let restoring = async { Ok(store.restore(backup, move |counts| shown.show(counts)).await) };
    let counts = match block_on(restoring)? {
        Ok(counts) => counts,
        Err(err @ RestoreError::NotEmpty) => {
            let err = anyhow::Error::from(err).context(format!("restoring into {keep}"));
            return Err(hint(err, "name a new directory, or move this one away first"));
        }
        Err(err) => return Err(err).with_context(|| format!("restoring into {keep}")),
    };
    // Closed, it has carried its log into the database.
    drop(store);
    progress.end("restored", &file.display().to_string(), counts);
    Ok(ExitCode::SUCCESS)
}
