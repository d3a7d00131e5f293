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
