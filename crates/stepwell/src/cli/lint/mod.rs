//! `stepwell lint`: everything that is wrong with state machines, before anything is deployed.

mod problem;
mod resources;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use asl::{Severity, StateMachineType};
use value::{Value, value};

use super::paint::{Meaning, Paint};
use super::problem::Problem;
use crate::definitions::{self, Content, Source};

/// Find every problem of state machines and runbooks, with AWS's codes and the place in the file.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Definitions (.asl.json, .asl.yaml), CloudFormation or SAM templates, Automation documents
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the machines are to run as [default: what a template says, else STANDARD]
    #[arg(long = "type", value_enum, value_name = "TYPE", ignore_case = true)]
    machine_type: Option<Kind>,
    /// Print the findings as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Standard,
    Express,
}

impl Kind {
    fn machine_type(self) -> StateMachineType {
        match self {
            Kind::Standard => StateMachineType::Standard,
            Kind::Express => StateMachineType::Express,
        }
    }
}

/// What was found in one machine, runbook or file.
struct Finding {
    file: String,
    text: String,
    logical_id: Option<String>,
    kind: &'static str,
    problems: Vec<Problem>,
}

/// Looks at every file; the status is 1 when there is an error in one.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let paint = if arguments.json { Paint::Plain } else { Paint::of(&std::io::stdout()) };
    let mut findings = Vec::new();
    let mut counts = Counts::default();
    for path in &arguments.files {
        for finding in look(path, arguments.machine_type.map(Kind::machine_type)) {
            counts.add(&finding);
            if arguments.json {
                findings.push(finding.to_value());
            } else {
                print!("{}", finding.to_text(paint));
            }
        }
    }
    if arguments.json {
        let (errors, warnings) = (counts.errors, counts.warnings);
        println!("{}", value!({"files": findings, "errors": errors, "warnings": warnings}));
    } else {
        println!("{}", counts.to_text(paint));
    }
    Ok(if counts.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(path: &Path, machine_type: Option<StateMachineType>) -> Vec<Finding> {
    match definitions::read(path) {
        Ok(sources) => sources.iter().map(|source| judge(source, machine_type)).collect(),
        Err(err) => vec![Finding {
            file: path.display().to_string(),
            text: String::new(),
            logical_id: None,
            kind: "unknown",
            problems: vec![Problem::unreadable(&err)],
        }],
    }
}

fn judge(source: &Source, machine_type: Option<StateMachineType>) -> Finding {
    let text = &source.file.text;
    let (kind, problems) = match &source.content {
        Content::Machine(machine) => {
            let found = machine.diagnose(machine_type, &resources::Aws);
            ("stateMachine", found.into_iter().map(problem::of_machine).collect())
        }
        Content::Broken(found) => ("unknown", vec![problem::of_machine((**found).clone())]),
        Content::Elsewhere => ("elsewhere", Vec::new()),
        Content::Runbook(format) => ("runbook", problem::of_runbook(text, *format)),
    };
    Finding {
        file: source.file.path.display().to_string(),
        text: text.clone(),
        logical_id: source.logical_id.clone(),
        kind,
        problems,
    }
}

impl Finding {
    fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    fn to_value(&self) -> Value {
        let problems: Vec<Value> = self.problems.iter().map(Problem::to_value).collect();
        // The words of ValidateStateMachineDefinition.
        let result = if self.count(Severity::Error) == 0 { "OK" } else { "FAIL" };
        value!({
            "file": &self.file,
            "logicalId": self.logical_id.clone(),
            "kind": self.kind,
            "result": result,
            "diagnostics": problems,
        })
    }

    fn to_text(&self, paint: Paint) -> String {
        let problems = self.problems.iter();
        problems.map(|one| one.to_text(&self.file, &self.text, paint) + "\n").collect()
    }
}

#[derive(Default)]
struct Counts {
    machines: usize,
    runbooks: usize,
    elsewhere: usize,
    errors: usize,
    warnings: usize,
}

impl Counts {
    fn add(&mut self, finding: &Finding) {
        match finding.kind {
            "stateMachine" => self.machines += 1,
            "runbook" => self.runbooks += 1,
            "elsewhere" => self.elsewhere += 1,
            _ => {}
        }
        self.errors += finding.count(Severity::Error);
        self.warnings += finding.count(Severity::Warning);
    }

    fn to_text(&self, paint: Paint) -> String {
        let mut looked = Vec::new();
        for (count, what) in [
            (self.machines, "state machine"),
            (self.runbooks, "runbook"),
            (self.elsewhere, "definition elsewhere, not looked at"),
        ] {
            if count > 0 {
                looked.push(counted(count, what));
            }
        }
        let meaning = if self.errors == 0 { Meaning::Good } else { Meaning::Bad };
        let found =
            format!("{}, {}", counted(self.errors, "error"), counted(self.warnings, "warning"));
        let found = paint.text(&found, meaning);
        if looked.is_empty() { found } else { format!("{}: {found}", looked.join(", ")) }
    }
}

/// Returns `1 error`, `2 errors`.
fn counted(count: usize, what: &str) -> String {
    match (count, what.split_once(' ')) {
        (1, _) => format!("1 {what}"),
        (_, Some(("definition", rest))) => format!("{count} definitions {rest}"),
        (_, _) => format!("{count} {what}s"),
    }
}
