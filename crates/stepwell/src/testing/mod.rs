//! Tests of state machines: cases with an input, mocks and what is expected, run by the engine
//! itself.
//!
//! `suite` reads the file, `mock` answers tasks, `drive` runs a case on a virtual clock, `expect`
//! compares, `coverage` counts what was reached, `junit` writes a report. docs/test.md describes
//! the format.

mod coverage;
mod drive;
mod expect;
mod junit;
mod mock;
mod suite;

use std::path::Path;

use anyhow::Result;
use value::{Value, value};

pub(crate) use coverage::Coverage;
pub(crate) use junit::report;
use suite::{Case, Suite};

/// What came of a file of cases.
pub(crate) struct Report {
    /// The file.
    pub(crate) file: String,
    /// One for each case, in the file's order.
    pub(crate) cases: Vec<Judged>,
    /// What all cases together reached.
    pub(crate) coverage: Coverage,
}

/// What came of a case.
pub(crate) struct Judged {
    /// What the case is called.
    pub(crate) name: String,
    /// The status that its execution ended with, in the API's words.
    pub(crate) status: String,
    /// How long it took on the virtual clock.
    pub(crate) virtual_millis: i64,
    /// The states that it entered, in order.
    pub(crate) path: Vec<String>,
    /// What was not as expected.
    pub(crate) problems: Vec<String>,
}

/// Runs every case of a file whose name holds `only`.
///
/// # Errors
/// When the file, or one that it names, cannot be read or says something else.
pub(crate) fn run(file: &Path, only: Option<&str>) -> Result<Report> {
    let suite = Suite::read(file)?;
    let mut coverage = Coverage::of(&suite.definition);
    let cases = suite.cases.iter().filter(|case| only.is_none_or(|only| case.name.contains(only)));
    let cases = cases.map(|case| judge(&suite, case, &mut coverage)).collect();
    Ok(Report { file: file.display().to_string(), cases, coverage })
}

fn judge(suite: &Suite, case: &Case, coverage: &mut Coverage) -> Judged {
    let ended = drive::drive(&suite.definition, case);
    std::iter::once(&ended.history).chain(&ended.children).for_each(|one| coverage.add(one));
    let path = coverage::path(&ended.history);
    let problems = match &ended.trouble {
        Some(trouble) => vec![trouble.clone()],
        None => expect::problems(&case.expect, &ended, &path),
    };
    Judged {
        name: case.name.clone(),
        status: ended.status.as_str().to_owned(),
        virtual_millis: ended.millis,
        path,
        problems,
    }
}

impl Report {
    /// Returns whether every case went as expected.
    pub(crate) fn is_good(&self) -> bool {
        self.cases.iter().all(|case| case.problems.is_empty())
    }

    /// Returns the report for machines.
    pub(crate) fn to_value(&self) -> Value {
        let cases = self.cases.iter().map(|case| {
            value!({
                "name": &*case.name,
                "passed": case.problems.is_empty(),
                "status": &*case.status,
                "virtualMillis": case.virtual_millis,
                "path": case.path.clone(),
                "problems": case.problems.clone(),
            })
        });
        value!({
            "file": &*self.file,
            "passed": self.is_good(),
            "cases": cases.collect::<Vec<Value>>(),
            "coverage": self.coverage.to_value(),
        })
    }
}

#[cfg(test)]
mod tests;
