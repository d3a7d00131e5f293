//! `stepwell up`: serve until told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use automation::catalogue::Edition;
use runtime::ClockMode;
use services::{AuthMode, LIMITS, Limits, Purge, Reset, Retention, Settings};
use store::PostgresUrl;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::reach::Reach;
use super::{block_on, env, hint};
use crate::output;
use crate::server::{self, Keep, Options, Server};

/// Serve the AWS APIs on one address.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:4566", env = "STEPWELL_LISTEN")]
    listen: String,
    /// Keep everything in this directory [default: .stepwell]
    #[arg(long, value_name = "DIR", conflicts_with = "memory", env = "STEPWELL_DATA")]
    data: Option<PathBuf>,
    /// Keep everything in memory, and forget it at the end
    #[arg(long)]
    memory: bool,
    /// Keep everything in a PostgreSQL database, which other nodes may share:
    /// postgres://user:password@host:port/database
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["memory", "data"],
        env = "STEPWELL_STORE",
        hide_env_values = true
    )]
    store: Option<String>,
    /// The file with the key that secrets in the store are sealed with; it is made if nothing has
    /// been sealed yet [default: `key` in the directory; a database has none]
    #[arg(long, value_name = "FILE", conflicts_with = "memory", env = "STEPWELL_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// Where other nodes on the same store reach this one [default: where it listens]
    #[arg(long, value_name = "ADDRESS", requires = "store", env = "STEPWELL_ADVERTISE")]
    advertise: Option<String>,
    #[command(flatten)]
    reach: Reach,
    /// How time passes: `virtual` jumps over waits
    #[arg(long, value_enum, default_value = "real")]
    clock: Clock,
    /// The account, twelve digits
    #[arg(long, default_value = "000000000000", value_parser = account)]
    account: String,
    /// The region of what has no other
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// The partition in ARNs
    #[arg(long, default_value = "aws")]
    partition: String,
    /// Whose requests are taken: `loopback` takes the key `test` as root, `open` every unknown
    /// key, `strict` only stored keys
    #[arg(long, value_enum, default_value = "loopback")]
    auth: Auth,
    /// An OpenID Connect provider's keys are in this file (a JSON Web Key Set); those of others are
    /// fetched from them
    #[arg(long = "oidc-keys", value_name = "HOST=FILE")]
    oidc_keys: Vec<String>,
    /// How far the clocks of callers may be away from this machine's
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = clock_skew)]
    clock_skew: i64,
    /// Let POST /_stepwell/reset empty a data directory too
    #[arg(long)]
    allow_reset: bool,
    /// How AWS's own runbooks behave: `as-published` keeps their known faults
    #[arg(long, value_enum, default_value = "repaired")]
    runbooks: Runbooks,
    #[command(flatten)]
    scripts: super::scripts::ScriptArguments,
    /// Set a limit; `--limit help` lists them
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    /// How long after its end a STANDARD execution is removed: a duration, or `never`
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = purge)]
    retention: Purge,
    /// How long after its end a runbook execution is removed
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = purge)]
    automation_retention: Purge,
    /// How long after its deletion a stack is removed
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = purge)]
    stack_retention: Purge,
    /// Send spans of requests and executions to this OpenTelemetry collector (OTLP over HTTP, JSON)
    #[arg(long, value_name = "http://HOST:4318", env = "STEPWELL_OTLP")]
    otlp: Option<String>,
    /// Also write what state machines log to files in this directory, one for each log group
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// How many seconds scripts and requests under way may take when the server is told to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain_seconds: u64,
}

/// How time passes.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Clock {
    Real,
    Virtual,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Auth {
    Loopback,
    Open,
    Strict,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Runbooks {
    Repaired,
    AsPublished,
}

impl Clock {
    pub(super) fn mode(self) -> ClockMode {
        match self {
            Clock::Real => ClockMode::Real,
            Clock::Virtual => ClockMode::Virtual,
        }
    }
}

impl Auth {
    fn mode(self) -> AuthMode {
        match self {
            Auth::Loopback => AuthMode::Loopback,
            Auth::Open => AuthMode::Open,
            Auth::Strict => AuthMode::Strict,
        }
    }
}

/// Returns an account id, or why it is none.
fn account(text: &str) -> Result<String, String> {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { Ok(text.to_owned()) } else { Err("an account has twelve digits".to_owned()) }
}

/// How far clocks may be apart at most: a day.
const CLOCK_SKEW_SECONDS_MAX: f64 = 86_400.0;

/// Returns how many seconds clocks may be apart, or why that cannot be read.
fn clock_skew(text: &str) -> Result<i64, String> {
    let seconds = duration_seconds(text).map_err(|err| err.to_string())?;
    if CLOCK_SKEW_SECONDS_MAX < seconds {
        return Err("a day at most".to_owned());
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    Ok(seconds as i64)
}

/// Returns when something is removed, or why that cannot be read.
fn purge(text: &str) -> Result<Purge, String> {
    if text == "never" {
        return Ok(Purge::Never);
    }
    let seconds = duration_seconds(text).map_err(|err| format!("{err}, or never"))?;
    // Longer than any clock runs is cut off there.
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates")]
    Ok(Purge::AfterMillis((seconds * 1000.0) as i64))
}

impl Arguments {
    fn keep(&self) -> Result<Keep> {
        match &self.store {
            Some(url) => Ok(Keep::Postgres(PostgresUrl::parse(url).map_err(anyhow::Error::msg)?)),
            None if self.memory => Ok(Keep::Memory),
            None => Ok(Keep::Directory(self.data.clone().unwrap_or_else(|| ".stepwell".into()))),
        }
    }

    /// Returns where other nodes reach this one.
    fn advertised(&self, bound: SocketAddr) -> Result<String> {
        match &self.advertise {
            Some(address) if address.starts_with("http://") => Ok(address.clone()),
            Some(address) => Ok(format!("http://{address}")),
            None if self.store.is_some() && bound.ip().is_unspecified() => bail!(
                "{bound} is no address that other nodes could send to: say where they reach this \
                 one with --advertise"
            ),
            None => Ok(format!("http://{bound}")),
        }
    }

    fn options(&self, bound: SocketAddr, limits: Limits) -> Result<Options> {
        let reset = self.memory || self.allow_reset;
        Ok(Options {
            outward: Arc::new(self.reach.outward(&self.region, &self.partition)?),
            keep: self.keep()?,
            key_file: self.key_file.clone(),
            address: format!("http://{bound}"),
            advertised: self.advertised(bound)?,
            clock: self.clock.mode(),
            settings: Settings {
                account: self.account.clone(),
                region: self.region.clone(),
                partition: self.partition.clone(),
                edition: match self.runbooks {
                    Runbooks::Repaired => Edition::Repaired,
                    Runbooks::AsPublished => Edition::AsPublished,
                },
                limits,
            },
            auth: self.auth.mode(),
            clock_skew_seconds: self.clock_skew,
            oidc_keys: self.oidc_keys.clone(),
            reset: if reset { Reset::Allowed } else { Reset::Refused },
            retention: Retention {
                executions: self.retention,
                automations: self.automation_retention,
                stacks: self.stack_retention,
            },
            otlp: self.otlp.clone(),
            logs: self.logs.clone(),
            scripts: self.scripts.settings(),
            drain: Duration::from_secs(self.drain_seconds),
        })
    }
}

/// "File size limit exceeded", on macOS and on Linux but for MIPS.
const SIGXFSZ: i32 = 25;

/// Serves until SIGINT or SIGTERM, then lets requests under way end; a second signal ends at once.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.limits.iter().any(|text| text == "help") {
        return Ok(list_limits());
    }
    let mut limits = Limits::default();
    for text in &arguments.limits {
        let set = limits.set(text).map_err(|what| anyhow::anyhow!("--limit: {what}"));
        set.map_err(|err| hint(err, "`stepwell up --limit help` lists the limits"))?;
    }
    block_on(async {
        let (listener, address) = server::bind(&arguments.listen, arguments.auth.mode()).await?;
        let options = arguments.options(address, limits)?;
        // Handled, a file that grows beyond a limit is an error of the write and not the end.
        let _too_large = signal(SignalKind::from_raw(SIGXFSZ))?;
        let server = Server::start(&options).await?;
        // A server does not end because nobody reads this.
        output::offer(&greeting(&options));
        match options.auth {
            AuthMode::Open => eprintln!(
                "warning: --auth open takes every unknown access key as the account's root"
            ),
            AuthMode::Strict if !server.services.has_access_keys()? => eprintln!(
                "warning: there is no access key yet, so that every request is refused; \
                 docs/server.md says how the first one is made"
            ),
            AuthMode::Strict | AuthMode::Loopback => {}
        }
        let (mut first, mut both) = (Stop::listen()?, Stop::listen()?);
        tokio::select! {
            () = server.serve(listener, first.told()) => Ok(ExitCode::SUCCESS),
            () = async { both.told().await; both.told().await } => {
                eprintln!("told to stop a second time: what is under way ends here");
                // At once: not even a disk that hangs is waited for.
                std::process::exit(STOPPED_TWICE)
            }
        }
    })
}

/// Returns where the server is, and what a shell is told so that AWS clients find it.
fn greeting(options: &Options) -> String {
    let (endpoint, kept) = (&options.address, &options.keep);
    let region = &options.settings.region;
    let exports = match options.auth {
        // The key `test` is refused.
        AuthMode::Strict => env::place(endpoint, region),
        AuthMode::Loopback | AuthMode::Open => env::exports(endpoint, region),
    };
    format!("stepwell {} listens on {endpoint}, keeps everything {kept}\n{exports}", version())
}

/// Prints every limit, what it is and what it may be.
fn list_limits() -> ExitCode {
    for limit in LIMITS {
        let (name, preset) = (limit.name, limit.of(Limits::default()));
        println!("{name:<22} {preset:>9}, at most {:>9}: {}", limit.max, limit.about);
    }
    ExitCode::SUCCESS
}

/// The status of a server that was told to stop twice; as after SIGTERM.
const STOPPED_TWICE: i32 = 143;

/// The signals that tell a server to stop; every listener hears each of them.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Stop> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Stop { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Returns the version of this program.
pub(super) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Refuses a text that is not a duration such as `90s`, `15m`, `1h`, `2d`.
pub(super) fn duration_seconds(text: &str) -> Result<f64> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).unwrap_or_default();
    let unit_seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => bail!("`{text}` is not a duration: write 90s, 15m, 1h or 2d"),
    };
    match number.parse::<f64>() {
        Ok(count) if count.is_finite() && 0.0 <= count => Ok(count * unit_seconds),
        Ok(_) | Err(_) => bail!("`{text}` is not a duration: write 90s, 15m, 1h or 2d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        assert!((duration_seconds("90s").unwrap() - 90.0).abs() < f64::EPSILON);
        assert!((duration_seconds("1.5h").unwrap() - 5_400.0).abs() < f64::EPSILON);
        for wrong in ["", "h", "90", "-1s", "1w", "一h"] {
            assert!(duration_seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_has_ended_is_kept_for_a_time_or_for_ever() {
        assert_eq!(purge("90d"), Ok(Purge::AfterMillis(7_776_000_000)));
        assert_eq!(purge("never"), Ok(Purge::Never));
        assert!(purge("0").is_err() && purge("forever").is_err());
    }

    #[test]
    fn an_account_has_twelve_digits() {
        assert!(account("123456789012").is_ok());
        assert!(account("12345678901x").is_err());
    }
}
