//! Languages and engines are pure: what they know comes in as a value.

use super::Finding;
use super::floors::{dependencies, is_pure};
use super::tree::{Source, Tree};

/// What pure code may not name, and what it would be.
const WORDS: &[(&str, &str)] = &[
    ("SystemTime", "a clock"),
    ("Instant::now", "a clock"),
    ("std::time::Instant", "a clock"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("std::fs", "files"),
    ("TcpStream", "sockets"),
    ("TcpListener", "sockets"),
    ("UdpSocket", "sockets"),
    ("ToSocketAddrs", "sockets"),
    ("std::env", "the environment"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("thread::spawn", "threads"),
    ("std::io", "input and output"),
    ("println!", "input and output"),
    ("eprintln!", "input and output"),
    ("tokio::", "an async runtime"),
    ("async fn", "an async runtime"),
    ("tracing::", "logging"),
    ("getrandom::", "randomness"),
    ("rand::", "randomness"),
];
/// Crates that bring any of these in.
const CRATES: &[&str] = &["tokio", "hyper", "rusqlite", "getrandom", "rand", "tracing", "libc"];

/// Checks the sources and the manifests of pure crates; tests may do what they like.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let pure = tree.files.iter().filter(|file| file.crate_name().is_some_and(is_pure));
    pure.flat_map(|file| if file.is_rust() { source(file) } else { manifest(file) }).collect()
}

fn source(file: &Source) -> Vec<Finding> {
    if file.is_test() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, code) in file.code_lines() {
        for (word, what) in WORDS {
            if names(code, word) {
                let what = format!("`{word}` brings {what} into a pure crate");
                let hint = "pass it in as a value: time and 32 random bytes travel in the fact";
                findings.push(Finding::new(&file.path, line, what, hint));
            }
        }
    }
    findings
}

/// Returns whether the word stands in the code, not as the tail of another one.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

fn manifest(file: &Source) -> Vec<Finding> {
    if !file.path.ends_with("/Cargo.toml") {
        return Vec::new();
    }
    let development = |line: usize| {
        let tables = file.text.lines().take(line).filter(|text| text.starts_with('['));
        tables.last().is_some_and(|table| table.contains("dev-"))
    };
    dependencies(&file.text)
        .into_iter()
        .filter(|(line, name)| CRATES.contains(name) && !development(*line))
        .map(|(line, name)| {
            let what = format!("`{name}` does not belong in a pure crate");
            Finding::new(&file.path, line, what, "keep effects on floors 3 and above")
        })
        .collect()
}
