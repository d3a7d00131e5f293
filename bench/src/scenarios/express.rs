//! Express executions, answered by StartSyncExecution.

use anyhow::{Result, bail};
use value::{Value, value};

use crate::api::{Api, MachineType, is_not_served};
use crate::bench::{Bench, TURN_SECONDS};
use crate::definitions::{CHAIN_STATES, chain, pass};
use crate::floors::bare_http;
use crate::load::{Until, drive};
use crate::report::Row;
use crate::statistics::Spread;

/// On how many connections chains are run.
const CONNECTIONS: usize = 8;

/// Runs it, or says that it is not served.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.fresh_server()?;
    let mut api = server.api()?;
    match machines(&mut api) {
        Err(err) if is_not_served(&err) => Ok(vec![
            Row::text("20-state chain, CPU per transition", "not served"),
            Row::text("1-state StartSyncExecution, p50", "not served"),
        ]),
        Err(err) => Err(err),
        Ok((chain_arn, pass_arn)) => {
            let site = server.site();
            let make = site.start_sync_executions(&chain_arn, r#"{"n":0}"#);
            let until = Until::Seconds(bench.sizes.round_seconds);
            let (mut per_second, mut cpu_us) = (Vec::new(), Vec::new());
            for _ in 0..bench.sizes.rounds {
                let before = server.usage()?;
                let load = drive(site.address, CONNECTIONS, until, &make)?;
                let cpu = server.usage()?.seconds_since(&before);
                per_second.push(load.per_second());
                cpu_us.push(cpu * 1e6 / (load.count * CHAIN_STATES) as f64);
            }
            let rate = Spread::of(per_second.iter().copied());
            let transitions = Spread::of(per_second.iter().map(|rate| rate * CHAIN_STATES as f64));
            let cpu = Spread::of(cpu_us);
            let mut rows = vec![
                Row::spread("20-state chain", rate, "/s")
                    .per(bench.floors.http_per_second, "bare HTTP req/s"),
                Row::spread("20-state chain, transitions", transitions, "/s"),
                Row::spread("20-state chain, CPU per transition", cpu, "us").at_most(6.0),
            ];
            rows.extend(latency(bench, &api, &pass_arn)?);
            Ok(rows)
        }
    }
}

/// Deploys both machines, and runs the chain once to see that its answer is right.
fn machines(api: &mut Api) -> Result<(String, String)> {
    let role_arn = api.create_role()?;
    let chain_arn = deploy(api, &role_arn)?;
    let pass_arn = api.create_machine("pass", MachineType::Express, &pass(), &role_arn)?;
    Ok((chain_arn, pass_arn))
}

/// Deploys the chain, and runs it once to see that its answer is right.
pub(super) fn deploy(api: &mut Api, role_arn: &str) -> Result<String> {
    let arn = api.create_machine("sync-chain", MachineType::Express, &chain(), role_arn)?;
    let asked = value!({"stateMachineArn": &*arn, "input": r#"{"n":0}"#});
    let answer = api.states("StartSyncExecution", &asked)?;
    let output = answer.get("output").and_then(Value::as_str).unwrap_or_default();
    let n = value::parse(output).ok().and_then(|output| output.get("n")?.as_f64());
    if n != Some(CHAIN_STATES as f64) {
        bail!("the chain answered {answer}");
    }
    Ok(arn)
}

/// One state on one connection, by short turns with the bare server.
fn latency(bench: &Bench, api: &Api, pass_arn: &str) -> Result<Vec<Row>> {
    let bare = bare_http::start(&bench.fresh_directory()?)?;
    let make = api.site.start_sync_executions(pass_arn, "{}");
    let (mut bare_us, mut p50_us) = (Vec::new(), Vec::new());
    let (mut p99_us, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..bench.sizes.latency_turns {
        let floor_us = bare_http::load(bare.address, 1, TURN_SECONDS)?.latency_us(50);
        let load = drive(api.site.address, 1, Until::Seconds(TURN_SECONDS), &make)?;
        ratios.push(load.latency_us(50) / floor_us);
        bare_us.push(floor_us);
        p50_us.push(load.latency_us(50));
        p99_us.push(load.latency_us(99));
    }
    Ok(vec![
        Row::spread("1-state StartSyncExecution, p50", Spread::of(p50_us), "us"),
        Row::spread("1-state StartSyncExecution, p99", Spread::of(p99_us), "us"),
        Row::spread("bare HTTP p50 in the same turns", Spread::of(bare_us), "us"),
        Row::spread("1-state p50 / bare HTTP p50", Spread::of(ratios), "x").at_most(2.0),
    ])
}
