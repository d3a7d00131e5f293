//! One problem of a text, for people and for machines.

use std::fmt::Write;

use asl::{Position, Severity, Span};
use value::{Value, value};

use super::excerpt::{Place, excerpt};
use super::paint::{Meaning, Paint};

/// Something that is wrong.
pub(super) struct Problem {
    pub(super) severity: Severity,
    pub(super) code: String,
    pub(super) message: String,
    /// The field: `/States/X/Next`, `mainSteps[0].action`, `/Statement/0/Action`.
    pub(super) location: String,
    pub(super) span: Option<Span>,
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn unreadable(err: &anyhow::Error) -> Problem {
        let causes: Vec<String> = err.chain().map(ToString::to_string).collect();
        Problem {
            severity: Severity::Error,
            code: "UNREADABLE".to_owned(),
            message: causes.join(": "),
            location: String::new(),
            span: None,
            hint: None,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let span = self.span;
        value!({
            "severity": self.severity.as_str(),
            "code": &*self.code,
            "message": &*self.message,
            "location": &*self.location,
            "line": span.map(|span| span.start.line),
            "column": span.map(|span| span.start.column),
            "endLine": span.map(|span| span.end.line),
            "endColumn": span.map(|span| span.end.column),
            "hint": self.hint.clone(),
        })
    }

    pub(super) fn to_text(&self, file: &str, text: &str, paint: Paint) -> String {
        let (word, meaning) = match self.severity {
            Severity::Error => ("error", Meaning::Bad),
            Severity::Warning => ("warning", Meaning::Doubtful),
        };
        let head = paint.text(&format!("{word}[{}]:", self.code), meaning);
        let arrow = paint.text("-->", Meaning::Quiet);
        let (mut place, mut source) = (file.to_owned(), String::new());
        if let Some(Span { start, end }) = self.span {
            // Writing into a String cannot fail.
            let _ = write!(place, ":{}:{}", start.line, start.column);
            let marked =
                Place { line: start.line, column: start.column, characters: marked(start, end) };
            source = excerpt(text, marked, "", paint);
        }
        let hint = self.hint.as_ref().map(|hint| format!("  hint: {hint}\n")).unwrap_or_default();
        let message = paint.text(&self.message, Meaning::Strong);
        let place =
            if self.location.is_empty() { place } else { format!("{place}  {}", self.location) };
        format!("{head} {message}\n  {arrow} {place}\n{source}{hint}")
    }
}

/// Returns how many characters of the first line are meant; of what goes on below, the first only.
fn marked(start: Position, end: Position) -> usize {
    if start.line == end.line { end.column.saturating_sub(start.column) } else { 1 }
}
