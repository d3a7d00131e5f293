//! How a row's bytes lie in a backend that outlives the process: followed by a checksum of them, of
//! the table and of the key, so that neither a changed byte nor a row under another's key is taken
//! for what was written.

use crate::{Error, Table};

/// The length of a checksum (CRC-32, little endian).
const CHECKSUM_BYTES: usize = 4;

fn checksum(table: Table, key: &str, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(bytes);
    crc.update(table.name().as_bytes());
    crc.update(key.as_bytes());
    crc.finalize().to_le_bytes()
}

/// Returns the bytes of a row with their checksum behind them.
pub(crate) fn seal(table: Table, key: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = checksum(table, key, &bytes);
    bytes.extend_from_slice(&crc);
    bytes
}

/// Returns the bytes of a row without their checksum.
///
/// # Errors
/// [`Error::Corrupt`] when this is not what was sealed for this key.
pub(crate) fn open(table: Table, key: &str, mut sealed: Vec<u8>) -> Result<Vec<u8>, Error> {
    let length = sealed.len().saturating_sub(CHECKSUM_BYTES);
    let (bytes, crc) = sealed.split_at(length);
    if checksum(table, key, bytes) != crc {
        return Err(Error::Corrupt {
            place: format!("{}/{key}", table.name()),
            what: "the checksum does not hold".into(),
        });
    }
    sealed.truncate(length);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_bit_is_noticed() {
        let sealed = seal(Table::Users, "a", b"fact".to_vec());
        assert_eq!(open(Table::Users, "a", sealed.clone()).unwrap(), b"fact");
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(open(Table::Users, "a", damaged).is_err());
        }
        assert!(open(Table::Users, "b", sealed.clone()).is_err());
        assert!(open(Table::Groups, "a", sealed).is_err());
        assert!(open(Table::Users, "a", b"abc".to_vec()).is_err());
    }
}
