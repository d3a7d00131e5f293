//! Every file is registered, so that none is forgotten: neither code nor tests.

use super::Finding;
use super::tree::{Source, Tree};

/// Checks modules, and that a crate has one integration-test binary.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        findings.extend(unregistered(tree, file));
        findings.extend(stray_test(file));
    }
    findings
}

/// Finds a file that no module declares.
fn unregistered(tree: &Tree, file: &Source) -> Option<Finding> {
    if is_root(&file.path) || is_stray(&file.path) {
        return None;
    }
    let (module, folder) = match file.stem() {
        "mod" => {
            let (parent, name) = file.folder().rsplit_once('/')?;
            (name, parent)
        }
        stem => (stem, file.folder()),
    };
    let parents = [
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}.rs"),
    ];
    let declared = parents
        .iter()
        .filter_map(|parent| tree.get(parent))
        .any(|parent| declares(&parent.mask.code, module));
    let hint = "add its line to the folder's mod.rs, or delete the file";
    let what = format!("no module declares `{module}`");
    (!declared).then(|| Finding::new(&file.path, 0, what, hint))
}

/// Returns whether masked code says `mod name;` or `mod name {`.
fn declares(code: &str, name: &str) -> bool {
    code.match_indices("mod ").any(|(at, found)| {
        let after = code.get(at + found.len()..).unwrap_or_default();
        let rest = after.strip_prefix("r#").unwrap_or(after).strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start().starts_with([';', '{']))
    })
}

/// Returns whether cargo itself finds the file.
fn is_root(path: &str) -> bool {
    let roots = ["/src/lib.rs", "/src/main.rs", "/build.rs", "/tests/it/main.rs"];
    roots.iter().any(|root| path.ends_with(root)) || path.contains("/benches/")
}

/// Returns whether the file would be an integration-test binary of its own.
fn is_stray(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folder, _)| folder.ends_with("/tests"))
        && !path.contains("/src/")
}

fn stray_test(file: &Source) -> Option<Finding> {
    let what = "a second integration-test binary";
    let hint = "one binary per crate: move it to tests/it/ and declare it in tests/it/main.rs";
    is_stray(&file.path).then(|| Finding::new(&file.path, 0, what, hint))
}
