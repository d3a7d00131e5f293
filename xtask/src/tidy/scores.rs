//! Every corpus has a committed score.

use super::Finding;
use super::tree::{Source, Tree};

/// The corpora, by their score file.
const SCORES: &[&str] = &[
    "jsonata-errors",
    "jsonata-generated",
    "jsonata-generated-errors",
    "jsonata-suite",
    "policy-decisions",
    "policy-validation",
    "runbooks",
    "states",
    "states-engine",
    "states-validation",
];

/// Checks that each is there, and that its numbers and its list agree.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in SCORES {
        let path = format!("conformance/{name}.score");
        let hint = "run its runner with STEPWELL_BLESS=1 and commit the file";
        let missing = Finding::new(&path, 0, "the score is missing", hint);
        findings.extend(tree.get(&path).map_or(Some(missing), shape));
    }
    findings
}

fn shape(file: &Source) -> Option<Finding> {
    let hint = "`passed/total`, then the ids that fail, sorted: bless it, never edit it";
    let mut lines = file.text.lines();
    let numbers = lines.next().and_then(|first| first.split_once('/'));
    let numbers = numbers.and_then(|(passed, total)| {
        Some((passed.parse::<usize>().ok()?, total.parse::<usize>().ok()?))
    });
    let Some((passed, total)) = numbers else {
        return Some(Finding::new(&file.path, 1, "the first line is not `passed/total`", hint));
    };
    let failing: Vec<&str> = lines.collect();
    if passed + failing.len() != total {
        let what = format!("{passed} of {total} pass, but {} are listed", failing.len());
        return Some(Finding::new(&file.path, 1, what, hint));
    }
    let sorted = failing.windows(2).all(|pair| pair.first() <= pair.last());
    (!sorted).then(|| Finding::new(&file.path, 2, "the list is not sorted", hint))
}
