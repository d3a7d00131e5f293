//! The number of packages we build on has a ceiling.

use super::Finding;
use super::tree::Tree;

/// How many packages `Cargo.lock` may hold, ours included. Raise it in the commit that needs it,
/// and say there why the dependency is worth its weight.
const PACKAGES_MAX: usize = 290;

/// Counts the packages, and refuses versions outside the root manifest.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(lock) = tree.get("Cargo.lock") {
        let count = lock.text.lines().filter(|line| *line == "[[package]]").count();
        if PACKAGES_MAX < count {
            let what = format!("{count} packages, {PACKAGES_MAX} are allowed");
            let hint = "drop a dependency, or raise PACKAGES_MAX in xtask/src/tidy/lockfile.rs";
            findings.push(Finding::new("Cargo.lock", 0, what, hint));
        }
    }
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        for (index, line) in file.text.lines().enumerate() {
            let versioned = line.contains("version = \"") || line.contains("= \"^");
            if versioned {
                let hint = "write `name.workspace = true`; versions stand in the root manifest";
                findings.push(Finding::new(&file.path, index + 1, "a version", hint));
            }
        }
    }
    findings
}
