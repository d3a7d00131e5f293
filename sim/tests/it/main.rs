//! A fixed number of worlds, the seeds that once failed, and bugs that are there on purpose.

#![cfg(test)]

#[cfg(feature = "planted-bugs")]
mod planted;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many worlds run here; `cargo xtask sim` runs more.
const SEEDS: u64 = 200;

/// A planted bug is in the whole process, so that nothing else may run meanwhile.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn holds(seed: u64) {
    let end = sim::run(seed).unwrap();
    let (what, lines) = (end.violation, end.lines.join("\n"));
    assert_eq!(what, None, "{lines}\nreproduce: cargo xtask sim --seed {seed}");
}

#[test]
fn everything_that_must_hold_does() {
    let _alone = alone();
    (1..=SEEDS).for_each(holds);
}

#[test]
fn a_world_is_the_same_every_time() {
    let _alone = alone();
    for seed in 1_000..1_020 {
        let (one, other) = (sim::run(seed).unwrap(), sim::run(seed).unwrap());
        assert_eq!(one.hash, other.hash, "seed {seed}");
    }
}

#[test]
fn seeds_that_once_failed_do_not_fail_again() {
    let _alone = alone();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            holds(line.trim().parse().unwrap());
            seeds += 1;
        }
    }
    assert!(seeds > 0);
}
