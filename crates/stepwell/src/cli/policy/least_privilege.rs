//! `stepwell policy least-privilege`: what the roles of a run need, from the calls it really made.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use value::{Value, value};

use crate::cli::paint::{Meaning, Paint};
use crate::cli::remote::Running;
use crate::cli::why::{self, asked};

/// Print the least that the roles of a run need, and what they are granted beyond that.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The ARN of an execution, or of a runbook execution; what it began belongs to it
    #[arg(long, value_name = "ARN")]
    execution: String,
    /// Allow the actions on every resource of the type, not only on those that the run met
    #[arg(long)]
    any_resource: bool,
    #[command(flatten)]
    server: Running,
    /// Print everything as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

/// Asks the server and prints what it found out; to know of no call is an error.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let resources = if arguments.any_resource { "any" } else { "named" };
    let question = value!({ "execution": &arguments.execution, "resources": resources });
    let found = asked(arguments.server.endpoint(), "least-privilege", &question)?;
    if arguments.json {
        println!("{}", found.to_pretty());
    }
    let principals = list(&found, "principals");
    if principals.is_empty() {
        bail!("the server knows of no call that {} has made", arguments.execution);
    }
    if arguments.json {
        return Ok(ExitCode::SUCCESS);
    }
    let paint = Paint::of(&std::io::stdout());
    for principal in principals {
        print!("{}", shown(principal, paint));
    }
    if let Some(note) = why::lacking(&found) {
        println!("{}\n", paint.text(note, Meaning::Doubtful));
    }
    println!(
        "{}",
        paint.text(
            "One run is no proof: another branch, another user, an error that is retried may need \
             more.",
            Meaning::Quiet
        )
    );
    Ok(ExitCode::SUCCESS)
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).unwrap_or_default()
}

fn shown(principal: &Value, paint: Paint) -> String {
    let calls = principal.get("calls").and_then(Value::as_i64).unwrap_or_default();
    let calls = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
    let head = format!("{} ({calls})", text(principal, "principal"));
    let mut shown = format!("{}\n\n", paint.text(&head, Meaning::Strong));
    let policy = principal.get("policy").map(Value::to_pretty).unwrap_or_default();
    let is_root = principal.get("isRoot").and_then(Value::as_bool).unwrap_or_default();
    if is_root {
        shown.push_str("  The root user needs no policy. Another would need this one:\n\n");
    } else {
        shown.push_str("  The least it needs:\n\n");
    }
    for line in policy.lines() {
        let _ = writeln!(shown, "    {line}");
    }
    for refused in list(principal, "refused") {
        let (action, resource) = (text(refused, "action"), text(refused, "resource"));
        let what = format!("{action} on {resource}");
        let _ = write!(
            shown,
            "\n  {} {what}; `stepwell why --execution` says why",
            paint.text("It was not allowed", Meaning::Bad),
        );
    }
    shown.push('\n');
    shown.push_str(&beyond(principal, paint));
    shown.push('\n');
    shown
}

/// Returns what is granted and was not used.
fn beyond(principal: &Value, paint: Paint) -> String {
    let Some(granted) = principal.get("granted").and_then(Value::as_array) else {
        return String::new();
    };
    let mut shown = String::new();
    for statement in granted {
        let unused = list(statement, "unused");
        let used = list(statement, "used").len();
        let number = statement.get("statement").and_then(Value::as_i64).unwrap_or_default() + 1;
        let sid = match text(statement, "sid") {
            "" => String::new(),
            sid => format!(" \"{sid}\""),
        };
        let name = format!("statement {number}{sid} of policy {}", text(statement, "policy"));
        if statement.get("notAction").is_some() {
            let _ = writeln!(shown, "    {name}: allows all but what it lists");
        }
        if unused.is_empty() {
            continue;
        }
        let whole = if used == 0 { ", nothing of it was used" } else { "" };
        let _ = writeln!(shown, "    {name}{whole}");
        for action in unused.iter().filter_map(Value::as_str) {
            let _ = writeln!(shown, "      {}", paint.text(action, Meaning::Doubtful));
        }
    }
    if shown.is_empty() {
        return "  Its policies allow nothing that was not used.\n".to_owned();
    }
    format!("  Allowed, and never used:\n\n{shown}")
}
