//! A connection that is made again when it has broken.

use std::time::{Duration, Instant};

use tokio_postgres::Config;

use super::connection::{Connection, blocking};
use crate::Error;

/// How long to wait before another attempt to connect, in milliseconds.
const AGAIN_MILLIS: u64 = 100;

pub(super) struct Line {
    config: Config,
    connection: Option<Connection>,
    /// When connecting was last tried.
    tried: Option<Instant>,
}

impl Line {
    pub(super) fn new(config: Config) -> Line {
        Line { config, connection: None, tried: None }
    }

    /// Returns the connection, as alive as one can know without asking something.
    ///
    /// # Errors
    /// When there is none and the server takes no new one.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, Error> {
        let kept = self.connection.take().and_then(|mut kept| kept.is_alive().then_some(kept));
        let connection = match kept {
            Some(kept) => kept,
            None => self.connect()?,
        };
        Ok(self.connection.insert(connection))
    }

    fn connect(&mut self) -> Result<Connection, Error> {
        if let Some(tried) = self.tried {
            let again = tried + Duration::from_millis(AGAIN_MILLIS);
            blocking(|| std::thread::sleep(again.saturating_duration_since(Instant::now())));
        }
        self.tried = Some(Instant::now());
        Connection::open(&self.config)
    }

    /// Returns the connection as it is, if there is one.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn at_hand(&mut self) -> Result<&mut Connection, Error> {
        self.connection.as_mut().ok_or(Error::Closed)
    }

    /// Ends whatever the connection is doing; a connection that cannot do even that is dropped.
    pub(super) fn give_up(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && !connection.is_broken()
            && connection.batch("ROLLBACK").is_ok()
        {
            self.connection = Some(connection);
        }
    }
}
