//! Java regular expressions (`allowedPattern`) in the dialect of `fancy-regex`.

use fancy_regex::{Regex, RegexBuilder};

/// How many steps a pattern may take on one value before it counts as not matching.
const PATTERN_STEPS_MAX: usize = 100_000;

/// The POSIX classes of Java.
const POSIX_CLASSES: [&str; 11] = [
    "Lower", "Upper", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Space",
    "ASCII",
];

/// Compiles a Java regular expression so that it matches whole texts.
pub(crate) fn compile(pattern: &str) -> Result<Regex, Box<fancy_regex::Error>> {
    RegexBuilder::new(&format!(r"\A(?:{})\z", translated(pattern)))
        .backtrack_limit(PATTERN_STEPS_MAX)
        .build()
        .map_err(Box::new)
}

/// Returns whether a pattern matches the whole of a text; a pattern that does not compile admits
/// everything, for the document was accepted with it.
pub(crate) fn matches_whole(pattern: &str, text: &str) -> bool {
    compile(pattern).map_or(true, |regex| regex.is_match(text).unwrap_or(false))
}

/// Returns whether a Java regular expression matches the whole of a text, with this crate's bound
/// on the steps that it may take; nothing when it is no regular expression.
pub fn pattern_matches(pattern: &str, text: &str) -> Option<bool> {
    compile(pattern).ok().map(|regex| regex.is_match(text).unwrap_or(false))
}

/// Spells out what means something else in Java: `\d`, `\w` and `\s` are ASCII there, and the POSIX
/// classes are properties.
fn translated(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        if let Some(escape) = rest.strip_prefix('\\') {
            rest = push_escape(&mut out, escape, in_class);
            continue;
        }
        in_class = match c {
            '[' => true,
            ']' => false,
            _ => in_class,
        };
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

/// Appends what the escape stands for and returns the text behind it.
fn push_escape<'a>(out: &mut String, escape: &'a str, in_class: bool) -> &'a str {
    if let Some((posix, rest)) = posix_class(escape) {
        let (open, close) = if in_class { ("", "") } else { ("[", "]") };
        out.extend([open, &posix, close]);
        return rest;
    }
    let Some(c) = escape.chars().next() else { return escape };
    let (members, negated) = match c {
        'd' => ("0-9", false),
        'D' => ("0-9", true),
        'w' => ("a-zA-Z0-9_", false),
        'W' => ("a-zA-Z0-9_", true),
        's' => (r" \t\n\x0B\f\r", false),
        'S' => (r" \t\n\x0B\f\r", true),
        _ => ("", false),
    };
    match (members, negated, in_class) {
        ("", ..) => out.extend(['\\', c]),
        (_, false, true) => out.push_str(members),
        (_, false, false) => out.extend(["[", members, "]"]),
        (_, true, _) => out.extend(["[^", members, "]"]),
    }
    escape.get(c.len_utf8()..).unwrap_or_default()
}

/// Returns the POSIX class that `p{Alpha}` names.
fn posix_class(escape: &str) -> Option<(String, &str)> {
    let (name, rest) = escape.strip_prefix("p{")?.split_once('}')?;
    POSIX_CLASSES.contains(&name).then(|| (format!("[:{}:]", name.to_ascii_lowercase()), rest))
}

#[cfg(test)]
mod tests {
    use super::matches_whole;

    #[test]
    fn means_what_java_means() {
        for (pattern, text, expected) in [
            ("^AIDA[A-Z0-9]+$", "AIDA1", true),
            ("AIDA", "xAIDA", false),
            (r"\d+", "12", true),
            (r"\d+", "१२", false),
            (r"[\w-]+", "a_b-c", true),
            (r"[\w-]+", "é", false),
            (r"[^\s]+", "a b", false),
            (r"\p{Alpha}+[\p{Digit}x]", "ab1", true),
            (r"^$|^x.*$", "", true),
            (r"^(?!bad).+$", "badly", false),
            (r"(a|b)\1", "aa", true),
            (r"^[\w._-~]{1,255}$", "index.html", true),
            (r"日本\W", "日本!", true),
        ] {
            assert_eq!(matches_whole(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn gives_up_on_patterns_that_explode() {
        assert!(!matches_whole(r"(a*)*\1b(?=c)", &"a".repeat(200)));
    }
}
