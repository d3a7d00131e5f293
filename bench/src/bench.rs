//! What every scenario is given: sizes, the server's program, a place on the disk, the floors.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::floors::{self, Floors};
use crate::report::Row;
use crate::server::Server;

/// How long a turn is, where a latency is measured by turns with a floor.
pub(crate) const TURN_SECONDS: f64 = 0.25;

/// How large everything is.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    /// How often a measurement is repeated; the median is reported.
    pub(crate) rounds: usize,
    /// How long each round of a measurement by time takes.
    pub(crate) round_seconds: f64,
    /// How many turns of [`TURN_SECONDS`] a latency is measured for.
    pub(crate) latency_turns: usize,
    /// Chains per round.
    pub(crate) chains: usize,
    /// Chains run one after another, to count what each waits for.
    pub(crate) single_chains: usize,
    /// Automations per round.
    pub(crate) automations: usize,
    /// How many executions wait.
    pub(crate) waiting: usize,
    /// How many executions finish while memory is watched.
    pub(crate) finished: usize,
    /// How many items a distributed Map has.
    pub(crate) map_items: usize,
}

impl Sizes {
    /// Returns the sizes of a whole run.
    pub(crate) fn full() -> Sizes {
        Sizes {
            rounds: 5,
            round_seconds: 3.0,
            latency_turns: 30,
            chains: 2_000,
            single_chains: 100,
            automations: 1_000,
            waiting: 100_000,
            finished: 1_000_000,
            map_items: 100_000,
        }
    }

    /// Returns the sizes of a run that takes a minute.
    pub(crate) fn quick() -> Sizes {
        Sizes {
            rounds: 3,
            round_seconds: 0.5,
            latency_turns: 8,
            chains: 300,
            single_chains: 20,
            automations: 1_000,
            waiting: 5_000,
            finished: 10_000,
            map_items: 5_000,
        }
    }
}

/// What every scenario is given.
pub(crate) struct Bench {
    /// How large everything is.
    pub(crate) sizes: Sizes,
    /// The server's program.
    pub(crate) stepwell: PathBuf,
    /// A second store to measure, beside the embedded one.
    pub(crate) store: Option<String>,
    /// What this machine can do at best.
    pub(crate) floors: Floors,
    scratch: TempDir,
    target: PathBuf,
}

impl Bench {
    /// Makes the place for data: below `target/`, because /tmp may be memory.
    pub(crate) fn new(sizes: Sizes, stepwell: PathBuf, store: Option<String>) -> Result<Bench> {
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
        std::fs::create_dir_all(&target)?;
        let scratch = tempfile::Builder::new().prefix("bench-").tempdir_in(&target)?;
        Ok(Bench { sizes, stepwell, store, floors: Floors::default(), scratch, target })
    }

    /// Returns a new empty directory on the disk that is measured.
    pub(crate) fn fresh_directory(&self) -> Result<PathBuf> {
        let made = tempfile::Builder::new().prefix("data-").tempdir_in(self.scratch.path());
        // All of them go together, at the end.
        Ok(made.context("making a directory")?.keep())
    }

    /// Returns where peers are installed; they stay for the next run.
    pub(crate) fn peers_directory(&self) -> PathBuf {
        self.target.join("bench-peers")
    }

    /// Returns the root of the repository.
    pub(crate) fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    /// Starts a server on a new directory.
    pub(crate) fn fresh_server(&self) -> Result<Server> {
        Server::start(self, &self.fresh_directory()?, &[])
    }

    /// Measures what the machine can do at best, and keeps it for the ratios.
    pub(crate) fn measure_floors(&mut self) -> Result<Vec<Row>> {
        let (floors, rows) = floors::measure(self)?;
        self.floors = floors;
        Ok(rows)
    }

    /// Measures the two yardsticks once more: did the machine stay as it was?
    pub(crate) fn floors_again(&self) -> Result<Vec<Row>> {
        floors::again(self)
    }
}
