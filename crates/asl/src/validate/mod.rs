//! From parsed text to a validated [`Definition`], finding every problem on the way.

mod distributed;
mod fields;
mod hints;
mod kinds;
mod machine;
mod parts;
mod rules;
mod templates;
mod warnings;

use std::sync::Arc;

use crate::definition::{Definition, QueryLanguage, State, StateMachineType};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::json::{self, Node};
use crate::resource::Resources;
use crate::span::Span;
use fields::Fields;

/// The largest definition, in bytes (AWS's quota: 1 MB).
pub const DEFINITION_BYTES_MAX: usize = 1_048_576;
/// The longest name of a state, in characters.
pub(crate) const STATE_NAME_CHARS_MAX: usize = 80;
/// The longest name of a variable, in characters.
pub(crate) const VARIABLE_NAME_CHARS_MAX: usize = 80;
/// The longest time that a field can name in seconds.
pub(crate) const SECONDS_MAX: i64 = 99_999_999;

/// What a definition is validated for.
pub struct Options<'a> {
    /// Standard or express.
    pub machine_type: StateMachineType,
    /// What the runtime can serve.
    pub resources: &'a dyn Resources,
}

/// A definition that was looked at: what is wrong with it and, if nothing is, the compiled form.
pub struct Checked {
    /// Everything found, warnings included, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The definition; none when there is an error among the diagnostics.
    pub definition: Option<Definition>,
}

impl Definition {
    /// Validates and compiles a definition.
    ///
    /// # Errors
    /// Every problem; its `Display` is the message of the API's `InvalidDefinition`.
    pub fn parse(text: &str, options: &Options<'_>) -> Result<Definition, Diagnostics> {
        let checked = check(text, options);
        checked.definition.ok_or(Diagnostics(checked.diagnostics))
    }

    /// Compiles a definition that was accepted when it was created. What rules that are younger
    /// would refuse runs on, as long as it means something.
    ///
    /// # Errors
    /// Every problem, when it means nothing.
    pub fn parse_accepted(text: &str, options: &Options<'_>) -> Result<Definition, Diagnostics> {
        let checked = compile(text, options, Subject::Machine);
        checked.definition.ok_or(Diagnostics(checked.diagnostics))
    }

    /// Validates and compiles one state, as `TestState` takes it; a whole definition is read as
    /// one. The state is called `StateName` and starts the definition; a state that it leads to is
    /// a Succeed of that name.
    ///
    /// # Errors
    /// Every problem.
    pub fn parse_state(text: &str, options: &Options<'_>) -> Result<Definition, Diagnostics> {
        let whole = json::parse(text).is_ok_and(|node| node.get("States").is_some());
        let subject = if whole { Subject::MachineOfState } else { Subject::State };
        let checked = check_as(text, options, subject);
        checked.definition.ok_or(Diagnostics(checked.diagnostics))
    }
}

/// The name of a state that is tested without its machine.
pub(crate) const SINGLE_STATE_NAME: &str = "StateName";

/// Validates a definition and returns all that is to be said about it.
pub fn check(text: &str, options: &Options<'_>) -> Checked {
    check_as(text, options, Subject::Machine)
}

/// What a text is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Machine,
    /// A machine of which one state is tested; what its kind of machine cannot run is let through.
    MachineOfState,
    /// One state; the states that it leads to are not there.
    State,
}

/// Says everything that is to be said about a definition that was read from `text` as `node`,
/// whatever the notation of the text.
pub fn diagnose(text: &str, node: &Node, options: &Options<'_>) -> Vec<Diagnostic> {
    walk(text, node, options, Subject::Machine).diagnostics
}

fn check_as(text: &str, options: &Options<'_>, subject: Subject) -> Checked {
    let Checked { diagnostics, definition } = compile(text, options, subject);
    let refused = diagnostics.iter().any(|found| found.severity == Severity::Error);
    Checked { diagnostics, definition: definition.filter(|_| !refused) }
}

/// Compiles what can be compiled, whatever is said against it.
fn compile(text: &str, options: &Options<'_>, subject: Subject) -> Checked {
    match json::parse(text) {
        Ok(node) => walk(text, &node, options, subject),
        Err(fault) => Checked { diagnostics: vec![fault.diagnostic()], definition: None },
    }
}

fn walk(text: &str, node: &Node, options: &Options<'_>, subject: Subject) -> Checked {
    let mut validator = Validator {
        options,
        text,
        subject,
        diagnostics: Vec::new(),
        states: Vec::new(),
        names: std::collections::BTreeSet::new(),
    };
    let top = match subject {
        Subject::Machine | Subject::MachineOfState => validator.top(node),
        Subject::State => validator.single_state(node),
    };
    let mut diagnostics = validator.diagnostics;
    diagnostics.sort_by_key(|found| found.span.map(|span| span.start.offset));
    let states: Option<Vec<State>> = validator.states.into_iter().collect();
    let definition = match (top, states) {
        (Some(top), Some(states)) => Some(Definition {
            text: Arc::from(text),
            query_language: top.query_language,
            machine_type: options.machine_type,
            timeout_seconds: top.timeout_seconds,
            start: top.start,
            states,
        }),
        _ => None,
    };
    Checked { diagnostics, definition }
}

/// The top level of a definition, once read.
struct Top {
    query_language: QueryLanguage,
    timeout_seconds: Option<i64>,
    start: crate::definition::StateId,
}

/// Collects problems and states while the text is walked.
struct Validator<'a> {
    options: &'a Options<'a>,
    text: &'a str,
    subject: Subject,
    diagnostics: Vec<Diagnostic>,
    /// Filled in as states are read; `None` stays where a state could not be.
    states: Vec<Option<State>>,
    /// Names used so far: unique within the whole definition.
    names: std::collections::BTreeSet<Arc<str>>,
}

impl Validator<'_> {
    fn top(&mut self, node: &Node) -> Option<Top> {
        let fields = Fields::of(self, node, "")?;
        self.only(
            &fields,
            &["Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage"],
        );
        let query_language = self.query_language(&fields, None).unwrap_or_default();
        let timeout_seconds = self.integer(&fields, "TimeoutSeconds", 1, SECONDS_MAX);
        let start = self.machine(&fields, query_language)?;
        Some(Top { query_language, timeout_seconds, start })
    }

    /// Whether the text is to run as an express state machine.
    fn runs_express(&self) -> bool {
        let express = self.options.machine_type == crate::StateMachineType::Express;
        express && self.subject == Subject::Machine
    }

    fn report(
        &mut self,
        code: Code,
        message: impl Into<String>,
        location: impl Into<String>,
        span: Span,
    ) {
        self.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            location: location.into(),
            span: Some(span),
            hint: None,
        });
    }

    /// Says what could be done about the problem reported last.
    fn hint(&mut self, hint: Option<String>) {
        if let Some(last) = self.diagnostics.last_mut() {
            last.hint = hint;
        }
    }

    fn schema(&mut self, message: impl Into<String>, location: impl Into<String>, span: Span) {
        self.report(Code::SchemaValidationFailed, message, location, span);
    }
}
