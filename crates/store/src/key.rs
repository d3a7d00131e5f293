//! The key of a store, and the file that it is kept in.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};

use crate::Error;

/// How long a key is.
pub(crate) const KEY_BYTES: usize = 32;
/// How a key file begins.
const HEADING: &str = "stepwell-key-1 ";
/// The longest that a key file is read.
const FILE_BYTES_MAX: u64 = 1_024;
/// Who may read a new key file.
const MODE: u32 = 0o600;
/// Nobody but the owner may write a key file, and no stranger read it. Its group may: a secret of
/// Kubernetes is readable by a group.
const FORBIDDEN_MODE: u32 = 0o037;
/// What the id of a key is made from, beside the key.
const ID_LABEL: &[u8] = b"stepwell key id";
/// How many hexadecimal digits an id has.
const ID_DIGITS: usize = 12;
/// How much randomness the name of an unfinished file has.
const UNFINISHED_BYTES: usize = 8;

/// What the secrets of a store are sealed with. It is shown nowhere; its id is.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// Returns a new key.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<Key, Error> {
        let mut bytes = [0; KEY_BYTES];
        fill(&mut bytes)?;
        Ok(Key(bytes))
    }

    /// Returns what a key is known by: it says nothing about the key.
    pub fn id(&self) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), ID_LABEL);
        let mut id = to_hex(tag.as_ref());
        id.truncate(ID_DIGITS);
        id
    }

    /// Returns the key for one purpose: knowing it tells nothing of the others.
    pub fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose.as_bytes());
        let mut derived = [0; KEY_BYTES];
        for (to, from) in derived.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        derived
    }

    /// Returns the pseudorandom key that keys of rows are expanded from.
    pub(crate) fn extract(&self, salt: &[u8]) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&self.0)
    }

    /// Reads a key file; `None` when there is none.
    ///
    /// # Errors
    /// When others could have read it, or it is no key file.
    pub fn read(file: &Path) -> Result<Option<Key>, Error> {
        let failed = |what: String| Error::Backend(format!("the key file {}: {what}", shown(file)));
        let opened = match File::open(file) {
            Ok(opened) => opened,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(failed(format!("it cannot be read: {err}"))),
        };
        let metadata = opened.metadata().map_err(|err| failed(err.to_string()))?;
        let mode = metadata.mode() & 0o777;
        if mode & FORBIDDEN_MODE != 0 {
            return Err(failed(format!(
                "others than its owner have access to it (mode {mode:03o}): chmod 600"
            )));
        }
        let mut text = String::new();
        let read = opened.take(FILE_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|_| failed("it is no key file".into()))?;
        let key = text.trim_end().strip_prefix(HEADING).and_then(from_hex);
        key.map(|bytes| Some(Key(bytes))).ok_or_else(|| failed("it is no key file".into()))
    }

    /// Makes a key file with a new key unless there is one, and returns the key in the file:
    /// another process may be first.
    ///
    /// # Errors
    /// When the file cannot be written, or what is there is no key file.
    pub fn create(file: &Path) -> Result<Key, Error> {
        let failed = |what: String| {
            Error::Backend(format!("the key file {}: it cannot be made: {what}", shown(file)))
        };
        let unfinished = unfinished(file)?;
        let written = Key::generate()?.write(&unfinished);
        // Unlike a renaming this does not replace a file that is there.
        let named = written.and_then(|()| std::fs::hard_link(&unfinished, file));
        let _ = std::fs::remove_file(&unfinished);
        match named {
            Ok(()) => sync_folder(file).map_err(|err| failed(err.to_string()))?,
            Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(err) => return Err(failed(err.to_string())),
        }
        Key::read(file)?.ok_or_else(|| failed("it is gone again".into()))
    }

    /// Writes a new file, and waits until it is on disk.
    fn write(&self, file: &Path) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut written = options.write(true).create_new(true).mode(MODE).open(file)?;
        written.write_all(format!("{HEADING}{}\n", to_hex(&self.0)).as_bytes())?;
        written.sync_all()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

/// Fills bytes from the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    let filled = SystemRandom::new().fill(bytes);
    filled.map_err(|_| Error::Backend("the operating system has no randomness".into()))
}

fn shown(file: &Path) -> String {
    format!("`{}`", file.display())
}

/// Returns a name beside a file's, for as long as the file is being written. Nobody else has it:
/// the number of the process would not do, for in every container it is 1.
pub(crate) fn unfinished(file: &Path) -> Result<PathBuf, Error> {
    let mut random = [0; UNFINISHED_BYTES];
    fill(&mut random)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".unfinished-{}", to_hex(&random)));
    Ok(file.with_file_name(name))
}

/// Makes a new name in a folder durable.
pub(crate) fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn from_hex(text: &str) -> Option<[u8; KEY_BYTES]> {
    if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; KEY_BYTES];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_file_is_its_owners_and_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        assert_eq!(Key::read(&file).unwrap(), None);
        let made = Key::create(&file).unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, MODE);
        assert_eq!(Key::read(&file).unwrap(), Some(made.clone()));
        assert_eq!(Key::create(&file).unwrap(), made, "the file that is there stays");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        for mode in [0o640, 0o400] {
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(Key::read(&file).unwrap(), Some(made.clone()), "{mode:o}");
        }
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        let refused = Key::read(&file).unwrap_err().to_string();
        assert!(refused.contains("(mode 644): chmod 600"), "{refused}");
    }

    /// As nodes do that start at once on one folder, each as process 1 of its container.
    #[test]
    fn whoever_makes_a_key_file_at_once_has_the_key_in_it() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("key");
            let together = std::sync::Barrier::new(4);
            let made: Vec<Key> = std::thread::scope(|scope| {
                let create = || {
                    together.wait();
                    Key::create(&file).unwrap()
                };
                let makers: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
                makers.into_iter().map(|maker| maker.join().unwrap()).collect()
            });
            let kept = Key::read(&file).unwrap().unwrap();
            assert_eq!(made, vec![kept; 4]);
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn neither_its_text_nor_what_is_derived_tells_a_key() {
        let key = Key([7; KEY_BYTES]);
        let shown = format!("{key:?} {}", key.id());
        assert!(!shown.contains(&to_hex(&[7; 4])), "{shown}");
        assert_ne!(key.derive("one"), key.derive("other"));
        assert_ne!(key.derive("one"), Key([8; KEY_BYTES]).derive("one"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        for text in ["", "stepwell-key-1 ", "stepwell-key-1 00", &"x".repeat(5_000)] {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
            let refused = Key::read(&file).unwrap_err().to_string();
            assert!(refused.ends_with("it is no key file"), "{refused}");
        }
    }
}
