//! Problems of state machines and runbooks.

use asl::{Diagnostic, Position, Severity, Span};
use automation::{Format, Runbook};

use super::super::problem::Problem;

/// Returns a problem of a state machine.
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

/// The code of what `CreateDocument` refuses.
const REFUSED: &str = "InvalidDocumentContent";
/// The code of what it takes, though hardly anybody can mean it.
const DOUBTFUL: &str = "DOUBTFUL";

/// Returns how many characters the word at a place of a document has: a key, or a text in quotes.
fn word(text: &str, place: Position) -> usize {
    let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let mut rest = line.chars().skip(place.column.saturating_sub(1));
    match rest.next() {
        Some(quote @ ('"' | '\'')) => 2 + rest.take_while(|c| *c != quote).count(),
        Some(_) => 1 + rest.take_while(|c| !":,{}[]".contains(*c) && !c.is_whitespace()).count(),
        None => 1,
    }
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
        code: match one.severity {
            automation::diagnostic::Severity::Error => code.unwrap_or(REFUSED).to_owned(),
            automation::diagnostic::Severity::Warning => DOUBTFUL.to_owned(),
        },
        location: one.path.to_string(),
        span: one.position.map(|position| {
            let start = Position { offset: 0, line: position.line, column: position.column };
            Span { start, end: Position { column: start.column + word(text, start), ..start } }
        }),
        message: one.message,
        hint: one.hint,
    });
    problems.collect()
}
