//! Patterns: policy text with wildcards and policy variables, matched without backtracking.

use crate::Context;

/// The version of the policy language a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `2008-10-17`, the default: no policy variables.
    V2008,
    /// `2012-10-17`: policy variables.
    V2012,
}

/// Whether `*` and `?` stand for other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Expand,
    Literal,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Box<str>),
    /// `?`
    One,
    /// `*`
    Any,
    /// `${key}` or `${key, 'default'}`
    Variable {
        /// In lower case.
        key: Box<str>,
        /// As the policy writes it.
        written_key: Box<str>,
        default: Option<Box<str>>,
    },
}

/// A piece of a pattern whose variables have been substituted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Atom<'a> {
    Text(&'a str),
    One,
    Any,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// `*` alone.
    Everything,
    /// One literal text.
    Exact,
    /// One literal text, then `*`.
    Prefix,
    General,
}

/// A compiled pattern.
///
/// INVARIANT: a substituted value becomes an [`Atom::Text`], so nothing in it is ever a wildcard.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    shape: Shape,
}

impl Pattern {
    pub(crate) fn compile(text: &str, wildcards: Wildcards, version: Version) -> Pattern {
        let mut parts = Parts::default();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if version == Version::V2012
                && let Some((part, after)) = rest.strip_prefix("${").and_then(variable)
            {
                parts.push(part);
                rest = after;
                continue;
            }
            match next {
                '*' if wildcards == Wildcards::Expand => parts.push(Part::Any),
                '?' if wildcards == Wildcards::Expand => parts.push(Part::One),
                other => parts.literal.push(other),
            }
            rest = rest.strip_prefix(next).unwrap_or_default();
        }
        let parts = parts.finish();
        let shape = match parts.as_slice() {
            [Part::Any] => Shape::Everything,
            [] | [Part::Text(_)] => Shape::Exact,
            [Part::Text(_), Part::Any] => Shape::Prefix,
            _ => Shape::General,
        };
        Pattern { parts, shape }
    }

    /// Returns whether the pattern matches all of `text`.
    pub(crate) fn matches(&self, text: &str, context: &Context) -> bool {
        let first = match self.parts.first() {
            Some(Part::Text(first)) => first,
            Some(Part::One | Part::Any | Part::Variable { .. }) | None => "",
        };
        match self.shape {
            Shape::Everything => true,
            Shape::Exact => first == text,
            Shape::Prefix => text.starts_with(first),
            Shape::General => self.atoms(context).is_some_and(|atoms| glob(&atoms, text)),
        }
    }

    /// Returns the literal text after substitution; `None` for an unresolved variable.
    pub(crate) fn literal(&self, context: &Context) -> Option<String> {
        let atoms = self.atoms(context)?;
        Some(
            atoms
                .iter()
                .map(|atom| match atom {
                    Atom::Text(text) => text,
                    Atom::One => "?",
                    Atom::Any => "*",
                })
                .collect(),
        )
    }

    /// Returns the names of the variables, as the policy writes them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { written_key, .. } => Some(&**written_key),
            Part::Text(_) | Part::One | Part::Any => None,
        })
    }

    /// Returns the names of the variables that have no value in a request.
    pub(crate) fn unresolved(&self, context: &Context) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { key, written_key, default: None } => {
                context.single(key).is_none().then_some(&**written_key)
            }
            Part::Variable { .. } | Part::Text(_) | Part::One | Part::Any => None,
        })
    }

    /// Substitutes the variables; `None` when one of them has no single value in the request.
    pub(crate) fn atoms<'a>(&'a self, context: &'a Context) -> Option<Vec<Atom<'a>>> {
        self.parts
            .iter()
            .map(|part| {
                Some(match part {
                    Part::Text(text) => Atom::Text(text),
                    Part::One => Atom::One,
                    Part::Any => Atom::Any,
                    Part::Variable { key, default, .. } => {
                        Atom::Text(context.single(key).or(default.as_deref())?)
                    }
                })
            })
            .collect()
    }
}

#[derive(Default)]
struct Parts {
    done: Vec<Part>,
    literal: String,
}

impl Parts {
    fn push(&mut self, part: Part) {
        if let Part::Text(text) = part {
            self.literal.push_str(&text);
            return;
        }
        self.flush();
        // `**` means no more than `*`.
        if !(matches!(part, Part::Any) && matches!(self.done.last(), Some(Part::Any))) {
            self.done.push(part);
        }
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.done.push(Part::Text(std::mem::take(&mut self.literal).into()));
        }
    }

    fn finish(mut self) -> Vec<Part> {
        self.flush();
        self.done
    }
}

/// Reads a variable behind its `${`; `None` when it is not well formed and therefore plain text.
fn variable(inner: &str) -> Option<(Part, &str)> {
    for literal in ["*", "?", "$"] {
        if let Some(after) = inner.strip_prefix(literal).and_then(|rest| rest.strip_prefix('}')) {
            return Some((Part::Text(literal.into()), after));
        }
    }
    let (key, tail) = inner.split_at_checked(inner.find([',', '}'])?)?;
    let written_key: Box<str> = key.trim().into();
    let key = written_key.to_lowercase().into();
    if let Some(after) = tail.strip_prefix('}') {
        return Some((Part::Variable { key, written_key, default: None }, after));
    }
    let quoted = tail.strip_prefix(',')?.trim_start().strip_prefix('\'')?;
    let (default, tail) = quoted.split_once('\'')?;
    let after = tail.trim_start().strip_prefix('}')?;
    Some((Part::Variable { key, written_key, default: Some(default.into()) }, after))
}

/// Matches text against `*` and `?`, case-sensitively, all of it.
///
/// Runs in time proportional to the product of the two lengths at worst, and to their sum for
/// patterns without `?`.
///
/// ```
/// assert!(policy::wildcard_matches("arn:aws:iam::*:user/te?t*", "arn:aws:iam::1:user/test8"));
/// assert!(!policy::wildcard_matches("user/?", "user/"));
/// ```
pub fn wildcard_matches(pattern: &str, text: &str) -> bool {
    Pattern::compile(pattern, Wildcards::Expand, Version::V2008).matches(text, &Context::EMPTY)
}

/// Matches the runs between the stars from left to right: the leftmost place of a run leaves the
/// most room for the runs behind it, so no choice ever has to be taken back.
pub(crate) fn glob(atoms: &[Atom<'_>], text: &str) -> bool {
    let mut runs = atoms.split(|atom| *atom == Atom::Any);
    let Some(mut rest) = strip_start(runs.next().unwrap_or_default(), text) else {
        return false;
    };
    let Some(last) = runs.next_back() else {
        return rest.is_empty();
    };
    let Some(before_last) = strip_end(last, rest) else {
        return false;
    };
    rest = before_last;
    runs.all(|run| match find(run, rest) {
        Some(after) => {
            rest = after;
            true
        }
        None => false,
    })
}

fn strip_start<'t>(run: &[Atom<'_>], text: &'t str) -> Option<&'t str> {
    run.iter().try_fold(text, |rest, atom| match atom {
        Atom::Text(literal) => rest.strip_prefix(literal),
        Atom::One => {
            let mut chars = rest.chars();
            chars.next().map(|_| chars.as_str())
        }
        Atom::Any => Some(rest),
    })
}

fn strip_end<'t>(run: &[Atom<'_>], text: &'t str) -> Option<&'t str> {
    run.iter().rev().try_fold(text, |rest, atom| match atom {
        Atom::Text(literal) => rest.strip_suffix(literal),
        Atom::One => {
            let mut chars = rest.chars();
            chars.next_back().map(|_| chars.as_str())
        }
        Atom::Any => Some(rest),
    })
}

/// Returns what follows the leftmost place of `run` in `text`.
fn find<'t>(run: &[Atom<'_>], text: &'t str) -> Option<&'t str> {
    if let [Atom::Text(literal)] = run {
        return text.split_once(literal).map(|(_, after)| after);
    }
    let mut rest = text;
    loop {
        if let Some(after) = strip_start(run, rest) {
            return Some(after);
        }
        let mut chars = rest.chars();
        chars.next()?;
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str, context: &Context) -> bool {
        Pattern::compile(pattern, Wildcards::Expand, Version::V2012).matches(text, context)
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "a", true),
            ("*a", "ba", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("a*b*c", "aXbYbZc", true),
            ("*b?d*", "abcbxd", true),
            ("?", "日", true),
            ("日*語", "日本語", true),
            ("*?*", "", false),
            ("iam:*AccessKey*", "iam:ListAccessKeys", true),
        ] {
            assert_eq!(wildcard_matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_stay_fast() {
        let pattern = "a*".repeat(2_000) + "b";
        assert!(!wildcard_matches(&pattern, &"a".repeat(20_000)));
    }

    #[test]
    fn substituted_text_is_literal() {
        let context = Context::new().with("aws:username", "*");
        assert!(matches("user/${aws:username}", "user/*", &context));
        assert!(!matches("user/${aws:username}", "user/bob", &context));
    }

    #[test]
    fn variables_have_defaults_literals_and_may_be_unresolved() {
        let none = Context::new();
        assert!(matches("t/${aws:PrincipalTag/team, 'no ne'}/*", "t/no ne/x", &none));
        assert!(matches("a${*}b${?}c${$}d", "a*b?c$d", &none));
        assert!(!matches("a${*}", "aX", &none));
        assert!(!matches("u/${aws:username}", "u/${aws:username}", &none));
        assert!(matches("u/${open", "u/${open", &none));
    }
}
