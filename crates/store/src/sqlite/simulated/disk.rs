//! A disk that fails as disks do, decided by a seed.
//!
//! What is written is first in the machine's memory. A sync brings it to the disk, or fails: then
//! each sector of it is on the disk or not, and no later sync tries it again. When the power goes,
//! what was not synced is on the disk in parts, in any order, down to the byte. When the process is
//! killed, the machine's memory stays, and what a sync did not bring to the disk may fall out of
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error as IoError, ErrorKind, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::disk::{Disk, LogFile};
use super::random::Random;
use crate::Error;

/// Bytes that a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// How often each operation fails, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Troubles {
    pub(super) open: usize,
    pub(super) write: usize,
    pub(super) sync: usize,
    pub(super) commit: usize,
}

/// How a process ends that does not end in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    Killed,
    PowerGone,
}

/// After how many more operations a process ends, in the middle of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fuse {
    pub(super) left: usize,
    /// Only these operations count; none for all.
    pub(super) what: Option<&'static str>,
}

/// A file.
#[derive(Default)]
struct Content {
    /// What whoever reads sees.
    cached: Vec<u8>,
    /// What is on the disk.
    durable: Vec<u8>,
    /// What the next sync brings there.
    dirty: Vec<(usize, Vec<u8>)>,
    /// Whether its name is on the disk.
    is_named: bool,
}

struct State {
    random: Random,
    troubles: Troubles,
    files: BTreeMap<String, Content>,
    file_bytes: usize,
    fuse: Option<Fuse>,
    is_gone: bool,
    /// Whether a transaction may be kept and said to have failed: whoever carries repeats it.
    is_repeated: bool,
    operations: usize,
    /// What has gone wrong so far.
    reached: BTreeSet<String>,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Fine,
    Fails,
    /// The process ends meanwhile.
    Last,
}

fn failed() -> IoError {
    IoError::other("simulated")
}

fn put(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    bytes.resize(bytes.len().max(at + written.len()), 0);
    bytes[at..at + written.len()].copy_from_slice(written);
}

impl State {
    fn fate(&mut self, what: &str, fails: usize) -> Result<Fate> {
        if self.is_gone {
            return Err(failed());
        }
        self.operations += 1;
        let fuse = self.fuse.as_mut().filter(|fuse| fuse.what.is_none_or(|only| only == what));
        self.is_gone = fuse.as_ref().is_some_and(|fuse| fuse.left == 0);
        if let Some(fuse) = fuse {
            fuse.left = fuse.left.saturating_sub(1);
        }
        let fate = match self.is_gone {
            true => Fate::Last,
            false if self.random.chance(fails) => Fate::Fails,
            false => Fate::Fine,
        };
        if fate != Fate::Fine {
            self.reached.insert(format!("{what} {fate:?}"));
        }
        Ok(fate)
    }

    fn write_at(&mut self, file: &str, bytes: &[u8], at: usize) -> Result<()> {
        let fate = self.fate("write", self.troubles.write)?;
        let upto = match fate {
            Fate::Fine => bytes.len(),
            // Between two operations, that is.
            Fate::Last if self.random.chance(500) => bytes.len(),
            Fate::Fails | Fate::Last => self.random.below(bytes.len() + 1),
        };
        let content = self.files.get_mut(file).unwrap();
        put(&mut content.cached, at, &bytes[..upto]);
        content.dirty.push((at, bytes[..upto].to_vec()));
        if fate == Fate::Fine { Ok(()) } else { Err(failed()) }
    }

    fn sync(&mut self, file: &str) -> Result<()> {
        let fate = self.fate("sync", self.troubles.sync)?;
        let content = self.files.get_mut(file).unwrap();
        match fate {
            Fate::Fine => {
                for (at, bytes) in content.dirty.drain(..) {
                    put(&mut content.durable, at, &bytes);
                }
                Ok(())
            }
            Fate::Fails => {
                content.lose(&mut self.random);
                Err(failed())
            }
            Fate::Last => Err(failed()),
        }
    }
}

impl Content {
    /// Brings to the disk what it happens to.
    fn lose(&mut self, random: &mut Random) {
        let kept = random.pick([0, 500, 900, 1_000]);
        let is_torn = random.chance(500);
        for (at, bytes) in std::mem::take(&mut self.dirty) {
            let mut from = 0;
            while from < bytes.len() {
                let upto = bytes.len().min(from + SECTOR_BYTES - (at + from) % SECTOR_BYTES);
                let torn =
                    if is_torn && random.chance(100) { random.below(upto - from) } else { 0 };
                if random.chance(kept) {
                    put(&mut self.durable, at + from, &bytes[from..upto - torn]);
                }
                from = upto;
            }
        }
    }
}

/// A handle on the disk.
#[derive(Clone)]
pub(super) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    /// Another process reads here, for which nothing fails.
    is_stranger: bool,
}

impl SimulatedDisk {
    pub(super) fn new(random: Random, file_bytes: usize) -> SimulatedDisk {
        let state = State {
            random,
            troubles: Troubles::default(),
            files: BTreeMap::new(),
            file_bytes,
            fuse: None,
            is_gone: false,
            is_repeated: false,
            operations: 0,
            reached: BTreeSet::new(),
        };
        SimulatedDisk { state: Arc::new(Mutex::new(state)), is_stranger: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Returns how another process reaches it.
    pub(super) fn for_a_stranger(&self) -> SimulatedDisk {
        SimulatedDisk { is_stranger: true, ..self.clone() }
    }

    /// Says what goes wrong from now on, and when the process ends.
    pub(super) fn trouble(&self, troubles: Troubles, fuse: Option<Fuse>) {
        let mut state = self.state();
        state.troubles = troubles;
        state.fuse = fuse;
    }

    /// Returns what `work` does while transactions may be kept and said to have failed.
    pub(super) fn repeated<T>(&self, work: impl FnOnce() -> T) -> T {
        self.state().is_repeated = true;
        let outcome = work();
        self.state().is_repeated = false;
        outcome
    }

    /// Returns whether the process has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.state().is_gone
    }

    /// Returns how many operations there were.
    pub(super) fn operations(&self) -> usize {
        self.state().operations
    }

    /// Returns what has gone wrong so far: what was done, and what became of it.
    pub(super) fn reached(&self) -> BTreeSet<String> {
        self.state().reached.clone()
    }

    /// Makes of the files what an end leaves.
    pub(super) fn end(&self, crash: Crash) {
        let State { random, files, is_gone, .. } = &mut *self.state();
        *is_gone = false;
        files.retain(|_, file| crash == Crash::Killed || file.is_named || random.chance(500));
        for content in files.values_mut() {
            match crash {
                Crash::Killed if random.chance(500) => {}
                Crash::Killed => {
                    content.cached = content.durable.clone();
                    for (at, bytes) in &content.dirty {
                        put(&mut content.cached, *at, bytes);
                    }
                }
                Crash::PowerGone => {
                    content.lose(random);
                    content.cached = content.durable.clone();
                }
            }
        }
    }
}

impl Disk for SimulatedDisk {
    fn open(&self, file: &str) -> Result<(Box<dyn LogFile>, usize)> {
        let state = &mut *self.state();
        match state.fate("open", state.troubles.open)? {
            Fate::Fine => {
                let bytes = state.files.entry(file.to_owned()).or_default().cached.len();
                let opened = SimulatedFile { name: file.to_owned(), state: self.state.clone() };
                Ok((Box::new(opened), bytes))
            }
            Fate::Fails | Fate::Last => Err(failed()),
        }
    }

    fn read(&self, file: &str) -> Result<Vec<u8>> {
        let state = &mut *self.state();
        if !self.is_stranger && state.fate("read", state.troubles.open)? != Fate::Fine {
            return Err(failed());
        }
        let found = state.files.get(file).map(|content| content.cached.clone());
        found.ok_or_else(|| IoError::from(ErrorKind::NotFound))
    }

    fn sync_names(&self) -> Result<()> {
        let state = &mut *self.state();
        if state.fate("names", state.troubles.sync)? != Fate::Fine {
            return Err(failed());
        }
        state.files.values_mut().for_each(|content| content.is_named = true);
        Ok(())
    }

    fn place(&self, file: &str) -> PathBuf {
        PathBuf::from("simulated").join(file)
    }

    fn file_bytes(&self) -> usize {
        self.state().file_bytes
    }

    fn commit(&self, change: rusqlite::Transaction<'_>) -> std::result::Result<(), Error> {
        let state = &mut *self.state();
        let broken = |_| Error::Backend("simulated".into());
        let fate = state.fate("commit", state.troubles.commit).map_err(broken)?;
        let is_kept = match fate {
            Fate::Fine => true,
            Fate::Fails => state.is_repeated && state.random.chance(500),
            Fate::Last => state.random.chance(500),
        };
        if is_kept {
            change.commit()?;
        }
        if is_kept && fate != Fate::Fine {
            state.reached.insert(format!("commit {fate:?}, kept"));
        }
        if fate == Fate::Fine { Ok(()) } else { Err(broken(failed())) }
    }
}

struct SimulatedFile {
    name: String,
    state: Arc<Mutex<State>>,
}

impl LogFile for SimulatedFile {
    fn write_at(&self, bytes: &[u8], at: usize) -> Result<()> {
        self.state.lock().unwrap().write_at(&self.name, bytes, at)
    }

    fn sync(&self) -> Result<()> {
        self.state.lock().unwrap().sync(&self.name)
    }
}
