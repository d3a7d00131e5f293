//! The programs that run the scripts of `aws:executeScript`, and the files they speak through.
//!
//! The runtime writes the [`files`](Language::files) of a script into a directory of its own, runs
//! the interpreter with the [`arguments`](Language::arguments) and the credentials of the assumed
//! role, keeps standard output as the log, and turns the [`RESULT`] into a fact with [`fact`].

use value::{Value, value};

use crate::effect::Script;
use crate::fact::Fact;

/// The text of `harness.py`.
pub const PROGRAM: &str = include_str!("../../../data/runbooks/harness.py");

// UNVERIFIED: no PowerShell has run it; none is to be had here (docs/scripts.md).
/// The text of `harness.ps1`.
const POWERSHELL_PROGRAM: &str = include_str!("../../../data/runbooks/harness.ps1");

/// The file that holds the result.
pub const RESULT: &str = "result.json";

/// Where in its directory a script finds the document's attachments.
pub const ATTACHMENTS: &str = "attachments";

/// A language of scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `python3.11` and the like.
    Python,
    /// `PowerShell 7.4` and the like.
    PowerShell,
}

impl Language {
    /// Returns the language of a `Runtime`.
    pub fn of(runtime: &str) -> Option<Language> {
        let name = runtime.to_ascii_lowercase();
        let languages = [("python", Language::Python), ("powershell", Language::PowerShell)];
        let (_, found) = languages.into_iter().find(|(prefix, _)| name.starts_with(prefix))?;
        Some(found)
    }

    /// Returns what its interpreter is called with.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Language::Python => &["-I", "harness.py", "request.json", RESULT],
            Language::PowerShell => {
                &["-NoLogo", "-NoProfile", "-NonInteractive", "-File", "harness.ps1"]
            }
        }
    }

    /// Returns names and contents of the files that a script is run with. If the document has
    /// attachments, they lie in the directory [`ATTACHMENTS`] beside these files.
    pub fn files(self, script: &Script, has_attachments: bool) -> Vec<(&'static str, String)> {
        match self {
            Language::Python => {
                let request = request(script, has_attachments.then_some(ATTACHMENTS)).to_string();
                vec![("harness.py", PROGRAM.to_owned()), ("request.json", request)]
            }
            Language::PowerShell => {
                let mut files = vec![
                    ("harness.ps1", POWERSHELL_PROGRAM.to_owned()),
                    ("input.json", script.payload.to_string()),
                ];
                if !script.text.is_empty() {
                    files.push(("customer_script.ps1", script.text.clone()));
                }
                files.extend(script.attachment.clone().map(|name| ("attachment.txt", name)));
                files
            }
        }
    }
}

/// Returns the content of Python's request file; `directory` is where the attachments lie.
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
    let result = result.and_then(|text| value::parse(text).ok()).unwrap_or_default();
    let text = |member: &str| result.get(member).and_then(Value::as_str);
    if let Some(failure) = text("failure") {
        return Fact::ScriptFailed { id, text: failure.to_owned() };
    }
    match text("text").map(put_out).or_else(|| result.get("payload").cloned()) {
        Some(payload) => Fact::ScriptSucceeded { id, payload, log: log.to_owned() },
        None => Fact::ScriptFailed { id, text: format!("{} {log}", ended_early(script)) },
    }
}

/// Returns what a script says with a text as its last object: for `@{…} | ConvertTo-Json` the
/// object.
// UNVERIFIED: AWS's documentation shows objects only.
fn put_out(text: &str) -> Value {
    match value::parse(text) {
        Ok(parsed @ (Value::Object(_) | Value::Array(_))) => parsed,
        Ok(_) | Err(_) => Value::from(text),
    }
}

fn ended_early(script: &Script) -> &'static str {
    match Language::of(&script.runtime) {
        Some(Language::PowerShell) => "The script ended before it returned.",
        Some(Language::Python) | None => "The script ended before its handler returned.",
    }
}
