//! What the server counts about itself, as Prometheus reads it (text format 0.0.4).
//!
//! INVARIANT: the value of a label is a number, or a word of AWS's models or of ours. Nothing that
//! a caller sends becomes one: neither do names and ARNs leave that way, nor does the page grow.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use store::COMMIT_MICROS_BUCKETS;
use wire::Response;

use crate::retention::Kind;
use crate::{Services, cloudformation, dispatch, ssm, states};

/// Upper bounds of the buckets of request times, in microseconds; the last bucket has none.
const REQUEST_MICROS_BUCKETS: [u64; 13] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    10_000_000,
];
/// What requests are counted under that reached no operation.
const UNKNOWN: (&str, &str) = ("unknown", "unknown");
/// What is removed when it has ended long ago.
const PURGED: [&Kind; 3] = [states::PURGED, ssm::PURGED, cloudformation::PURGED];
/// Classes of HTTP statuses.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// In which `/proc` counts processor time: hundredths of a second on every Linux (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// A service and its operation, in the words of the models.
pub(crate) type Named = (&'static str, &'static str);

/// How many requests to one operation ended in each class.
#[derive(Default)]
struct Ends([AtomicU64; CLASSES.len()]);

/// How long requests to one service took.
#[derive(Default)]
struct Times {
    buckets: [AtomicU64; REQUEST_MICROS_BUCKETS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

/// Counters of what the services do; store and runtime have their own.
pub(crate) struct Metrics {
    began: Instant,
    ends: HashMap<Named, Ends>,
    times: HashMap<&'static str, Times>,
    under_way: AtomicU64,
    purged: HashMap<&'static str, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let operations = dispatch::SERVICE_NAMES.iter().flat_map(|service| {
            dispatch::operations(service).map(|operation| (*service, operation.name))
        });
        let named = operations.chain([UNKNOWN]);
        let services = dispatch::SERVICE_NAMES.iter().copied().chain([UNKNOWN.0]);
        Metrics {
            began: Instant::now(),
            ends: named.map(|named| (named, Ends::default())).collect(),
            times: services.map(|service| (service, Times::default())).collect(),
            under_way: AtomicU64::new(0),
            purged: PURGED.map(|kind| (kind.name, AtomicU64::new(0))).into(),
        }
    }
}

/// A request under way; dropping it says that it has ended.
pub(crate) struct UnderWay<'a>(&'a Metrics);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Notes that a request has come.
    pub(crate) fn begun(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    /// Notes that so many of a kind were removed.
    pub(crate) fn purged(&self, kind: &str, count: u64) {
        if let Some(purged) = self.purged.get(kind) {
            purged.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Notes how a request ended; `named` is what it was for, where that is known.
    pub(crate) fn ended(&self, named: Option<Named>, status: u16, took: Duration) {
        let named = named.unwrap_or(UNKNOWN);
        let class = usize::from(status / 100).saturating_sub(2).min(CLASSES.len() - 1);
        if let Some(count) = self.ends.get(&named).and_then(|ends| ends.0.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let Some(times) = self.times.get(named.0) else { return };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        times.count.fetch_add(1, Ordering::Relaxed);
        times.micros.fetch_add(micros, Ordering::Relaxed);
        // Each request is noted in one bucket; the page adds them up.
        let bucket = REQUEST_MICROS_BUCKETS.iter().position(|bound| micros <= *bound);
        if let Some(bucket) = bucket.and_then(|bucket| times.buckets.get(bucket)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Services {
    /// Answers `GET /_stepwell/metrics`.
    pub(crate) fn metrics_page(&self) -> Response {
        let mut page = Page::default();
        self.server_into(&mut page);
        self.requests_into(&mut page);
        self.store_into(&mut page);
        self.runtime_into(&mut page);
        process_into(&mut page);
        Response {
            status: 200,
            headers: vec![("content-type", "text/plain; version=0.0.4; charset=utf-8".into())],
            body: page.0.into_bytes(),
        }
    }

    fn server_into(&self, page: &mut Page) {
        page.family("stepwell_build_info", GAUGE, "Always 1; the labels say which build this is.");
        page.sample("stepwell_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        let uptime = self.metrics.began.elapsed().as_secs_f64();
        page.single("stepwell_uptime_seconds", GAUGE, "Since when the server runs.", uptime);
        let ahead = self.runtime().clock().ahead_millis() as f64 / 1000.0;
        let help = "How far the server's clock is ahead of the machine's.";
        page.single("stepwell_clock_ahead_seconds", GAUGE, help, ahead);
    }

    fn requests_into(&self, page: &mut Page) {
        let name = "stepwell_http_requests_total";
        page.family(name, COUNTER, "Answered requests by operation and class of the status.");
        let mut ends: Vec<_> = self.metrics.ends.iter().collect();
        ends.sort_by_key(|(named, _)| **named);
        for ((service, operation), ends) in ends {
            for (class, count) in CLASSES.iter().zip(&ends.0) {
                let count = count.load(Ordering::Relaxed);
                if 0 < count {
                    let labels =
                        [("service", *service), ("operation", *operation), ("status", *class)];
                    page.sample(name, &labels, count);
                }
            }
        }
        let under_way = self.metrics.under_way.load(Ordering::Relaxed);
        let help = "Requests that are being answered.";
        page.single("stepwell_http_requests_under_way", GAUGE, help, under_way);
        let name = "stepwell_http_request_seconds";
        page.family(
            name,
            HISTOGRAM,
            "How long requests took, from the whole request to the answer.",
        );
        let mut times: Vec<_> = self.metrics.times.iter().collect();
        times.sort_by_key(|(service, _)| **service);
        for (service, times) in times {
            let mut sum = 0;
            let counts: Vec<u64> = times
                .buckets
                .iter()
                .map(|bucket| {
                    sum += bucket.load(Ordering::Relaxed);
                    sum
                })
                .collect();
            let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
            let (count, micros) = (read(&times.count), read(&times.micros));
            let buckets = REQUEST_MICROS_BUCKETS.iter().copied().zip(counts);
            page.histogram(name, &[("service", service)], buckets, count, micros);
        }
        let (sent, dropped) = self.spans();
        let name = "stepwell_spans_total";
        page.family(name, COUNTER, "Spans for the collector of traces.");
        page.sample(name, &[("outcome", "sent")], sent);
        page.sample(name, &[("outcome", "dropped")], dropped);
        let (allowed, denied) = self.policies.decided();
        let name = "stepwell_authorizations_total";
        page.family(name, COUNTER, "Calls that were authorised or refused.");
        page.sample(name, &[("decision", "allowed")], allowed);
        page.sample(name, &[("decision", "denied")], denied);
        let help = "Decisions that were not written: too many waited, or the store failed.";
        let unwritten = self.decisions.unwritten();
        page.single("stepwell_decisions_unwritten_total", COUNTER, help, unwritten);
    }

    fn store_into(&self, page: &mut Page) {
        let figures = self.store().figures().snapshot();
        let help = "Durable commits: waits for the disk or the database.";
        page.single("stepwell_store_commits_total", COUNTER, help, figures.commits);
        let help = "Commits that failed; nothing of them was acknowledged.";
        page.single("stepwell_store_commits_failed_total", COUNTER, help, figures.failed);
        let help = "Turns of shards and changes of the control plane in all commits.";
        page.single("stepwell_store_units_total", COUNTER, help, figures.units);
        let name = "stepwell_store_commit_seconds";
        page.family(name, HISTOGRAM, "How long durable commits took.");
        let buckets = COMMIT_MICROS_BUCKETS.into_iter().zip(figures.buckets);
        page.histogram(name, &[], buckets, figures.commits, figures.micros);
        let help = "How often commits were carried from the log to the tables of a directory.";
        page.single("stepwell_store_carries_total", COUNTER, help, figures.carries);
        let help = "How often that failed; nothing is lost, and it is done again.";
        page.single("stepwell_store_carries_failed_total", COUNTER, help, figures.carries_failed);
    }

    fn runtime_into(&self, page: &mut Page) {
        let (runtime, figures) = (self.runtime(), self.runtime().figures());
        let name = "stepwell_shard_inbox_messages";
        page.family(name, GAUGE, "Messages that wait for a shard.");
        for (shard, depth) in runtime.inbox_depths().into_iter().enumerate() {
            page.sample(name, &[("shard", &shard.to_string())], depth);
        }
        let name = "stepwell_processes_begun_total";
        page.family(name, COUNTER, "Durable processes begun on this node.");
        page.sample(name, &[("kind", "execution")], figures.executions_begun);
        page.sample(name, &[("kind", "automation")], figures.automations_begun);
        page.sample(name, &[("kind", "stack")], figures.stacks_begun);
        let help = "Durable processes that have ended on this node.";
        page.single("stepwell_processes_finished_total", COUNTER, help, figures.finished);
        let help = "State-machine executions of this node's shards that have not ended.";
        page.single("stepwell_executions_open", GAUGE, help, figures.executions_open);
        let name = "stepwell_purged_total";
        page.family(name, COUNTER, "What was removed because it ended long ago.");
        for kind in PURGED {
            let purged = self.metrics.purged.get(kind.name);
            let purged = purged.map_or(0, |purged| purged.load(Ordering::Relaxed));
            page.sample(name, &[("kind", kind.name)], purged);
        }
        let help = "Facts applied to durable processes.";
        page.single("stepwell_facts_total", COUNTER, help, figures.facts);
        let help = "Calls and scripts performed for durable processes.";
        page.single("stepwell_effects_total", COUNTER, help, figures.effects);
        let help = "Timers of processes that wait.";
        page.single("stepwell_timers_armed", GAUGE, help, runtime.timers_armed());
        let help = "Express executions begun.";
        page.single("stepwell_express_begun_total", COUNTER, help, figures.express_begun);
        let help = "Express executions under way.";
        page.single("stepwell_express_under_way", GAUGE, help, runtime.express_under_way());
        let (shards, nodes) = runtime.shards_and_nodes();
        page.single("stepwell_shards_held", GAUGE, "Shards that are this node's.", shards);
        let help = "Nodes that lived on this store at this node's last turn.";
        page.single("stepwell_nodes_live", GAUGE, help, nodes);
        let help = "1 where what is done once for all nodes is done here.";
        page.single("stepwell_leader", GAUGE, help, u8::from(runtime.is_leader()));
    }
}

/// Adds what Linux knows of the process; elsewhere nothing.
fn process_into(page: &mut Page) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| {
        let kibibytes = line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?;
        kibibytes.trim().parse::<u64>().ok()
    });
    if let Some(kibibytes) = resident {
        let help = "Resident memory of the process.";
        page.single("process_resident_memory_bytes", GAUGE, help, kibibytes * 1024);
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in brackets, which may hold anything: user and system time are fields 14, 15.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace());
    let ticks: Vec<f64> = fields
        .into_iter()
        .flat_map(|fields| fields.skip(11).take(2).filter_map(|field| field.parse().ok()))
        .collect();
    if let [user, system] = ticks.as_slice() {
        let help = "Processor time of the process, user and system.";
        let seconds = (user + system) / TICKS_PER_SECOND;
        page.single("process_cpu_seconds_total", COUNTER, help, seconds);
    }
}

const COUNTER: &str = "counter";
const GAUGE: &str = "gauge";
const HISTOGRAM: &str = "histogram";

/// The text as it grows.
#[derive(Default)]
struct Page(String);

// Writing into a String cannot fail.
impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], number: impl Display) {
        self.0.push_str(name);
        let mut between = '{';
        for (label, text) in labels {
            let _ = write!(self.0, "{between}{label}=\"{text}\"");
            between = ',';
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {number}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, number: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], number);
    }

    /// Adds the samples of a histogram; `buckets` are upper bounds in microseconds, and how much
    /// lies below each.
    fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        buckets: impl Iterator<Item = (u64, u64)>,
        count: u64,
        micros: u64,
    ) {
        let bucket_name = format!("{name}_bucket");
        for (bound, below) in buckets {
            let seconds = (bound as f64 / 1e6).to_string();
            let labels: Vec<_> = labels.iter().copied().chain([("le", &*seconds)]).collect();
            self.sample(&bucket_name, &labels, below);
        }
        let labels_of_all: Vec<_> = labels.iter().copied().chain([("le", "+Inf")]).collect();
        self.sample(&bucket_name, &labels_of_all, count);
        self.sample(&format!("{name}_sum"), labels, micros as f64 / 1e6);
        self.sample(&format!("{name}_count"), labels, count);
    }
}
