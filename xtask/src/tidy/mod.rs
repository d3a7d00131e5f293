//! `cargo xtask tidy`: the house rules that no lint can express.
//!
//! One file per rule, one line per rule in [`RULES`]. A rule looks at the whole [`Tree`], which is
//! read once, and returns what it found; it never stops at the first finding.

mod floors;
mod headers;
mod lints;
mod lockfile;
mod mask;
mod names;
mod purity;
mod registered;
mod scores;
mod sizes;
mod tags;
#[cfg(test)]
mod tests;
mod tree;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use tree::Tree;

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The file, from the root of the repository.
    path: String,
    /// The line, counted from 1; 0 when the whole file is meant.
    line: usize,
    /// What is wrong.
    what: String,
    /// What to do about it.
    hint: &'static str,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, hint: &'static str) -> Finding {
        Finding { path: path.to_owned(), line, what: what.into(), hint }
    }
}

/// A rule: its name and its check.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

/// The rules, one line each.
const RULES: &[Rule] = &[
    ("floors", floors::check),
    ("headers", headers::check),
    ("lints", lints::check),
    ("lockfile", lockfile::check),
    ("names", names::check),
    ("purity", purity::check),
    ("registered", registered::check),
    ("scores", scores::check),
    ("sizes", sizes::check),
    ("tags", tags::check),
];

/// What to do about the pages that are made from the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// Say when they are out of date.
    Check,
    /// Renew them first.
    Write,
}

/// Runs every rule, and returns how many places break one.
pub(crate) fn run(pages: Pages) -> Result<usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    let started = Instant::now();
    let mut tree = Tree::read(root)?;
    if pages == Pages::Write {
        tags::write(root, &tree)?;
        tree = Tree::read(root)?;
    }
    let mut count = 0;
    for (rule, check) in RULES {
        let mut findings = check(&tree);
        findings.sort();
        count += findings.len();
        for finding in findings {
            let Finding { path, line, what, hint } = finding;
            println!("{path}:{line}: {rule}: {what}\n    hint: {hint}");
        }
    }
    for long in sizes::listed(&tree) {
        println!("note: {long}");
    }
    let millis = started.elapsed().as_millis();
    let (rules, files) = (RULES.len(), tree.files.len());
    println!("tidy: {rules} rules, {files} files, {count} findings, {millis} ms");
    Ok(count)
}
