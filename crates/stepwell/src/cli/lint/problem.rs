//! One problem, for people and for machines.

use std::fmt::Write;

use asl::{Diagnostic, Position, Severity, Span};
use automation::{Format, Runbook};
use value::{Value, value};

use crate::cli::excerpt::{Place, excerpt};
use crate::cli::paint::{Meaning, Paint};

/// Something that is wrong.
pub(super) struct Problem {
    pub(super) severity: Severity,
    code: String,
    message: String,
    /// The field: `/States/X/Next`, or `mainSteps[0].action`.
    location: String,
    span: Option<Span>,
    hint: Option<String>,
}

impl Problem {
    pub(super) fn of_machine(found: Diagnostic) -> Problem {
        let Diagnostic { severity, code, message, location, span, hint } = found;
        // A parser quotes the whole text behind its message; the place is shown instead.
        let (message, location) = match message.split_once("[Source") {
            Some((message, _)) => {
                let message = message.trim_end().trim_end_matches("at").trim_end();
                (message.trim_end_matches("(start marker").trim_end().to_owned(), "/".to_owned())
            }
            None => (message, location),
        };
        let code = code.as_str().to_owned();
        Problem { severity, code, message, location, span, hint }
    }

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
        format!("{head} {message}\n  {arrow} {place}  {}\n{source}{hint}", self.location)
    }
}

/// Returns how many characters of the first line are meant; of what goes on below, the first only.
fn marked(start: Position, end: Position) -> usize {
    if start.line == end.line { end.column.saturating_sub(start.column) } else { 1 }
}

/// Returns the problems of a runbook.
pub(super) fn of_runbook(text: &str, format: Format) -> Vec<Problem> {
    let (code, found) = match Runbook::parse(text, format) {
        Ok(runbook) => (None, runbook.warnings),
        Err(invalid) => (Some(invalid.code.name()), invalid.diagnostics),
    };
    let problems = found.into_iter().map(|one| Problem {
        severity: match one.severity {
            automation::diagnostic::Severity::Error => Severity::Error,
            automation::diagnostic::Severity::Warning => Severity::Warning,
        },
        code: code.unwrap_or("InvalidDocumentContent").to_owned(),
        location: one.path.to_string(),
        span: one.position.map(|position| {
            let start = Position { offset: 0, line: position.line, column: position.column };
            Span { start, end: start }
        }),
        message: one.message,
        hint: one.hint,
    });
    problems.collect()
}
