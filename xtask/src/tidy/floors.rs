//! Crates depend downwards only.

use super::Finding;
use super::tree::Tree;

/// The floors, and of our own crates those that each may use (ARCHITECTURE.md says why).
const FLOORS: &[(u8, &str, &[&str])] = &[
    (0, "value", &[]),
    (1, "jsonata", &["value"]),
    (1, "jsonpath", &["value"]),
    (1, "policy", &["value"]),
    (1, "saml", &[]),
    (1, "asl", &["value", "jsonata", "jsonpath"]),
    (1, "events", &["value", "jsonpath"]),
    (2, "execution", &["value", "jsonata", "jsonpath", "asl"]),
    (2, "automation", &["value", "jsonpath"]),
    (2, "stacks", &["value"]),
    (3, "store", &["value"]),
    (3, "wire", &["value"]),
    (
        4,
        "runtime",
        &["value", "policy", "asl", "events", "execution", "automation", "stacks", "store", "wire"],
    ),
    (
        5,
        "services",
        &[
            "value",
            "jsonata",
            "jsonpath",
            "policy",
            "saml",
            "asl",
            "events",
            "execution",
            "automation",
            "stacks",
            "store",
            "wire",
            "runtime",
        ],
    ),
    (
        6,
        "stepwell",
        &[
            "value",
            "jsonata",
            "jsonpath",
            "policy",
            "asl",
            "events",
            "execution",
            "automation",
            "stacks",
            "store",
            "wire",
            "runtime",
            "services",
        ],
    ),
];

/// Programs beside the house: they may use every crate, and no crate may use them.
const BESIDE: &[&str] = &["bench", "sim", "xtask"];

/// Checks that exactly the crates of the table exist, and what each depends on.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, name, allowed) in FLOORS {
        let path = format!("crates/{name}/Cargo.toml");
        let Some(manifest) = tree.get(&path) else {
            let hint = "these crates are the house; a decision record may change them";
            findings.push(Finding::new(&path, 0, format!("crate `{name}` is missing"), hint));
            continue;
        };
        for (line, dependency) in dependencies(&manifest.text) {
            let ours = FLOORS.iter().any(|(_, ours, _)| *ours == dependency)
                || BESIDE.contains(&dependency);
            if ours && !allowed.contains(&dependency) {
                let what = format!("`{name}` may not depend on `{dependency}`");
                let hint = "crates depend downwards only: move the code to the floor it belongs to";
                findings.push(Finding::new(&path, line, what, hint));
            }
        }
    }
    findings.extend(strangers(tree));
    findings
}

/// Finds crates that the table does not know.
fn strangers(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    manifests
        .filter_map(|file| Some((file, file.crate_name()?)))
        .filter(|(_, name)| FLOORS.iter().all(|(_, known, _)| known != name))
        .map(|(file, name)| {
            let hint = "no crates beside these without a decision record in docs/decisions";
            Finding::new(&file.path, 1, format!("crate `{name}` has no floor"), hint)
        })
        .collect()
}

/// Returns the names in every `[…dependencies]` table of a manifest, with their lines.
pub(super) fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line.trim_matches(['[', ']']).ends_with("dependencies");
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            found.push((index + 1, line.get(..end).unwrap_or(line)));
        }
    }
    found
}

/// Returns whether a crate is pure: a language, an engine or the value.
pub(super) fn is_pure(name: &str) -> bool {
    FLOORS.iter().any(|(floor, known, _)| *known == name && *floor <= 2)
}
