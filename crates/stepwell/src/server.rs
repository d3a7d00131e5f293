//! A whole server: store, runtime, services, listener.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cli::hint;
use runtime::{Clock, ClockMode, NoPeers, Node, Opened, Runtime, Scripts};
use services::sts::Issuers;
use services::{
    AuthMode, Endpoint, Http, HttpPeers, Outward, Reset, Retention, Services, Settings,
};
use store::{Key, PostgresUrl, Store};
use tokio::net::TcpListener;
use wire::Drained;

/// Where the server keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// In memory; it forgets when it stops.
    Memory,
    /// In a directory.
    Directory(PathBuf),
    /// In a database, which other nodes may share.
    Postgres(PostgresUrl),
}

impl Keep {
    /// Opens it, and makes it if need be.
    ///
    /// # Errors
    /// When it cannot be opened, is in use, or damaged.
    pub(crate) fn open(&self) -> Result<Store> {
        match self {
            Keep::Memory => Ok(Store::memory()),
            Keep::Directory(directory) => Store::open(directory)
                .with_context(|| format!("opening the data directory {}", directory.display()))
                .map_err(damaged),
            Keep::Postgres(url) => {
                Store::connect(url).with_context(|| format!("opening the database {url}"))
            }
        }
    }
}

/// The key file in a directory, unless another is named.
const KEY_FILE: &str = "key";

impl Keep {
    /// Returns how scripts are run that must not read what is kept here, nor the key.
    fn hidden_from(&self, scripts: &Scripts, key_file: Option<&Path>) -> Scripts {
        let mut scripts = scripts.clone();
        // Both exist, for the store is open.
        if let Keep::Directory(directory) = self {
            scripts.hidden.extend(directory.canonicalize());
        }
        scripts.hidden.extend(key_file.and_then(|file| file.canonicalize().ok()));
        scripts
    }

    /// Opens it with its secrets sealed, and returns the key too. A key file that is not there is
    /// made, unless something has been sealed already.
    ///
    /// # Errors
    /// As [`Keep::open`]; and when the key is missing, another's, or open to others.
    pub(crate) fn open_sealed(&self, key_file: Option<&Path>) -> Result<(Store, Key)> {
        let store = self.open()?;
        let Some(file) = self.key_file(key_file)? else { return Ok((store, Key::generate()?)) };
        let sealed_with = store
            .key_id()
            .with_context(|| format!("reading with which key is sealed what is kept {self}"))?;
        let key = match (Key::read(&file)?, sealed_with) {
            (Some(key), _) => key,
            (None, None) => {
                let key = Key::create(&file)?;
                tracing::info!(key = key.id(), file = %file.display(), "a new key file was made");
                key
            }
            (None, Some(id)) => {
                let (file, place) = (file.display(), self);
                let err = anyhow::anyhow!(
                    "what is kept {place} is sealed with the key {id}, and there is no key \
                     file {file}"
                );
                return Err(hint(err, "bring the key file back, or name it with --key-file"));
            }
        };
        let store = store.sealed_with(key.clone()).with_context(|| {
            format!("opening what is kept {self} with the key file {}", file.display())
        })?;
        Ok((store, key))
    }

    /// Returns where the key is; none for what is forgotten anyway.
    fn key_file(&self, named: Option<&Path>) -> Result<Option<PathBuf>> {
        match (self, named) {
            (Keep::Memory, _) => Ok(None),
            (Keep::Directory(_) | Keep::Postgres(_), Some(file)) => Ok(Some(file.to_owned())),
            (Keep::Directory(directory), None) => Ok(Some(directory.join(KEY_FILE))),
            (Keep::Postgres(_), None) => Err(hint(
                anyhow::anyhow!("a database needs a key file: its secrets are sealed with it"),
                "name it with --key-file FILE, the same on every node; the first node makes it",
            )),
        }
    }

    /// Makes sure that a key file that is there already can be used.
    ///
    /// # Errors
    /// When it cannot, or none is named where one must be.
    pub(crate) fn usable_key(&self, named: Option<&Path>) -> Result<()> {
        if let Some(file) = self.key_file(named)? {
            Key::read(&file)?;
        }
        Ok(())
    }

    /// Makes sure that what is sealed with a key can be opened here, as far as there is a key file
    /// to ask. Returns what is still to be done for that.
    ///
    /// # Errors
    /// When the key file has another key.
    pub(crate) fn expect_key(&self, id: &str, named: Option<&Path>) -> Result<Option<String>> {
        let Ok(Some(file)) = self.key_file(named) else {
            return Ok(Some(format!("its secrets open with the key {id} only")));
        };
        match Key::read(&file)? {
            Some(key) if key.id() == id => Ok(None),
            Some(key) => bail!(
                "its secrets are sealed with the key {id}, and {} has {}",
                file.display(),
                key.id()
            ),
            None => Ok(Some(format!(
                "its secrets open with the key {id} only: put that key file at {}",
                file.display()
            ))),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keep::Memory => f.write_str("in memory"),
            Keep::Directory(directory) => write!(f, "in {}", directory.display()),
            Keep::Postgres(url) => write!(f, "in {url}"),
        }
    }
}

/// Says what to do about damage.
fn damaged(err: anyhow::Error) -> anyhow::Error {
    let is_damage = err.chain().any(|cause| {
        let store = match cause.downcast_ref::<runtime::Error>() {
            Some(runtime::Error::Store(err)) => Some(err),
            Some(_) | None => cause.downcast_ref::<store::Error>(),
        };
        matches!(store, Some(store::Error::Corrupt { .. }))
    });
    if is_damage {
        hint(
            err,
            "nothing was changed. Check the disk, keep a copy of the directory, and bring a \
             backup back with `stepwell restore`",
        )
    } else {
        err
    }
}

/// Returns who this server is among those on its store, and what they know each other by.
async fn node(store: &Store, address: &str) -> Result<(Node, Option<String>)> {
    if !store.is_shared() {
        return Ok((Node::alone(), None));
    }
    let secret = services::node_secret(store).await?;
    // Not the process's number: in containers that is the same again and again.
    let id = format!("{address}/{}", services::ids::uuid());
    Ok((Node { id, address: address.to_owned() }, Some(secret)))
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) keep: Keep,
    /// Where the key of its secrets is.
    pub(crate) key_file: Option<PathBuf>,
    /// Where the server is reached: `http://127.0.0.1:4566`.
    pub(crate) address: String,
    /// Where nodes on the same store reach it.
    pub(crate) advertised: String,
    pub(crate) clock: ClockMode,
    pub(crate) settings: Settings,
    /// Where calls of services go.
    pub(crate) outward: Arc<Outward>,
    pub(crate) auth: AuthMode,
    /// How far the clocks of callers may be away.
    pub(crate) clock_skew_seconds: i64,
    /// Which files have the keys of identity providers: `HOST=FILE`.
    pub(crate) oidc_keys: Vec<String>,
    pub(crate) reset: Reset,
    pub(crate) retention: Retention,
    /// Where spans of requests are sent.
    pub(crate) otlp: Option<String>,
    /// Where log groups are written as files.
    pub(crate) logs: Option<PathBuf>,
    /// How scripts of runbooks are run.
    pub(crate) scripts: Scripts,
    /// How long scripts and requests under way may take to end when the server stops.
    pub(crate) drain: Duration,
}

/// Returns where the keys of identity providers come from.
fn issuers(files: &[String]) -> Result<Issuers> {
    let mut issuers = Issuers::default();
    for text in files {
        let set = issuers.set(text).map_err(|what| anyhow::anyhow!("--oidc-keys: {what}"));
        set.map_err(|err| hint(err, "for example `--oidc-keys token.example.com=keys.json`"))?;
    }
    Ok(issuers)
}

/// What requests under way have when scripts have taken all the time there was.
const REQUESTS_DRAIN_MIN: Duration = Duration::from_secs(1);

/// A server that runs.
pub(crate) struct Server {
    pub(crate) services: Arc<Services>,
    pub(crate) runtime: Runtime,
    drain: Duration,
}

impl Server {
    /// Opens the store, reads what was running, and starts it again.
    ///
    /// # Errors
    /// When the store cannot be opened or read.
    pub(crate) async fn start(options: &Options) -> Result<Server> {
        let version = env!("CARGO_PKG_VERSION");
        tracing::info!(version, keep = %options.keep, clock = ?options.clock, "starting");
        let (store, key) = options.keep.open_sealed(options.key_file.as_deref())?;
        let (node, peers) = node(&store, &options.advertised).await?;
        let opened = Opened::open(store, Clock::new(options.clock), node)
            .with_context(|| format!("reading what was running, kept {}", options.keep))
            .map_err(damaged)?
            .with_scripts(options.keep.hidden_from(&options.scripts, options.key_file.as_deref()));
        let runtime = opened.handle();
        let http = Http { auth: options.auth, reset: options.reset };
        let services = Services::new(options.settings.clone(), runtime.clone(), http);
        services.reaches(options.outward.clone());
        services.listens_at(&options.address);
        services.tolerates_skew(options.clock_skew_seconds);
        services.encodes_messages_with(key.derive("authorization messages"));
        services.knows_issuers(issuers(&options.oidc_keys)?);
        let endpoint = Arc::new(Endpoint::new(services.clone()));
        match peers {
            Some(secret) => {
                services.shares_store(&secret);
                opened.start(endpoint, Arc::new(HttpPeers::new(secret)));
            }
            None => opened.start(endpoint, Arc::new(NoPeers)),
        }
        if let Some(collector) = &options.otlp {
            services.trace_to(collector).context("sending traces")?;
        }
        if let Some(directory) = &options.logs {
            services.logs_to(directory);
        }
        services.start(options.retention);
        Ok(Server { services, runtime, drain: options.drain })
    }

    /// Answers requests until `stop` is ready, then ends in order: scripts and then requests under
    /// way end, shards write their checkpoints, leases are given back.
    pub(crate) async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let address = listener.local_addr().map(|address| address.to_string());
        tracing::info!(address = address.unwrap_or_default(), "listening");
        let mut began = None;
        let runtime = self.runtime.clone();
        let stop = async {
            stop.await;
            // They would be waited for up to a minute.
            runtime.dismiss_workers();
            tracing::info!(drain_seconds = self.drain.as_secs(), "shutdown begun");
            let begun = Instant::now();
            began = Some(begun);
            // Requests are still taken meanwhile, for scripts speak to this server.
            let interrupted = runtime.end_scripts(self.drain).await;
            if 0 < interrupted {
                tracing::warn!(interrupted, "scripts were still running when time was up");
            }
            self.drain.saturating_sub(begun.elapsed()).max(REQUESTS_DRAIN_MIN.min(self.drain))
        };
        let Drained { ended, cut_off } = wire::serve(listener, self.services.clone(), stop).await;
        if 0 < cut_off {
            tracing::warn!(cut_off, "requests were still under way when time was up");
        }
        self.services.flush_traces().await;
        if let Err(err) = self.services.write_decisions().await {
            tracing::warn!(error = %err, "the last decisions could not be written");
        }
        self.runtime.stop().await;
        let millis = began.map(|began| began.elapsed().as_millis()).unwrap_or_default();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        tracing::info!(requests_drained = ended, cut_off, millis, "shutdown ended");
    }
}

/// Binds the listener. Without checked credentials the server must not be reachable from outside.
///
/// # Errors
/// When the address is taken, or open to others although anyone would be root.
pub(crate) async fn bind(address: &str, auth: AuthMode) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.map_err(|err| not_bound(address, err))?;
    let bound = listener.local_addr()?;
    if !bound.ip().is_loopback() && auth != AuthMode::Strict {
        return Err(hint(
            anyhow::anyhow!(
                "{bound} can be reached from other machines: only `--auth strict` may listen \
                 there, because everybody else's requests would act as root"
            ),
            "docs/server.md says how the first access key is made",
        ));
    }
    Ok((listener, bound))
}

/// Says why nothing can listen there, and what to do about it.
fn not_bound(address: &str, err: io::Error) -> anyhow::Error {
    let (what, advice) = match err.kind() {
        ErrorKind::AddrInUse => (
            format!("another server listens on {address} already"),
            "`--listen 127.0.0.1:0` takes a free port; `stepwell doctor` looks further",
        ),
        ErrorKind::PermissionDenied => {
            (format!("this user may not listen on {address}"), "ports from 1024 on are free to all")
        }
        _ => (
            format!("{address} is no address to listen on here"),
            "write HOST:PORT, such as 127.0.0.1:4566, localhost:4566 or [::1]:4566",
        ),
    };
    hint(anyhow::Error::new(err).context(what), advice)
}
