//! Child processes that listen: the server, the bare HTTP floor, a peer.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use value::Value;

use crate::api::{Api, Site};
use crate::bench::Bench;
use crate::process::{Usage, peak_resident_bytes, resident_bytes};

/// How many lines a program may print before it says where it listens.
const LINES_MAX: usize = 100;
/// The sum of the commits of a store, on the metrics page.
const COMMITS: &str = "stepwell_store_commits_total";

/// A child that listens; it is killed when this goes.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// When it was started.
    pub(crate) started: Instant,
    /// Kept open, so that the child may go on writing.
    _output: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts Stepwell on this directory and waits for the address that it prints.
    pub(crate) fn start(bench: &Bench, data: &Path, more: &[&str]) -> Result<Server> {
        let mut command = Command::new(&bench.stepwell);
        command.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
        Server::listening(command, data)
    }

    /// Starts Stepwell on another store.
    pub(crate) fn start_on(bench: &Bench, store: &str) -> Result<Server> {
        let mut command = Command::new(&bench.stepwell);
        command.args(["up", "--listen", "127.0.0.1:0", "--store", store]);
        let key_file = format!("stepwell-bench-key-{}", std::process::id());
        command.arg("--key-file").arg(std::env::temp_dir().join(key_file));
        Server::listening(command, &bench.fresh_directory()?)
    }

    /// Starts a program that prints `http://address:port`; what it complains of goes to a file.
    pub(crate) fn listening(mut command: Command, log_folder: &Path) -> Result<Server> {
        let log = log_folder.join("stderr.log");
        let started = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let mut output = child.stdout.take().map(BufReader::new).context("it has no output")?;
        match printed_address(&mut output) {
            Ok(address) => Ok(Server { child, address, started, _output: Some(output) }),
            Err(err) => {
                end(&mut child);
                let complaint = std::fs::read_to_string(&log).unwrap_or_default();
                Err(err.context(format!("{command:?}: {complaint}")))
            }
        }
    }

    /// Takes over a child that listens at a port it was told.
    pub(crate) fn told(child: Child, address: SocketAddr, started: Instant) -> Server {
        Server { child, address, started, _output: None }
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns it, called by the account's root.
    pub(crate) fn site(&self) -> Site {
        Site::as_root(self.address)
    }

    /// Returns a caller of it.
    pub(crate) fn api(&self) -> Result<Api> {
        Api::new(self.site())
    }

    /// Returns the processor time it has used.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(self.pid())
    }

    /// Returns the memory that it holds.
    pub(crate) fn resident_bytes(&self) -> Result<f64> {
        resident_bytes(self.pid())
    }

    /// Returns the most memory that it has held at once.
    pub(crate) fn peak_resident_bytes(&self) -> Result<f64> {
        peak_resident_bytes(self.pid())
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(mut self) {
        end(&mut self.child);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Kills the child and waits until it is gone; it may be gone already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn printed_address(output: &mut BufReader<ChildStdout>) -> Result<SocketAddr> {
    for _ in 0..LINES_MAX {
        let mut line = String::new();
        if output.read_line(&mut line)? == 0 {
            bail!("it ended without saying where it listens");
        }
        if let Some((_, rest)) = line.split_once("http://") {
            let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
            let address = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            return address.parse().with_context(|| format!("`{address}` is no address"));
        }
    }
    bail!("it does not say where it listens")
}

/// Returns a number of the health page.
pub(crate) fn health(api: &mut Api, member: &str) -> Result<f64> {
    let page = value::parse_bytes(&api.page("/_stepwell/health")?.body)?;
    page.get(member).and_then(Value::as_f64).with_context(|| format!("health has no {member}"))
}

/// Returns the sum of a metric's series.
pub(crate) fn metric(api: &mut Api, name: &str) -> Result<f64> {
    let page = api.page("/_stepwell/metrics")?;
    let sum = sum_of(&String::from_utf8_lossy(&page.body), name);
    sum.with_context(|| format!("there is no metric {name}"))
}

/// Returns how often the server's store has committed, where the server says so.
pub(crate) fn commits(api: &mut Api) -> Result<Option<f64>> {
    let page = api.page("/_stepwell/metrics")?;
    if page.status != 200 {
        return Ok(None);
    }
    Ok(sum_of(&String::from_utf8_lossy(&page.body), COMMITS))
}

/// Sums the series of one metric in Prometheus text.
fn sum_of(page: &str, metric: &str) -> Option<f64> {
    let series = page.lines().filter_map(|line| line.strip_prefix(metric));
    let series = series.filter(|rest| rest.starts_with([' ', '{']));
    let figures: Vec<f64> =
        series.filter_map(|rest| rest.rsplit(' ').next()?.parse().ok()).collect();
    if figures.is_empty() { None } else { Some(figures.iter().sum()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_of_a_metric_are_summed() {
        let page = "# TYPE a_total counter\na_total{shard=\"0\"} 2\na_total{shard=\"1\"} 3\n\
                    a_total_more 9\nb 1\n";
        assert_eq!(sum_of(page, "a_total"), Some(5.0));
        assert_eq!(sum_of(page, "b"), Some(1.0));
        assert_eq!(sum_of(page, "c"), None);
    }
}
