//! `stepwell restore`: bring a backup back, into an empty place.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use store::{Backup, RestoreError};

use super::backup::{Place, Progress};
use super::{block_on, hint};

/// Bring a backup back into a directory or a database where nothing is yet.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// The file with the key of the backup's secrets [default: `key` in the directory]
    #[arg(long, value_name = "FILE", env = "STEPWELL_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// Print what was brought back as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

/// Reads the whole backup, and only then writes anything.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { file, place, key_file, json } = arguments;
    let keep = place.keep()?;
    let progress = Progress::start("checking", *json, None);
    let backup = Backup::open(file, |counts| progress.show(counts))
        .with_context(|| format!("reading the backup {}", file.display()))
        .map_err(|err| hint(err, "nothing was changed; is there an older backup?"))?;
    let key = backup.key_id()?;
    let to_do = match &key {
        Some(id) => keep
            .expect_key(id, key_file.as_deref())
            .map_err(|err| hint(err, "name the key file that was used when the backup was made"))?,
        None => None,
    };
    let store = keep.open()?;
    let progress = Progress::start("restoring", *json, Some(backup.counts()));
    let shown = progress.clone();
    let restoring = async { Ok(store.restore(backup, move |counts| shown.show(counts)).await) };
    let counts = match block_on(restoring)? {
        Ok(counts) => counts,
        Err(err @ RestoreError::NotEmpty) => {
            let err =
                anyhow::Error::from(err).context(format!("restoring what is to be kept {keep}"));
            return Err(hint(err, "name a new place, or move what is there away first"));
        }
        Err(err) => {
            return Err(err).with_context(|| format!("restoring what is to be kept {keep}"));
        }
    };
    // Closed, it has carried its log into the database.
    drop(store);
    progress.end("restored", &file.display().to_string(), counts, key.as_deref());
    if let Some(to_do) = to_do.filter(|_| !json) {
        println!("{to_do}");
    }
    Ok(ExitCode::SUCCESS)
}
