//! What is wrong with a runbook: every problem at once, each with its place.

use std::fmt;

use crate::document::Places;

/// A place in a document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// One step of a path into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A member of a mapping.
    Key(String),
    /// An element of a list.
    Index(usize),
}

/// A path into a document, printed as `mainSteps[2].inputs.Api`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Segment>);

impl Path {
    /// Returns this path with the member `key` appended.
    #[must_use]
    pub fn key(&self, key: &str) -> Path {
        let mut segments = self.0.clone();
        segments.push(Segment::Key(key.to_owned()));
        Path(segments)
    }

    /// Returns this path with the element `index` appended.
    #[must_use]
    pub fn index(&self, index: usize) -> Path {
        let mut segments = self.0.clone();
        segments.push(Segment::Index(index));
        Path(segments)
    }

    /// Returns the segments from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Returns the place of this path, or of the nearest thing around it.
    fn nearest(&self, places: &Places) -> Option<Position> {
        let mut path = self.clone();
        loop {
            if let Some(place) = places.get(&path.to_string()) {
                return Some(*place);
            }
            path.0.pop()?;
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if depth == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// One problem found in a runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where in the data.
    pub path: Path,
    /// Where in the text, when it is known.
    pub position: Option<Position>,
    /// What would mend it.
    pub hint: Option<String>,
}

/// Whether a problem stops the document from being created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `CreateDocument` refuses the document.
    Error,
    /// The document is accepted but surely not what its author meant.
    Warning,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.path.segments().is_empty() {
            write!(f, " at `{}`", self.path)?;
        }
        match self.position {
            Some(position) => write!(f, " (line {}, column {})", position.line, position.column),
            None => Ok(()),
        }
    }
}

/// Collects problems while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Notes a problem that stops the document.
    pub(crate) fn error(&mut self, path: &Path, message: impl Into<String>) {
        self.push(Severity::Error, path, message.into(), None);
    }

    /// Notes a problem that stops the document, with what would mend it.
    pub(crate) fn error_with_hint(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Error, path, message.into(), Some(hint.into()));
    }

    /// Notes something doubtful.
    pub(crate) fn warning(&mut self, path: &Path, message: impl Into<String>) {
        self.push(Severity::Warning, path, message.into(), None);
    }

    /// Notes something doubtful, with what may have been meant.
    pub(crate) fn warning_with_hint(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Warning, path, message.into(), Some(hint.into()));
    }

    /// Returns whether something stops the document.
    pub(crate) fn has_errors(&self) -> bool {
        self.0.iter().any(|one| one.severity == Severity::Error)
    }

    fn push(&mut self, severity: Severity, path: &Path, message: String, hint: Option<String>) {
        self.0.push(Diagnostic { severity, message, path: path.clone(), position: None, hint });
    }

    /// Returns what was found, each problem with its place in the text, in the order of the text.
    pub(crate) fn placed(self, places: impl FnOnce() -> Places) -> Vec<Diagnostic> {
        let mut found = self.0;
        if found.is_empty() {
            return found;
        }
        let places = places();
        for diagnostic in &mut found {
            diagnostic.position = diagnostic.path.nearest(&places);
        }
        found.sort_by_key(|diagnostic| diagnostic.position);
        found
    }
}
