//! Connections for readers: a few, shared by everybody who reads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::Config;

use super::connection::Connection;
use crate::Error;

/// How many connections there are at most.
const CONNECTIONS_MAX: usize = 8;
/// How long a reader waits for one, in seconds.
const WAIT_SECONDS_MAX: u64 = 10;

pub(super) struct Pool {
    config: Config,
    connections: Mutex<Connections>,
    given_back: Condvar,
}

#[derive(Default)]
struct Connections {
    idle: Vec<Connection>,
    /// How many are idle or out.
    open: usize,
}

impl Pool {
    pub(super) fn new(config: Config) -> Pool {
        Pool { config, connections: Mutex::default(), given_back: Condvar::new() }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a connection, which may turn out to be dead; waits for one if all are out.
    ///
    /// # Errors
    /// When none comes back in time, or the server takes no new one.
    pub(super) fn take(&self) -> Result<Connection, Error> {
        let until = Instant::now() + Duration::from_secs(WAIT_SECONDS_MAX);
        let mut connections = self.connections();
        loop {
            if let Some(connection) = connections.idle.pop() {
                return Ok(connection);
            }
            if connections.open < CONNECTIONS_MAX {
                connections.open += 1;
                drop(connections);
                return self.connect();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Backend(format!(
                    "all {CONNECTIONS_MAX} connections for reading were busy for \
                     {WAIT_SECONDS_MAX} s"
                )));
            }
            let waited = self.given_back.wait_timeout(connections, left);
            connections = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns a new connection in place of a dead one. Others that are idle have died with it.
    pub(super) fn replace(&self, dead: Connection) -> Result<Connection, Error> {
        drop(dead);
        let mut connections = self.connections();
        let idle = std::mem::take(&mut connections.idle);
        connections.open -= idle.len();
        drop(connections);
        drop(idle);
        self.connect()
    }

    /// Takes a connection back; one that is broken is dropped.
    pub(super) fn give_back(&self, connection: Connection) {
        let mut connections = self.connections();
        if connection.is_broken() {
            connections.open -= 1;
        } else {
            connections.idle.push(connection);
        }
        drop(connections);
        self.given_back.notify_one();
    }

    /// Opens a connection that is counted already.
    fn connect(&self) -> Result<Connection, Error> {
        Connection::open(&self.config).inspect_err(|_| {
            self.connections().open -= 1;
            self.given_back.notify_one();
        })
    }
}
