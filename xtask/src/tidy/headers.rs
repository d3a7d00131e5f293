//! Every crate opens by saying what it is.

use super::Finding;
use super::tree::{Source, Tree};

/// What the header of a library must hold, and what to write.
const PARTS: &[(&str, &str)] = &[
    ("what it is:", "open with `What it is: …`"),
    ("what it is not:", "say what it deliberately leaves to others: `What it is not: …`"),
    ("```", "show one example that runs as a test"),
    ("may depend on", "end with `May depend on: …`"),
];

/// Checks each `lib.rs`, and that `main.rs` files say what they are.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        if file.path.ends_with("/src/lib.rs") {
            let header = header(file).to_lowercase();
            for (part, hint) in PARTS {
                if !header.contains(part) {
                    let what = format!("the header lacks `{part}`");
                    findings.push(Finding::new(&file.path, 1, what, hint));
                }
            }
        } else if !file.is_test() && header(file).is_empty() {
            let hint = "open with `//! …`: why this file exists";
            findings.push(Finding::new(&file.path, 1, "no header", hint));
        }
    }
    findings
}

/// Returns the text of the `//!` lines at the top, as one line.
fn header(file: &Source) -> String {
    let lines = file.text.lines().take_while(|line| line.starts_with("//!"));
    let texts: Vec<&str> = lines.map(|line| line.trim_start_matches("//!").trim()).collect();
    texts.join(" ")
}
