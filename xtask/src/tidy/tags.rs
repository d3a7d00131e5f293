//! The three fixed tags in comments, collected into one page.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use super::tree::{Tree, tags_file};

/// The tags, and what the page says about each.
const TAGS: &[(&str, &str)] = &[
    ("DIFFERS", "Where Stepwell does not do what AWS does, on purpose."),
    ("UNVERIFIED", "What is believed of AWS and not yet checked against it."),
    ("INVARIANT", "What the code relies on, and keeps."),
];

/// Checks that the page is up to date.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let written = tree.get(tags_file()).map(|file| file.text.as_str());
    let hint = "run `cargo xtask tidy --write` and commit the page";
    if written == Some(page(tree).as_str()) {
        return Vec::new();
    }
    vec![Finding::new(tags_file(), 0, "the page of tags is out of date", hint)]
}

/// Writes the page.
pub(super) fn write(root: &Path, tree: &Tree) -> Result<()> {
    let path = root.join(tags_file());
    let folder = path.parent().context("the page of tags has no folder")?;
    fs::create_dir_all(folder)?;
    fs::write(&path, page(tree)).with_context(|| format!("write {}", path.display()))
}

/// Renders the page: by tag, then by file. No line numbers, so that moving code changes nothing.
fn page(tree: &Tree) -> String {
    let mut page = String::from(
        "# Tags\n\nWritten by `cargo xtask tidy --write` from the comments in the sources; \
         do not edit.\n",
    );
    for (tag, what) in TAGS {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {tag}\n{what}\n");
        for file in tree.rust().filter(|file| file.crate_name().is_some() && !file.is_test()) {
            let found = tagged(&file.text, tag);
            if !found.is_empty() {
                let _ = write!(page, "\n`{}`\n", file.path);
            }
            for text in found {
                let _ = writeln!(page, "- {text}");
            }
        }
    }
    page
}

/// Returns the texts behind a tag; a text goes on in the comment lines below.
fn tagged(text: &str, tag: &str) -> Vec<String> {
    let lead = format!("{tag}:");
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let comment = line.split_once("//").map(|(_, comment)| comment);
        let comment = comment.map(|comment| comment.trim_start_matches(['/', '!']).trim());
        let starts = comment.and_then(|comment| comment.strip_prefix(&lead));
        let other = TAGS.iter().any(|(other, _)| {
            comment.is_some_and(|comment| comment.starts_with(&format!("{other}:")))
        });
        match (starts, comment, found.last_mut()) {
            (Some(first), _, _) => {
                found.push(first.trim().to_owned());
                open = true;
            }
            (None, Some(more), Some(last))
                if open && !other && !more.is_empty() && line.trim_start().starts_with("//") =>
            {
                last.push(' ');
                last.push_str(more);
            }
            (None, _, _) => open = false,
        }
    }
    found
}
