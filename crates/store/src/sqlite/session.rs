//! The writer's connection.

use rusqlite::{Connection, params};

use super::rows::{Rows, append, delete, integer, put};
use crate::{Commit, Error, Read, Table, Transaction, Verdict, Work, Write, writer};

/// A connection that only the writer has.
pub(super) struct Session {
    connection: Connection,
}

impl Session {
    pub(super) fn new(connection: Connection) -> Session {
        Session { connection }
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

impl writer::Session for Session {
    fn begin(&mut self) -> Result<(), Error> {
        self.execute("BEGIN IMMEDIATE")
    }

    fn run(&mut self, work: Work) -> Result<(), Error> {
        self.execute("SAVEPOINT job")?;
        let run = |tx: &mut dyn Transaction| work(tx);
        let verdict = writer::guarded(|| run(&mut Rows::new(&self.connection)));
        if verdict != Verdict::Keep {
            self.execute("ROLLBACK TO job")?;
        }
        self.execute("RELEASE job")
    }

    fn apply(&mut self, commits: Vec<Commit>) -> Result<Vec<Result<(), Error>>, Error> {
        let connection = &self.connection;
        let answers = vec![Ok(()); commits.len()];
        for Commit { shard, entry, writes, truncate, .. } in commits {
            for write in writes {
                match write {
                    Write::Put(table, key, bytes) => put(connection, table, &key, bytes)?,
                    Write::Delete(table, key) => drop(delete(connection, table, &key)?),
                }
            }
            if let Some((lsn, bytes)) = entry {
                append(connection, shard, lsn, &bytes)?;
            }
            if let Some(upto) = truncate {
                connection
                    .prepare_cached("DELETE FROM journal WHERE shard = ?1 AND lsn <= ?2")?
                    .execute(params![shard, integer(upto)])?;
            }
        }
        Ok(answers)
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.execute("COMMIT")
    }

    fn get(&mut self, table: Table, key: &str) -> Option<Result<Option<Vec<u8>>, Error>> {
        Some(Rows::new(&self.connection).get(table, key))
    }

    fn give_up(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}
