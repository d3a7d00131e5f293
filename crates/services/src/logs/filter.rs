//! Filter patterns: which messages FilterLogEvents gives.
//!
//! Amazon CloudWatch Logs user guide, "Filter pattern syntax" (read 2026-11): terms, and for
//! messages that are JSON comparisons of members with texts and numbers, joined by `&&` or `||`.

use value::Value;

/// How many terms or comparisons a pattern may have.
const PARTS_MAX: usize = 64;

/// A pattern, read.
#[derive(Debug, PartialEq)]
pub(super) enum FilterPattern {
    /// Every `all` is in the message, one `any` if there are some, and no `none`.
    Terms { all: Vec<String>, any: Vec<String>, none: Vec<String> },
    /// The comparisons hold: all within one of the lists.
    Json(Vec<Vec<Comparison>>),
}

/// `$.a.b = "x"`.
#[derive(Debug, PartialEq)]
pub(super) struct Comparison {
    path: Vec<String>,
    equal: bool,
    wanted: String,
}

impl FilterPattern {
    /// Reads a pattern.
    pub(super) fn parse(text: &str) -> Result<FilterPattern, String> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return json(inner);
        }
        if text.starts_with(['[', '%']) {
            return Err(format!(
                "Stepwell does not serve filter patterns of columns and regular expressions: {text}"
            ));
        }
        let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
        for word in words(text)? {
            match (word.strip_prefix('?'), word.strip_prefix('-')) {
                (Some(term), _) => any.push(unquoted(term)),
                (None, Some(term)) => none.push(unquoted(term)),
                (None, None) => all.push(unquoted(&word)),
            }
        }
        Ok(FilterPattern::Terms { all, any, none })
    }

    /// Returns whether a message is wanted.
    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(&**term);
        match self {
            FilterPattern::Terms { all, any, none } => {
                let one = any.is_empty() || any.iter().any(has);
                one && all.iter().all(has) && !none.iter().any(has)
            }
            FilterPattern::Json(choices) => {
                let Ok(message) = value::parse(message) else { return false };
                choices.iter().any(|all| all.iter().all(|one| one.holds(&message)))
            }
        }
    }
}

impl Comparison {
    fn parse(text: &str) -> Result<Comparison, String> {
        let invalid = || format!("Invalid filter pattern: {text}");
        let (left, equal, right) = match text.split_once("!=") {
            Some((left, right)) => (left, false, right),
            None => text.split_once('=').map(|(l, r)| (l, true, r)).ok_or_else(invalid)?,
        };
        let path = left.trim().strip_prefix("$.").ok_or_else(invalid)?;
        if right.contains(['<', '>', '*', '%']) || path.contains(['[', '"', '<', '>']) {
            return Err(format!("Stepwell does not serve this comparison: {text}"));
        }
        let path = path.split('.').map(str::to_owned).collect();
        Ok(Comparison { path, equal, wanted: unquoted(right.trim()) })
    }

    fn holds(&self, message: &Value) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let Some(found) = message.path(&path) else { return false };
        let same = match found {
            Value::String(text) => **text == *self.wanted,
            other => other.to_string() == self.wanted,
        };
        same == self.equal
    }
}

fn json(inner: &str) -> Result<FilterPattern, String> {
    let choices: Vec<Vec<Comparison>> = inner
        .split("||")
        .map(|all| all.split("&&").map(|one| Comparison::parse(one.trim())).collect())
        .collect::<Result<_, _>>()?;
    if PARTS_MAX < choices.iter().map(Vec::len).sum() {
        return Err(format!("a filter pattern has at most {PARTS_MAX} comparisons"));
    }
    Ok(FilterPattern::Json(choices))
}

/// Splits at blanks that no quotes hold together.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        quoted ^= letter == '"';
        if letter.is_whitespace() && !quoted {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(letter);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    if quoted {
        return Err(format!("Invalid filter pattern: a quote is not closed in {text}"));
    }
    if PARTS_MAX < words.len() {
        return Err(format!("a filter pattern has at most {PARTS_MAX} terms"));
    }
    Ok(words)
}

fn unquoted(term: &str) -> String {
    let inner = term.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(term).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_and_comparisons() {
        let message = r#"{"type":"TaskFailed","id":"3","n":4,"details":{"error":"Boom two"}}"#;
        for (pattern, expected) in [
            ("", true),
            ("TaskFailed", true),
            ("TaskFailed Boom", true),
            ("TaskFailed Bang", false),
            ("?Bang ?Boom", true),
            ("TaskFailed -Boom", false),
            (r#""Boom two""#, true),
            (r#"{ $.type = "TaskFailed" }"#, true),
            (r#"{ $.type = "TaskFailed" && $.details.error != "Boom two" }"#, false),
            (r#"{ $.type = "X" || $.n = 4 }"#, true),
            (r#"{ $.missing != "x" }"#, false),
        ] {
            assert_eq!(
                FilterPattern::parse(pattern).unwrap().matches(message),
                expected,
                "{pattern}"
            );
        }
        for pattern in ["[a, b]", "{ $.n > 3 }", "{ n = 3 }", "\"open"] {
            assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
