//! A distributed Map over a file, with a ResultWriter: what an item costs, and how much memory the
//! server holds at most. It must not grow with the items.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use value::{Value, value};

use crate::api::{Api, MachineType, text};
use crate::bench::Bench;
use crate::definitions::distributed_map;
use crate::report::Row;
use crate::server::Server;

/// How many times more items the larger Map has.
const TIMES: usize = 5;
/// How much more memory it may take.
const GROWTH_MAX: f64 = 1.5;
/// How many children of a map run are open at once; smaller Maps take less memory.
const OPEN_MAX: usize = 10_000;
const BUCKET: &str = "bench";
const KEY: &str = "items.jsonl";
/// How often the execution is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long a Map may take.
const SECONDS_MAX: u64 = 900;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Measures both kinds of children, each with few and with many items.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let many = bench.sizes.map_items;
    let few = many / TIMES;
    let mut rows = vec![Row::number("items", many as f64, "")];
    for execution_type in ["EXPRESS", "STANDARD"] {
        let of_few = measure(bench, execution_type, few)?;
        let of_many = measure(bench, execution_type, many)?;
        let name = |quantity: &str| format!("{execution_type} children, {quantity}");
        let growth = of_many.peak_bytes / of_few.peak_bytes;
        let growth = Row::number(name("peak RSS / that of a fifth"), growth, "x");
        rows.extend([
            Row::number(name("items"), many as f64 / of_many.seconds, "/s"),
            Row::number(name("CPU per item"), of_many.cpu_seconds * 1e6 / many as f64, "us"),
            Row::number(name("RSS before"), of_many.before_bytes / MEBIBYTE, "MiB"),
            Row::number(name("peak RSS"), of_many.peak_bytes / MEBIBYTE, "MiB"),
            if OPEN_MAX <= few { growth.at_most(GROWTH_MAX) } else { growth },
        ]);
    }
    Ok(rows)
}

/// What one Map took.
struct Taken {
    seconds: f64,
    cpu_seconds: f64,
    before_bytes: f64,
    peak_bytes: f64,
}

/// Runs one Map on a server of its own.
fn measure(bench: &Bench, execution_type: &str, items: usize) -> Result<Taken> {
    let objects = bench.fresh_directory()?;
    write_items(&objects.join(BUCKET), items)?;
    let objects = objects.to_str().context("the directory is no text")?;
    let server = Server::start(bench, &bench.fresh_directory()?, &["--objects", objects])?;
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let policy = value!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
        "Resource": "*",
    }]});
    let asked = value!({
        "RoleName": "bench", "PolicyName": "objects", "PolicyDocument": policy.to_string(),
    });
    api.call("iam", "PutRolePolicy", &asked).context("PutRolePolicy")?;
    let machine = distributed_map(BUCKET, KEY, execution_type);
    let machine_arn = api.create_machine("map", MachineType::Standard, &machine, &role_arn)?;
    let (before_bytes, before) = (server.resident_bytes()?, server.usage()?);
    let started = Instant::now();
    let asked = value!({"stateMachineArn": machine_arn, "input": "{}"});
    let arn = text(&api.states("StartExecution", &asked)?, &["executionArn"])?;
    ended(&mut api, &arn)?;
    let taken = Taken {
        seconds: started.elapsed().as_secs_f64(),
        cpu_seconds: server.usage()?.seconds_since(&before),
        before_bytes,
        peak_bytes: server.peak_resident_bytes()?,
    };
    check(&mut api, &arn, items)?;
    Ok(taken)
}

/// Writes the object whose lines are the items.
fn write_items(bucket: &Path, items: usize) -> Result<()> {
    fs::create_dir(bucket)?;
    let mut file = BufWriter::new(fs::File::create(bucket.join(KEY))?);
    for id in 0..items {
        writeln!(file, "{}", value!({"id": id as f64, "name": format!("item-{id}")}))?;
    }
    Ok(file.flush()?)
}

/// Waits until the execution has succeeded.
fn ended(api: &mut Api, arn: &str) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(SECONDS_MAX);
    while Instant::now() < end {
        let found = api.states("DescribeExecution", &value!({"executionArn": arn}))?;
        match found.get("status").and_then(Value::as_str) {
            Some("RUNNING") => std::thread::sleep(LOOK),
            Some("SUCCEEDED") => return Ok(()),
            _ => bail!("the Map ended as {found}"),
        }
    }
    bail!("the Map still runs after {SECONDS_MAX} s")
}

/// Sees that every item was run and its result written.
fn check(api: &mut Api, arn: &str, items: usize) -> Result<()> {
    let runs = api.states("ListMapRuns", &value!({"executionArn": arn}))?;
    let runs = runs.get("mapRuns").and_then(Value::as_array).context("no mapRuns")?;
    let run = text(runs.first().context("no map run")?, &["mapRunArn"])?;
    let found = api.states("DescribeMapRun", &value!({"mapRunArn": run}))?;
    let counts = found.get("itemCounts").context("no itemCounts")?;
    for member in ["succeeded", "resultsWritten"] {
        if counts.get(member).and_then(Value::as_f64) != Some(items as f64) {
            bail!("of {items} items: {counts}");
        }
    }
    Ok(())
}
