//! How bytes lie in a backend that outlives the process: followed by their checksum.

use crate::Error;

/// The length of a checksum (CRC-32, little endian).
const CHECKSUM_BYTES: usize = 4;

/// Returns the bytes with their checksum behind them.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// Returns the bytes without their checksum.
///
/// # Errors
/// [`Error::Corrupt`] when they are not what was sealed; `place` names the row.
pub(crate) fn open(mut sealed: Vec<u8>, place: impl Fn() -> String) -> Result<Vec<u8>, Error> {
    let length = sealed.len().saturating_sub(CHECKSUM_BYTES);
    let (bytes, crc) = sealed.split_at(length);
    if crc32fast::hash(bytes).to_le_bytes() != crc {
        return Err(Error::Corrupt { place: place(), what: "the checksum does not hold".into() });
    }
    sealed.truncate(length);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_bit_is_noticed() {
        let sealed = seal(b"fact".to_vec());
        assert_eq!(open(sealed.clone(), String::new).unwrap(), b"fact");
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(open(damaged, || "here".into()).is_err());
        }
        assert!(open(b"abc".to_vec(), String::new).is_err());
    }
}
