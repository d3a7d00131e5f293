//! `stepwell automation`: the runbook executions of a running server, as a person reads them.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use comfy_table::{Cell, Color, Table, presets};
use value::{Value, value};
use wire::client::Client;

use super::paint::{Meaning, Paint};
use super::remote;
use super::remote::Running;
use crate::runbook::{self, Ask, moment};

/// How many executions a page of a list has: AWS's most.
const PAGE_EXECUTIONS: usize = 50;
/// How many executions a list shows unless `--limit` says otherwise, and at most.
const LIST_EXECUTIONS: usize = 1_000;
const LIST_EXECUTIONS_MAX: usize = 1_000_000;
/// How many pages are asked for: where a filter finds little, a page may be empty and go on.
const PAGES_MAX: usize = 100_000;

/// Show the runbook executions of a running server.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    server: Running,
    /// The region [default: AWS_REGION, then AWS_DEFAULT_REGION, then us-east-1]
    #[arg(long, global = true)]
    region: Option<String>,
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
        /// At most so many
        #[arg(
            long,
            value_name = "COUNT",
            default_value_t = LIST_EXECUTIONS as u64,
            value_parser = clap::value_parser!(u64).range(1..=LIST_EXECUTIONS_MAX as u64)
        )]
        limit: u64,
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
    let region = remote::region(arguments.region.as_deref());
    let mut remote = Remote { client: remote::client(arguments.server.endpoint(), &region)? };
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shown = threads.block_on(async {
        match &arguments.command {
            Command::Describe { id } => describe(&mut remote, id, arguments.json).await,
            Command::List { status, document, parent, limit } => {
                let filters = [
                    ("ExecutionStatus", status),
                    ("DocumentNamePrefix", document),
                    ("ParentExecutionId", parent),
                ];
                let limit = usize::try_from(*limit)?;
                list(&mut remote, &filters, limit, arguments.json).await
            }
        }
    });
    print!("{}", shown?);
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
    limit: usize,
    json: bool,
) -> Result<String> {
    let given = filters.iter().filter_map(|(key, value)| {
        let value = value.as_ref()?;
        Some(value!({ "Key": *key, "Values": [value.as_str()] }))
    });
    let filters: Vec<Value> = given.collect();
    let mut input = value!({});
    if !filters.is_empty() {
        input.set("Filters", filters);
    }
    let (mut found, mut more) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let wanted = PAGE_EXECUTIONS.min(limit - found.len());
        input.set("MaxResults", i64::try_from(wanted)?);
        let page = remote.ssm("DescribeAutomationExecutions", input.clone()).await?;
        let items = page.get("AutomationExecutionMetadataList").and_then(Value::as_array);
        let items = items.context("the answer holds no list")?;
        found.extend(items.iter().take(wanted).cloned());
        more = page.get("NextToken").cloned();
        let Some(token) = more.clone().filter(|_| found.len() < limit) else { break };
        input.set("NextToken", token);
    }
    if more.is_some() {
        eprintln!("there may be more than these {}: --limit shows them", found.len());
    }
    if json {
        let mut list = value!({ "AutomationExecutionMetadataList": found });
        if let Some(token) = more {
            list.set("NextToken", token);
        }
        return Ok(format!("{}\n", list.to_pretty()));
    }
    Ok(table(&found, Paint::of(&std::io::stdout())))
}

fn table(found: &[Value], paint: Paint) -> String {
    if found.is_empty() {
        return "no executions\n".to_owned();
    }
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
