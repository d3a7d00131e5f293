//! `stepwell backup`: everything a server keeps, as one file, while the server runs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use store::{Counts, PostgresUrl, Store};
use value::value;

use super::hint;
use crate::server::Keep;

/// Write everything that a server keeps into one file; the server may go on working meanwhile.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The backup: a new file
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Print what was written as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

/// Where a server keeps its data, for commands beside it.
#[derive(clap::Args)]
pub(super) struct Place {
    /// The server's directory [default: .stepwell]
    #[arg(long, value_name = "DIR", conflicts_with = "store", env = "STEPWELL_DATA")]
    data: Option<PathBuf>,
    /// The server's database
    #[arg(long, value_name = "URL", env = "STEPWELL_STORE", hide_env_values = true)]
    store: Option<String>,
}

impl Place {
    /// Returns the place that is meant.
    ///
    /// # Errors
    /// When the URL is none of a database.
    pub(super) fn keep(&self) -> Result<Keep> {
        match &self.store {
            Some(url) => Ok(Keep::Postgres(PostgresUrl::parse(url).map_err(anyhow::Error::msg)?)),
            None => Ok(Keep::Directory(self.data.clone().unwrap_or_else(|| ".stepwell".into()))),
        }
    }
}

/// Writes the backup.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let file = &arguments.to;
    if file.symlink_metadata().is_ok() {
        let err = anyhow::anyhow!("{} is there already", file.display());
        return Err(hint(err, "a backup replaces nothing: name a new file"));
    }
    let Some(_) = file.file_name() else { bail!("{} names no file", file.display()) };
    let store = match arguments.place.keep()? {
        // A server may have the directory open.
        Keep::Directory(directory) => Store::look_at(&directory)
            .with_context(|| format!("looking at the data directory {}", directory.display()))?,
        keep @ (Keep::Postgres(_) | Keep::Memory) => keep.open()?,
    };
    let progress = Progress::start("backing up", arguments.json, None);
    let counts = store.back_up(file, |counts| progress.show(counts));
    let counts = counts.with_context(|| format!("writing the backup {}", file.display()))?;
    let key = store.key_id()?;
    progress.end("backed up", &file.display().to_string(), counts, key.as_deref());
    if let Some(id) = key.filter(|_| !arguments.json) {
        println!("its secrets open with the key {id} only, which is not in it: keep the key file");
    }
    Ok(ExitCode::SUCCESS)
}

/// How often the terminal is drawn anew.
const TICK_MILLIS: u64 = 100;

/// Shows how far a copy is: on a terminal as it goes, at its end as a line or as JSON.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    json: bool,
    began: Instant,
}

impl Progress {
    /// Begins to show; `total` is what there is to be copied, if that is known.
    pub(super) fn start(what: &'static str, json: bool, total: Option<Counts>) -> Progress {
        let bar = match total {
            // Hidden by itself where standard error is no terminal.
            _ if json => ProgressBar::hidden(),
            Some(total) => ProgressBar::new(total.bytes),
            None => ProgressBar::new_spinner(),
        };
        let template = match total {
            Some(_) => "{msg} {wide_bar} {bytes} of {total_bytes}",
            None => "{spinner} {msg} {bytes}",
        };
        // A wrong template of ours would only look worse.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(TICK_MILLIS));
        Progress { bar, json, began: Instant::now() }
    }

    /// Shows how much has been copied.
    pub(super) fn show(&self, counts: Counts) {
        self.bar.set_position(counts.bytes);
    }

    /// Says what was copied, and the id of the key that its secrets open with.
    pub(super) fn end(&self, what: &str, file: &str, counts: Counts, key: Option<&str>) {
        self.bar.finish_and_clear();
        let Counts { rows, entries, bytes, checksum } = counts;
        let seconds = self.began.elapsed().as_secs_f64();
        if self.json {
            let answer = value!({
                "file": file,
                "rows": rows,
                "journalEntries": entries,
                "bytes": bytes,
                "checksum": format!("{checksum:08x}"),
                "key": key,
                "seconds": seconds,
            });
            println!("{answer}");
        } else {
            println!(
                "{what} {file}: {rows} rows and {entries} journal entries, {bytes} bytes, in \
                 {seconds:.1} s"
            );
        }
    }
}
