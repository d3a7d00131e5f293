//! Names and ids in inputs of STS, checked in AWS's words.

use std::ops::RangeInclusive;

use crate::Error;

/// Which letters a text may have beside ASCII letters and digits, and how AWS writes that.
#[derive(Clone, Copy)]
pub(super) struct Alphabet {
    punctuation: &'static str,
    pattern: &'static str,
}

/// Names of sessions, of federated users and of source identities.
pub(super) const NAMES: Alphabet = Alphabet { punctuation: "_+=,.@-", pattern: "[\\w+=,.@-]*" };
/// External ids.
pub(super) const EXTERNAL_IDS: Alphabet =
    Alphabet { punctuation: "_+=,.@:/-", pattern: "[\\w+=,.@:\\/-]*" };

/// Refuses a text of the wrong length or with letters that it cannot have.
///
/// # Errors
/// `ValidationError` with everything that is wrong.
pub(super) fn check(
    member: &str,
    text: &str,
    characters: RangeInclusive<usize>,
    Alphabet { punctuation, pattern }: Alphabet,
) -> Result<(), Error> {
    let mut faults = Vec::new();
    let mut fault = |constraint: String| {
        faults.push(format!(
            "Value '{text}' at '{member}' failed to satisfy constraint: Member must {constraint}"
        ));
    };
    let length = text.chars().count();
    if length > *characters.end() {
        fault(format!("have length less than or equal to {}", characters.end()));
    }
    if length < *characters.start() {
        fault(format!("have length greater than or equal to {}", characters.start()));
    }
    if !text.chars().all(|letter| letter.is_ascii_alphanumeric() || punctuation.contains(letter)) {
        fault(format!("satisfy regular expression pattern: {pattern}"));
    }
    match faults.len() {
        0 => Ok(()),
        1 => Err(Error::validation(format!("1 validation error detected: {}", faults.concat()))),
        more => Err(Error::validation(format!(
            "{more} validation errors detected: {}",
            faults.join("; ")
        ))),
    }
}
