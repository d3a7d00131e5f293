//! One life of one node: a runtime of its own that moves only when the scheduler steps it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use runtime::{Clock, Node, Opened};
use services::{AuthMode, Endpoint, Http, Reset, Services, Settings};
use store::Store;

use crate::disk::NodeDisk;
use crate::endpoint::{Chances, SimEndpoint};
use crate::network::{Network, Wire};
use crate::random::Random;
use crate::trace::Trace;
use crate::workload::{ACCOUNT, REGION};

/// More steps than a node takes: what is woken from outside comes after what is woken inside.
const INSIDE_FIRST: u32 = u32::MAX - 1;

/// A running node.
pub(crate) struct Life {
    /// Tells the lives of all nodes apart.
    pub(crate) number: u64,
    pub(crate) clock: Clock,
    pub(crate) disk: Arc<NodeDisk>,
    pub(crate) endpoint: Arc<SimEndpoint>,
    pub(crate) runtime: runtime::Runtime,
    tasks: tokio::runtime::Runtime,
    /// Whether there may be something to do.
    pub(crate) is_awake: bool,
    /// Until when it stands still, as a machine that swaps.
    pub(crate) paused_until: i64,
    /// Goes on when everything that could run before it has.
    mark: Option<Arc<AtomicBool>>,
}

/// What a life begins with.
pub(crate) struct Birth<'w> {
    pub(crate) seat: usize,
    pub(crate) number: u64,
    pub(crate) clock: Clock,
    pub(crate) disk: Arc<NodeDisk>,
    pub(crate) network: &'w Arc<Network>,
    pub(crate) trace: &'w Trace,
    pub(crate) chances: Chances,
    pub(crate) random: Random,
    pub(crate) checkpoint_lines: usize,
}

/// Returns where a seat's node is reached.
pub(crate) fn address(seat: usize) -> String {
    format!("http://n{seat}")
}

pub(crate) fn settings() -> Settings {
    Settings {
        limits: services::Limits::default(),
        account: ACCOUNT.into(),
        region: REGION.into(),
        partition: "aws".into(),
        edition: automation::catalogue::Edition::default(),
    }
}

impl Life {
    /// Opens a node on what is durable.
    ///
    /// # Errors
    /// When that cannot be read.
    pub(crate) fn begin(birth: Birth<'_>) -> anyhow::Result<Life> {
        let Birth { seat, number, clock, disk, network, trace, chances, random, .. } = birth;
        // One step is one poll of one task; the machine's time and its sockets are not there.
        let tasks = tokio::runtime::Builder::new_current_thread()
            .event_interval(1)
            .global_queue_interval(INSIDE_FIRST)
            .build()?;
        let within = tasks.enter();
        let store = Store::on(disk.clone());
        let node = Node { id: format!("n{seat}/{number}"), address: address(seat) };
        let opened = Opened::open(store, clock.clone(), node)?;
        let opened = opened.with_checkpoint_every(birth.checkpoint_lines);
        let runtime = opened.handle();
        let http = Http { auth: AuthMode::Loopback, reset: Reset::Refused };
        let services = Services::new(settings(), runtime.clone(), http);
        let endpoint = Arc::new(SimEndpoint::new(
            Endpoint::new(services),
            format!("n{seat}"),
            clock.clone(),
            trace.clone(),
            disk.world(),
            chances,
            random,
        ));
        opened.start(endpoint.clone(), Arc::new(Wire::new(seat, number, network.clone())));
        drop(within);
        Ok(Life {
            number,
            clock,
            disk,
            endpoint,
            runtime,
            tasks,
            is_awake: true,
            paused_until: 0,
            mark: None,
        })
    }

    /// Polls one task once. The node falls asleep when there is none to poll.
    pub(crate) fn step(&mut self) {
        let (mark, is_new) = match self.mark.take() {
            Some(mark) => (mark, false),
            None => (self.mark_the_end(), true),
        };
        self.tasks.block_on(tokio::task::yield_now());
        if mark.load(Ordering::Relaxed) {
            // A fresh mark that is reached at once had nothing before it.
            self.is_awake = !is_new;
        } else {
            self.mark = Some(mark);
        }
    }

    fn mark_the_end(&self) -> Arc<AtomicBool> {
        let mark = Arc::new(AtomicBool::new(false));
        let reached = mark.clone();
        self.tasks.spawn(async move { reached.store(true, Ordering::Relaxed) });
        mark
    }

    /// Runs something on the node.
    pub(crate) fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.is_awake = true;
        self.tasks.spawn(work);
    }

    /// Ends it where it stands, as a power cut.
    pub(crate) fn die(self) {
        drop(self.tasks);
        // The services know the runtime and the runtime knows them.
        self.endpoint.forget();
    }
}
