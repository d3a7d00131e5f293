//! Exceptions are reasoned, and no test is left out.

use super::Finding;
use super::tree::Tree;

/// What may not stand in code, and what to write instead.
const REFUSED: &[(&str, &str)] = &[
    ("#[allow(", "write `#[expect(lint, reason = \"…\")]`, which ends when the cause does"),
    ("#![allow(", "write `#![expect(lint, reason = \"…\")]`, which ends when the cause does"),
    ("#[ignore", "assert the wrong result with a FIXME, so that we notice when it turns right"),
    ("todo!(", "finish it, or answer a typed error that names what is missing"),
    ("unimplemented!(", "finish it, or answer a typed error that names what is missing"),
];

/// Checks every Rust file, tests too.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (index, code) in file.mask.code.lines().enumerate() {
            for (word, hint) in REFUSED {
                if code.contains(word) {
                    let what = format!("`{word}`");
                    findings.push(Finding::new(&file.path, index + 1, what, hint));
                }
            }
            if code.trim_start().starts_with("#[expect(") && !reasoned(&file.mask.code, index) {
                let hint = "add `reason = \"…\"`";
                let what = "an exception without a reason";
                findings.push(Finding::new(&file.path, index + 1, what, hint));
            }
        }
    }
    findings
}

/// Returns whether the attribute that starts at this line has a reason before it ends.
fn reasoned(code: &str, index: usize) -> bool {
    let attribute = code.lines().skip(index).take(6);
    let mut seen = false;
    for line in attribute {
        seen |= line.contains("reason =");
        if line.trim_end().ends_with(']') {
            return seen;
        }
    }
    seen
}
