//! A runbook: an Automation document of schema version 0.3, read and checked.

mod check;
mod doubt;
mod read;

use std::fmt;

use value::Value;

use crate::actions::{self, Action};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Severity};
use crate::document::{self, Format, Places, SyntaxError};
use crate::interpolate::Scope;
use crate::output::OutputDeclaration;
use crate::parameter::{self, Parameter, Variable};
use crate::reference::{self, Reference};

/// A runbook that `CreateDocument` accepts.
#[derive(Debug, Clone)]
pub struct Runbook {
    /// What it is for.
    pub description: Option<String>,
    /// The parameters in document order.
    pub parameters: Vec<Parameter>,
    /// The variables in document order.
    pub variables: Vec<Variable>,
    /// The steps in document order; those of a loop behind it.
    pub steps: Vec<Step>,
    /// The document's outputs: `step.output`.
    pub outputs: Vec<String>,
    /// The files that belong to it, in document order.
    pub files: Vec<File>,
    /// What is doubtful about it.
    pub warnings: Vec<Diagnostic>,
    pub(crate) assume_role: Option<String>,
}

/// A file that belongs to a runbook: an entry of `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The name under which steps find it (`Attachment`).
    pub name: String,
    /// The SHA-256 that its content must have, in lower-case hex.
    pub sha256: Option<String>,
    /// How many bytes it must have.
    pub size: Option<u64>,
}

/// One step of a runbook.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name, unique in the document.
    pub name: String,
    /// What it does.
    pub action: &'static Action,
    /// What it is for.
    pub description: Option<String>,
    /// The inputs with their references.
    pub inputs: Value,
    /// The declared outputs.
    pub outputs: Vec<OutputDeclaration>,
    /// How often it is tried.
    pub max_attempts: u64,
    /// How long one attempt may take, where the document says so.
    pub timeout_seconds: Option<u64>,
    /// What follows a failure, where the document says so.
    pub on_failure: Option<OnFailure>,
    /// What follows a cancellation: a step, or nothing.
    pub on_cancel: Option<String>,
    /// Whether a failure makes the run fail, where the document says so.
    pub is_critical: Option<bool>,
    /// Whether the run ends after it.
    pub is_end: bool,
    /// What follows, where the document says so.
    pub next_step: Option<String>,
    /// The index of the loop that it belongs to.
    pub parent: Option<usize>,
    /// The index of the step behind it in the same list.
    pub(crate) following: Option<usize>,
    /// Its place in the document.
    pub(crate) path: Path,
}

/// What follows a failed step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnFailure {
    /// The run ends.
    Abort,
    /// The run goes on as if the step had succeeded.
    Continue,
    /// The run goes on at this step.
    Step(String),
}

impl fmt::Display for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnFailure::Abort => f.write_str("Abort"),
            OnFailure::Continue => f.write_str("Continue"),
            OnFailure::Step(name) => write!(f, "step:{name}"),
        }
    }
}

/// Why a content is no runbook: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The error code of `CreateDocument`.
    pub code: InvalidCode,
    /// Every problem, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// The error codes with which `CreateDocument` refuses a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidCode {
    /// Anything not named below.
    InvalidDocumentContent,
    /// `schemaVersion` is not 0.3.
    InvalidDocumentSchemaVersion,
    /// The content is longer than [`document::CONTENT_BYTES_MAX`].
    MaxDocumentSizeExceeded,
}

impl InvalidCode {
    /// Returns the code on the wire.
    pub fn name(self) -> &'static str {
        match self {
            InvalidCode::InvalidDocumentContent => "InvalidDocumentContent",
            InvalidCode::InvalidDocumentSchemaVersion => "InvalidDocumentSchemaVersion",
            InvalidCode::MaxDocumentSizeExceeded => "MaxDocumentSizeExceeded",
        }
    }
}

/// Prints the message of the error: every problem, separated by `; `.
///
/// DIFFERS: AWS stops at the first problem.
impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.diagnostics.iter().filter(|one| one.severity == Severity::Error);
        for (count, diagnostic) in errors.enumerate() {
            let separator = if count == 0 { "" } else { "; " };
            write!(f, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

impl Invalid {
    fn alone(code: InvalidCode, message: String) -> Invalid {
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            message,
            path: Path::default(),
            position: None,
            hint: None,
        };
        Invalid { code, diagnostics: vec![diagnostic] }
    }

    fn syntax(format: Format, err: SyntaxError) -> Invalid {
        let place = err.position;
        // UNVERIFIED: AWS's words for a text that cannot be read, from memory.
        let message =
            format!("{format} not well-formed. at Line: {}, Column: {}", place.line, place.column);
        let mut invalid = Invalid::alone(InvalidCode::InvalidDocumentContent, message);
        if let Some(diagnostic) = invalid.diagnostics.first_mut() {
            diagnostic.hint = Some(err.message);
        }
        invalid
    }
}

impl Runbook {
    /// Reads and checks a runbook, finding every problem at once.
    pub fn parse(content: &str, format: Format) -> Result<Runbook, Invalid> {
        if content.len() > document::CONTENT_BYTES_MAX {
            let message = format!("the content is {} bytes long", content.len());
            return Err(Invalid::alone(InvalidCode::MaxDocumentSizeExceeded, message));
        }
        let document =
            document::read(content, format).map_err(|err| Invalid::syntax(format, err))?;
        Runbook::from_document(&document, || document::places(content, format))
    }

    /// Reads a content that was accepted when it was stored, perhaps by an older Stepwell with
    /// fewer rules: what was allowed to run goes on running, so only a text that is no document at
    /// all is refused. What the rules of today say against it stands in
    /// [`warnings`](Runbook::warnings).
    pub fn parse_accepted(content: &str, format: Format) -> Result<Runbook, Invalid> {
        let document =
            document::read(content, format).map_err(|err| Invalid::syntax(format, err))?;
        let mut found = Diagnostics::default();
        let mut runbook = read::runbook(&document, &mut found);
        check::runbook(&runbook, &mut found);
        runbook.warnings = found.placed(|| document::places(content, format));
        Ok(runbook)
    }

    /// Checks a runbook whose content has been read already; positions are unknown.
    pub fn from_value(document: &Value) -> Result<Runbook, Invalid> {
        Runbook::from_document(document, Places::new)
    }

    fn from_document(
        document: &Value,
        places: impl FnOnce() -> Places,
    ) -> Result<Runbook, Invalid> {
        let mut found = Diagnostics::default();
        let mut runbook = read::runbook(document, &mut found);
        check::runbook(&runbook, &mut found);
        doubt::keys(document, &mut found);
        if !found.has_errors() {
            doubt::runbook(&runbook, document, &mut found);
        }
        let diagnostics = found.placed(places);
        let refused = diagnostics.iter().any(|one| one.severity == Severity::Error);
        if !refused {
            runbook.warnings = diagnostics;
            return Ok(runbook);
        }
        let version = document.get("schemaVersion").map(parameter::text);
        let code = match version.as_deref() {
            Some(read::SCHEMA_VERSION) => InvalidCode::InvalidDocumentContent,
            Some(_) | None => InvalidCode::InvalidDocumentSchemaVersion,
        };
        Err(Invalid { code, diagnostics })
    }

    /// Decodes `StartAutomationExecution.Parameters` into typed values, defaults filled in.
    pub fn start_parameters(&self, supplied: &Value) -> Result<Value, parameter::Error> {
        parameter::decode_all(&self.parameters, supplied)
    }

    /// Returns the role that a run started with these parameters assumes, `None` when it acts as
    /// its caller; `supplied` is what [`Runbook::start_parameters`] takes. Parameters that the role
    /// does not depend on need not be there: with targets, the others are known later.
    ///
    /// AWS allows a constant or a parameter here, so nothing else is resolved.
    pub fn assume_role(&self, supplied: &Value) -> Option<String> {
        let parameters = parameter::decode_some(&self.parameters, supplied);
        let role = Scope::of_parameters(parameters).text(self.assume_role.as_deref()?);
        let role = role.trim();
        (!role.is_empty()).then(|| role.to_owned())
    }

    /// Returns the Parameter Store paths that defaults refer to, by parameter; the service looks
    /// them up and supplies the values at the start.
    pub fn parameter_store_defaults(&self) -> Vec<(&str, String)> {
        let path = |parameter: &Parameter| match reference::whole(
            parameter.default.as_ref()?.as_str()?,
        )? {
            Reference::ParameterStore(path) => Some(path),
            Reference::Parameter(_)
            | Reference::Output { .. }
            | Reference::Variable(_)
            | Reference::System(_) => None,
        };
        let named = |one| path(one).map(|path| (one.name.as_str(), path));
        self.parameters.iter().filter_map(named).collect()
    }

    /// Returns the index of a step and of the loops around it, the outermost last.
    pub(crate) fn with_loops(&self, index: usize) -> impl Iterator<Item = usize> + use<'_> {
        std::iter::successors(Some(index), |at| self.steps.get(*at)?.parent)
    }

    /// Returns the index of the first step of a loop.
    pub(crate) fn first_of_body(&self, index: usize) -> Option<usize> {
        self.steps.iter().position(|step| step.parent == Some(index))
    }

    /// Returns the index of the step with this name.
    pub(crate) fn step_index(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }
}

impl Step {
    /// Returns how long one attempt may take, if that is limited.
    pub(crate) fn attempt_timeout_seconds(&self) -> Option<u64> {
        self.timeout_seconds.or(self.action.timeout_seconds)
    }

    /// Returns whether the step's failure makes the run fail in the end.
    pub(crate) fn fails_run(&self) -> bool {
        self.is_critical.unwrap_or(self.on_failure != Some(OnFailure::Continue))
    }

    /// Returns whether an input stays as it is written: code, and what a loop resolves later.
    pub(crate) fn is_verbatim(&self, input: &str) -> bool {
        match self.action.name {
            actions::EXECUTE_SCRIPT => input == "Script",
            actions::LOOP => input == "Steps" || input == "LoopCondition",
            _ => false,
        }
    }
}
