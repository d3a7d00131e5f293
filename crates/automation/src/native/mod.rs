//! Compiled-in bodies of the scripts that ship with Stepwell, so that they need no Python.
//!
//! A body is straight-line code that makes the calls of its Python form in the same order. It runs
//! by replay: every answer is kept, and after each new one the body runs again from its start,
//! takes the answers it has from the list and stops at the first call that has none. So what a
//! crash has to keep is the list of answers, nothing else.

mod delete_iam_user;

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use value::Value;

use crate::fact::CallError;
use crate::failure;

/// How many calls one script may make.
const CALLS_MAX: usize = 10_000;

/// A compiled-in body.
#[derive(Debug)]
pub struct NativeScript {
    /// The SHA-256 of the script text that it stands for, in hexadecimal.
    pub sha256: &'static str,
    /// The service it calls.
    pub service: &'static str,
    body: fn(&Value, &mut Aws<'_>) -> Result<Value, Stop>,
    error_classes: &'static [(&'static str, &'static str)],
}

/// Every body, one line for each script text.
static NATIVE_SCRIPTS: &[&NativeScript] = &[
    &delete_iam_user::GET_USERNAME,
    &delete_iam_user::LIST_CREDENTIALS,
    &delete_iam_user::LIST_PERMISSIONS,
    &delete_iam_user::DELETE_CREDENTIALS,
    &delete_iam_user::DELETE_CREDENTIALS_AS_PUBLISHED,
    &delete_iam_user::DELETE_PERMISSIONS,
    &delete_iam_user::DELETE_USER,
];

/// Returns the body for the script with this hash.
pub fn find(sha256: &str) -> Option<&'static NativeScript> {
    NATIVE_SCRIPTS.iter().copied().find(|script| script.sha256 == sha256)
}

/// Returns the hash by which a script's text is known, in hexadecimal.
pub fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// How far a body has come: the answers so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    answers: Vec<Result<Value, CallError>>,
}

/// What one run of a body is about.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The handler's first argument.
    pub payload: &'a Value,
    /// The text of the Python form, which tracebacks quote.
    pub text: &'a str,
    /// The path that tracebacks show.
    pub file: &'a str,
}

/// What a body does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// Call this operation.
    Call {
        /// The operation, in the model's spelling.
        operation: &'static str,
        /// The request.
        input: Value,
    },
    /// Return this.
    Done(Value),
    /// Raise: the traceback, as the harness prints it for the Python form.
    Failed(String),
}

impl NativeScript {
    /// Goes on, with the answer to the last call if there was one.
    pub fn next(
        &self,
        progress: &mut Progress,
        invocation: Invocation<'_>,
        answer: Option<Result<Value, CallError>>,
    ) -> Move {
        progress.answers.extend(answer);
        let mut aws = Aws { script: self, answers: &progress.answers, taken: 0, invocation };
        match (self.body)(invocation.payload, &mut aws) {
            Ok(payload) => Move::Done(payload),
            Err(Stop::Call { operation, input }) if progress.answers.len() < CALLS_MAX => {
                Move::Call { operation, input }
            }
            Err(Stop::Call { .. }) => Move::Failed(format!("more than {CALLS_MAX} calls")),
            Err(Stop::Raised(text)) => Move::Failed(text),
        }
    }
}

/// Why a body does not run to its end.
enum Stop {
    /// It needs an answer.
    Call { operation: &'static str, input: Value },
    /// It has raised; the text is the traceback.
    Raised(String),
}

/// One frame of a traceback: the function, and text that only its current line holds.
type Frame = (&'static str, &'static str);

/// The AWS client of a body.
struct Aws<'a> {
    script: &'a NativeScript,
    answers: &'a [Result<Value, CallError>],
    taken: usize,
    invocation: Invocation<'a>,
}

impl Aws<'_> {
    /// Calls an operation; the caller looks at the error itself.
    fn try_call(
        &mut self,
        operation: &'static str,
        input: Value,
    ) -> Result<Result<Value, CallError>, Stop> {
        let Some(answer) = self.answers.get(self.taken) else {
            return Err(Stop::Call { operation, input });
        };
        self.taken += 1;
        Ok(answer.clone())
    }

    /// Calls an operation; an error is raised at `frames`.
    fn call(
        &mut self,
        frames: &[Frame],
        operation: &'static str,
        input: Value,
    ) -> Result<Value, Stop> {
        let answer = self.try_call(operation, input)?;
        answer.map_err(|err| self.raise_client_error(frames, operation, &err))
    }

    /// Calls a paged operation to its last page and returns all elements of `member`.
    fn pages(
        &mut self,
        frames: &[Frame],
        operation: &'static str,
        input: &Value,
        member: &str,
    ) -> Result<Vec<Value>, Stop> {
        let mut found = Vec::new();
        let mut request = input.clone();
        // INVARIANT: ends, for every turn takes an answer from a list of at most `CALLS_MAX`.
        loop {
            let page = self.call(frames, operation, request)?;
            found.extend_from_slice(page.get(member).and_then(Value::as_array).unwrap_or_default());
            match next_marker(&page) {
                Some(marker) => request = input.clone().with("Marker", marker),
                None => return Ok(found),
            }
        }
    }

    /// Raises what botocore raises for a service's error.
    fn raise_client_error(&self, frames: &[Frame], operation: &str, err: &CallError) -> Stop {
        let classes = self.script.error_classes;
        let class = classes.iter().find(|(code, _)| *code == err.code);
        let class = class.map_or("ClientError", |(_, class)| class);
        let text = failure::client_error_text(&err.code, operation, &err.message);
        self.raise(frames, class, &text)
    }

    /// Raises an exception of the Python form at these frames, the innermost last.
    fn raise(&self, frames: &[Frame], class: &str, message: &str) -> Stop {
        let mut text = String::from("Traceback (most recent call last):\n");
        for (function, needle) in frames {
            let lines = self.invocation.text.lines().enumerate();
            let (index, line) = lines
                .filter(|(_, line)| line.contains(needle))
                .map(|(index, line)| (index, line.trim()))
                .next()
                .unwrap_or_default();
            let file = self.invocation.file;
            // Writing to a String cannot fail.
            let _ =
                write!(text, "  File \"{file}\", line {}, in {function}\n    {line}\n", index + 1);
        }
        let _ = write!(text, "\n{class} - {message}");
        Stop::Raised(text)
    }
}

/// Returns where the next page begins, if there is one.
fn next_marker(page: &Value) -> Option<Value> {
    let truncated = page.get("IsTruncated").and_then(Value::as_bool).unwrap_or(false);
    page.get("Marker").filter(|_| truncated).cloned()
}

/// Returns the texts of a list in the payload.
fn texts<'a>(payload: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    let items = payload.get(key).and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(Value::as_str)
}
