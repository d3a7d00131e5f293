//! The repository's text files, read once.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::mask::{self, Mask};

/// What is looked at, from the root.
const FOLDERS: &[&str] = &["crates", "bench", "sim", "xtask", "conformance"];
/// Single files that rules look at.
const FILES: &[&str] = &["Cargo.toml", "Cargo.lock", tags_file()];
/// How deep folders may nest; deeper is an accident.
const DEPTH_MAX: usize = 16;

/// Where the tags of all sources are collected.
pub(super) const fn tags_file() -> &'static str {
    "docs/compat/tags.md"
}

/// One file.
pub(super) struct Source {
    /// From the root, with `/`.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
    /// Which bytes are code; empty when this is not Rust.
    pub(super) mask: Mask,
    rust: bool,
}

/// All files that rules look at, sorted by path.
pub(super) struct Tree {
    /// The files.
    pub(super) files: Vec<Source>,
}

impl Source {
    /// Returns a file with this text.
    pub(super) fn new(path: &str, text: &str) -> Source {
        let rust = Path::new(path).extension().is_some_and(|ending| ending == "rs");
        let mask = if rust { mask::mask(text) } else { Mask::default() };
        Source { path: path.to_owned(), text: text.to_owned(), mask, rust }
    }

    /// Returns whether this is Rust.
    pub(super) fn is_rust(&self) -> bool {
        self.rust
    }

    /// Returns whether the whole file is test or benchmark code.
    pub(super) fn is_test(&self) -> bool {
        ["/tests/", "/benches/"].iter().any(|folder| self.path.contains(folder))
            || self.path.ends_with("/tests.rs")
    }

    /// Returns the file's name without folder and ending.
    pub(super) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }

    /// Returns the folder of the file.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Returns the crate's name, when the file belongs to one.
    pub(super) fn crate_name(&self) -> Option<&str> {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next(),
            _ => None,
        }
    }

    /// Returns the lines of code, numbered from 1, comments and texts blanked, without test
    /// modules.
    pub(super) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.mask
            .code
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(|(line, _)| !self.mask.in_tests(*line))
    }
}

impl Tree {
    /// Reads what the rules look at below `root`.
    pub(super) fn read(root: &Path) -> Result<Tree> {
        let mut files = Vec::new();
        for folder in FOLDERS {
            read_folder(root, folder, 0, &mut files)?;
        }
        for file in FILES {
            if let Ok(text) = fs::read_to_string(root.join(file)) {
                files.push(Source::new(file, &text));
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Tree { files })
    }

    /// Returns the file at exactly this path.
    pub(super) fn get(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Returns the Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().filter(|file| file.is_rust())
    }
}

fn read_folder(root: &Path, folder: &str, depth: usize, files: &mut Vec<Source>) -> Result<()> {
    if depth > DEPTH_MAX {
        bail!("`{folder}` nests deeper than {DEPTH_MAX} folders");
    }
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if entry.file_type()?.is_dir() {
            if name != "target" && !name.starts_with('.') {
                read_folder(root, &path, depth + 1, files)?;
            }
        } else if [".rs", ".toml", ".score"].iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(entry.path()).with_context(|| format!("read {path}"))?;
            files.push(Source::new(&path, &text));
        }
    }
    Ok(())
}
