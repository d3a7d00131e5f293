//! Sizes: lines, functions, files.

use super::Finding;
use super::mask::block_lines;
use super::tree::{Source, Tree};

/// The longest line, in characters; rustfmt leaves long texts and comments alone. In tests the
/// texts themselves are not counted: recorded answers are long, and breaking them hides them.
const LINE_CHARACTERS_MAX: usize = 100;
/// A function above this needs a reason.
const FUNCTION_LINES_SOFT: usize = 70;
/// A function above this is refused.
const FUNCTION_LINES_MAX: usize = 150;
/// A file above this is listed.
const FILE_LINES_SOFT: usize = 600;
/// A file above this is refused.
const FILE_LINES_MAX: usize = 1_200;
/// How a reason for a long function starts, in the line above it.
const REASON: &str = "// LONG:";

/// Checks every Rust file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        findings.extend(lines(file));
        if !file.is_test() {
            findings.extend(size(file));
            findings.extend(functions(file));
        }
    }
    findings
}

/// Returns the files between the two limits, as notes.
pub(super) fn listed(tree: &Tree) -> Vec<String> {
    let counted = tree.rust().filter(|file| !file.is_test());
    let counted = counted.map(|file| (&file.path, file.mask.lines_outside_tests()));
    counted
        .filter(|(_, count)| FILE_LINES_SOFT < *count && *count <= FILE_LINES_MAX)
        .map(|(path, count)| format!("{path} has {count} lines, {FILE_LINES_SOFT} is the aim"))
        .collect()
}

fn lines(file: &Source) -> Vec<Finding> {
    let lines = file.text.lines().zip(file.mask.code.lines()).enumerate();
    let long = lines.filter(|(index, (text, code))| {
        let in_tests = file.is_test() || file.mask.in_tests(index + 1);
        let code: usize = code.split_whitespace().map(str::len).sum();
        let counted = if in_tests { code } else { text.chars().count() };
        LINE_CHARACTERS_MAX < counted
    });
    long.map(|(index, (text, _))| {
        let what = format!("{} characters in a line", text.chars().count());
        Finding::new(&file.path, index + 1, what, "100 at most: break the line")
    })
    .collect()
}

fn size(file: &Source) -> Option<Finding> {
    let count = file.mask.lines_outside_tests();
    let hint = "1,200 at most, tests not counted: split it by what it does";
    let what = format!("{count} lines in a file");
    (FILE_LINES_MAX < count).then(|| Finding::new(&file.path, 0, what, hint))
}

fn functions(file: &Source) -> Vec<Finding> {
    let code: Vec<&str> = file.mask.code.lines().collect();
    let text: Vec<&str> = file.text.lines().collect();
    let mut findings = Vec::new();
    for (line, start) in file.code_lines() {
        let Some(name) = function_name(start) else { continue };
        let count = block_lines(code.get(line - 1..).unwrap_or_default());
        let reasoned = has_reason(text.get(..line - 1).unwrap_or_default());
        let what = format!("`{name}` has {count} lines");
        if FUNCTION_LINES_MAX < count {
            let hint = "150 at most, whatever the reason: find the nouns in it";
            findings.push(Finding::new(&file.path, line, what, hint));
        } else if FUNCTION_LINES_SOFT < count && !reasoned {
            let hint = "70 at most, or a line `// LONG: why` above it";
            findings.push(Finding::new(&file.path, line, what, hint));
        }
    }
    findings
}

/// Returns the name of the function that a line of masked code begins.
fn function_name(code: &str) -> Option<&str> {
    let (before, after) = match code.trim_start().strip_prefix("fn ") {
        Some(after) => ("", after),
        None => code.trim_start().split_once(" fn ")?,
    };
    let modifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"];
    let only_modifiers = before
        .split_whitespace()
        .all(|word| modifiers.contains(&word) || word.starts_with("pub(") || word.ends_with(')'));
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    if only_modifiers { after.get(..end) } else { None }
}

/// Returns whether the comments and attributes that end these lines hold a reason.
fn has_reason(above: &[&str]) -> bool {
    let belonging = above.iter().rev().map(|line| line.trim());
    belonging
        .take_while(|line| line.starts_with("//") || line.starts_with('#') || line.ends_with(")]"))
        .any(|line| line.starts_with(REASON))
}
