//! The AWS APIs that Stepwell serves.
//!
//! What it is: one folder per service (`iam`, `sts`, `states`, `ssm`, `events`, `cloudformation`),
//! in it one file per kind of resource, in it one function per operation, all listed as data in
//! [`Operation`]s. The dispatcher validates, authorises and runs them; they are plain functions of
//! a call, a transaction and an input. What it is not: it speaks no protocol (`wire` does) and runs
//! no process (`runtime` does).
//!
//! ```
//! use std::sync::Arc;
//! use runtime::{Clock, ClockMode, NoPeers, Node, Opened};
//! use services::{AuthMode, Endpoint, Http, Limits, Reset, Services, Settings};
//! use wire::{Handler, Request};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let clock = Clock::new(ClockMode::Virtual);
//! let opened = Opened::open(store::Store::memory(), clock, Node::alone()).unwrap();
//! let settings = Settings {
//!     account: "000000000000".into(),
//!     region: "us-east-1".into(),
//!     partition: "aws".into(),
//!     edition: automation::catalogue::Edition::Repaired,
//!     limits: Limits::default(),
//! };
//! let http = Http { auth: AuthMode::Loopback, reset: Reset::Allowed };
//! let services = Services::new(settings, opened.handle(), http);
//! opened.start(Arc::new(Endpoint::new(services.clone())), Arc::new(NoPeers));
//! let health = Request {
//!     method: "GET".into(), path: "/_stepwell/health".into(), ..Request::default()
//! };
//! assert_eq!(services.handle(health).await.status, 200);
//! # });
//! ```
//!
//! May depend on: every crate of a lower floor.

mod authorize;
mod authorized_connections;
mod browsers;
mod call;
mod cloudformation;
mod context;
mod decisions;
mod dispatch;
mod endpoint;
mod error;
mod events;
mod http;
mod http_tasks;
pub mod iam;
pub mod ids;
mod input;
mod kept;
mod limits;
mod logs;
mod metrics;
mod nodes;
mod operation;
mod outward;
pub mod page;
mod retention;
mod roles;
mod several_calls;
mod ssm;
mod states;
pub mod sts;
mod traces;

use std::sync::{Arc, OnceLock};

use runtime::Runtime;
use store::{Scan, Store, Table};

pub use call::{Call, Origin, Settings};
pub use context::{Notice, Reading, Writing};
pub use decisions::Judgements;
pub use dispatch::{SERVICE_NAMES, operations};
pub use endpoint::Endpoint;
pub use error::{Answer, Error};
pub use http::{AuthMode, Http, Reset};
pub use input::Input;
pub use limits::{LIMITS, Limit, Limits};
pub use nodes::{HttpPeers, secret as node_secret};
pub use operation::{Check, Operation, Pending, Run};
pub use outward::{Destination, Destinations, Outward};
pub use retention::{Purge, Retention};

/// Everything that serves calls.
pub struct Services {
    settings: Arc<Settings>,
    runtime: Runtime,
    policies: authorize::Policies,
    decisions: decisions::Decisions,
    pump: events::Pump,
    machines: states::KnownMachines,
    http: Http,
    key_uses: http::KeyUses,
    metrics: metrics::Metrics,
    /// The way to services that are not here.
    outward: OnceLock<Arc<Outward>>,
    /// The way to a collector, if there is one.
    traces: OnceLock<traces::Traces>,
    /// Access keys of users, by id; `None` for ids that are none.
    keys: kept::Kept<String, Option<Arc<iam::StoredKey>>>,
    /// Sessions by access key id, each with whether who stands behind it is still there.
    sessions: kept::Kept<String, Option<Arc<(sts::Session, bool)>>>,
    /// Where the keys of identity providers come from.
    issuers: OnceLock<sts::Issuers>,
    /// How far the clocks of callers may be away, in seconds.
    clock_skew_seconds: OnceLock<i64>,
    /// Where this server listens, for scripts; known once it does.
    endpoint_url: OnceLock<String>,
    /// What nodes on the same store know each other by; none when this is the only one.
    node_secret: OnceLock<String>,
    /// Which connections are being authorized.
    authorizing: authorized_connections::Authorizing,
}

impl Services {
    /// Returns the services of a server; [`Services::start`] starts what runs in the background.
    pub fn new(settings: Settings, runtime: Runtime, http: Http) -> Arc<Services> {
        runtime.limit_express(settings.limits.express_executions);
        Arc::new(Services {
            settings: Arc::new(settings),
            runtime,
            policies: authorize::Policies::default(),
            decisions: decisions::Decisions::default(),
            pump: events::Pump::default(),
            machines: states::KnownMachines::default(),
            http,
            key_uses: http::KeyUses::default(),
            metrics: metrics::Metrics::default(),
            outward: OnceLock::new(),
            traces: OnceLock::new(),
            keys: kept::Kept::default(),
            sessions: kept::Kept::default(),
            issuers: OnceLock::new(),
            clock_skew_seconds: OnceLock::new(),
            endpoint_url: OnceLock::new(),
            node_secret: OnceLock::new(),
            authorizing: authorized_connections::Authorizing::default(),
        })
    }

    /// Starts the background: the event pump, the writing of decisions, and the removal of what
    /// ended long ago.
    pub fn start(self: &Arc<Services>, retention: Retention) {
        let services = self.clone();
        tokio::spawn(async move { services.pump.run(services.clone()).await });
        // Some may have waited for it when the server ended.
        self.authorize_connections();
        tokio::spawn(self.clone().keep_decisions());
        tokio::spawn(self.clone().keep_retention(retention));
    }

    /// Returns whether anybody has an access key that is stored.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_access_keys(&self) -> Result<bool, Error> {
        let any = Scan::prefix(iam::ACCESS_KEYS).limit(1);
        Ok(!self.store().read(|store| store.scan(Table::Credentials, any))?.is_empty())
    }

    /// Keeps a file of each log group in this directory.
    pub fn logs_to(self: &Arc<Services>, directory: &std::path::Path) {
        tokio::spawn(self.clone().keep_log_files(directory.to_owned()));
    }

    /// Says what authorization messages are encoded with; without, they are good for as long as the
    /// process lives.
    pub fn encodes_messages_with(&self, key: [u8; 32]) {
        self.policies.messages.set_key(key);
    }

    pub(crate) fn messages(&self) -> &sts::Messages {
        &self.policies.messages
    }

    /// Says where the keys of identity providers come from; of others they are fetched.
    pub fn knows_issuers(&self, issuers: sts::Issuers) {
        // Said once, before anybody calls.
        let _ = self.issuers.set(issuers);
    }

    pub(crate) fn issuers(&self) -> &sts::Issuers {
        self.issuers.get_or_init(sts::Issuers::default)
    }

    /// Says how far the clocks of callers may be away from this machine's, in seconds.
    pub fn tolerates_skew(&self, seconds: i64) {
        // Said once, before anybody calls.
        let _ = self.clock_skew_seconds.set(seconds);
    }

    pub(crate) fn clock_skew(&self) -> i64 {
        self.clock_skew_seconds.get().copied().unwrap_or(wire::sigv4::SKEW_SECONDS)
    }

    /// Says where this server listens; scripts are told.
    pub fn listens_at(&self, url: &str) {
        // Said once, when the listener is bound.
        let _ = self.endpoint_url.set(url.to_owned());
    }

    /// Says where calls of services go that are not served here.
    pub fn reaches(&self, outward: Arc<Outward>) {
        outward.belongs_to(&self.settings.account);
        // Said once, before anything runs.
        let _ = self.outward.set(outward);
    }

    /// Returns the way to services that are not here.
    pub(crate) fn outward(&self) -> &Outward {
        self.outward.get_or_init(|| {
            let Settings { region, partition, .. } = &*self.settings;
            Arc::new(Outward::new(Destinations::default(), region, partition, None))
        })
    }

    /// Says what nodes on the same store know each other by.
    pub fn shares_store(&self, secret: &str) {
        // Said once, when the store is opened.
        let _ = self.node_secret.set(secret.to_owned());
    }

    /// Returns account, region and partition.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Returns what runs processes.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        self.runtime.store()
    }
}
