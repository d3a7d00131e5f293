//! Peers, by turns with Stepwell: MiniStack, which keeps everything in memory.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::durable_chain::{Chain, all_ended};
use super::{express, inline_map};
use crate::api::{MachineType, is_not_served};
use crate::bench::Bench;
use crate::definitions::pass;
use crate::load::{Until, drive};
use crate::report::Row;
use crate::server::Server;
use crate::statistics::Spread;

/// The version that is measured.
const MINISTACK: &str = "ministack==1.5.33";
/// How long it may take to answer first.
const START_SECONDS_MAX: u64 = 60;
/// On how many connections both are driven.
const CONNECTIONS: usize = 32;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Measures both with the same client and the same machines.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let program = match install(&bench.peers_directory()) {
        Ok(program) => program,
        Err(err) => return Ok(vec![Row::text(MINISTACK, format!("not installed: {err:#}"))]),
    };
    let (peer, start_ms) = start(&program, &bench.fresh_directory()?)?;
    let both = Both { bench, ours: bench.fresh_server()?, peer };
    let idle = both.peer.resident_bytes()? / MEBIBYTE;
    let mut rows = vec![
        Row::number(format!("{MINISTACK}, first answer"), start_ms, "ms"),
        Row::number("MiniStack, idle RSS", idle, "MiB"),
    ];
    rows.extend(both.rows("Standard chain", "transitions/s", 25.0, chain)?);
    rows.extend(match both.rows("Express chain", "executions/s", 250.0, sync) {
        Err(err) if is_not_served(&err) => vec![Row::text("Express chain", "not served")],
        found => found?,
    });
    rows.extend(both.rows("StartExecution", "req/s", 40.0, starts)?);
    rows.extend(both.map_rows()?);
    Ok(rows)
}

/// How a turn went.
struct Turn {
    per_second: f64,
    cpu_us_each: f64,
}

/// What is done at each turn, on one of the two.
type Work<'a> = Box<dyn FnMut(Until) -> Result<Turn> + 'a>;

/// The two that are measured.
struct Both<'a> {
    bench: &'a Bench,
    ours: Server,
    peer: Server,
}

impl Both<'_> {
    /// Compares rates.
    fn rows(
        &self,
        what: &str,
        unit: &'static str,
        goal: f64,
        prepare: for<'s> fn(&'s Server) -> Result<Work<'s>>,
    ) -> Result<Vec<Row>> {
        let (ours, peer) = self.turns(prepare)?;
        let rate = |turns: &[Turn]| Spread::of(turns.iter().map(|turn| turn.per_second));
        let faster = rate(&ours).median / rate(&peer).median;
        let cheaper = cpu(&peer).median / cpu(&ours).median;
        Ok(vec![
            Row::spread(format!("{what}, Stepwell"), rate(&ours), unit),
            Row::spread(format!("{what}, MiniStack"), rate(&peer), unit),
            Row::number(format!("{what}, Stepwell / MiniStack"), faster, "x").at_least(goal),
            Row::spread(format!("{what}, CPU of each, Stepwell"), cpu(&ours), "us"),
            Row::spread(format!("{what}, CPU of each, MiniStack"), cpu(&peer), "us"),
            Row::number(format!("{what}, CPU, MiniStack / Stepwell"), cheaper, "x"),
        ])
    }

    /// Compares what an item of an inline Map costs.
    fn map_rows(&self) -> Result<Vec<Row>> {
        let (ours, peer) = match self.turns(maps) {
            Err(err) if is_not_served(&err) => {
                return Ok(vec![Row::text("inline Map", "not served")]);
            }
            turns => turns?,
        };
        let cheaper = cpu(&peer).median / cpu(&ours).median;
        Ok(vec![
            Row::spread("inline Map, CPU per item, Stepwell", cpu(&ours), "us"),
            Row::spread("inline Map, CPU per item, MiniStack", cpu(&peer), "us"),
            Row::number("inline Map, CPU per item, MiniStack / Stepwell", cheaper, "x")
                .at_least(50.0),
        ])
    }

    /// Measures ours, the peer, ours, the peer …
    fn turns(
        &self,
        prepare: for<'s> fn(&'s Server) -> Result<Work<'s>>,
    ) -> Result<(Vec<Turn>, Vec<Turn>)> {
        let until = Until::Seconds(self.bench.sizes.round_seconds);
        let mut on_ours = prepare(&self.ours)?;
        let mut on_peer = prepare(&self.peer).context("MiniStack")?;
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..self.bench.sizes.rounds {
            ours.push(on_ours(until)?);
            peer.push(on_peer(until).context("MiniStack")?);
        }
        Ok((ours, peer))
    }
}

fn cpu(turns: &[Turn]) -> Spread {
    Spread::of(turns.iter().map(|turn| turn.cpu_us_each))
}

/// Express executions of an inline Map, one after another.
fn maps(server: &Server) -> Result<Work<'_>> {
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let arn = inline_map::deploy(&mut api, &role_arn)?;
    let make = server.site().start_sync_executions(&arn, &inline_map::input(inline_map::FEW));
    Ok(Box::new(move |until| {
        let before = server.usage()?;
        let load = drive(server.address, 1, until, &make)?;
        let cpu_seconds = server.usage()?.seconds_since(&before);
        Ok(Turn {
            per_second: load.per_second(),
            cpu_us_each: cpu_seconds * 1e6 / (load.count * inline_map::FEW) as f64,
        })
    }))
}

/// Standard executions of 20 states, until all have ended.
fn chain(server: &Server) -> Result<Work<'_>> {
    let mut chain = Chain::on(server.api()?, "peer")?;
    Ok(Box::new(move |until| {
        let before = server.usage()?;
        let round = chain.round(until)?;
        let cpu_seconds = server.usage()?.seconds_since(&before);
        chain.verify(&round)?;
        Ok(Turn {
            per_second: round.transitions_per_second(),
            cpu_us_each: cpu_seconds * 1e6 / round.transitions(),
        })
    }))
}

/// Express executions of 20 states, answered when they have ended.
fn sync(server: &Server) -> Result<Work<'_>> {
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let arn = express::deploy(&mut api, &role_arn)?;
    let make = server.site().start_sync_executions(&arn, r#"{"n":0}"#);
    Ok(Box::new(move |until| {
        let before = server.usage()?;
        let load = drive(server.address, CONNECTIONS, until, &make)?;
        let cpu_seconds = server.usage()?.seconds_since(&before);
        Ok(Turn {
            per_second: load.per_second(),
            cpu_us_each: cpu_seconds * 1e6 / load.count as f64,
        })
    }))
}

/// Starts of a machine with one state. Stepwell verifies a key and asks a policy; MiniStack does
/// neither. What was started ends before the other's turn, so that it disturbs nobody.
fn starts(server: &Server) -> Result<Work<'_>> {
    let mut api = server.api()?;
    let role_arn = api.create_role()?;
    let arn = api.create_machine("starts", MachineType::Standard, &pass(), &role_arn)?;
    let site = api.create_starter(&arn)?;
    let mut turns = 0;
    Ok(Box::new(move |until| {
        turns += 1;
        let prefix = format!("s{turns}");
        let make = site.start_executions(&arn, &prefix, "{}");
        let before = server.usage()?;
        let load = drive(site.address, CONNECTIONS, until, &make)?;
        all_ended(&mut api, &arn, &format!("{prefix}-{}", load.count - 1))?;
        let cpu_seconds = server.usage()?.seconds_since(&before);
        Ok(Turn {
            per_second: load.per_second(),
            cpu_us_each: cpu_seconds * 1e6 / load.count as f64,
        })
    }))
}

/// Installs MiniStack, unless it is there, and returns its program.
fn install(peers: &Path) -> Result<PathBuf> {
    let folder = peers.join("ministack");
    let program = folder.join("bin/ministack");
    if program.is_file() {
        return Ok(program);
    }
    done(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    done(Command::new(folder.join("bin/pip")).args(["install", "--quiet", MINISTACK]))?;
    Ok(program)
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Starts it on a free port, and returns after how many milliseconds it answered.
fn start(program: &Path, folder: &Path) -> Result<(Server, f64)> {
    // It takes no port 0: this one is free now, and hardly taken in between.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let started = Instant::now();
    let mut command = Command::new(program);
    command.env("GATEWAY_PORT", address.port().to_string()).env("LOG_LEVEL", "ERROR");
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().context("starting MiniStack")?;
    let server = Server::told(child, address, started);
    let end = started + Duration::from_secs(START_SECONDS_MAX);
    while !answers(&server, address) {
        if end < Instant::now() {
            bail!("MiniStack does not answer at {address} within {START_SECONDS_MAX} s");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let millis = started.elapsed().as_secs_f64() * 1e3;
    Ok((server, millis))
}

fn answers(server: &Server, address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
        && server.api().is_ok_and(|mut api| api.page("/_ministack/health").is_ok())
}
