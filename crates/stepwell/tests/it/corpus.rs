//! The conformance data, and the scores it is held against.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Returns a file of the conformance data; `None`, said loudly, when it is not on this machine.
pub(crate) fn corpus(name: &str) -> Option<String> {
    let root = std::env::var_os("STEPWELL_CONFORMANCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let path = root.join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: conformance data absent at {}", path.display());
    }
    text
}

/// Runs a command with this on its standard input.
pub(crate) fn piped(command: &mut Command, input: String) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Returns what the committed score says to fail.
pub(crate) fn failing(area: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    let text = std::fs::read_to_string(folder.join(format!("{area}.score"))).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}
