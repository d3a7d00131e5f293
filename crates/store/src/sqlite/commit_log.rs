//! The commit log: every commit is one record at the end of a file, and one sync.
//!
//! There are two files, written by turns: while one is written to, what stands in the other is
//! carried to the tables; then it may be written anew from its beginning. They are filled with
//! zeros beforehand, for a sync of a file that grows costs twice as much. Which records still count
//! is known from their numbers: those behind the [`Position`] that the tables know.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::disk::{Disk, LogFile};
use super::log_record::{self, ALIGN_BYTES, Finished, Operation, Record};
use crate::Error;
use crate::planted::{Bug, is_planted};

/// The files.
const FILES: [&str; 2] = ["commits-a.log", "commits-b.log"];

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
    file: Box<dyn LogFile>,
    place: PathBuf,
    bytes: usize,
}

impl Part {
    fn failed(&self, what: &str, err: &std::io::Error) -> Error {
        Error::Backend(format!("cannot {what} `{}`: {err}", self.place.display()))
    }

    fn open(disk: &dyn Disk, file: &str) -> Result<Part, Error> {
        let place = disk.place(file);
        let (file, bytes) = disk.open(file).map_err(|err| {
            Error::Backend(format!("cannot open the commit log `{}`: {err}", place.display()))
        })?;
        let mut part = Part { file, place, bytes };
        part.fill(disk.file_bytes())?;
        Ok(part)
    }

    /// Fills a new file with zeros.
    fn fill(&mut self, bytes: usize) -> Result<(), Error> {
        if self.bytes < bytes {
            self.zero(self.bytes..bytes).map_err(|err| self.failed("make room in", &err))?;
            self.bytes = bytes;
        }
        Ok(())
    }

    fn zero(&self, range: Range<usize>) -> std::io::Result<()> {
        for at in range.clone().step_by(ZEROS.len()) {
            let zeros = ZEROS.get(..range.end - at).unwrap_or(&ZEROS);
            self.file.write_at(zeros, at)?;
        }
        self.file.sync()
    }

    fn write(&self, bytes: &[u8], at: usize) -> std::io::Result<()> {
        self.file.write_at(bytes, at)?;
        if is_planted(Bug::LogUnsynced) { Ok(()) } else { self.file.sync() }
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
    ///
    /// # Errors
    /// When the files cannot be opened or written.
    pub(super) fn open(
        disk: &dyn Disk,
        last: u64,
        salt: u32,
        found: &[Stretch],
    ) -> Result<CommitLog, Error> {
        let [first, second] = FILES.map(|file| Part::open(disk, file));
        let log = CommitLog {
            parts: [first?, second?],
            is_second: false,
            at: 0,
            next: last + 1,
            salt,
            is_in_doubt: !found.is_empty(),
        };
        disk.sync_names().map_err(|err| {
            let place = disk.place("");
            Error::Backend(format!("cannot sync the directory `{}`: {err}", place.display()))
        })?;
        log.confirm(found)?;
        Ok(log)
    }

    /// Writes what was found again, where it stands. Whoever wrote it may have been killed before
    /// it was on disk, or have heard that it is not; then it stands in the memory of the machine
    /// only, and a sync alone need not write it. The bytes are the same, so that nothing is lost
    /// when the power goes meanwhile.
    fn confirm(&self, found: &[Stretch]) -> Result<(), Error> {
        for Stretch { file, bytes } in found {
            let part = self.parts.get(*file).filter(|_| !is_planted(Bug::LogUnconfirmed));
            let written = part.map_or(Ok(()), |part| {
                part.write(bytes, 0).map_err(|err| part.failed("write to", &err))
            });
            written?;
        }
        Ok(())
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
        match part.write(record, self.at) {
            Ok(()) => {
                self.at += record.len();
                self.next += 1;
                Ok(Appended::Kept)
            }
            Err(err) => {
                let err = part.failed("write to", &err);
                self.is_in_doubt = !is_planted(Bug::LogUndoubted);
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
        part.file = Box::new(std::fs::File::open(&part.place).unwrap());
    }

    /// Leaves nothing of the records in the files; everything is in the tables. Doubt stays: the
    /// number of a record that may have failed is in no table yet.
    ///
    /// # Errors
    /// When the disk failed.
    pub(super) fn blank(&mut self) -> Result<(), Error> {
        // Also when that fails: behind zeros nobody would look for the next record.
        self.at = 0;
        for part in &self.parts {
            part.zero(0..part.bytes).map_err(|err| part.failed("blank", &err))?;
        }
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
    /// Where they stand.
    pub(super) stretches: Vec<Stretch>,
}

/// What a file begins with, up to the end of the last record in it.
pub(super) struct Stretch {
    /// Which of the two files.
    file: usize,
    bytes: Vec<u8>,
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
pub(super) fn read(disk: &dyn Disk, position: Position) -> Result<Contents, Error> {
    let mut parts = Vec::new();
    for (number, file) in FILES.into_iter().enumerate() {
        let place = disk.place(file);
        let bytes = match disk.read(file) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == ErrorKind::NotFound => continue,
            Err(err) => {
                return Err(Error::Backend(format!("cannot read `{}`: {err}", place.display())));
            }
        };
        parts.push((read_part(number, bytes, position, &place)?, place));
    }
    parts.sort_by_key(|(part, _)| part.records.first().map(|(number, _)| *number));
    let mut contents = Contents::default();
    let mut expected = position.number;
    for (part, place) in parts {
        contents.is_torn |= part.is_torn;
        contents.stretches.extend(part.stretches);
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

fn read_part(
    file: usize,
    mut bytes: Vec<u8>,
    position: Position,
    place: &Path,
) -> Result<Contents, Error> {
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
    let Some(later) = later else {
        bytes.truncate(at);
        contents
            .stretches
            .extend((!contents.records.is_empty()).then_some(Stretch { file, bytes }));
        return Ok(contents);
    };
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
    use crate::sqlite::disk::Directory;

    const SALT: u32 = 77;

    fn position(number: u64) -> Position {
        Position { number, salt: SALT }
    }

    fn log(directory: &Path, last: u64) -> CommitLog {
        CommitLog::open(&Directory::new(directory), last, SALT, &[]).unwrap()
    }

    fn read(directory: &Path, position: Position) -> Result<Contents, Error> {
        super::read(&Directory::new(directory), position)
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
        assert_eq!(log.next(), 3);
        // Not even when nothing is left of it: no table knows that number yet.
        log.blank().unwrap_err();
        assert!(log.is_in_doubt());
        assert_eq!(log.take_number(), 3);
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = log(directory.path(), 0);
        let bytes = log.part().bytes;
        let record = |log: &CommitLog, bytes| {
            let mut record = Record::new();
            record.push(&Operation::Entry(1, 1, vec![1; bytes])).unwrap();
            log.finish(record).unwrap()
        };
        let half = record(&log, bytes / 2);
        assert_eq!(log.append(half.bytes()).unwrap(), Appended::Kept);
        assert_eq!(log.append(half.bytes()).unwrap(), Appended::Full);
        let whole = record(&log, bytes);
        assert_eq!(log.append(whole.bytes()).unwrap(), Appended::TooLarge);
        assert_eq!((log.next(), log.part().bytes), (2, bytes));
    }
}
