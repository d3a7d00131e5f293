//! What a crash or a bad disk left of the write-ahead log.
//!
//! SQLite takes every whole commit at the beginning of the log and leaves out the rest, silently.
//! After a power cut the rest was never acknowledged; on a bad disk it may have been. Nobody can
//! tell the two apart afterwards, so it is said.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rusqlite::Connection;

use crate::Error;

/// Bytes of the log's header (SQLite, "WAL File Format").
const HEADER_BYTES: usize = 32;
/// Bytes of the header of each frame.
const FRAME_HEADER_BYTES: u64 = 24;

/// Carries the log into the database, and returns how many of its frames were left out although
/// they belong to it.
///
/// # Errors
/// When the log cannot be carried over.
pub(super) fn settle(connection: &Connection, log: &Path) -> Result<u64, Error> {
    let taken: i64 =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
    // A log that cannot be looked at has been read by SQLite all the same.
    let written = frames_of_this_log(log).unwrap_or(0);
    Ok(written.saturating_sub(u64::try_from(taken).unwrap_or(0)))
}

/// Returns how many frames in a row carry the salt of the log's header.
fn frames_of_this_log(log: &Path) -> std::io::Result<u64> {
    let mut file = File::open(log)?;
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header)?;
    let [_, _, _, _, _, _, _, _, a, b, c, d, _, _, _, _, salt @ ..] = header;
    let salt = salt.get(..8).unwrap_or_default();
    let frame_bytes = FRAME_HEADER_BYTES + u64::from(u32::from_be_bytes([a, b, c, d]));
    let mut frames = 0;
    loop {
        file.seek(SeekFrom::Start(HEADER_BYTES as u64 + frames * frame_bytes))?;
        let mut frame = [0; 16];
        match file.read_exact(&mut frame) {
            Ok(()) if frame.get(8..) == Some(salt) => frames += 1,
            // Frames of an earlier round of the log lie behind, and the end of the file.
            Ok(()) | Err(_) => return Ok(frames),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sqlite::{READER_CACHE_KIB, migrate, tune};

    const COMMITS: usize = 5;

    fn table() -> &'static str {
        crate::Table::ALL[0].name()
    }

    /// Makes a database whose commits are in its log only, as a kill leaves it.
    fn killed(folder: &Path) {
        let mut connection = Connection::open(folder.join("live")).unwrap();
        tune(&connection, READER_CACHE_KIB).unwrap();
        migrate::to_current(&mut connection).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        for number in 0..COMMITS {
            let row = format!("INSERT INTO {} VALUES ('{number}', x'00')", table());
            connection.execute(&row, []).unwrap();
        }
        fs::copy(folder.join("live"), folder.join("db")).unwrap();
        fs::copy(folder.join("live-wal"), folder.join("db-wal")).unwrap();
    }

    #[test]
    fn what_was_left_out_is_counted_and_opening_writes_nothing_over_it() {
        let folder = tempfile::tempdir().unwrap();
        killed(folder.path());
        let log = folder.path().join("db-wal");
        let whole = fs::read(&log).unwrap();
        let frame = whole.len() - HEADER_BYTES;
        assert_eq!(frame % COMMITS, 0, "{frame}: every commit is one page");
        let frame = frame / COMMITS;
        // In the page of the third, behind the frame's own header.
        let third = HEADER_BYTES + 2 * frame + frame / 2;
        for (damage, left_out) in [(third..third + 8, 3), (third..whole.len(), 1)] {
            let mut bytes = whole.clone();
            bytes[damage].fill(7);
            fs::write(&log, bytes).unwrap();
            let mut connection = Connection::open(folder.path().join("db")).unwrap();
            tune(&connection, READER_CACHE_KIB).unwrap();
            migrate::to_current(&mut connection).unwrap();
            assert_eq!(settle(&connection, &log).unwrap(), left_out);
            let rows = format!("SELECT count(*) FROM {}", table());
            let kept: i64 = connection.query_row(&rows, [], |row| row.get(0)).unwrap();
            assert_eq!(kept, 2);
            drop(connection);
            fs::copy(folder.path().join("live"), folder.path().join("db")).unwrap();
        }
    }
}
