//! `stepwell policy check`: what AWS says to policies, and what people should know.

mod computed;
mod documents;
mod judge;
mod lines;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use asl::Severity;
use policy::Kind;
use value::{Value, value};

use super::super::paint::{Meaning, Paint};
use super::super::problem::Problem;
use documents::Found;

/// Find every problem of IAM policies: AWS's verdict, and what is allowed and probably not meant.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Policy documents, and CloudFormation or SAM templates with policies in them
    #[arg(value_name = "FILE", required_unless_present = "jsonl")]
    files: Vec<PathBuf>,
    /// What the documents are for [default: what they look like, or what a template says]
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<For>,
    /// Print the findings as JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// Read lines {"id", "kind", "document"} from standard input, answer each by a line
    #[arg(long, conflicts_with_all = ["files", "json"])]
    jsonl: bool,
}

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum For {
    /// A managed policy, of whom it is attached to
    Identity,
    /// An inline policy of a user, group or role
    Inline,
    /// A policy of a resource: a bucket, a queue, a key
    Resource,
    /// Who may assume a role
    Trust,
    /// A permissions boundary
    Boundary,
    /// A session policy
    Session,
    /// A service control policy
    Scp,
    /// A resource control policy
    Rcp,
}

impl For {
    fn kind(self) -> Kind {
        match self {
            For::Identity => Kind::Managed,
            For::Inline => Kind::Identity,
            For::Resource => Kind::Resource,
            For::Trust => Kind::Trust,
            For::Boundary => Kind::Boundary,
            For::Session => Kind::Session,
            For::Scp => Kind::ServiceControl,
            For::Rcp => Kind::ResourceControl,
        }
    }

    fn word(self) -> &'static str {
        match self {
            For::Identity => "identity",
            For::Inline => "inline",
            For::Resource => "resource",
            For::Trust => "trust",
            For::Boundary => "boundary",
            For::Session => "session",
            For::Scp => "scp",
            For::Rcp => "rcp",
        }
    }
}

/// What was found in one policy, or in a file that holds none.
struct Checked {
    file: String,
    text: String,
    logical_id: Option<String>,
    kind: Option<For>,
    /// What AWS says; `None` when it takes the policy.
    verdict: Option<String>,
    problems: Vec<Problem>,
}

/// Looks at every file; the status is 1 when there is an error in one.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.jsonl {
        return lines::run(arguments.kind);
    }
    let paint = if arguments.json { Paint::Plain } else { Paint::of(&std::io::stdout()) };
    let mut all = Vec::new();
    for path in &arguments.files {
        let checked = look(path, arguments.kind);
        if !arguments.json {
            for checked in &checked {
                print!("{}", checked.to_text(paint));
            }
        }
        all.extend(checked);
    }
    let count = |severity| all.iter().map(|checked| checked.count(severity)).sum();
    let (errors, warnings): (usize, usize) = (count(Severity::Error), count(Severity::Warning));
    if arguments.json {
        let files: Vec<Value> = all.iter().map(Checked::to_value).collect();
        println!("{}", value!({"files": files, "errors": errors, "warnings": warnings}));
    } else {
        let policies = all.iter().filter(|checked| checked.kind.is_some()).count();
        let meaning = if errors == 0 { Meaning::Good } else { Meaning::Bad };
        let found = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
        println!("{}: {}", counted(policies, "policy"), paint.text(&found, meaning));
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(path: &Path, kind: Option<For>) -> Vec<Checked> {
    let file = path.display().to_string();
    match documents::read(path) {
        Ok((text, found)) => found
            .into_iter()
            .map(|Found { logical_id, kind: told, node }| {
                let kind = kind.or(told).unwrap_or_else(|| judge::looks_like(&node));
                let (verdict, problems) = judge::judge(&node, kind.kind());
                let (file, text) = (file.clone(), text.clone());
                Checked { file, text, logical_id, kind: Some(kind), verdict, problems }
            })
            .collect(),
        Err(fault) => {
            let documents::Fault { text, problem, verdict } = *fault;
            let problems = vec![problem];
            vec![Checked { file, text, logical_id: None, kind: None, verdict, problems }]
        }
    }
}

impl Checked {
    fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    fn to_value(&self) -> Value {
        let problems: Vec<Value> = self.problems.iter().map(Problem::to_value).collect();
        let result = if self.count(Severity::Error) == 0 { "OK" } else { "FAIL" };
        value!({
            "file": &*self.file,
            "logicalId": self.logical_id.clone(),
            "kind": self.kind.map(For::word),
            "result": result,
            "verdict": judge::verdict_word(self.verdict.as_deref()),
            "message": self.verdict.clone(),
            "diagnostics": problems,
        })
    }

    fn to_text(&self, paint: Paint) -> String {
        let problems = self.problems.iter();
        problems.map(|one| one.to_text(&self.file, &self.text, paint) + "\n").collect()
    }
}

/// Returns `1 error`, `2 policies`.
fn counted(count: usize, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}
