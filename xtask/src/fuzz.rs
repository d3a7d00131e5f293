//! `cargo xtask fuzz TARGET --seconds N`: builds a fuzz target on stable Rust and runs it.
//!
//! The flags are those of `cargo fuzz --sanitizer none`: LLVM's own pass counts which edges and
//! comparisons were met, and libFuzzer, which comes with a crate, looks for inputs that meet more.
//! What is instrumented is built beside everything else, in `target/fuzz`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// The targets, and where in the repository inputs lie that they begin with, beside
/// `fuzz/seeds/TARGET`.
const TARGETS: [(&str, &[&str]); 5] = [
    ("asl", &["examples"]),
    ("jsonata", &[]),
    ("policy_document", &[]),
    ("request", &[]),
    ("saml", &["crates/saml/tests/it/data"]),
];
/// How long is looked unless it is said otherwise, in seconds.
const SECONDS_DEFAULT: &str = "60";
/// How long one input may take, in seconds, and how much memory all may, in MiB.
const INPUT_SECONDS_MAX: u32 = 20;
const MEMORY_MIB_MAX: u32 = 2048;
/// How long an input may be, in bytes.
const INPUT_BYTES_MAX: u32 = 8192;
/// What makes LLVM count.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Runs a target for a while, or on one input.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (name, seconds, input) = match words.as_slice() {
        [name] => (*name, SECONDS_DEFAULT, None),
        [name, "--seconds", seconds] => (*name, *seconds, None),
        [name, "--input", input] => (*name, SECONDS_DEFAULT, Some(*input)),
        _ => bail!("{}", usage()),
    };
    let Some((_, more)) = TARGETS.iter().find(|(known, _)| *known == name) else {
        bail!("{}", usage())
    };
    let seconds: u32 = seconds.parse().context("--seconds takes a number")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let target = target.join("fuzz");
    let mut fuzz = Command::new(build(root, &target, name)?);
    fuzz.current_dir(root);
    if let Some(input) = input {
        let status = fuzz.arg(input).status().context("starting the target")?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let (corpus, crashes) = (target.join("corpus").join(name), target.join("crashes").join(name));
    for folder in [&corpus, &crashes] {
        std::fs::create_dir_all(folder)?;
    }
    fuzz.arg(&corpus);
    let seeds = [root.join("fuzz/seeds").join(name)];
    let more = more.iter().map(|folder| root.join(folder));
    fuzz.args(seeds.into_iter().chain(more).filter(|folder| folder.is_dir()));
    let words = root.join("fuzz/dictionaries").join(name);
    if words.is_file() {
        fuzz.arg(format!("-dict={}", words.display()));
    }
    fuzz.arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .arg("-print_final_stats=1");
    let known = files(&crashes)?;
    if fuzz.status().context("starting the target")?.success() {
        return Ok(ExitCode::SUCCESS);
    }
    for file in files(&crashes)?.difference(&known) {
        eprintln!("to see it again: cargo xtask fuzz {name} --input {}", file.display());
    }
    Ok(ExitCode::FAILURE)
}

fn usage() -> String {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    let names = names.join("|");
    format!("usage: cargo xtask fuzz {names} [--seconds N | --input FILE]")
}

/// Builds a target; returns where the program is.
fn build(root: &Path, target: &Path, name: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let host = host()?;
    let mut build = Command::new(cargo);
    // With a target named, build scripts and macros are left as they are.
    build
        .args([
            "build",
            "--quiet",
            "--release",
            "--bin",
            name,
            "--features",
            name,
            "--target",
            &host,
        ])
        .args(["--manifest-path", "fuzz/Cargo.toml", "--target-dir"])
        .arg(target)
        .env("RUSTFLAGS", RUSTFLAGS)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_INCREMENTAL");
    if !build.current_dir(root).status().context("starting cargo")?.success() {
        bail!("the build failed");
    }
    Ok(target.join(host).join("release").join(name))
}

/// Returns the name of this machine's target: `x86_64-unknown-linux-gnu`.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc).arg("-vV").output().context("asking rustc")?;
    let told = String::from_utf8(told.stdout)?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not tell its host")
}

/// Returns the files of a folder.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_known_by_its_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(root.join("fuzz/targets")).unwrap() {
            files.push(entry.unwrap().file_name().into_string().unwrap());
        }
        files.sort();
        let known: Vec<String> = TARGETS.iter().map(|(name, _)| format!("{name}.rs")).collect();
        assert_eq!(files, known);
        for file in known {
            assert!(manifest.contains(&format!("path = \"targets/{file}\"")), "{file}");
        }
        for (_, folders) in TARGETS {
            assert!(folders.iter().all(|folder| root.join(folder).is_dir()), "{folders:?}");
        }
    }
}
