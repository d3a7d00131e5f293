//! Whether everything in a directory is as it was written: the commit log, SQLite's pages, every
//! row and every journal entry, and whether each row is found by its key.
//!
//! Only reads, on one snapshot, so that a server may work on the directory meanwhile; needs no key,
//! for what is sealed has its checksum outside of the seal.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::ahead::position;
use super::commit_log::{self, Contents};
use super::disk::Directory;
use super::log_record::Operation;
use super::rows::Rows;
use super::snapshot::LOOKS_MAX;
use super::{Onlooker, migrate};
use crate::{Error, Lsn, Read, SHARDS, Table, frame};

/// How many findings are told; of a file that has lost its middle there would be as many as rows.
pub const FINDINGS_MAX: usize = 100;
/// After how many rows whoever watches hears of it.
const SEEN_EVERY: u64 = 1_024;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// File, table and key, or journal position.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Rows of the tables.
    pub rows: u64,
    /// Journal entries of the tables.
    pub entries: u64,
    /// Commits that stand in the commit log only.
    pub commits: u64,
    /// Whether the log ends in a commit that is not whole, as a power cut leaves it.
    pub is_torn: bool,
    /// What is damaged; at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
}

impl Checked {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { place: place.into(), what: what.into() });
        }
    }

    /// Takes what a look ended with: damage is what was looked for, anything else ends all.
    fn outcome(&mut self, place: &str, outcome: Result<(), Error>) -> Result<(), Error> {
        match outcome {
            Err(Error::Corrupt { what, .. }) => self.find(place, what),
            outcome => outcome?,
        }
        Ok(())
    }
}

/// Looks at everything in a directory; `seen` hears now and then how far that is.
///
/// # Errors
/// When there is no store of this format, or it cannot be read; damage is no error.
pub fn check(directory: &Path, mut seen: impl FnMut(&Checked)) -> Result<Checked, Error> {
    let onlooker = Onlooker::open(directory)?;
    let connection = onlooker.readers.take()?;
    let has_log = migrate::expect_readable(&connection)?;
    let mut checked = Checked::default();
    let contents = begin(&connection, directory, has_log, &mut checked)?;
    checked.commits = contents.records.len() as u64;
    checked.is_torn = contents.is_torn;
    let pages = pages(&connection, &mut checked);
    checked.outcome(super::FILE, pages)?;
    for table in Rows::new(&connection).tables()? {
        let outcome = rows(&connection, table, &mut checked, &mut seen);
        checked.outcome(table.name(), outcome)?;
    }
    let mut last = [None; SHARDS as usize];
    let outcome = journal(&connection, &mut last, &mut checked, &mut seen);
    checked.outcome("journal", outcome)?;
    for (_, operations) in &contents.records {
        for operation in operations {
            if let Operation::Entry(shard, lsn, _) = operation {
                follow(&mut last, *shard, *lsn, &mut checked);
            }
        }
    }
    connection.execute("COMMIT", [])?;
    Ok(checked)
}

/// Begins a snapshot of the tables, and reads what stands in the log behind it. A server may be
/// writing there, which looks like damage for a moment.
fn begin(
    connection: &Connection,
    directory: &Path,
    has_log: bool,
    checked: &mut Checked,
) -> Result<Contents, Error> {
    let (mut tries, pause) = LOOKS_MAX;
    loop {
        connection.execute("BEGIN", [])?;
        if !has_log {
            return Ok(Contents::default());
        }
        let position = position(connection)?;
        match commit_log::read(&Directory::new(directory), position) {
            Err(Error::Corrupt { .. }) if 0 < tries => {
                tries -= 1;
                connection.execute("COMMIT", [])?;
                std::thread::sleep(pause);
            }
            Err(Error::Corrupt { place, what }) => {
                checked.find(place, what);
                return Ok(Contents::default());
            }
            contents => return contents,
        }
    }
}

/// Lets SQLite look at its pages: their order, what refers to them, what is in none.
fn pages(connection: &Connection, checked: &mut Checked) -> Result<(), Error> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS_MAX})"))?;
    let mut lines = statement.query([])?;
    while let Some(line) = lines.next()? {
        let line: String = line.get(0)?;
        if line != "ok" {
            checked.find(super::FILE, line);
        }
    }
    Ok(())
}

/// Looks at every row of a table: its checksum, and whether it is found by its key.
fn rows(
    connection: &Connection,
    table: Table,
    checked: &mut Checked,
    seen: &mut impl FnMut(&Checked),
) -> Result<(), Error> {
    let name = table.name();
    let mut statement =
        connection.prepare(&format!("SELECT key, value FROM {name} ORDER BY key"))?;
    let find = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE key = ?1)");
    let mut find = connection.prepare(&find)?;
    let mut found = statement.query([])?;
    let mut before: Option<String> = None;
    while let Some(row) = found.next()? {
        checked.rows += 1;
        if checked.rows.is_multiple_of(SEEN_EVERY) {
            seen(checked);
        }
        let Ok((key, value)) = key_and_value(row) else {
            let before = before.as_deref().unwrap_or("the beginning");
            checked.find(format!("{name}, behind {before}"), "a row whose key is no text");
            continue;
        };
        if before.as_ref().is_some_and(|before| key <= *before) {
            checked.find(format!("{name}/{key}"), "the row is not where its key belongs");
        }
        if let Err(Error::Corrupt { place, what }) = frame::open(table, &key, value) {
            checked.find(place, what);
        }
        if !find.query_row([&key], |row| row.get(0))? {
            checked.find(format!("{name}/{key}"), "the row is not found by its key");
        }
        before = Some(key);
    }
    Ok(())
}

fn key_and_value(row: &Row<'_>) -> rusqlite::Result<(String, Vec<u8>)> {
    Ok((row.get(0)?, row.get(1)?))
}

/// Looks at every journal entry: its checksum, and whether it follows the one before.
fn journal(
    connection: &Connection,
    last: &mut [Option<Lsn>],
    checked: &mut Checked,
    seen: &mut impl FnMut(&Checked),
) -> Result<(), Error> {
    let mut statement =
        connection.prepare("SELECT shard, lsn, crc, bytes FROM journal ORDER BY shard, lsn")?;
    let mut entries = statement.query([])?;
    while let Some(entry) = entries.next()? {
        checked.entries += 1;
        if checked.entries.is_multiple_of(SEEN_EVERY) {
            seen(checked);
        }
        let (shard, lsn): (u32, i64) = (entry.get(0)?, entry.get(1)?);
        let lsn = Lsn::try_from(lsn).unwrap_or(0);
        let (crc, bytes): (u32, Vec<u8>) = (entry.get(2)?, entry.get(3)?);
        if crc32fast::hash(&bytes) != crc {
            checked.find(format!("journal {shard}/{lsn}"), "the checksum does not hold");
        }
        follow(last, shard, lsn, checked);
    }
    Ok(())
}

/// Looks whether an entry follows upon the last of its shard.
fn follow(last: &mut [Option<Lsn>], shard: u32, lsn: Lsn, checked: &mut Checked) {
    let place = format!("journal {shard}/{lsn}");
    let Some(last) = last.get_mut(shard as usize) else {
        return checked.find(place, "there is no such shard");
    };
    if let Some(before) = last.replace(lsn).filter(|before| before + 1 != lsn) {
        checked.find(place, format!("it follows upon {before}"));
    }
}
