//! What a person sees: progress as it happens, then a table. Plain when piped.

use std::io::IsTerminal;

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use value::Value;

use super::manifest::Manifest;
use super::outcome::{Outcome, StepRun};

/// Where progress goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// Nowhere.
    Silent,
    /// Standard output, without colours.
    Plain,
    /// A terminal.
    Coloured,
}

/// What a piece of text means.
#[derive(Clone, Copy)]
enum Meaning {
    Good,
    Bad,
    Quiet,
}

impl Screen {
    /// Returns a screen that shows nothing.
    pub(crate) fn silent() -> Screen {
        Screen::Silent
    }

    /// Returns standard output, coloured when a person watches and has not set NO_COLOR.
    pub(crate) fn standard() -> Screen {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        if colours { Screen::Coloured } else { Screen::Plain }
    }

    fn paint(self, text: &str, meaning: Meaning) -> String {
        let code = match meaning {
            Meaning::Good => 32,
            Meaning::Bad => 31,
            Meaning::Quiet => 90,
        };
        match self {
            Screen::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Screen::Plain | Screen::Silent => text.to_owned(),
        }
    }

    fn line(self, text: &str) {
        if self != Screen::Silent {
            println!("{text}");
        }
    }

    /// Shows what is about to run.
    pub(super) fn title(self, manifest: &Manifest) {
        self.line(&manifest.description);
    }

    /// Shows that a preparation is done.
    pub(super) fn done(self, what: &str) {
        self.line(&format!("{} {what}", self.paint("ok", Meaning::Good)));
    }

    /// Shows that a state was entered.
    pub(super) fn entered(self, name: &str, kind: &str) {
        self.line(&format!("-> {name} {}", self.paint(kind, Meaning::Quiet)));
    }

    /// Shows an event that says what failed.
    pub(super) fn failed(self, kind: &str, event: &Value) {
        let details = event.as_object().into_iter().flat_map(value::Map::iter);
        let details = details.filter(|(name, _)| name.ends_with("Details"));
        let details: Vec<String> = details.map(|(_, details)| details.to_string()).collect();
        self.line(&format!("   {} {}", self.paint(kind, Meaning::Bad), details.join(" ")));
    }

    /// Shows where a step of a runbook is.
    pub(super) fn step(self, step: &StepRun) {
        let status = self.paint(&step.status, meaning(&step.status));
        self.line(&format!("     {} {status}", step.name));
        if let Some(failure) = &step.failure {
            self.line(&format!("       {}", self.paint(failure, Meaning::Bad)));
        }
    }

    /// Shows the whole outcome as a table.
    pub(crate) fn summary(self, outcome: &Outcome) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        // As wide as the terminal at most; what is piped is not broken.
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["", "what", "how", "times", "seconds"]);
        for state in &outcome.states {
            let seconds = format!("{:.3}", state.seconds);
            let times = state.times.to_string();
            table.add_row(["state", &state.name, &state.kind, &times, &seconds]);
        }
        for step in &outcome.steps {
            let status = self.cell(&step.status, meaning(&step.status));
            table.add_row([Cell::new("step"), Cell::new(&step.name), status]);
        }
        for check in &outcome.checks {
            let found = match &check.problem {
                None => self.cell("true", Meaning::Good),
                Some(problem) => self.cell(problem, Meaning::Bad),
            };
            table.add_row([Cell::new("check"), Cell::new(&check.claim), found]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_padding((0, 1));
        }
        self.line(&table.to_string());
        for member in ["error", "cause", "output"] {
            if let Some(text) = outcome.text(member) {
                self.line(&format!("{member}: {text}"));
            }
        }
        let wanted = outcome.is_as_expected();
        let status =
            self.paint(outcome.status(), if wanted { Meaning::Good } else { Meaning::Bad });
        let held = outcome.checks.iter().filter(|check| check.problem.is_none()).count();
        let checks = match outcome.checks.len() {
            0 => String::new(),
            all => format!(", {held} of {all} checks hold"),
        };
        self.line(&format!("{status}{checks}, {} ms", outcome.wall_millis));
    }

    fn cell(self, text: &str, meaning: Meaning) -> Cell {
        let cell = Cell::new(text);
        match (self, meaning) {
            (Screen::Coloured, Meaning::Good) => cell.fg(Color::Green),
            (Screen::Coloured, Meaning::Bad) => cell.fg(Color::Red),
            (Screen::Coloured, Meaning::Quiet) => cell.fg(Color::DarkGrey),
            (Screen::Plain | Screen::Silent, _) => cell,
        }
    }
}

fn meaning(status: &str) -> Meaning {
    match status {
        "Success" => Meaning::Good,
        "InProgress" | "Pending" | "Waiting" => Meaning::Quiet,
        _ => Meaning::Bad,
    }
}
