//! A whole server: store, runtime, services, listener.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use runtime::{Clock, ClockMode, Opened, Runtime};
use services::{AuthMode, Endpoint, Http, Reset, Services, Settings};
use store::Store;
use tokio::net::TcpListener;

/// Where the server keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// In memory; it forgets when it stops.
    Memory,
    /// In a directory.
    Directory(PathBuf),
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) keep: Keep,
    pub(crate) clock: ClockMode,
    pub(crate) settings: Settings,
    pub(crate) auth: AuthMode,
    pub(crate) reset: Reset,
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) services: Arc<Services>,
    pub(crate) runtime: Runtime,
}

impl Server {
    /// Opens the store, reads what was running, and starts it again.
    ///
    /// # Errors
    /// When the store cannot be opened or read.
    pub(crate) fn start(options: &Options) -> Result<Server> {
        let store = match &options.keep {
            Keep::Memory => Store::memory(),
            Keep::Directory(directory) => Store::open(directory)
                .with_context(|| format!("opening the data directory {}", directory.display()))?,
        };
        let opened = Opened::open(store, Clock::new(options.clock))?;
        let runtime = opened.handle();
        let http = Http { auth: options.auth, reset: options.reset };
        let services = Services::new(options.settings.clone(), runtime.clone(), http);
        opened.start(Arc::new(Endpoint::new(services.clone())));
        services.start();
        Ok(Server { services, runtime })
    }

    /// Answers requests until `stop` is ready, then ends in order.
    pub(crate) async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        wire::serve(listener, self.services, stop).await;
        self.runtime.stop().await;
    }
}

/// Binds the listener. Without checked credentials the server must not be reachable from outside.
///
/// # Errors
/// When the address is taken, or open to others although anyone would be root.
pub(crate) async fn bind(address: &str, auth: AuthMode) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}; is another server there already?"))?;
    let bound = listener.local_addr()?;
    if !bound.ip().is_loopback() && auth != AuthMode::Strict {
        bail!(
            "{bound} can be reached from other machines: only `--auth strict` may listen there, \
             because everybody else's requests would act as root"
        );
    }
    Ok((listener, bound))
}
