//! `stepwell check`: whether everything in a data directory is as it was written.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use store::{Checked, FINDINGS_MAX};
use value::value;

/// Read everything in a data directory, and tell what is not as it was written.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The server's directory
    #[arg(value_name = "DIR", default_value = ".stepwell", env = "STEPWELL_DATA")]
    data: PathBuf,
    /// Print what was found as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

/// How often the terminal is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Looks at everything; the status is 1 when something is damaged.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { data, json } = arguments;
    // Hidden by itself where standard error is no terminal.
    let bar = if *json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    bar.set_message("checking pages");
    bar.enable_steady_tick(TICK);
    let began = Instant::now();
    let rows = |checked: &Checked| bar.set_message(format!("checking rows: {}", checked.rows));
    let checked = store::check(data, rows)
        .with_context(|| format!("checking the data directory {}", data.display()))?;
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let place = data.display().to_string();
    if *json {
        println!("{}", as_json(&place, &checked, seconds));
    } else {
        print(&place, &checked, seconds);
    }
    Ok(if checked.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_json(place: &str, checked: &Checked, seconds: f64) -> value::Value {
    let Checked { rows, entries, commits, is_torn, findings } = checked;
    let findings: value::Value = findings
        .iter()
        .map(|finding| value!({ "place": &finding.place, "what": &finding.what }))
        .collect();
    value!({
        "directory": place,
        "rows": *rows,
        "journalEntries": *entries,
        "commitsInLog": *commits,
        "isTorn": *is_torn,
        "findings": findings,
        "seconds": seconds,
    })
}

fn print(place: &str, checked: &Checked, seconds: f64) {
    let Checked { rows, entries, commits, is_torn, findings } = checked;
    for finding in findings {
        println!("{}: {}", finding.place, finding.what);
    }
    if *is_torn {
        println!(
            "the commit log ends in a commit that is not whole. After a power cut that is as it \
             should be: it was not acknowledged, and the next start leaves it out"
        );
    }
    let found = match findings.len() {
        0 => "nothing is damaged".to_owned(),
        FINDINGS_MAX => format!("{FINDINGS_MAX} findings or more"),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    println!(
        "checked {place}: {rows} rows, {entries} journal entries and {commits} commits in the \
         log, in {seconds:.1} s: {found}"
    );
    if !findings.is_empty() {
        eprintln!("hint: `stepwell restore` brings a backup back, into a new directory");
    }
}
