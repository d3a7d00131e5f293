//! One connection, used by one thread at a time.
//!
//! The client is asynchronous and the store is not: each connection has a small runtime of its own,
//! on the stack of whoever asks. So questions can travel together: see [`Connection::query_behind`]
//! and [`Connection::post`].

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use crate::{Error, PostgresUrl};

/// How long connecting may take, in seconds, for all hosts of a URL together.
const CONNECT_SECONDS_MAX: u64 = 5;
/// How long an answer may take, in seconds. The server gives up before.
const ANSWER_SECONDS_MAX: u64 = 30;
/// What every connection asks of its server. What a server does not know is left out.
///
/// The statements are written for one plan, which the planner of a young table would not find.
/// A node that falls silent within a transaction must not keep its locks, nor wait for others'
/// without end.
const SETTINGS: [&str; 9] = [
    "SET jit = off",
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET idle_in_transaction_session_timeout = 5000",
    "SET lock_timeout = 10000",
    "SET statement_timeout = 25000",
];
/// Acknowledged means durable, whatever the server's default is. Stronger settings are kept.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                       WHERE current_setting('synchronous_commit') = 'off'";

/// What shards do is one statement that writes to a table in two places, which CockroachDB refuses
/// unless it is told that no row is written twice (as `group` sees to). Nobody else is asked: an
/// unknown setting would be an error in the server's log for each connection.
const TWO_PLACES: &str = "SELECT set_config('enable_multiple_modifications_of_table', 'on', false) \
                          WHERE version() LIKE 'CockroachDB%'";

/// A value of a statement.
pub(super) type Param<'p> = &'p (dyn ToSql + Sync);

pub(super) struct Connection {
    client: Client,
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    statements: HashMap<&'static str, Statement>,
    broken: bool,
}

/// Returns what connecting needs.
///
/// # Errors
/// When the URL cannot be read, or asks for what is not there.
pub(super) fn config(url: &PostgresUrl) -> Result<Config, Error> {
    let parsed: Result<Config, _> = url.secret().parse();
    let mut config = parsed.map_err(|err| Error::Backend(format!("{url}: {}", told(&err))))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(Error::Backend(format!(
            "{url}: `sslmode=require` cannot be had, this build has no TLS for PostgreSQL; use a \
             local socket, a private network or a tunnel"
        )));
    }
    if config.get_application_name().is_none() {
        config.application_name("stepwell");
    }
    config.ssl_mode(SslMode::Disable);
    config.connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX));
    config.tcp_user_timeout(Duration::from_secs(ANSWER_SECONDS_MAX));
    if 1 < config.get_hosts().len() {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    Ok(config)
}

impl Connection {
    pub(super) fn open(config: &Config) -> Result<Connection, Error> {
        blocking(|| {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|err| Error::Backend(format!("cannot prepare a connection: {err}")))?;
            let client = runtime.block_on(async {
                let all = Duration::from_secs(CONNECT_SECONDS_MAX);
                match tokio::time::timeout(all, connect(config)).await {
                    Ok(outcome) => outcome.map_err(|err| Error::Backend(told(&err))),
                    Err(_) => Err(Error::Backend(format!(
                        "PostgreSQL took no connection within {CONNECT_SECONDS_MAX} s"
                    ))),
                }
            });
            match client {
                Ok(client) => Ok(Connection {
                    client,
                    runtime: Some(runtime),
                    statements: HashMap::new(),
                    broken: false,
                }),
                Err(err) => {
                    runtime.shutdown_background();
                    Err(err)
                }
            }
        })
    }

    /// Returns whether the connection is beyond repair.
    pub(super) fn is_broken(&self) -> bool {
        self.broken || self.client.is_closed()
    }

    /// Looks whether the server has ended the connection meanwhile.
    pub(super) fn is_alive(&mut self) -> bool {
        if let Some(runtime) = &self.runtime {
            blocking(|| runtime.block_on(breathe()));
        }
        !self.is_broken()
    }

    /// Asks and waits for the rows.
    pub(super) fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.statement(sql)?;
        self.ask(async |client| client.query(&statement, params).await)
    }

    /// Sends a statement without parameters and, without waiting, a question behind it; waits for
    /// both.
    pub(super) fn query_behind(
        &mut self,
        first: &str,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.statement(sql)?;
        self.ask(async |client| {
            let (began, rows) = tokio::join!(
                biased;
                client.batch_execute(first),
                client.query(&statement, params),
            );
            began.and(rows)
        })
    }

    /// Runs statements without parameters and waits for their end.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.ask(async |client| client.batch_execute(sql).await)
    }

    /// Sends a statement and does not wait for its end. Within a transaction nothing is lost: one
    /// that fails makes everything behind it fail.
    pub(super) fn post(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<(), Error> {
        let statement = self.statement(sql)?;
        self.ask(async |client| sent(client.execute(&statement, params)).await)
    }

    /// As [`Connection::post`], of statements without parameters.
    pub(super) fn post_batch(&mut self, sql: &str) -> Result<(), Error> {
        self.ask(async |client| sent(client.batch_execute(sql)).await)
    }

    /// Returns the prepared statement, which each connection keeps.
    fn statement(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.ask(async |client| client.prepare(sql).await)?;
        self.statements.insert(sql, prepared.clone());
        Ok(prepared)
    }

    fn ask<T: Send>(
        &mut self,
        question: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error> + Send,
    ) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else { return Err(Error::Closed) };
        let (client, all) = (&self.client, Duration::from_secs(ANSWER_SECONDS_MAX));
        let outcome = blocking(|| {
            runtime.block_on(async { tokio::time::timeout(all, question(client)).await })
        });
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(err)) => {
                self.broken |= is_final(&err);
                Err(Error::Backend(told(&err)))
            }
            Err(_) => {
                self.broken = true;
                let what = format!("PostgreSQL did not answer within {ANSWER_SECONDS_MAX} s");
                Err(Error::Backend(what))
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The last handle may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // An error reaches whoever waits for an answer.
    tokio::spawn(async move { drop(connection.await) });
    for setting in SETTINGS.iter().chain([&DURABLE, &TWO_PLACES]) {
        if let Err(err) = client.batch_execute(setting).await {
            if is_final(&err) {
                return Err(err);
            }
            tracing::debug!(setting, error = %err, "the server does not know a setting");
        }
    }
    Ok(client)
}

/// Sends what the future sends first, and forgets the answer.
async fn sent<T>(
    question: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<(), tokio_postgres::Error> {
    let mut question = pin!(question);
    let early = poll_fn(|ctx| match question.as_mut().poll(ctx) {
        Poll::Ready(Err(err)) => Poll::Ready(Err(err)),
        Poll::Ready(Ok(_)) | Poll::Pending => Poll::Ready(Ok(())),
    });
    early.await?;
    breathe().await;
    Ok(())
}

/// Lets the connection's task read and write what it can.
async fn breathe() {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
}

/// Runs what blocks where it may: a thread that drives futures must not wait inside one.
pub(super) fn blocking<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        Ok(_) => std::thread::scope(|scope| {
            let answer = scope.spawn(work).join();
            answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        }),
        Err(_) => work(),
    }
}

/// Returns whether the connection has ended with this error.
fn is_final(err: &tokio_postgres::Error) -> bool {
    match err.as_db_error().map(tokio_postgres::error::DbError::parsed_severity) {
        Some(severity) => matches!(severity, Some(Severity::Fatal | Severity::Panic)),
        None => true,
    }
}

/// Returns an error as a text. None of them repeats a password.
pub(super) fn told(err: &tokio_postgres::Error) -> String {
    if let Some(err) = err.as_db_error() {
        return format!("PostgreSQL says: {} ({})", err.message(), err.code().code());
    }
    let mut text = format!("PostgreSQL: {err}");
    let mut cause = std::error::Error::source(err);
    while let Some(err) = cause {
        text = format!("{text}: {err}");
        cause = err.source();
    }
    text
}
