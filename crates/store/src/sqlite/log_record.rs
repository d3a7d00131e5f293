//! A record of the commit log: what one commit writes, as bytes.
//!
//! A header of 24 bytes and the operations, one behind the other, all numbers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `SWLR` |
//! | 4 | CRC-32 of everything behind it, begun with the directory's salt |
//! | 8 | the record's number: one more than that of the record before |
//! | 4 | length of the operations |
//! | 4 | zero |
//!
//! An operation is a byte that says which, then: put (1) table, key, value; delete (2) table, key;
//! entry (3) shard, position, bytes; truncate (4) shard, position. A table is two bytes, a shard
//! four, a position eight, and what has a length has it in four bytes before it.
//!
//! The salt keeps records of other directories, and bytes within a value that look like a record,
//! from being taken for one.

use crate::planted::{Bug, is_planted};
use crate::{Commit, Error, Lsn, Table, Write};

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 24;
/// Records begin at multiples of this.
pub(super) const ALIGN_BYTES: usize = 8;
/// The header's bytes that the checksum is not of: the mark and the checksum.
const UNSUMMED_BYTES: usize = 8;
const MARK: [u8; 4] = *b"SWLR";

const PUT: u8 = 1;
const DELETE: u8 = 2;
const ENTRY: u8 = 3;
const TRUNCATE: u8 = 4;

/// One operation of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A row that is set or removed.
    Row(Write),
    /// A journal entry of a shard.
    Entry(u32, Lsn, Vec<u8>),
    /// A shard's journal is no longer needed up to and including a position.
    Truncate(u32, Lsn),
}

/// Returns what a shard's commit does, in order.
pub(super) fn operations(commit: Commit) -> impl Iterator<Item = Operation> {
    let Commit { shard, entry, writes, truncate, .. } = commit;
    let rows = writes.into_iter().map(Operation::Row);
    let entry = entry.map(|(lsn, bytes)| Operation::Entry(shard, lsn, bytes));
    let truncate = truncate.map(|upto| Operation::Truncate(shard, upto));
    rows.chain(entry).chain(truncate)
}

/// A record that is being written.
pub(super) struct Record {
    /// A header that is filled in last, operations, and zeros up to where the next record begins.
    bytes: Vec<u8>,
}

impl Record {
    pub(super) fn new() -> Record {
        Record { bytes: vec![0; HEADER_BYTES] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER_BYTES
    }

    pub(super) fn push(&mut self, operation: &Operation) -> Result<(), Error> {
        match operation {
            Operation::Row(Write::Put(table, key, value)) => {
                self.row(PUT, *table, key)?;
                self.sized(value)
            }
            Operation::Row(Write::Delete(table, key)) => self.row(DELETE, *table, key),
            Operation::Entry(shard, lsn, bytes) => {
                self.position(ENTRY, *shard, *lsn);
                self.sized(bytes)
            }
            Operation::Truncate(shard, upto) => {
                self.position(TRUNCATE, *shard, *upto);
                Ok(())
            }
        }
    }

    fn row(&mut self, kind: u8, table: Table, key: &str) -> Result<(), Error> {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&table.id().to_le_bytes());
        self.sized(key.as_bytes())
    }

    fn position(&mut self, kind: u8, shard: u32, lsn: Lsn) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&shard.to_le_bytes());
        self.bytes.extend_from_slice(&lsn.to_le_bytes());
    }

    fn sized(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes.extend_from_slice(&length(bytes.len())?);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Returns the whole record under its number.
    pub(super) fn finish(mut self, number: u64, salt: u32) -> Result<Finished, Error> {
        let end = self.bytes.len();
        let mut header = Vec::with_capacity(HEADER_BYTES - UNSUMMED_BYTES);
        header.extend_from_slice(&number.to_le_bytes());
        header.extend_from_slice(&length(end - HEADER_BYTES)?);
        header.extend_from_slice(&[0; 4]);
        set(&mut self.bytes, UNSUMMED_BYTES, &header);
        let crc = checksum(salt, self.bytes.get(UNSUMMED_BYTES..).unwrap_or_default());
        set(&mut self.bytes, 0, &MARK);
        set(&mut self.bytes, MARK.len(), &crc.to_le_bytes());
        self.bytes.resize(end.next_multiple_of(ALIGN_BYTES), 0);
        Ok(Finished { bytes: self.bytes, end })
    }
}

/// A record as it goes into the log.
pub(super) struct Finished {
    bytes: Vec<u8>,
    /// Where the operations end.
    end: usize,
}

impl Finished {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the operations again.
    ///
    /// # Errors
    /// Never, unless `push` and `read` differ.
    pub(super) fn operations(&self) -> Result<Vec<Operation>, Error> {
        read(self.bytes.get(HEADER_BYTES..self.end).unwrap_or_default())
    }
}

fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new_with_initial(salt);
    crc.update(bytes);
    crc.finalize()
}

fn set(bytes: &mut [u8], at: usize, to: &[u8]) {
    if let Some(part) = bytes.get_mut(at..at + to.len()) {
        part.copy_from_slice(to);
    }
}

fn length(length: usize) -> Result<[u8; 4], Error> {
    let too_long = |_| Error::Backend(format!("{length} bytes are too many for one commit"));
    Ok(u32::try_from(length).map_err(too_long)?.to_le_bytes())
}

/// A record as it lies in a log.
pub(super) struct Found<'l> {
    pub(super) number: u64,
    /// Its operations, not yet read.
    pub(super) operations: &'l [u8],
    /// How many bytes of the log it takes.
    pub(super) bytes: usize,
}

/// Returns the record at the beginning of `log`, if there is a whole one.
pub(super) fn find(log: &[u8], salt: u32) -> Option<Found<'_>> {
    let mut header = Cursor { rest: log.strip_prefix(&MARK)? };
    let crc = header.u32()?;
    let summed = header.rest;
    let number = header.u64()?;
    let size = usize::try_from(header.u32()?).ok()?;
    header.u32()?;
    let operations = header.take(size)?;
    let summed = summed.get(..HEADER_BYTES - UNSUMMED_BYTES + size)?;
    let bytes = (HEADER_BYTES + size).next_multiple_of(ALIGN_BYTES);
    let is_whole = checksum(salt, summed) == crc || is_planted(Bug::LogUnchecked);
    is_whole.then_some(Found { number, operations, bytes })
}

/// Returns whether a log goes on with a record of this number that is not whole.
pub(super) fn is_begun(log: &[u8], salt: u32, number: u64) -> bool {
    let header = log.strip_prefix(&MARK).and_then(|rest| rest.get(4..12));
    header == Some(&number.to_le_bytes()) && find(log, salt).is_none()
}

/// Reads the operations of a record.
///
/// # Errors
/// [`Error::Corrupt`] when they are none: the checksum held, so another version wrote them.
pub(super) fn read(operations: &[u8]) -> Result<Vec<Operation>, Error> {
    let mut cursor = Cursor { rest: operations };
    let mut found = Vec::new();
    while !cursor.rest.is_empty() {
        let unknown = || Error::Corrupt {
            place: "the commit log".into(),
            what: "an operation that this Stepwell does not know".into(),
        };
        found.push(cursor.operation().ok_or_else(unknown)?);
    }
    Ok(found)
}

struct Cursor<'l> {
    rest: &'l [u8],
}

impl<'l> Cursor<'l> {
    fn take(&mut self, bytes: usize) -> Option<&'l [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.array()?))
    }

    fn sized(&mut self) -> Option<&'l [u8]> {
        let size = usize::try_from(self.u32()?).ok()?;
        self.take(size)
    }

    fn table_and_key(&mut self) -> Option<(Table, String)> {
        let table = Table::of_id(i16::from_le_bytes(self.array()?))?;
        let key = std::str::from_utf8(self.sized()?).ok()?;
        Some((table, key.to_owned()))
    }

    fn operation(&mut self) -> Option<Operation> {
        let [kind] = self.array()?;
        Some(match kind {
            PUT => {
                let (table, key) = self.table_and_key()?;
                Operation::Row(Write::Put(table, key, self.sized()?.to_vec()))
            }
            DELETE => {
                let (table, key) = self.table_and_key()?;
                Operation::Row(Write::Delete(table, key))
            }
            ENTRY => Operation::Entry(self.u32()?, self.u64()?, self.sized()?.to_vec()),
            TRUNCATE => Operation::Truncate(self.u32()?, self.u64()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u32 = 0x5eed;

    fn record() -> (Vec<Operation>, Vec<u8>) {
        let operations = vec![
            Operation::Row(Write::Put(Table::Users, "a/日本".into(), b"{}".to_vec())),
            Operation::Row(Write::Delete(Table::Rules, String::new())),
            Operation::Entry(7, u64::MAX, vec![0; 3]),
            Operation::Truncate(3, 9),
        ];
        let mut record = Record::new();
        for operation in &operations {
            record.push(operation).unwrap();
        }
        let record = record.finish(12, SALT).unwrap();
        assert_eq!(record.operations().unwrap(), operations);
        (operations, record.bytes().to_vec())
    }

    #[test]
    fn what_was_written_is_found() {
        let (operations, bytes) = record();
        assert!(find(&bytes, SALT + 1).is_none());
        let found = find(&bytes, SALT).unwrap();
        assert_eq!((found.number, found.bytes), (12, bytes.len()));
        assert_eq!(read(found.operations).unwrap(), operations);
    }

    #[test]
    fn a_changed_or_missing_byte_is_noticed() {
        let (_, bytes) = record();
        let size = find(&bytes, SALT).unwrap().operations.len();
        for at in 0..HEADER_BYTES + size {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert!(find(&damaged, SALT).is_none(), "byte {at}");
            assert!(find(&bytes[..at], SALT).is_none(), "{at} bytes");
        }
    }
}
