//! `stepwell automation`: the runbook executions of a running server, as a person reads them.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use comfy_table::{Cell, Color, Table, presets};
use value::{Value, value};
use wire::client::Client;

use super::paint::{Meaning, Paint};
use super::{hint, remote};
use crate::runbook::{self, Ask, moment};

/// The most executions that a list shows.
const LIST_MAX: usize = 50;

/// Show the runbook executions of a running server.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Where the server listens
    #[arg(long, global = true, default_value = "http://127.0.0.1:4566", env = "STEPWELL_ENDPOINT")]
    endpoint: String,
    /// The region
    #[arg(long, global = true, default_value = "us-east-1", env = "AWS_REGION")]
    region: String,
    /// Print what the server answers as JSON, and nothing else
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Report on one execution: its steps, what they gave, and why it ended as it did
    Describe {
        /// AutomationExecutionId
        id: String,
    },
    /// List executions, the newest first
    List {
        /// Only those of this status: InProgress, Waiting, Success, Failed …
        #[arg(long)]
        status: Option<String>,
        /// Only those of documents whose name begins so
        #[arg(long, value_name = "PREFIX")]
        document: Option<String>,
        /// Only the children of this execution
        #[arg(long, value_name = "ID")]
        parent: Option<String>,
    },
}

/// The server, asked over HTTP.
struct Remote {
    client: Client,
}

impl Ask for Remote {
    async fn ssm(&mut self, operation: &str, input: Value) -> Result<Value> {
        remote::call(&self.client, "ssm", operation, &input).await
    }
}

/// Shows.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut remote = Remote { client: remote::client(&arguments.endpoint, &arguments.region)? };
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shown = threads.block_on(async {
        match &arguments.command {
            Command::Describe { id } => describe(&mut remote, id, arguments.json).await,
            Command::List { status, document, parent } => {
                let filters = [
                    ("ExecutionStatus", status),
                    ("DocumentNamePrefix", document),
                    ("ParentExecutionId", parent),
                ];
                list(&mut remote, &filters, arguments.json).await
            }
        }
    });
    print!("{}", shown.map_err(|err| hint(err, "--endpoint says where the server listens"))?);
    Ok(ExitCode::SUCCESS)
}

async fn describe(remote: &mut Remote, id: &str, json: bool) -> Result<String> {
    let seen = runbook::look(remote, id).await?;
    if json {
        return Ok(format!("{}\n", seen.to_value().to_pretty()));
    }
    Ok(runbook::report(&seen, Paint::of(&std::io::stdout()), now()))
}

fn now() -> f64 {
    runtime::wall_millis() as f64 / 1000.0
}

async fn list(
    remote: &mut Remote,
    filters: &[(&str, &Option<String>)],
    json: bool,
) -> Result<String> {
    let given = filters.iter().filter_map(|(key, value)| {
        let value = value.as_ref()?;
        Some(value!({ "Key": *key, "Values": [value.as_str()] }))
    });
    let filters: Vec<Value> = given.collect();
    let mut input = value!({ "MaxResults": i64::try_from(LIST_MAX)? });
    if !filters.is_empty() {
        input.set("Filters", filters);
    }
    let mut found = Vec::new();
    while found.len() < LIST_MAX {
        let page = remote.ssm("DescribeAutomationExecutions", input.clone()).await?;
        let items = page.get("AutomationExecutionMetadataList").and_then(Value::as_array);
        found.extend_from_slice(items.context("the answer holds no list")?);
        let Some(token) = page.get("NextToken") else { break };
        input.set("NextToken", token.clone());
    }
    found.truncate(LIST_MAX);
    if json {
        let list = value!({ "AutomationExecutionMetadataList": found });
        return Ok(format!("{}\n", list.to_pretty()));
    }
    Ok(table(&found, Paint::of(&std::io::stdout())))
}

fn table(found: &[Value], paint: Paint) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["execution", "document", "status", "started", "seconds", "step or target"]);
    for one in found {
        let text = |member: &str| one.get(member).and_then(Value::as_str).unwrap_or_default();
        let seconds = |member: &str| one.get(member).and_then(Value::as_f64);
        let began = seconds("ExecutionStartTime").unwrap_or_default();
        let took = seconds("ExecutionEndTime").unwrap_or_else(now) - began;
        let status = text("AutomationExecutionStatus");
        let place = [text("CurrentStepName"), text("Target")].join(" ");
        table.add_row([
            Cell::new(text("AutomationExecutionId")),
            Cell::new(text("DocumentName")),
            cell(status, paint),
            Cell::new(moment(began)),
            Cell::new(format!("{took:.3}")),
            Cell::new(place.trim()),
        ]);
    }
    format!("{table}\n")
}

fn cell(status: &str, paint: Paint) -> Cell {
    let cell = Cell::new(status);
    match (paint, runbook::meaning(status)) {
        (Paint::Plain, _) | (Paint::Coloured, Meaning::Strong) => cell,
        (Paint::Coloured, Meaning::Good) => cell.fg(Color::Green),
        (Paint::Coloured, Meaning::Bad) => cell.fg(Color::Red),
        (Paint::Coloured, Meaning::Doubtful) => cell.fg(Color::Yellow),
        (Paint::Coloured, Meaning::Quiet) => cell.fg(Color::DarkGrey),
    }
}
