//! `stepwell backup`: everything a server keeps, as one file, while the server runs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use store::{Counts, Store};
use value::value;

use super::hint;

/// Write everything that a server keeps into one file; the server may go on working meanwhile.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The server's directory
    #[arg(long, value_name = "DIR", default_value = ".stepwell", env = "STEPWELL_DATA")]
    data: PathBuf,
    /// The backup: a new file
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Print what was written as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

/// Writes the backup.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let file = &arguments.to;
    if file.symlink_metadata().is_ok() {
        let err = anyhow::anyhow!("{} is there already", file.display());
        return Err(hint(err, "a backup replaces nothing: name a new file"));
    }
    let Some(_) = file.file_name() else { bail!("{} names no file", file.display()) };
    let store = Store::look_at(&arguments.data)
        .with_context(|| format!("looking at the data directory {}", arguments.data.display()))?;
    let progress = Progress::start("backing up", arguments.json, None);
    let counts = store.back_up(file, |counts| progress.show(counts));
    let counts = counts.with_context(|| format!("writing the backup {}", file.display()))?;
    progress.end("backed up", &file.display().to_string(), counts);
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

    /// Says what was copied.
    pub(super) fn end(&self, what: &str, file: &str, counts: Counts) {
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
