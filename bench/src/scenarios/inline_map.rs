//! An inline Map in an Express execution: what an item costs, and whether it costs more among many.

use anyhow::{Result, bail};
use value::{Value, value};

use crate::api::{Api, MachineType};
use crate::bench::Bench;
use crate::definitions::map;
use crate::load::{Until, drive};
use crate::report::Row;
use crate::statistics::Spread;

/// How many items the two Maps have.
pub(super) const FEW: usize = 1_000;
const MANY: usize = 10_000;
/// On how many connections executions are run.
const CONNECTIONS: usize = 2;

/// Measures both by turns.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.fresh_server()?;
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let arn = deploy(&mut api, &role_arn)?;
    let until = Until::Seconds(bench.sizes.round_seconds);
    let (mut few, mut many, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.sizes.rounds {
        let mut of_round = Vec::new();
        for items in [FEW, MANY] {
            let make = server.site().start_sync_executions(&arn, &input(items));
            let before = server.usage()?;
            let load = drive(server.address, CONNECTIONS, until, &make)?;
            let cpu_seconds = server.usage()?.seconds_since(&before);
            of_round.push(cpu_seconds * 1e6 / (load.count * items) as f64);
        }
        let [of_few, of_many] = of_round[..] else { bail!("two Maps were to be measured") };
        few.push(of_few);
        many.push(of_many);
        ratios.push(of_many / of_few);
    }
    Ok(vec![
        Row::spread("1,000 items, CPU per item", Spread::of(few), "us"),
        Row::spread("10,000 items, CPU per item", Spread::of(many), "us"),
        Row::spread("CPU per item, 10,000 / 1,000", Spread::of(ratios), "x").at_most(1.3),
    ])
}

/// Deploys the machine, and runs it once to see that its answer is right.
pub(super) fn deploy(api: &mut Api, role_arn: &str) -> Result<String> {
    let arn = api.create_machine("map", MachineType::Express, &map(), role_arn)?;
    let asked = value!({"stateMachineArn": &*arn, "input": input(FEW)});
    let answer = api.states("StartSyncExecution", &asked)?;
    let output = answer.get("output").and_then(Value::as_str).unwrap_or_default();
    let last = value::parse(output).ok().and_then(|output| output.get("last")?.as_f64());
    if last != Some((FEW + 1) as f64) {
        bail!("the Map answered {answer}");
    }
    Ok(arn)
}

/// Returns the input of an execution with so many items.
pub(super) fn input(items: usize) -> String {
    value!({ "count": items }).to_string()
}
