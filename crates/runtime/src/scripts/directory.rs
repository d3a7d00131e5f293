//! A script's own directory.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// A directory for one script, removed with everything in it.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn create() -> io::Result<Directory> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|err| io::Error::other(err.to_string()))?;
        let name = u128::from_be_bytes(name);
        // Without links in it, for the cage compares it with other paths.
        let path = std::env::temp_dir().canonicalize()?.join(format!("stepwell-{name:032x}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Directory(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), String> {
        fs::write(self.0.join(name), content)
            .map_err(|err| format!("the script could not be written: {err}"))
    }

    /// Reads what the script may have left there. It is not to be trusted: a link would lead the
    /// server to files of its own, a pipe would keep it waiting.
    pub(super) fn read(&self, name: &str, bytes_max: u64) -> Result<Option<String>, String> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags.bits().cast_signed());
        let Ok(file) = options.open(self.0.join(name)) else { return Ok(None) };
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Ok(None);
        }
        let mut text = String::new();
        let read = file.take(bytes_max + 1).read_to_string(&mut text);
        read.map_err(|err| format!("the result could not be read: {err}"))?;
        if bytes_max < text.len() as u64 {
            return Err(format!("The result is larger than {bytes_max} bytes."));
        }
        Ok(Some(text))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A file that cannot be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_files_only() {
        let directory = Directory::create().unwrap();
        let secret = tempfile::NamedTempFile::new().unwrap();
        fs::write(secret.path(), "secret").unwrap();
        directory.write("plain", "text").unwrap();
        std::os::unix::fs::symlink(secret.path(), directory.path().join("link")).unwrap();
        fs::create_dir(directory.path().join("folder")).unwrap();
        assert_eq!(directory.read("plain", 4), Ok(Some("text".to_owned())));
        assert!(directory.read("plain", 3).is_err());
        for name in ["link", "folder", "absent"] {
            assert_eq!(directory.read(name, 100), Ok(None), "{name}");
        }
    }
}
