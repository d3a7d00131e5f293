//! Runbooks of ten native steps, started as fast as the API takes them, on the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use value::{Value, value};

use crate::api::{Api, Site};
use crate::bench::Bench;
use crate::load::{Make, Until, drive};
use crate::report::Row;
use crate::server::metric;
use crate::statistics::Spread;

/// On how many connections automations are started.
const CONNECTIONS: usize = 32;
/// How many steps each has.
const STEPS: usize = 10;
/// How long automations may take to end.
const FINISH_SECONDS_MAX: u64 = 300;
/// How long to wait between two looks whether all have ended.
const LOOK_MILLIS: u64 = 5;
/// The document.
const NAME: &str = "Native";
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Variables, branches, a sleep of no length and two calls of a service that is served here.
const RUNBOOK: &str = r#"
schemaVersion: "0.3"
parameters:
  User: {type: String}
variables:
  Seen: {type: String, default: nobody}
  Count: {type: Integer, default: 0}
mainSteps:
  - name: first
    action: aws:updateVariable
    inputs: {Name: "variable:Seen", Value: "{{ User }}"}
  - name: choose
    action: aws:branch
    inputs:
      Choices: [{Variable: "{{ variable:Seen }}", StringEquals: nobody, NextStep: last}]
      Default: look
  - name: look
    action: aws:executeAwsApi
    inputs: {Service: iam, Api: GetUser, UserName: "{{ variable:Seen }}"}
    outputs: [{Name: Arn, Selector: "$.User.Arn", Type: String}]
  - {name: rest, action: "aws:sleep", inputs: {Duration: PT0S}}
  - name: check
    action: aws:assertAwsResourceProperty
    inputs:
      Service: iam
      Api: GetUser
      UserName: "{{ User }}"
      PropertySelector: $.User.UserName
      DesiredValues: ["{{ User }}"]
  - name: keep
    action: aws:updateVariable
    inputs: {Name: "variable:Seen", Value: "{{ look.Arn }}"}
  - {name: count, action: "aws:updateVariable", inputs: {Name: "variable:Count", Value: 1}}
  - name: again
    action: aws:branch
    inputs:
      Choices: [{Variable: "{{ variable:Count }}", NumericEquals: 1, NextStep: short}]
      Default: last
  - {name: short, action: "aws:sleep", inputs: {Duration: PT0S}}
  - {name: last, action: "aws:updateVariable", inputs: {Name: "variable:Seen", Value: "done"}}
outputs: [look.Arn]
"#;

/// Starts rounds of automations and waits for each round's last.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.fresh_server()?;
    let mut api = server.api()?;
    let document = value!({
        "Name": NAME, "Content": RUNBOOK, "DocumentType": "Automation", "DocumentFormat": "YAML",
    });
    api.call("ssm", "CreateDocument", &document).context("CreateDocument")?;
    api.call("iam", "CreateUser", &value!({"UserName": "kim"})).context("CreateUser")?;
    let count = bench.sizes.automations;
    let (mut per_second, mut cpu_us, mut p99_us) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=bench.sizes.rounds {
        let before = server.usage()?;
        let started = Instant::now();
        let make = start(&server.site());
        let load = drive(server.address, CONNECTIONS, Until::Count(count), &make)?;
        until_finished(&mut api, round * count)?;
        per_second.push(count as f64 / started.elapsed().as_secs_f64());
        cpu_us.push(server.usage()?.seconds_since(&before) * 1e6 / (count * STEPS) as f64);
        p99_us.push(load.latency_us(99));
    }
    all_succeeded(&mut api, bench.sizes.rounds * count)?;
    let per_second = Spread::of(per_second);
    Ok(vec![
        Row::number("automations of 10 steps in a round", count as f64, ""),
        Row::spread("started and ended", per_second, "/s"),
        Row::number("steps", per_second.median * STEPS as f64, "/s"),
        Row::spread("server CPU per step", Spread::of(cpu_us), "us"),
        Row::spread("StartAutomationExecution, 32 connections, p99", Spread::of(p99_us), "us"),
        Row::number("RSS at the end", server.resident_bytes()? / MEBIBYTE, "MiB"),
    ])
}

fn start(site: &Site) -> Make {
    let site = site.clone();
    Arc::new(move |_| {
        let input = value!({"DocumentName": NAME, "Parameters": {"User": ["kim"]}});
        site.request("ssm", "StartAutomationExecution", &input)
    })
}

/// Waits until so many processes have ended since the server began.
fn until_finished(api: &mut Api, count: usize) -> Result<()> {
    let began = Instant::now();
    loop {
        let finished = metric(api, "stepwell_processes_finished_total")?;
        if count as f64 <= finished {
            return Ok(());
        }
        if FINISH_SECONDS_MAX < began.elapsed().as_secs() {
            bail!("{finished} of {count} automations have ended");
        }
        std::thread::sleep(Duration::from_millis(LOOK_MILLIS));
    }
}

/// Counts those that have ended in success: it must be all.
fn all_succeeded(api: &mut Api, count: usize) -> Result<()> {
    let filters = value!([{"Key": "ExecutionStatus", "Values": ["Success"]}]);
    let mut input = value!({ "Filters": filters });
    let mut found = 0;
    loop {
        let page = api.call("ssm", "DescribeAutomationExecutions", &input)?;
        let list = page.get("AutomationExecutionMetadataList").and_then(Value::as_array);
        found += list.map_or(0, <[Value]>::len);
        let Some(token) = page.get("NextToken") else { break };
        input.set("NextToken", token.clone());
    }
    if found != count {
        bail!("{found} of {count} automations succeeded");
    }
    Ok(())
}
