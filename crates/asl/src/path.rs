//! JSONPaths within a definition: `$`, `$$` (the context object) and `$variable`.

use std::sync::Arc;

use value::Value;

use crate::failure::{Failure, Field, error_name};
use crate::scope::Scope;

/// A JSONPath of a definition.
#[derive(Clone, Debug)]
pub struct Path {
    text: Arc<str>,
    root: Root,
    /// The path below the root, written with `$` as its root.
    below: jsonpath::Path,
}

#[derive(Clone, Debug)]
enum Root {
    Input,
    Context,
    Variable(Arc<str>),
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
        // Recorded: a backslash before a double quote is part of the name.
        let below = format!("${below}").replace("\\\"", "\\\\\"");
        let below = jsonpath::Path::parse(&below).ok()?;
        Some(Path { text: Arc::from(text), root, below })
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

    /// Returns whether the path reads the context object.
    pub(crate) fn reads_context(&self) -> bool {
        match &self.root {
            Root::Context => true,
            Root::Input | Root::Variable(_) => false,
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
        // UNVERIFIED: AWS's wording for a variable that was never assigned.
        let root = root.ok_or_else(|| format!("No results for path: {}", self.text))?;
        self.below.read(root).map_err(|miss| miss.to_string())
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
                field.as_written(),
                scope.input
            ))
        })
    }
}

/// A place in a state's input: ResultPath.
#[derive(Clone, Debug)]
pub struct Placement(jsonpath::ReferencePath);

impl Placement {
    /// Reads a reference path; `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Placement> {
        jsonpath::ReferencePath::parse(text).ok().map(Placement)
    }

    /// Returns `input` with `result` at this place.
    ///
    /// # Errors
    /// `States.ResultPathMatchFailure` when a step leads into a value that has no members.
    pub fn place(&self, input: &Value, result: Value) -> Result<Value, Failure> {
        let mut placed = input.clone();
        match self.0.write(&mut placed, result) {
            Ok(()) => Ok(placed),
            Err(miss) => Err(Failure::named(
                error_name::RESULT_PATH_MATCH_FAILURE,
                format!("Invalid path '{}' : {miss}", self.0),
            )),
        }
    }
}
