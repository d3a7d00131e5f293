//! Names of parameters: what they may be, and what stands behind them.

use crate::{Call, Error};

/// How many labels a version may have.
pub(super) const LABELS_MAX: usize = 10;
/// How many parts a path has at most.
const LEVELS_MAX: usize = 15;
/// How long a name may be, with the ARN's beginning.
const NAME_CHARACTERS_MAX: usize = 1_011;
/// What no name begins with, in any case.
const RESERVED_PREFIXES: [&str; 2] = ["aws", "ssm"];

/// What stands behind a name: `:3`, `:prod`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selector {
    /// A version.
    Number(u32),
    /// A version that has this label.
    Label(String),
}

impl Selector {
    /// Returns the selector as it was written.
    pub(super) fn text(&self) -> String {
        match self {
            Selector::Number(number) => format!(":{number}"),
            Selector::Label(label) => format!(":{label}"),
        }
    }
}

/// Returns the name that a request means: the name itself, or the end of an ARN.
pub(super) fn bare(name_or_arn: &str) -> &str {
    let end = name_or_arn.strip_prefix("arn:").and_then(|arn| arn.split_once(":parameter"));
    match end {
        // `…:parameter/a` is the parameter `a`, `…:parameter/a/b` the parameter `/a/b`.
        Some((_, path)) if path.matches('/').count() == 1 => path.trim_start_matches('/'),
        Some((_, path)) => path,
        None => name_or_arn,
    }
}

/// Returns name and selector.
pub(super) fn split(given: &str) -> (&str, Option<Selector>) {
    let name = bare(given);
    match name.split_once(':') {
        Some((name, selector)) => {
            let number = selector.parse().map(Selector::Number);
            (name, Some(number.unwrap_or_else(|_| Selector::Label(selector.to_owned()))))
        }
        None => (name, None),
    }
}

/// With what the names of Amazon's public parameters begin.
const PUBLIC: &str = "/aws/service/";

/// Returns what there is to say about a name that is not there: some are Amazon's.
pub(crate) fn why_absent(name: &str) -> &'static str {
    if format!("{}/", name.trim_end_matches('/')).starts_with(PUBLIC) {
        " It is one of Amazon's public parameters, which Stepwell does not have."
    } else {
        ""
    }
}

/// Returns the ARN of a parameter.
pub(super) fn arn(call: &Call, name: &str) -> String {
    call.regional_arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// Checks the name of a parameter about to be made.
// UNVERIFIED: the words, from public reports.
pub(super) fn check(name: &str) -> Result<(), Error> {
    let invalid = |text: &str| Err(Error::new("ValidationException", text));
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if RESERVED_PREFIXES.iter().any(|prefix| first.starts_with(prefix))
        || !name.chars().all(legal)
        || name.contains("//")
        || name.ends_with('/')
    {
        return invalid(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). If \
             formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path \
             can be formed as a mix of letters, numbers and the following 3 symbols .-_",
        );
    }
    if name.contains('/') && !name.starts_with('/') {
        return invalid("Parameter name must be a fully qualified name.");
    }
    if NAME_CHARACTERS_MAX < name.len() {
        return invalid("Parameter name is longer than 1011 characters.");
    }
    let levels = name.split('/').filter(|part| !part.is_empty()).count();
    if LEVELS_MAX < levels {
        return Err(Error::new(
            "HierarchyLevelLimitExceededException",
            format!("Hierarchy depth is {levels}, which exceeds max of {LEVELS_MAX}"),
        ));
    }
    Ok(())
}

/// Returns whether a text can be a label.
pub(super) fn is_label(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    (1..=100).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
}
