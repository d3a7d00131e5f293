//! What is allowed in a policy and probably not meant: one file per family of rules, and a line in
//! [`RULES`].

mod actions;
mod condition_keys;
mod condition_values;
mod control_policies;
mod globs;
mod nearest;
mod powers;
mod principals;
mod redundancy;
mod resources;
mod set_operators;
mod size;
mod statement;
mod variables;

use std::fmt;

use value::Value;

use crate::Kind;
use statement::Statement;

/// Looks at every statement of a document by itself, or at how they fit together.
type Rule = fn(&Policy<'_>, &mut Vec<Finding>);

const RULES: &[Rule] = &[
    size::check,
    control_policies::check,
    actions::check,
    resources::check,
    principals::check,
    condition_keys::check,
    condition_values::check,
    set_operators::check,
    variables::check,
    powers::check,
    redundancy::check,
];

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// AWS refuses the policy.
    Error,
    /// AWS takes it, and it does not do what it seems to.
    Warning,
}

/// Something found in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its name, e.g. `UNKNOWN_ACTION`.
    pub code: &'static str,
    /// What is found.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the document.
    pub place: Place,
}

/// Where in a document something stands: members and items from the top down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(pub Vec<Step>);

/// One step of a [`Place`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a member of an object.
    Member(String),
    /// Into an item of a list.
    Item(usize),
}

/// A document as the rules see it.
struct Policy<'d> {
    json: &'d Value,
    kind: Kind,
    statements: Vec<Statement<'d>>,
}

/// Finds what is probably not meant in a policy, whether or not AWS takes the document; what has
/// not even the form of a policy has no findings.
///
/// ```
/// use policy::{Kind, lint};
///
/// let text = r#"{"Version": "2012-10-17", "Statement": [
///     {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::b/*"}]}"#;
/// let found = lint::lint(&value::parse(text).unwrap(), Kind::Identity);
/// assert_eq!(found[0].code, "UNKNOWN_ACTION");
/// assert_eq!(found[0].hint.as_deref(), Some("did you mean `s3:GetObject`?"));
/// assert_eq!(found[0].place.to_string(), "/Statement/0/Action");
/// ```
pub fn lint(document: &Value, kind: Kind) -> Vec<Finding> {
    let policy = Policy { json: document, kind, statements: statement::read(document) };
    let mut findings = Vec::new();
    for rule in RULES {
        rule(&policy, &mut findings);
    }
    findings
}

/// Returns the name that a misspelt condition operator was to be.
pub fn similar_operator(written: &str) -> Option<String> {
    condition_values::similar_operator(written)
}

impl Finding {
    fn warning(code: &'static str, place: &Place, message: impl Into<String>) -> Finding {
        let (message, place) = (message.into(), place.clone());
        Finding { severity: Severity::Warning, code, message, hint: None, place }
    }

    fn error(code: &'static str, place: &Place, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Error, ..Finding::warning(code, place, message) }
    }

    fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the name that was probably meant, if one is near.
    fn did_you_mean(mut self, name: Option<String>) -> Finding {
        self.hint = name.map(|name| format!("did you mean `{name}`?"));
        self
    }
}

impl Place {
    fn member(&self, name: &str) -> Place {
        self.with(Step::Member(name.to_owned()))
    }

    fn item(&self, index: usize) -> Place {
        self.with(Step::Item(index))
    }

    fn with(&self, step: Step) -> Place {
        let mut steps = self.0.clone();
        steps.push(step);
        Place(steps)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(f, "/{name}"),
            Step::Item(index) => write!(f, "/{index}"),
        })
    }
}
