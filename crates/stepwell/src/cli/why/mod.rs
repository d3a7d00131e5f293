//! `stepwell why`: why a call was allowed or refused, and what to add where.

mod call;

use std::process::ExitCode;

use anyhow::{Result, bail};
use value::{Value, value};

use super::clock::ask;
use super::hint;
use super::paint::Paint;
use super::remote::Running;

/// Say why a call was allowed or refused: the statements, and the line to add.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(super) struct Arguments {
    /// The id that its answer carries (x-amzn-RequestId), and that logs and errors show
    #[arg(value_name = "REQUEST-ID", group = "which")]
    request_id: Option<String>,
    /// The last call
    #[arg(long, group = "which")]
    last: bool,
    /// The last call that was refused
    #[arg(long, group = "which")]
    last_refused: bool,
    /// Every call of an execution (or runbook execution, or stack), and of what it began
    #[arg(long, value_name = "ARN", group = "which")]
    execution: Option<String>,
    #[command(flatten)]
    server: Running,
    /// Print what is known as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Returns what the server is asked.
    fn asked(&self) -> Value {
        match (&self.request_id, &self.execution) {
            (Some(id), _) => value!({ "requestId": id }),
            (None, Some(arn)) => value!({ "execution": arn }),
            (None, None) => value!({ "last": if self.last { "call" } else { "refusal" } }),
        }
    }
}

/// Asks the server and prints what it knows; not to know the call is an error.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let answer = all(arguments)?;
    if arguments.json {
        println!("{}", answer.to_pretty());
    }
    let calls = answer.get("calls").and_then(Value::as_array).unwrap_or_default();
    if calls.is_empty() {
        let nothing = anyhow::anyhow!("the server knows of no such call");
        return Err(hint(
            nothing,
            "it knows the newest 10,000 calls since it started, and for longer those that were \
             refused or made by executions; what failed before it came to a decision is in the log",
        ));
    }
    if !arguments.json {
        let paint = Paint::of(&std::io::stdout());
        match &arguments.execution {
            Some(_) => print!("{}", call::all(calls, paint)),
            None => calls.iter().for_each(|one| print!("{}", call::whole(one, paint))),
        }
        if let Some(note) = lacking(&answer) {
            println!("{note}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the server until it has no more calls; returns its answers as one.
fn all(arguments: &Arguments) -> Result<Value> {
    let (mut question, mut calls) = (arguments.asked(), Vec::new());
    loop {
        let answer = asked(arguments.server.endpoint(), "calls", &question)?;
        calls.extend_from_slice(answer.get("calls").and_then(Value::as_array).unwrap_or_default());
        let Some(next) = answer.get("next") else {
            let is_whole = answer.get("isWhole").cloned();
            return Ok(value!({ "calls": calls }).with_some("isWhole", is_whole));
        };
        question.set("after", next.clone());
    }
}

/// Says what an answer about an execution does not have.
pub(super) fn lacking(answer: &Value) -> Option<&'static str> {
    let is_whole = answer.get("isWhole").and_then(Value::as_bool).unwrap_or(true);
    (!is_whole)
        .then_some("It began more processes than are followed: calls of others are not in this.")
}

/// Asks one of the server's own pages, or says why it does not answer.
pub(super) fn asked(endpoint: &str, page: &str, question: &Value) -> Result<Value> {
    let page = format!("/_stepwell/{page}");
    let (status, answer) = ask(endpoint, "POST", &page, &question.to_string())?;
    if status != 200 {
        let message = answer.get("message").and_then(Value::as_str).unwrap_or_default();
        bail!("the server refused ({status}): {message}");
    }
    Ok(answer)
}
