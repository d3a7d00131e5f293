//! The disk: one write and one fdatasync, on a file that has its space.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::statistics::sorted;

const RECORD_BYTES: usize = 4_096;
const RECORDS: u64 = 4_096;

/// A file whose space is allocated and written, so that a sync has nothing to tell the file system.
pub(crate) struct Disk {
    file: File,
    next: u64,
}

impl Disk {
    /// Makes the file.
    pub(crate) fn new(folder: &Path) -> Result<Disk> {
        let file = File::create(folder.join("fsync.floor"))?;
        for record in 0..RECORDS {
            file.write_all_at(&[0; RECORD_BYTES], record * RECORD_BYTES as u64)?;
        }
        file.sync_all()?;
        Ok(Disk { file, next: 0 })
    }

    /// Writes and syncs for so long; returns how long each took in microseconds.
    pub(crate) fn measure(&mut self, seconds: f64) -> Result<Vec<f64>> {
        let mut each_us = Vec::new();
        let started = Instant::now();
        while started.elapsed().as_secs_f64() < seconds {
            let before = Instant::now();
            let at = (self.next % RECORDS) * RECORD_BYTES as u64;
            self.file.write_all_at(&[1; RECORD_BYTES], at)?;
            self.file.sync_data()?;
            self.next += 1;
            each_us.push(before.elapsed().as_secs_f64() * 1e6);
        }
        Ok(sorted(each_us))
    }
}
