//! The store in a PostgreSQL database, which any number of nodes share.
//!
//! What shards do goes over one connection, as one statement for all that waits; changes of the
//! control plane go over another, one transaction at a time over all nodes; readers have a pool.
//! Nothing here needs sequences, advisory locks or notifications, so that databases which speak
//! PostgreSQL's language can stand in for it.

mod connection;
mod generation;
mod group;
mod keys;
mod leases;
mod line;
mod pool;
mod rows;
mod schema;
mod session;

use std::sync::Arc;
use std::time::Instant;

use crate::writer::{WhoWrites, Writer};
use crate::{Backend, Claim, Commit, Done, Error, Figures, Job, Leases, PostgresUrl, Read, Table};
use connection::Connection;
use generation::Generation;
use leases::Turns;
use line::Line;
use pool::Pool;
use rows::{Question, Rows, Snapshot, column};
use session::{Commits, Control};

pub(crate) struct Postgres {
    control: Writer,
    commits: Writer,
    turns: Turns,
    pool: Pool,
    generation: Arc<Generation>,
    figures: Arc<Figures>,
}

impl Postgres {
    pub(crate) fn connect(url: &PostgresUrl) -> Result<Postgres, Error> {
        let config = connection::config(url)?;
        schema::to_current(&config)?;
        let figures = Arc::new(Figures::default());
        let (line, place) = (|| Line::new(config.clone()), || url.to_string());
        // A connection drives a runtime of its own, which a thread of another one must not do.
        let who = WhoWrites::TheThread;
        let generation = Arc::new(Generation::default());
        let control = Control::new(line(), generation.clone());
        let commits = Commits::new(line(), generation.clone());
        Ok(Postgres {
            control: Writer::start(control, who, place(), figures.clone())?,
            commits: Writer::start(commits, who, place(), figures.clone())?,
            turns: Turns::new(line()),
            pool: Pool::new(config),
            generation,
            figures,
        })
    }
}

/// Returns what answers at the URL, and changes nothing there.
pub(crate) fn version(url: &PostgresUrl) -> Result<String, Error> {
    let mut connection = Connection::open(&connection::config(url)?)?;
    let rows = connection.query("SELECT version()", &[])?;
    rows.first().map_or(Ok(String::new()), |row| column(row, 0))
}

impl Backend for Postgres {
    fn submit(&self, job: Job) {
        self.control.submit(job);
    }

    fn commit(&self, commit: Commit, done: Done) {
        self.commits.commit(commit, done);
    }

    /// The first question gives the thread's other tasks away, which costs more than the answer:
    /// whoever finds everything in memory asks none.
    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        work(&Rows(Snapshot::new(&self.pool)));
        Ok(())
    }

    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Rows(Question::new(&self.pool)).get(table, key)
    }

    fn present(&self, table: Table, keys: &[&str]) -> Result<Vec<bool>, Error> {
        Rows(Question::new(&self.pool)).present(table, keys)
    }

    fn lease(&self, claim: &Claim) -> Result<Leases, Error> {
        self.turns.take(claim)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn generation(&self) -> Option<u64> {
        self.generation.at(Instant::now())
    }

    fn figures(&self) -> &Figures {
        &self.figures
    }

    fn reset(&self) -> Result<(), Error> {
        self.generation.forget();
        let outcome = self.turns.reset();
        self.generation.forget();
        outcome
    }
}
