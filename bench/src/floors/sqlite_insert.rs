//! SQLite at best: appending rows, 64 to a commit, every commit on the disk.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use rusqlite::Connection;

use crate::statistics::{percentile, sorted};

const ROWS_PER_COMMIT: usize = 64;
const ROW_BYTES: usize = 256;

/// Returns rows per second, and the p50 of a commit in microseconds.
pub(super) fn measure(folder: &Path, seconds: f64) -> Result<(f64, f64)> {
    let mut connection = Connection::open(folder.join("sqlite.floor"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, body BLOB NOT NULL)", [])?;
    let body = [7_u8; ROW_BYTES];
    let mut commits_us = Vec::new();
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < seconds {
        let before = Instant::now();
        let tx = connection.transaction()?;
        {
            let mut insert = tx.prepare_cached("INSERT INTO log (body) VALUES (?1)")?;
            for _ in 0..ROWS_PER_COMMIT {
                insert.execute([body.as_slice()])?;
            }
        }
        tx.commit()?;
        commits_us.push(before.elapsed().as_secs_f64() * 1e6);
    }
    let rows = (commits_us.len() * ROWS_PER_COMMIT) as f64;
    let per_second = rows / started.elapsed().as_secs_f64();
    Ok((per_second, percentile(&sorted(commits_us), 50)))
}
