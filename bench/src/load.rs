//! The load generator: many connections on few threads, each sending one request after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use tokio::task::JoinSet;

use crate::http::Connection;
use crate::statistics::{percentile, sorted};

/// How many threads send, at most; the server needs the other processors.
const THREADS_MAX: usize = 2;

/// Makes the request of this number; called by many threads.
pub(crate) type Make = Arc<dyn Fn(usize) -> Result<Vec<u8>> + Send + Sync>;

/// When a load ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After so many requests.
    Count(usize),
    /// After so many seconds; requests under way are awaited.
    Seconds(f64),
}

/// How a load went. Every request was answered with status 200.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// How many requests were answered.
    pub(crate) count: usize,
    /// How long all of them took together.
    pub(crate) seconds: f64,
    /// How long each took, in microseconds, sorted; making and signing requests is not counted.
    latencies_us: Vec<f64>,
}

impl Load {
    /// Returns answers per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    /// Returns the latency within which so many percent of the answers came, in microseconds.
    pub(crate) fn latency_us(&self, percent: usize) -> f64 {
        percentile(&self.latencies_us, percent)
    }
}

/// Sends requests on so many connections, and waits for all answers.
///
/// # Errors
/// The first answer that is not 200.
pub(crate) fn drive(
    address: SocketAddr,
    connections: usize,
    until: Until,
    make: &Make,
) -> Result<Load> {
    let started = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let threads = connections.clamp(1, THREADS_MAX);
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let share = connections / threads + usize::from(thread < connections % threads);
                let sender = Sender { address, until, started, next: next.clone() };
                scope.spawn(move || sender.run(share, make))
            })
            .collect();
        let joined = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| Err(anyhow!("a thread of the client panicked")))
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let latencies_us = sorted(parts.into_iter().flatten().collect());
    let seconds = started.elapsed().as_secs_f64();
    Ok(Load { count: latencies_us.len(), seconds, latencies_us })
}

/// What each connection needs to know.
#[derive(Clone)]
struct Sender {
    address: SocketAddr,
    until: Until,
    started: Instant,
    next: Arc<AtomicUsize>,
}

impl Sender {
    /// Runs a thread's share of the connections.
    fn run(&self, connections: usize, make: &Make) -> Result<Vec<f64>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut all = JoinSet::new();
            for _ in 0..connections {
                all.spawn(self.clone().send(make.clone()));
            }
            let mut latencies_us = Vec::new();
            while let Some(done) = all.join_next().await {
                latencies_us.extend(done.context("a connection of the client panicked")??);
            }
            Ok(latencies_us)
        })
    }

    /// Sends one request after another on one connection.
    async fn send(self, make: Make) -> Result<Vec<f64>> {
        let mut connection = Connection::to(self.address);
        let mut latencies_us = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let ended = match self.until {
                Until::Count(count) => count <= number,
                Until::Seconds(seconds) => seconds <= self.started.elapsed().as_secs_f64(),
            };
            if ended {
                return Ok(latencies_us);
            }
            let request = make(number)?;
            let sent = Instant::now();
            let reply = connection.exchange(&request).await?;
            latencies_us.push(sent.elapsed().as_secs_f64() * 1e6);
            if reply.status != 200 {
                bail!("request {number} was answered with {}", reply.summary());
            }
        }
    }
}
