//! What `aws:waitForAwsResourceProperty` and `aws:assertAwsResourceProperty` share: one property of
//! an answer, and the values it should have.

use value::Value;

use super::Turn;
use crate::parameter;
use crate::selector;

/// A property as it was found, against what is desired.
pub(super) enum Verdict {
    /// It has a desired value.
    Desired,
    /// It has another one; the text says which.
    Other(String),
}

/// Compares the property that the step selects in an answer.
///
/// UNVERIFIED: of several selected values (a deep scan) all must be desired, and none selected is
/// not enough.
pub(super) fn compare(turn: &Turn<'_, '_>, response: &Value) -> Verdict {
    let selector = turn.text_input("PropertySelector").unwrap_or_default();
    let found = selector::select(&selector, response);
    let desired = desired_values(turn);
    let texts: Vec<String> = match &found {
        Some(Value::Array(items)) => items.iter().map(python_text).collect(),
        Some(one) => vec![python_text(one)],
        None => Vec::new(),
    };
    let is_desired = |text: &String| desired.iter().any(|one| equal(text, one));
    if !texts.is_empty() && texts.iter().all(is_desired) {
        return Verdict::Desired;
    }
    let quoted: Vec<String> = desired.iter().map(|one| format!("'{one}'")).collect();
    let shown = match texts.as_slice() {
        [] => "None".to_owned(),
        [one] => one.clone(),
        many => many.join(", "),
    };
    Verdict::Other(format!(
        "Property value '{shown}' from the API output is not in the desired values. \
         Desired values: [{}].",
        quoted.join(", ")
    ))
}

fn desired_values(turn: &Turn<'_, '_>) -> Vec<String> {
    match turn.input("DesiredValues") {
        Some(Value::Array(items)) => items.iter().map(python_text).collect(),
        Some(one) => vec![python_text(&one)],
        None => Vec::new(),
    }
}

/// Booleans compare without regard to case: documents write `True` and `true`.
fn equal(found: &str, desired: &str) -> bool {
    let boolean = matches!(found, "True" | "False");
    found == desired || (boolean && found.eq_ignore_ascii_case(desired))
}

/// Returns a value as Python's `str` does: `True`, `None`.
fn python_text(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => parameter::text(other),
    }
}
