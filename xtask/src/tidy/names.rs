//! Names that say nothing.

use super::Finding;
use super::tree::Tree;

/// What no crate, folder or file may be called; code without a home is missing its noun.
const BANNED: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "manager", "base", "types", "stuff"];

/// Checks the names of folders and files.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for part in file.path.split('/') {
            let stem = part.split('.').next().unwrap_or_default();
            if let Some(word) = stem.split('_').find(|word| BANNED.contains(word)) {
                let what = format!("`{word}` in the name `{part}`");
                let hint = "name it after what it holds";
                findings.push(Finding::new(&file.path, 0, what, hint));
            }
        }
    }
    findings
}
