//! JSONPaths within a definition: `$`, `$$` (the context object) and `$variable`.

use std::sync::Arc;

use value::Value;

use crate::failure::{Failure, Field};
use crate::scope::Scope;

/// A JSONPath of a definition.
#[derive(Clone, Debug)]
pub struct Path {
    text: Arc<str>,
    root: Root,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Root {
    Input,
    Context,
    Variable(Arc<str>),
}

#[derive(Clone, Debug)]
enum Step {
    Name(Arc<str>),
    Index(usize),
}

impl Path {
    /// Reads a path; `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Path> {
        let (root, below) = if let Some(below) = text.strip_prefix("$$") {
            (Root::Context, below)
        } else {
            let below = text.strip_prefix('$')?;
            let name_end =
                below.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(below.len());
            let (name, below) = below.split_at_checked(name_end)?;
            match name {
                "" => (Root::Input, below),
                name => (Root::Variable(Arc::from(name)), below),
            }
        };
        Some(Path { text: Arc::from(text), root, steps: steps(below)? })
    }

    /// Returns the path as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the variable that the path reads.
    pub(crate) fn variable(&self) -> Option<&str> {
        match &self.root {
            Root::Variable(name) => Some(name),
            Root::Input | Root::Context => None,
        }
    }

    /// Returns what the path finds.
    ///
    /// # Errors
    /// Jayway's text for a miss.
    pub fn find(&self, scope: &Scope) -> Result<Value, String> {
        let root = match &self.root {
            Root::Input => Some(&scope.input),
            Root::Context => Some(&scope.context),
            Root::Variable(name) => scope.variables.get(name),
        };
        let mut found = root.ok_or_else(|| format!("No results for path: {}", self.text))?;
        let mut walked = String::from("$");
        for (index, step) in self.steps.iter().enumerate() {
            let next = match step {
                Step::Name(name) => {
                    walked.push_str(&format!("['{name}']"));
                    found.get(name)
                }
                Step::Index(at) => {
                    walked.push_str(&format!("[{at}]"));
                    found.at(*at)
                }
            };
            found = next.ok_or_else(|| {
                let last = index + 1 == self.steps.len();
                let what = if last { "No results for path:" } else { "Missing property in path" };
                format!("{what} {walked}")
            })?;
        }
        Ok(found.clone())
    }

    /// Returns what a field such as InputPath selects.
    ///
    /// # Errors
    /// `States.Runtime` with AWS's text.
    pub fn select(&self, scope: &Scope) -> Result<Value, Failure> {
        self.find(scope)
            .map_err(|miss| Failure::runtime(format!("Invalid path '{}' : {miss}", self.text)))
    }

    /// Returns what the path finds from within a payload template, ErrorPath or CausePath.
    ///
    /// # Errors
    /// `States.Runtime` with AWS's text.
    pub fn evaluate_in_template(&self, scope: &Scope, field: Field<'_>) -> Result<Value, Failure> {
        self.find(scope).map_err(|_miss| {
            Failure::runtime(format!(
                "The JSONPath '{}' specified for the field '{}' could not be found in the input \
                 '{}'",
                self.text,
                field.last_name(),
                scope.input
            ))
        })
    }

    /// Returns `input` with `result` placed where this path points, as ResultPath does.
    ///
    /// # Errors
    /// `States.ResultPathMatchFailure` when a step leads into a value that has no members.
    pub fn place(&self, input: &Value, result: Value) -> Result<Value, Failure> {
        place(&self.steps, input, result).ok_or_else(|| {
            Failure::named(
                crate::failure::error_name::RESULT_PATH_MATCH_FAILURE,
                format!("Unable to apply path '{}' to input '{input}'", self.text),
            )
        })
    }
}

fn place(steps: &[Step], input: &Value, result: Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(result) };
    match (step, input) {
        (Step::Name(name), Value::Object(_) | Value::Null) => {
            let inner = input.get(name).cloned().unwrap_or_else(Value::object);
            let placed = place(rest, &inner, result)?;
            let mut outer = input.clone();
            outer.set(name.clone(), placed);
            Some(outer)
        }
        (Step::Index(index), Value::Array(items)) => {
            let placed = place(rest, items.get(*index)?, result)?;
            let mut items = items.to_vec();
            *items.get_mut(*index)? = placed;
            Some(items.into())
        }
        (Step::Name(_) | Step::Index(_), _) => None,
    }
}

/// Reads the steps of a reference path.
fn steps(mut below: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !below.is_empty() {
        if let Some(rest) = below.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, rest) = rest.split_at_checked(end)?;
            if name.is_empty() || name.contains(['*', '(', ')', '?', '@', ' ', '\'']) {
                return None;
            }
            steps.push(Step::Name(Arc::from(name)));
            below = rest;
        } else {
            let (inside, rest) = below.strip_prefix('[')?.split_once(']')?;
            let quoted = inside.strip_prefix('\'').and_then(|inside| inside.strip_suffix('\''));
            steps.push(match quoted {
                Some(name) => Step::Name(Arc::from(name)),
                None => Step::Index(inside.parse().ok()?),
            });
            below = rest;
        }
    }
    Some(steps)
}
