//! The program that runs a Python script of `aws:executeScript`, and the two files it speaks
//! through.
//!
//! The runtime writes [`PROGRAM`] and a [`request`] to files, runs
//! `python3 -I harness.py REQUEST RESULT` with the credentials of the assumed role, keeps standard
//! output as the log, and turns the result into a fact with [`fact`].

use value::{Value, value};

use crate::effect::Script;
use crate::fact::Fact;

/// The text of `harness.py`.
pub const PROGRAM: &str = include_str!("../../../data/runbooks/harness.py");

/// Returns the content of the request file; `directory` is where the document's attachments lie.
pub fn request(script: &Script, directory: Option<&str>) -> Value {
    value!({
        "script": script.text.as_str(),
        "handler": script.handler.as_deref().unwrap_or_default(),
        "payload": &script.payload,
        "context": &script.context,
        "file": script.file.as_str(),
    })
    .with_some("attachment", script.attachment.as_deref())
    .with_some("directory", directory)
}

/// Returns the fact that a result file tells; without one the process has ended early, and `log` is
/// what it left behind.
pub fn fact(script: &Script, result: Option<&str>, log: &str) -> Fact {
    let id = script.id;
    let result = result.and_then(|text| value::parse(text).ok());
    let failure = result.as_ref().and_then(|it| it.get("failure")).and_then(Value::as_str);
    match (failure, result.as_ref().and_then(|it| it.get("payload"))) {
        (Some(text), _) => Fact::ScriptFailed { id, text: text.to_owned() },
        (None, Some(payload)) => {
            Fact::ScriptSucceeded { id, payload: payload.clone(), log: log.to_owned() }
        }
        (None, None) => Fact::ScriptFailed {
            id,
            text: format!("The script ended before its handler returned. {log}"),
        },
    }
}
