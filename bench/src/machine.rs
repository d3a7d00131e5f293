//! What was measured, on what, and how busy it was.

use std::process::Command;

use value::{Value, value};

use crate::bench::Bench;

/// The machine and the programs.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Names and texts, in the order shown.
    facts: Vec<(&'static str, String)>,
}

impl Machine {
    /// Looks before the run.
    pub(crate) fn look(bench: &Bench) -> Machine {
        let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let model = read("/proc/cpuinfo");
        let model = model.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.unwrap_or_default().trim_start_matches(['\t', ' ', ':']).to_owned();
        let mut git = Command::new("git");
        git.args(["describe", "--always", "--dirty"]).current_dir(Bench::repository());
        let stepwell = output(Command::new(&bench.stepwell).arg("--version"));
        let facts = vec![
            ("processors", format!("{processors} x {model}")),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("started", output(Command::new("date").arg("-Is"))),
            ("server", stepwell),
            ("commit", output(&mut git)),
            ("sqlite", rusqlite::version().to_owned()),
            ("load before", read("/proc/loadavg")),
        ];
        Machine { facts }
    }

    /// Looks once more after the run.
    pub(crate) fn look_again(mut self) -> Machine {
        self.facts.push(("load after", read("/proc/loadavg")));
        self
    }

    /// Returns the lines above the table.
    pub(crate) fn lines(&self) -> String {
        let lines: Vec<String> =
            self.facts.iter().map(|(name, text)| format!("{name}: {text}\n")).collect();
        lines.concat()
    }

    /// Returns it for programs.
    pub(crate) fn to_value(&self) -> Value {
        self.facts.iter().fold(value!({}), |all, (name, text)| all.with(*name, text.as_str()))
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn output(command: &mut Command) -> String {
    let done = command.output().map(|done| done.stdout).unwrap_or_default();
    String::from_utf8_lossy(&done).trim().to_owned()
}
