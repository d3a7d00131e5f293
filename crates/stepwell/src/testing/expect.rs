//! What a case expects, and what is different.

use std::path::Path;

use anyhow::{Context, Result, bail};
use execution::Payload;
use jsonata::Bindings;
use value::Value;

use super::drive::Ended;
use super::suite::{contents, only, text};
use crate::example::fill;

/// What a case expects; what is absent is not looked at.
pub(super) struct Expect {
    status: String,
    output: Option<Value>,
    /// An expression over `$output`, `$input`, `$error` and `$cause`.
    that: Option<Value>,
    error: Option<String>,
    cause: Option<String>,
    path: Option<Vec<String>>,
    history: Vec<Value>,
}

const STATUSES: [&str; 4] = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];

impl Expect {
    /// Expects nothing but success.
    pub(super) fn success() -> Expect {
        Expect {
            status: "SUCCEEDED".to_owned(),
            output: None,
            that: None,
            error: None,
            cause: None,
            path: None,
            history: Vec::new(),
        }
    }

    /// Reads `expect`.
    pub(super) fn of(folder: &Path, expect: &Value) -> Result<Expect> {
        let known = ["status", "output", "that", "error", "cause", "path", "history"];
        only(expect, "`expect`", &known)?;
        let error = text(expect, "error")?.map(str::to_owned);
        let preset = if error.is_some() { "FAILED" } else { "SUCCEEDED" };
        let status = text(expect, "status")?.unwrap_or(preset);
        if !STATUSES.contains(&status) {
            bail!("`status` is one of {}", STATUSES.join(", "));
        }
        let output = expect.get("output").cloned();
        let list = |name: &str| match expect.get(name) {
            None => Ok(None),
            Some(found) => {
                found.as_array().map(Some).with_context(|| format!("`{name}` is no list"))
            }
        };
        let names = |all: &[Value]| {
            let names = all.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<Vec<_>>>().context("`path` is no list of names")
        };
        Ok(Expect {
            status: status.to_owned(),
            output: output.map(|output| contents(folder, output)).transpose()?,
            that: expect.get("that").cloned(),
            error,
            cause: text(expect, "cause")?.map(str::to_owned),
            path: list("path")?.map(names).transpose()?,
            history: list("history")?.unwrap_or_default().to_vec(),
        })
    }
}

/// Returns what is not as expected.
pub(super) fn problems(expect: &Expect, ended: &Ended, path: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let (status, output) = (ended.status.as_str(), ended.output.as_ref().map(Payload::value));
    if expect.status != status {
        let why = [&ended.error, &ended.cause];
        let why: Vec<&str> = why.into_iter().flatten().map(String::as_str).collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(": ")) };
        problems.push(format!("status: {} was expected, not {status}{why}", expect.status));
    }
    let mut text = |name: &str, wanted: &Option<String>, found: &Option<String>| {
        if let Some(wanted) = wanted
            && found.as_ref() != Some(wanted)
        {
            let found = found.as_ref().map_or("none".to_owned(), |found| format!("`{found}`"));
            problems.push(format!("{name}: `{wanted}` was expected, not {found}"));
        }
    };
    text("error", &expect.error, &ended.error);
    text("cause", &expect.cause, &ended.cause);
    if let Some(wanted) = &expect.output
        && output != Some(wanted)
    {
        let found = output.map_or("none".to_owned(), Value::to_json);
        problems.push(format!("output: {wanted} was expected, not {found}"));
    }
    if let Some(wanted) = &expect.path
        && wanted != path
    {
        let (wanted, found) = (wanted.join(" → "), path.join(" → "));
        problems.push(format!("path: {wanted} was expected, not {found}"));
    }
    problems.extend(expect.that.as_ref().and_then(|that| untrue(that, ended)));
    problems.extend(missing(&expect.history, &ended.history));
    problems
}

fn untrue(that: &Value, ended: &Ended) -> Option<String> {
    let mut known = Bindings::new().with("input", ended.input.clone());
    for (name, text) in [("error", &ended.error), ("cause", &ended.cause)] {
        if let Some(text) = text {
            known.bind(name, text.as_str());
        }
    }
    if let Some(output) = &ended.output {
        known.bind("output", output.value().clone());
    }
    match fill(that, &known) {
        Ok(Value::Bool(true)) => None,
        Ok(other) => Some(format!("that: {that} is {other}")),
        Err(err) => Some(format!("that: {err:#}")),
    }
}

/// Returns the first event that does not come behind those before it.
fn missing(wanted: &[Value], history: &[Value]) -> Option<String> {
    let mut rest = history.iter();
    let absent = wanted.iter().find(|wanted| !rest.any(|event| holds(event, wanted)));
    absent.map(|event| format!("history: no event like {event} where it was expected"))
}

/// Returns whether a value has everything that is wanted of it.
fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(_), Value::Object(members)) => members
            .iter()
            .all(|(name, wanted)| value.get(name).is_some_and(|value| holds(value, wanted))),
        (value, wanted) => value == wanted,
    }
}
