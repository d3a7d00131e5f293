//! Standard executions of 20 Pass states, each on the disk with its full history.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use value::{Value, value};

use crate::api::{Api, MachineType, execution_arn};
use crate::bench::Bench;
use crate::definitions::{CHAIN_EVENTS, CHAIN_STATES, chain};
use crate::load::{Until, drive};
use crate::report::Row;
use crate::server::{Server, commits};
use crate::statistics::Spread;

/// On how many connections executions are started.
const CONNECTIONS: usize = 32;
/// How many executions are described to see that they succeeded, and of how many the history is
/// counted.
const DESCRIBED: usize = 100;
const HISTORIES: usize = 5;
/// What a server complains of that has no such option.
const UNKNOWN_OPTION: &str = "unexpected argument";
/// How long executions may take to end.
const FINISH_SECONDS_MAX: u64 = 900;

/// A server with the chain on it.
pub(super) struct Chain {
    api: Api,
    machine_arn: String,
    /// Names the rounds apart.
    label: String,
    rounds: usize,
}

/// How a round went.
pub(super) struct Round {
    prefix: String,
    executions: usize,
    seconds: f64,
}

impl Round {
    /// Returns how many transitions were made.
    pub(super) fn transitions(&self) -> f64 {
        (self.executions * CHAIN_STATES) as f64
    }

    /// Returns how many were made per second, from the first start to the last end.
    pub(super) fn transitions_per_second(&self) -> f64 {
        self.transitions() / self.seconds
    }
}

impl Chain {
    /// Deploys the chain. The label keeps names apart on a store that outlives the server.
    pub(super) fn on(mut api: Api, label: &str) -> Result<Chain> {
        let role_arn = api.create_role()?;
        let name = format!("chain-{label}");
        let machine_arn = api.create_machine(&name, MachineType::Standard, &chain(), &role_arn)?;
        Ok(Chain { api, machine_arn, label: label.to_owned(), rounds: 0 })
    }

    /// Starts executions and waits until every one has ended.
    pub(super) fn round(&mut self, until: Until) -> Result<Round> {
        self.rounds += 1;
        let prefix = format!("{}-{}", self.label, self.rounds);
        let make = self.api.site.start_executions(&self.machine_arn, &prefix, r#"{"n":0}"#);
        let started = Instant::now();
        let load = drive(self.api.site.address, CONNECTIONS, until, &make)?;
        let last = format!("{prefix}-{}", load.count - 1);
        let ended = all_ended(&mut self.api, &self.machine_arn, &last)?;
        let seconds = (ended - started).as_secs_f64();
        Ok(Round { prefix, executions: load.count, seconds })
    }

    /// Looks at some executions of a round: each succeeded with the right output, and the
    /// histories are whole.
    pub(super) fn verify(&mut self, round: &Round) -> Result<()> {
        let step = round.executions.div_ceil(DESCRIBED).max(1);
        for (seen, number) in (0..round.executions).step_by(step).enumerate() {
            let arn = execution_arn(&self.machine_arn, &format!("{}-{number}", round.prefix));
            let found = self.api.states("DescribeExecution", &value!({"executionArn": &*arn}))?;
            let output = found.get("output").and_then(Value::as_str).unwrap_or_default();
            let n = value::parse(output).ok().and_then(|output| output.get("n")?.as_f64());
            let status = found.get("status").and_then(Value::as_str);
            if status != Some("SUCCEEDED") || n != Some(CHAIN_STATES as f64) {
                bail!("{arn} did not succeed as it should: {found}");
            }
            if seen < HISTORIES {
                let asked = value!({"executionArn": &*arn, "maxResults": 1000.0});
                let history = self.api.states("GetExecutionHistory", &asked)?;
                let events = history.get("events").and_then(Value::as_array);
                let events = events.map(<[Value]>::len).context("the history has no events")?;
                if events != CHAIN_EVENTS {
                    bail!("{arn} has {events} events, not {CHAIN_EVENTS}");
                }
            }
        }
        Ok(())
    }

    /// Runs one after another, and returns how often the store committed for each.
    fn commits_each(&mut self, count: usize) -> Result<Option<f64>> {
        let Some(before) = commits(&mut self.api)? else { return Ok(None) };
        for number in 0..count {
            let name = format!("{}-single-{number}", self.label);
            let asked = value!({
                "stateMachineArn": &*self.machine_arn, "name": &*name, "input": r#"{"n":0}"#,
            });
            self.api.states("StartExecution", &asked)?;
            until_ended(&mut self.api, &execution_arn(&self.machine_arn, &name))?;
        }
        Ok(commits(&mut self.api)?.map(|after| (after - before) / count as f64))
    }
}

/// Runs it on the embedded store, and on another one by turns when there is one.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let server = bench.fresh_server()?;
    let mut embedded = Measured::new(server, "embedded")?;
    let mut other = None;
    let mut refused = None;
    if let Some(store) = &bench.store {
        match Server::start_on(bench, store) {
            Ok(server) => {
                let label = format!("store{}", std::process::id());
                other = Some(Measured::new(server, &label)?);
            }
            // A server that does not know the option yet; the embedded store is measured anyway.
            Err(err) if format!("{err:#}").contains(UNKNOWN_OPTION) => {
                refused = Some(Row::text("--store: transitions", "not served"));
            }
            Err(err) => return Err(err),
        }
    }
    for _ in 0..bench.sizes.rounds {
        embedded.round(bench.sizes.chains)?;
        if let Some(other) = &mut other {
            other.round(bench.sizes.chains)?;
        }
    }
    let (mut rows, per_second) = embedded.rows(bench, "")?;
    if let Some(mut other) = other {
        let (more, other_per_second) = other.rows(bench, "--store: ")?;
        rows.extend(more);
        let ratio = other_per_second / per_second;
        rows.push(Row::number("--store / embedded", ratio, "x").at_least(0.5));
    }
    rows.extend(refused);
    Ok(rows)
}

/// A server that is measured round by round.
struct Measured {
    server: Server,
    chain: Chain,
    rounds: Vec<Round>,
    cpu_us: Vec<f64>,
}

impl Measured {
    fn new(server: Server, label: &str) -> Result<Measured> {
        let mut chain = Chain::on(server.api()?, label)?;
        // The first executions find everything cold.
        chain.round(Until::Count(CONNECTIONS))?;
        Ok(Measured { server, chain, rounds: Vec::new(), cpu_us: Vec::new() })
    }

    fn round(&mut self, executions: usize) -> Result<()> {
        let before = self.server.usage()?;
        let round = self.chain.round(Until::Count(executions))?;
        let cpu_seconds = self.server.usage()?.seconds_since(&before);
        self.chain.verify(&round)?;
        self.cpu_us.push(cpu_seconds * 1e6 / round.transitions());
        self.rounds.push(round);
        Ok(())
    }

    /// Returns the rows, and the median of transitions per second.
    fn rows(&mut self, bench: &Bench, prefix: &str) -> Result<(Vec<Row>, f64)> {
        let waits = self.chain.commits_each(bench.sizes.single_chains)?;
        let transitions = Spread::of(self.rounds.iter().map(Round::transitions_per_second));
        let rates = self.rounds.iter().map(|round| round.executions as f64 / round.seconds);
        let cpu = Spread::of(self.cpu_us.iter().copied());
        let verified: usize = self.rounds.iter().map(|round| round.executions).sum();
        let commits = format!("{prefix}commits per chain, one at a time");
        // A chain's two events per transition are what the floor calls rows.
        let events_floor = bench.floors.sqlite_rows_per_second / 2.0;
        let rows = vec![
            Row::spread(format!("{prefix}executions"), Spread::of(rates), "/s"),
            Row::spread(format!("{prefix}transitions"), transitions, "/s")
                .per(events_floor, "SQLite rows/s / 2"),
            Row::spread(format!("{prefix}server CPU per transition"), cpu, "us").at_most(20.0),
            Row::number(format!("{prefix}executions ended, none running"), verified as f64, ""),
            match waits {
                Some(waits) => Row::number(commits, waits, "").at_most(2.0),
                None => Row::text(commits, "not measured"),
            },
        ];
        Ok((rows, transitions.median))
    }
}

/// Waits until no execution of the machine runs; the last one started is looked at first. Returns
/// when the look began that found none: it takes longer the more there are, and is not what is
/// measured.
pub(super) fn all_ended(api: &mut Api, machine_arn: &str, last: &str) -> Result<Instant> {
    until_ended(api, &execution_arn(machine_arn, last))?;
    let asked = value!({
        "stateMachineArn": machine_arn, "statusFilter": "RUNNING", "maxResults": 1.0,
    });
    let mut looked = Instant::now();
    wait_until("all executions to end", Duration::from_millis(10), || {
        looked = Instant::now();
        let running = api.states("ListExecutions", &asked)?;
        Ok(running.get("executions").and_then(Value::as_array).is_none_or(<[Value]>::is_empty))
    })?;
    Ok(looked)
}

/// Waits until one execution has ended.
pub(super) fn until_ended(api: &mut Api, execution_arn: &str) -> Result<()> {
    let asked = value!({"executionArn": execution_arn});
    wait_until("an execution to end", Duration::from_millis(1), || {
        let found = api.states("DescribeExecution", &asked)?;
        Ok(found.get("status").and_then(Value::as_str) != Some("RUNNING"))
    })
}

fn wait_until(what: &str, pause: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(FINISH_SECONDS_MAX);
    while !holds()? {
        if end < Instant::now() {
            bail!("waited {FINISH_SECONDS_MAX} s for {what}");
        }
        std::thread::sleep(pause);
    }
    Ok(())
}
