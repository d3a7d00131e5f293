//! Where the conformance data lies, and the score files it is held against.

use std::path::PathBuf;

use value::Value;

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the cases of a corpus; `None`, said loudly, when it is not on this machine.
pub(crate) fn cases(file: &str) -> Option<Vec<Value>> {
    let folder = std::env::var_os("STEPWELL_CONFORMANCE")
        .map_or_else(|| workspace().join("../shared/conformance"), PathBuf::from);
    let path = folder.join("policy").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: conformance data absent at {}", path.display());
        return None;
    };
    Some(text.lines().map(|line| value::parse(line).unwrap()).collect())
}

/// Holds the ids that fail against the committed score, or writes it with `STEPWELL_BLESS=1`.
pub(crate) fn hold_score(area: &str, total: usize, mut failed: Vec<String>) {
    failed.sort();
    let mut score = format!("{}/{total}\n", total - failed.len());
    for id in &failed {
        score.push_str(id);
        score.push('\n');
    }
    let path = workspace().join("conformance").join(format!("{area}.score"));
    if std::env::var_os("STEPWELL_BLESS").is_some() {
        std::fs::write(&path, &score).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(score, committed, "{} differs; bless it with STEPWELL_BLESS=1", path.display());
}
