//! How secrets are sealed: AES-256-GCM, bound to the place where they lie.
//!
//! Every process draws a salt and derives a key of its own from the store's and the salt; its rows
//! are numbered. So no nonce comes twice under one key, whatever else was sealed, and by whom.
//!
//! ```text
//! 0 's' 1 | salt (16) | number (8) | ciphertext and tag (16)
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};

use crate::Error;
use crate::key::{self, Key};

/// How a sealed row begins; no text does.
const MAGIC: [u8; 3] = [0, b's', 1];
const SALT_BYTES: usize = 16;
const NUMBER_BYTES: usize = 8;
const HEAD_BYTES: usize = MAGIC.len() + SALT_BYTES + NUMBER_BYTES;
/// What keys of rows are for.
const PURPOSE: &[u8] = b"stepwell row";
/// How many keys of other processes are remembered; beyond that all are derived anew.
const KEYS_KEPT_MAX: usize = 256;

type Salt = [u8; SALT_BYTES];

/// Seals rows and opens them.
pub(crate) struct Cipher {
    key: Key,
    salt: Salt,
    own: LessSafeKey,
    next: AtomicU64,
    others: Mutex<HashMap<Salt, Arc<LessSafeKey>>>,
}

impl Cipher {
    pub(crate) fn new(key: Key) -> Result<Cipher, Error> {
        let mut salt = [0; SALT_BYTES];
        key::fill(&mut salt)?;
        let own = row_key(&key, &salt)?;
        Ok(Cipher { key, salt, own, next: AtomicU64::new(0), others: Mutex::default() })
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Seals bytes for a place.
    pub(crate) fn seal(&self, place: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut sealed = Vec::with_capacity(HEAD_BYTES + bytes.len() + MAX_TAG_LEN);
        sealed.extend_from_slice(&MAGIC);
        sealed.extend_from_slice(&self.salt);
        sealed.extend_from_slice(&number.to_be_bytes());
        let mut body = bytes.to_vec();
        let place = Aad::from(place.as_bytes());
        let tag = self.own.seal_in_place_separate_tag(nonce(number), place, &mut body);
        let tag = tag.map_err(|_| Error::Backend("a row is too large to be sealed".into()))?;
        sealed.append(&mut body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed for this place; what is not sealed is returned as it is.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it was sealed with another key, for another place, or was changed.
    pub(crate) fn open(&self, place: &str, row: Vec<u8>) -> Result<Vec<u8>, Error> {
        if !is_sealed(&row) {
            return Ok(row);
        }
        self.opened(place, &row).ok_or_else(|| Error::Corrupt {
            place: place.to_owned(),
            what: format!("it does not open with the key {}", self.key.id()),
        })
    }

    fn opened(&self, place: &str, row: &[u8]) -> Option<Vec<u8>> {
        let rest = row.get(MAGIC.len()..)?;
        let (salt, rest) = rest.split_first_chunk::<SALT_BYTES>()?;
        let (number, body) = rest.split_first_chunk::<NUMBER_BYTES>()?;
        let (place, nonce) = (Aad::from(place.as_bytes()), nonce(u64::from_be_bytes(*number)));
        let mut body = body.to_vec();
        let plain = if *salt == self.salt {
            self.own.open_in_place(nonce, place, &mut body).ok()?.len()
        } else {
            self.other(salt)?.open_in_place(nonce, place, &mut body).ok()?.len()
        };
        body.truncate(plain);
        Some(body)
    }

    /// Returns the key of the process that had this salt.
    fn other(&self, salt: &Salt) -> Option<Arc<LessSafeKey>> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(salt) {
            return Some(known.clone());
        }
        let derived = Arc::new(row_key(&self.key, salt).ok()?);
        if KEYS_KEPT_MAX <= others.len() {
            others.clear();
        }
        others.insert(*salt, derived.clone());
        Some(derived)
    }
}

/// Returns whether a row is sealed.
pub(crate) fn is_sealed(row: &[u8]) -> bool {
    row.starts_with(&MAGIC)
}

fn row_key(key: &Key, salt: &[u8]) -> Result<LessSafeKey, Error> {
    let failed = |_| Error::Backend("no key can be derived".into());
    let expanded = key.extract(salt);
    let expanded = expanded.expand(&[PURPOSE], &AES_256_GCM).map_err(failed)?;
    Ok(LessSafeKey::new(UnboundKey::from(expanded)))
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (to, from) in bytes.iter_mut().rev().zip(number.to_le_bytes()) {
        *to = from;
    }
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(key: &Key) -> Cipher {
        Cipher::new(key.clone()).unwrap()
    }

    #[test]
    fn a_row_opens_with_its_key_at_its_place_unchanged() {
        let key = Key::generate().unwrap();
        let (one, other) = (cipher(&key), cipher(&key));
        let sealed = one.seal("t/a", b"secret").unwrap();
        assert!(is_sealed(&sealed) && !sealed.windows(6).any(|part| part == b"secret"));
        for reader in [&one, &other] {
            assert_eq!(reader.open("t/a", sealed.clone()).unwrap(), b"secret");
        }
        let stranger = cipher(&Key::generate().unwrap());
        assert!(stranger.open("t/a", sealed.clone()).is_err());
        assert!(one.open("t/b", sealed.clone()).is_err());
        assert!(one.open("u/a", sealed.clone()).is_err());
        for at in MAGIC.len()..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(one.open("t/a", changed).is_err(), "byte {at}");
        }
        let cut = sealed[..HEAD_BYTES].to_vec();
        assert!(one.open("t/a", cut).is_err());
    }

    #[test]
    fn the_same_row_is_never_sealed_the_same_way() {
        let key = Key::generate().unwrap();
        let (one, other) = (cipher(&key), cipher(&key));
        let rows = [&one, &one, &other].map(|by| by.seal("t/a", b"x").unwrap());
        assert!(rows[0] != rows[1] && rows[0] != rows[2] && rows[1] != rows[2]);
    }

    #[test]
    fn what_was_never_sealed_is_what_it_is() {
        let one = cipher(&Key::generate().unwrap());
        assert_eq!(one.open("t/a", b"{}".to_vec()).unwrap(), b"{}");
    }
}
