//! Score files: what passes must keep passing.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use value::Value;

/// Returns the lines of a corpus file, or none (loudly) when the corpus is absent.
pub(crate) fn corpus(name: &str) -> Option<String> {
    let root = std::env::var_os("STEPWELL_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let path = root.join("jsonata").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: conformance data absent at {}", path.display());
    }
    text
}

/// Parses JSON lines; those that UTF-8 strings cannot hold are left out.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| value::parse(line).ok()).collect()
}

/// What passed and what failed.
#[derive(Default)]
pub(crate) struct Score {
    total: usize,
    failed: BTreeSet<String>,
}

impl Score {
    /// Counts one case.
    pub(crate) fn count(&mut self, id: &str, passed: bool) {
        self.total += 1;
        if !passed {
            self.failed.insert(id.to_owned());
        }
    }

    /// Compares with `conformance/<area>.score`, or rewrites it when `STEPWELL_BLESS` is set.
    pub(crate) fn check(&self, area: &str) {
        let mut text = format!("{}/{}\n", self.total - self.failed.len(), self.total);
        for id in &self.failed {
            let _ = writeln!(text, "{id}");
        }
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
        let path = folder.join(format!("{area}.score"));
        if std::env::var_os("STEPWELL_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, text).unwrap();
            return;
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            known == text,
            "{area} changed; run with STEPWELL_BLESS=1 if for the better\nknown:\n{known}\nnow:\n{text}"
        );
    }
}
