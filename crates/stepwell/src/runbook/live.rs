//! Steps as they happen: on a terminal lines that change, elsewhere one line for each that is over.

use std::collections::HashSet;

use super::look::Seen;
use super::rows::{Row, rows, shortened};
use crate::cli::paint::{Meaning, Paint};
use crate::output;

/// How many lines of a terminal change; of more, the last are shown until they are over.
const CHANGING_LINES_MAX: usize = 20;
/// How wide a line is; with the seconds it fits into 80 columns.
const NAME_WIDTH: usize = 28;
const ACTION_WIDTH: usize = 26;
const STATUS_WIDTH: usize = 10;
/// The most characters of a failure that a line shows; the report shows all.
const FAILURE_CHARACTERS_MAX: usize = 100;

/// Where steps are shown.
pub(super) struct Live {
    paint: Option<Paint>,
    /// Steps whose line stands for good.
    done: HashSet<String>,
    /// How many lines at the end will be written over.
    changing: usize,
}

impl Live {
    /// Returns a place that shows steps on standard output, or with none nothing.
    pub(super) fn new(paint: Option<Paint>) -> Live {
        Live { paint, done: HashSet::new(), changing: 0 }
    }

    /// Shows an execution as it is now.
    pub(super) fn show(&mut self, seen: &Seen, now: f64, is_over: bool) {
        let Some(paint) = self.paint else { return };
        let rows = rows(seen);
        let mut text = String::new();
        if 0 < self.changing {
            // Up to where they began, and away with them.
            text.extend([format!("\u{1b}[{}A\u{1b}[J", self.changing)]);
            self.changing = 0;
        }
        let lines = match paint {
            Paint::Coloured => self.changing_lines(&rows, now, is_over, &mut text),
            Paint::Plain => {
                self.new_lines(&rows, now, is_over, &mut text);
                Vec::new()
            }
        };
        let from = lines.len().saturating_sub(CHANGING_LINES_MAX);
        for line in lines.iter().skip(from) {
            text.push_str(line);
        }
        self.changing = lines.len() - from;
        if paint == Paint::Coloured {
            // A line that wraps would be two, and the way up is counted in lines.
            text = format!("\u{1b}[?7l{text}\u{1b}[?7h");
        }
        output::offer(&text);
    }

    /// Adds the lines of steps that are over, in whatever order they end.
    fn new_lines(&mut self, rows: &[Row], now: f64, is_over: bool, text: &mut String) {
        for row in rows {
            let waits = row.status == "Waiting" && self.done.insert(format!("waits/{}", row.id));
            let ends = row.is_over() && self.done.insert(row.id.clone());
            let is_left = is_over && row.status == "Pending" && row.depth == 0;
            if waits || ends || is_left {
                text.push_str(&line(Paint::Plain, row, now));
            }
        }
    }

    /// Adds the lines that stand for good, down to the first step that is not over; returns the
    /// others.
    fn changing_lines(
        &mut self,
        rows: &[Row],
        now: f64,
        is_over: bool,
        text: &mut String,
    ) -> Vec<String> {
        let paint = Paint::Coloured;
        let mut lines = Vec::new();
        let mut all_over = true;
        for row in rows {
            all_over = all_over && (row.is_over() || is_over);
            if all_over {
                if self.done.insert(row.id.clone()) {
                    text.push_str(&line(paint, row, now));
                }
            } else {
                lines.push(line(paint, row, now));
            }
        }
        lines
    }
}

/// Returns the line of a step, with a second one for its failure.
pub(super) fn line(paint: Paint, row: &Row, now: f64) -> String {
    let indent = "  ".repeat(row.depth);
    let name_width = NAME_WIDTH.saturating_sub(indent.len());
    let name = shortened(&row.name, name_width);
    let action = shortened(&row.action, ACTION_WIDTH);
    let meaning = meaning(&row.status);
    let status = paint.text(&format!("{:STATUS_WIDTH$}", row.status), meaning);
    let seconds = row.seconds(now).map(|seconds| format!(" {seconds:>9.3} s")).unwrap_or_default();
    let action = paint.text(&format!("{action:ACTION_WIDTH$}"), Meaning::Quiet);
    let mut text = format!("{indent}{name:name_width$} {action} {status}{seconds}\n");
    if let Some(failure) = &row.failure {
        let failure = shortened(failure, FAILURE_CHARACTERS_MAX);
        text.extend([format!("{indent}  {}\n", paint.text(&failure, Meaning::Bad))]);
    }
    text
}

/// Returns what a status means.
pub(crate) fn meaning(status: &str) -> Meaning {
    match status {
        "Success" => Meaning::Good,
        "InProgress" => Meaning::Strong,
        "Waiting" | "Cancelling" => Meaning::Doubtful,
        "Pending" => Meaning::Quiet,
        _ => Meaning::Bad,
    }
}
