//! `stepwell graph`: a state machine as a picture, or an execution of it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use value::{Value, value};
use wire::client::Client;

use super::remote::Running;
use super::{hint, remote};
use crate::graph::Progress;
use crate::{definitions, graph};

/// The longest history that is read, in events: AWS's quota.
const EVENTS_MAX: usize = 25_000;
/// How many of them a page has, at most AWS's.
const PAGE_EVENTS: i64 = 1_000;

/// Draw a state machine, or how far an execution has come, as SVG.
#[derive(clap::Args)]
#[command(override_usage = "stepwell graph [OPTIONS] <FILE>\n       \
                            stepwell graph [OPTIONS] --execution <ARN>")]
pub(super) struct Arguments {
    /// A definition (.asl.json, .asl.yaml), or a CloudFormation or SAM template
    #[arg(required_unless_present = "execution", conflicts_with = "execution")]
    file: Option<PathBuf>,
    /// Which machine of a template
    #[arg(long, value_name = "LOGICAL_ID")]
    machine: Option<String>,
    /// An execution of a running server
    #[arg(long, value_name = "ARN")]
    execution: Option<String>,
    #[command(flatten)]
    server: Running,
    /// Where the picture goes [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Draws.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let picture = match (&arguments.execution, &arguments.file) {
        (Some(execution), _) => of_execution(execution, arguments.server.endpoint())?,
        (None, Some(file)) => {
            let machine = definitions::one_machine(file, arguments.machine.as_deref())
                .map_err(|err| hint(err, "--machine chooses a machine of a template"))?;
            graph::draw(&machine.value())
        }
        (None, None) => anyhow::bail!("there is nothing to draw"),
    };
    if let Some(path) = &arguments.output {
        std::fs::write(path, picture).with_context(|| format!("writing {}", path.display()))?;
    } else {
        print!("{picture}");
    }
    Ok(ExitCode::SUCCESS)
}

fn of_execution(arn: &str, endpoint: &str) -> Result<String> {
    let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
    let region = region.with_context(|| format!("`{arn}` is no ARN of an execution"))?;
    let client = remote::client(endpoint, region)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = runtime.block_on(ask(&client, arn));
    let (definition, history) = asked?;
    Ok(graph::draw_execution(&definition, &Progress::of(&history)))
}

/// Returns the definition that an execution runs, and its history.
async fn ask(client: &Client, arn: &str) -> Result<(Value, Vec<Value>)> {
    let input = value!({ "executionArn": arn });
    let machine = call(client, "DescribeStateMachineForExecution", &input).await?;
    let text = machine.get("definition").and_then(Value::as_str).unwrap_or_default();
    let definition = value::parse(text).context("the definition of the execution")?;
    let mut input = input.with("maxResults", PAGE_EVENTS);
    let mut history = Vec::new();
    while history.len() < EVENTS_MAX {
        let page = call(client, "GetExecutionHistory", &input).await?;
        history.extend_from_slice(page.get("events").and_then(Value::as_array).unwrap_or_default());
        let Some(next) = page.get("nextToken") else { break };
        input.set("nextToken", next.clone());
    }
    Ok((definition, history))
}

async fn call(client: &Client, name: &str, input: &Value) -> Result<Value> {
    remote::call(client, "stepfunctions", name, input).await
}
