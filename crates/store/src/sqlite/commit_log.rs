//! The commit log: every commit is one record at the end of a file, and one sync.
//!
//! There are two files, written by turns: while one is written to, what stands in the other is
//! carried to the tables; then it may be written anew from its beginning. They are filled with
//! zeros beforehand, for a sync of a file that grows costs twice as much. Which records still count
//! is known from their numbers: those behind the [`Position`] that the tables know.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::log_record::{self, ALIGN_BYTES, Finished, Operation, Record};
use crate::{Error, key};

/// The files.
const FILES: [&str; 2] = ["commits-a.log", "commits-b.log"];
/// Bytes of a file. This bounds what is not yet in the tables, and with it the time that a start
/// takes after a crash, and memory; much more than a processor's cache costs more than it saves.
const FILE_BYTES: usize = 1024 * 1024;

/// As much of a file as is filled with zeros at once.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// What the tables know of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// The last record that they have.
    pub(super) number: u64,
    /// What the checksums of the records begin with.
    pub(super) salt: u32,
}

/// One of the files.
struct Part {
    file: File,
    place: PathBuf,
    bytes: usize,
}

impl Part {
    fn failed(&self, what: &str, err: &std::io::Error) -> Error {
        Error::Backend(format!("cannot {what} `{}`: {err}", self.place.display()))
    }

    fn open(place: PathBuf) -> Result<Part, Error> {
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        let opened = options.open(&place).and_then(|file| {
            let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            Ok((file, bytes))
        });
        let (file, bytes) = opened.map_err(|err| {
            Error::Backend(format!("cannot open the commit log `{}`: {err}", place.display()))
        })?;
        let mut part = Part { file, place, bytes };
        part.fill()?;
        Ok(part)
    }

    /// Fills a new file with zeros.
    fn fill(&mut self) -> Result<(), Error> {
        if self.bytes < FILE_BYTES {
            self.zero(self.bytes..FILE_BYTES).map_err(|err| self.failed("make room in", &err))?;
            self.bytes = FILE_BYTES;
        }
        Ok(())
    }

    fn zero(&self, range: Range<usize>) -> std::io::Result<()> {
        for at in range.clone().step_by(ZEROS.len()) {
            let zeros = ZEROS.get(..range.end - at).unwrap_or(&ZEROS);
            self.file.write_all_at(zeros, at as u64)?;
        }
        self.file.sync_all()
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    /// It is on disk.
    Kept,
    /// It would be the first of the other file.
    Full,
    /// No file has room for it.
    TooLarge,
}

/// The log of a directory that this process has to itself.
pub(super) struct CommitLog {
    parts: [Part; 2],
    /// Which of the two is written to.
    is_second: bool,
    /// Where in it the next record begins.
    at: usize,
    /// The number of the next record.
    next: u64,
    salt: u32,
    /// Whether records must not be written: those that a start has found may be in no table yet,
    /// one that nobody was promised may stand behind the end, or a commit that went past the log
    /// may have failed.
    is_in_doubt: bool,
}

impl CommitLog {
    /// Opens the log, whose records up to `last` have been seen. As long as they may be the only
    /// place where something stands, nothing may be written over them.
    pub(super) fn open(
        directory: &Path,
        last: u64,
        salt: u32,
        has_records: bool,
    ) -> Result<CommitLog, Error> {
        let [first, second] = FILES.map(|file| Part::open(directory.join(file)));
        let log = CommitLog {
            parts: [first?, second?],
            is_second: false,
            at: 0,
            next: last + 1,
            salt,
            is_in_doubt: has_records,
        };
        key::sync_folder(&directory.join(FILES[0])).map_err(|err| {
            Error::Backend(format!("cannot sync the directory `{}`: {err}", directory.display()))
        })?;
        Ok(log)
    }

    fn part(&self) -> &Part {
        let [first, second] = &self.parts;
        if self.is_second { second } else { first }
    }

    /// Returns the number of the next record.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Returns the number of a commit that goes past the log. Until it has, as
    /// [`CommitLog::settled`] says, no record may follow: a start would miss the one of this
    /// number.
    pub(super) fn take_number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.is_in_doubt = true;
        number
    }

    /// Returns a record under the next number.
    ///
    /// # Errors
    /// When it is too long for any file.
    pub(super) fn finish(&self, record: Record) -> Result<Finished, Error> {
        record.finish(self.next, self.salt)
    }

    /// Returns whether what comes next must not go into the log, but past it. Once it has, the
    /// tables know a number behind all that may stand in the log.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    /// Appends a record, if it fits, and returns when it is on disk.
    ///
    /// # Errors
    /// When the disk failed; then the log is in doubt.
    pub(super) fn append(&mut self, record: &[u8]) -> Result<Appended, Error> {
        let part = self.part();
        if part.bytes < record.len() {
            return Ok(Appended::TooLarge);
        }
        if part.bytes - self.at < record.len() {
            return Ok(Appended::Full);
        }
        let written = part.file.write_all_at(record, self.at as u64);
        match written.and_then(|()| part.file.sync_data()) {
            Ok(()) => {
                self.at += record.len();
                self.next += 1;
                Ok(Appended::Kept)
            }
            Err(err) => {
                let err = part.failed("write to", &err);
                self.is_in_doubt = true;
                self.next += 1;
                Err(err)
            }
        }
    }

    /// Goes on at the beginning of the other file, all of which is in the tables.
    pub(super) fn switch(&mut self) {
        self.is_second = !self.is_second;
        self.at = 0;
    }

    /// Begins anew, for everything is in the tables: those know a number behind the last record.
    pub(super) fn settled(&mut self) {
        self.at = 0;
        self.is_in_doubt = false;
    }

    /// Makes the disk fail from now on, as far as the file that is written to goes.
    #[cfg(test)]
    pub(super) fn break_disk(&mut self) {
        let [first, second] = &mut self.parts;
        let part = if self.is_second { second } else { first };
        part.file = File::open(&part.place).unwrap();
    }

    /// Leaves nothing of the records in the files; everything is in the tables.
    ///
    /// # Errors
    /// When the disk failed.
    pub(super) fn blank(&mut self) -> Result<(), Error> {
        for part in &self.parts {
            part.zero(0..part.bytes).map_err(|err| part.failed("blank", &err))?;
        }
        self.settled();
        Ok(())
    }
}

/// What was found in a directory's log.
#[derive(Default)]
pub(super) struct Contents {
    /// Records, one behind the other: the number of each, and what it does.
    pub(super) records: Vec<(u64, Vec<Operation>)>,
    /// Whether the beginning of another was found that is not whole.
    pub(super) is_torn: bool,
}

impl Contents {
    /// Returns the number of the last record.
    pub(super) fn last(&self) -> Option<u64> {
        self.records.last().map(|(number, _)| *number)
    }
}

/// Reads the records in a directory's log that are not in the tables.
///
/// # Errors
/// [`Error::Corrupt`] when one is missing or damaged that others came after: those were promised.
pub(super) fn read(directory: &Path, position: Position) -> Result<Contents, Error> {
    let mut parts = Vec::new();
    for file in FILES {
        let place = directory.join(file);
        let bytes = match std::fs::read(&place) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == ErrorKind::NotFound => continue,
            Err(err) => {
                return Err(Error::Backend(format!("cannot read `{}`: {err}", place.display())));
            }
        };
        parts.push((read_part(&bytes, position, &place)?, place));
    }
    parts.sort_by_key(|(part, _)| part.records.first().map(|(number, _)| *number));
    let mut contents = Contents::default();
    let mut expected = position.number;
    for (part, place) in parts {
        contents.is_torn |= part.is_torn;
        for (number, operations) in part.records {
            expected += 1;
            if number != expected {
                return Err(Error::Corrupt {
                    place: place.display().to_string(),
                    what: format!(
                        "commit {number} is there, and {expected} that came before it is not. \
                         `stepwell restore` brings a backup back; to go on without what came \
                         later, move this file away"
                    ),
                });
            }
            contents.records.push((number, operations));
        }
    }
    Ok(contents)
}

fn read_part(bytes: &[u8], position: Position, place: &Path) -> Result<Contents, Error> {
    let Position { number: carried, salt } = position;
    let mut contents = Contents::default();
    let (mut at, mut last) = (0, None);
    while let Some(found) = log_record::find(bytes.get(at..).unwrap_or_default(), salt) {
        // What lies behind the end is of an earlier round.
        if last.is_some_and(|last| last + 1 != found.number) {
            break;
        }
        if carried < found.number {
            contents.records.push((found.number, log_record::read(found.operations)?));
        }
        last = Some(found.number);
        at += found.bytes;
    }
    let known = last.unwrap_or(0).max(carried);
    let rest = bytes.get(at..).unwrap_or_default();
    contents.is_torn = log_record::is_begun(rest, salt, known + 1);
    let later = (0..rest.len()).step_by(ALIGN_BYTES).find_map(|ahead| {
        let found = log_record::find(rest.get(ahead..)?, salt)?;
        (known < found.number).then_some(found.number)
    });
    let Some(later) = later else { return Ok(contents) };
    Err(Error::Corrupt {
        place: format!("{} at byte {at}", place.display()),
        what: format!(
            "a commit does not have the bytes that were written, and commit {later} came after it. \
             `stepwell restore` brings a backup back; to go on with what came before, cut the file \
             there (`truncate -s {at}`)"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u32 = 77;

    fn position(number: u64) -> Position {
        Position { number, salt: SALT }
    }

    fn log(directory: &Path, last: u64) -> CommitLog {
        CommitLog::open(directory, last, SALT, false).unwrap()
    }

    fn operation(number: u64) -> Operation {
        Operation::Entry(1, number, format!("entry {number}").into_bytes())
    }

    fn append(log: &mut CommitLog, count: u64) {
        for _ in 0..count {
            let mut record = Record::new();
            record.push(&operation(log.next())).unwrap();
            let record = log.finish(record).unwrap();
            assert_eq!(log.append(record.bytes()).unwrap(), Appended::Kept);
        }
    }

    fn expect(contents: &Contents, numbers: std::ops::RangeInclusive<u64>) {
        let expected: Vec<_> = numbers.map(|number| (number, vec![operation(number)])).collect();
        assert_eq!(contents.records, expected);
    }

    #[test]
    fn what_is_in_the_tables_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = log(directory.path(), 0);
        append(&mut log, 5);
        expect(&read(directory.path(), position(0)).unwrap(), 1..=5);
        expect(&read(directory.path(), position(3)).unwrap(), 4..=5);
        log.switch();
        append(&mut log, 2);
        expect(&read(directory.path(), position(0)).unwrap(), 1..=7);
        log.switch();
        // Three of the first round lie behind these.
        append(&mut log, 2);
        expect(&read(directory.path(), position(5)).unwrap(), 6..=9);
        log.blank().unwrap();
        assert!(read(directory.path(), position(9)).unwrap().records.is_empty());
        let other = Position { number: 0, salt: SALT + 1 };
        append(&mut log, 1);
        assert!(read(directory.path(), other).unwrap().records.is_empty());
    }

    /// A changed bit in the last record is what a crash leaves; in any other it is damage.
    #[test]
    fn no_changed_bit_is_taken_for_a_commit() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = log(directory.path(), 0);
        append(&mut log, 3);
        let before = log.at;
        append(&mut log, 1);
        let (end, file) = (log.at, directory.path().join(FILES[0]));
        let whole = std::fs::read(&file).unwrap();
        for at in 0..end {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(&file, damaged).unwrap();
            match read(directory.path(), position(0)) {
                Ok(contents) if contents.records.len() == 4 => {
                    // Between records lie zeros that mean nothing.
                    expect(&contents, 1..=4);
                    assert_eq!(whole[at], 0);
                }
                Ok(contents) => {
                    assert!(before <= at, "byte {at}");
                    expect(&contents, 1..=3);
                    assert!(contents.is_torn || at < before + 16, "byte {at}");
                }
                Err(Error::Corrupt { place, what }) => {
                    assert!(at < before, "byte {at}");
                    assert!(place.contains(FILES[0]) && what.contains("truncate -s"), "{what}");
                }
                Err(err) => panic!("{err}"),
            }
        }
    }

    #[test]
    fn a_lost_file_is_noticed_when_later_commits_are_there() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = log(directory.path(), 0);
        append(&mut log, 2);
        log.switch();
        append(&mut log, 2);
        std::fs::remove_file(directory.path().join(FILES[0])).unwrap();
        let refused = read(directory.path(), position(0)).err().unwrap().to_string();
        assert!(refused.contains(FILES[1]) && refused.contains("commit 3"), "{refused}");
        expect(&read(directory.path(), position(2)).unwrap(), 3..=4);
    }

    #[test]
    fn a_disk_that_fails_leaves_the_log_in_doubt() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = log(directory.path(), 0);
        append(&mut log, 1);
        log.break_disk();
        let mut record = Record::new();
        record.push(&operation(2)).unwrap();
        let record = log.finish(record).unwrap();
        let refused = log.append(record.bytes()).unwrap_err().to_string();
        assert!(refused.contains(FILES[0]), "{refused}");
        assert!(log.is_in_doubt());
        // What may come back has a number that is not given again.
        assert_eq!(log.take_number(), 3);
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = log(directory.path(), 0);
        let record = |log: &CommitLog, bytes| {
            let mut record = Record::new();
            record.push(&Operation::Entry(1, 1, vec![1; bytes])).unwrap();
            log.finish(record).unwrap()
        };
        let half = record(&log, FILE_BYTES / 2);
        assert_eq!(log.append(half.bytes()).unwrap(), Appended::Kept);
        assert_eq!(log.append(half.bytes()).unwrap(), Appended::Full);
        let whole = record(&log, FILE_BYTES);
        assert_eq!(log.append(whole.bytes()).unwrap(), Appended::TooLarge);
        assert_eq!((log.next(), log.part().bytes), (2, FILE_BYTES));
    }
}
