//! What the log asks of the disk: few enough things that a simulated one (`simulated`) can do them
//! all, and fail at each.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::{Error, key};

/// Bytes of a file of the log. This bounds what is not yet in the tables, and with it the time that
/// a start takes after a crash, and memory; much more than a processor's cache costs more than it
/// saves.
const FILE_BYTES: usize = 1024 * 1024;

/// A file that is open for writing.
pub(super) trait LogFile: Send {
    /// Writes all of `bytes` at a place. Until the next sync nobody knows what of it is on disk.
    fn write_at(&self, bytes: &[u8], at: usize) -> Result<()>;

    /// Returns when everything that was written is on disk. After an error, nobody knows what is.
    fn sync(&self) -> Result<()>;
}

/// Where the log lies, and how the tables beside it are committed.
pub(super) trait Disk: Send + Sync {
    /// Opens a file, which may be new, and returns how long it is.
    fn open(&self, file: &str) -> Result<(Box<dyn LogFile>, usize)>;

    /// Returns what is in a file.
    fn read(&self, file: &str) -> Result<Vec<u8>>;

    /// Returns when the names of new files are on disk.
    fn sync_names(&self) -> Result<()>;

    /// Returns what a person calls a file.
    fn place(&self, file: &str) -> PathBuf;

    /// Returns how long files of the log are made.
    fn file_bytes(&self) -> usize {
        FILE_BYTES
    }

    /// Ends a transaction of the tables; returns when it is on disk.
    fn commit(&self, change: rusqlite::Transaction<'_>) -> std::result::Result<(), Error> {
        Ok(change.commit()?)
    }
}

/// A directory.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(directory: &Path) -> Directory {
        Directory(directory.to_owned())
    }
}

impl Disk for Directory {
    fn open(&self, file: &str) -> Result<(Box<dyn LogFile>, usize)> {
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        let file = options.open(self.place(file))?;
        let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        Ok((Box::new(file), bytes))
    }

    fn read(&self, file: &str) -> Result<Vec<u8>> {
        std::fs::read(self.place(file))
    }

    fn sync_names(&self) -> Result<()> {
        key::sync_folder(&self.place("any"))
    }

    fn place(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

impl LogFile for File {
    fn write_at(&self, bytes: &[u8], at: usize) -> Result<()> {
        self.write_all_at(bytes, at as u64)
    }

    fn sync(&self) -> Result<()> {
        self.sync_data()
    }
}
