//! `stepwell test`: cases of state machines, run by the engine in this process.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use comfy_table::{Cell, Table, presets};
use value::{Value, value};

use super::paint::{Meaning, Paint};
use crate::testing::{self, Coverage, Judged, Report};

/// How many of the states, and of the branches, that were not reached are named.
const MISSING_SHOWN_MAX: usize = 10;

/// Run the cases of state machines: inputs and mocks in, what is expected out; no server is needed.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Files of cases (docs/test.md)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only cases whose name holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Print the results as JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Runs the cases; the status is 1 when one did not go as expected.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut reports = Vec::with_capacity(arguments.files.len());
    for file in &arguments.files {
        reports.push(testing::run(file, arguments.only.as_deref())?);
    }
    if reports.iter().all(|report| report.cases.is_empty()) {
        bail!("no case has such a name");
    }
    if let Some(path) = &arguments.junit {
        std::fs::write(path, testing::report(&reports))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let good = reports.iter().all(Report::is_good);
    if arguments.json {
        let files: Vec<Value> = reports.iter().map(Report::to_value).collect();
        println!("{}", value!({"passed": good, "files": files}));
    } else {
        let paint = Paint::of(&std::io::stdout());
        for report in &reports {
            print!("{}", shown(report, paint));
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns a report for people.
fn shown(report: &Report, paint: Paint) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for case in &report.cases {
        let row = [verdict(case), &case.name, &case.status];
        let mut cells: Vec<Cell> = row.into_iter().map(Cell::new).collect();
        cells.push(Cell::new(format!("{} states", case.path.len())));
        cells.push(Cell::new(virtual_time(case.virtual_millis)));
        table.add_row(cells);
    }
    let head = paint.text(&report.file, Meaning::Strong);
    let mut out = format!("{head}\n{}\n", table.trim_fmt());
    for case in report.cases.iter().filter(|case| !case.problems.is_empty()) {
        out += &paint.text(&format!("{}:", case.name), Meaning::Bad);
        out += "\n    ";
        out += &case.problems.join("\n    ");
        out += "\n";
    }
    let failed = report.cases.iter().filter(|case| !case.problems.is_empty()).count();
    let meaning = if failed == 0 { Meaning::Good } else { Meaning::Bad };
    let counts = format!("{} passed, {failed} failed", report.cases.len() - failed);
    format!("{out}{}; {}\n", paint.text(&counts, meaning), covered(&report.coverage))
}

fn verdict(case: &Judged) -> &'static str {
    if case.problems.is_empty() { "ok" } else { "FAILED" }
}

/// Returns a time of the virtual clock.
fn virtual_time(millis: i64) -> String {
    let (seconds, rest) = (millis / 1000, millis % 1000);
    if rest == 0 { format!("{seconds} s") } else { format!("{seconds}.{rest:03} s") }
}

fn covered(coverage: &Coverage) -> String {
    let (states, branches) = (coverage.states(), coverage.branches());
    let (missing_states, missing_branches) = coverage.missing();
    let part = |what: &str, (all, reached): (usize, usize), missing: &[String]| {
        format!("{reached} of {all} {what}{}", named(missing))
    };
    format!(
        "reached {}, {}",
        part("states", states, &missing_states),
        part("branches of choices", branches, &missing_branches)
    )
}

/// Returns the first of what was not reached; `--json` has all of it.
fn named(missing: &[String]) -> String {
    let shown: Vec<&str> = missing.iter().take(MISSING_SHOWN_MAX).map(String::as_str).collect();
    let shown = shown.join(", ");
    match missing.len() {
        0 => String::new(),
        count if count <= MISSING_SHOWN_MAX => format!(" (not {shown})"),
        count => format!(" (not {shown}, and {} more)", count - MISSING_SHOWN_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn what_was_not_reached_is_named_up_to_a_bound() {
        let names = |count: usize| (0..count).map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(named(&names(0)), "");
        assert_eq!(named(&names(2)), " (not 0, 1)");
        assert!(named(&names(10)).ends_with(", 9)"));
        assert!(named(&names(12)).ends_with(", 9, and 2 more)"));
    }
}
