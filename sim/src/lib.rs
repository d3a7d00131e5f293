//! The simulator: the real engine, runtime and services on simulated nodes, a simulated store and a
//! simulated network, all decided by one seed.
//!
//! What it is: [`run`] makes the world of a seed, lets it come to its end and says what did not
//! hold. The same seed is the same world, to the last poll of the last task. What it is not: it
//! opens no file, no socket and no thread, and knows no time but its own.
//!
//! ```
//! let end = sim::run(1)?;
//! assert_eq!(end.violation, None);
//! assert_eq!(end.hash, sim::run(1)?.hash);
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! docs/simulation.md says what is simulated, what is checked, and how to reproduce a failure.
//!
//! May depend on: every crate.

mod disk;
mod endpoint;
mod ledger;
mod life;
mod network;
mod plan;
mod random;
mod recorder;
mod trace;
mod workload;
mod world;

use anyhow::Result;

use world::World;

/// How a world ended.
#[derive(Clone, Debug)]
pub struct End {
    /// Its seed.
    pub seed: u64,
    /// The hash of everything that happened.
    pub hash: u64,
    /// What did not hold, if anything.
    pub violation: Option<String>,
    /// The last things that happened.
    pub lines: Vec<String>,
}

/// Plants a bug in this process, by name.
///
/// # Errors
/// When there is no bug of that name.
#[cfg(feature = "planted-bugs")]
pub fn plant(name: &str) -> Result<()> {
    let known = store::planted::Bug::ALL.iter().find(|(known, _)| *known == name);
    let Some((_, bug)) = known else {
        let names = store::planted::Bug::ALL.map(|(name, _)| name);
        anyhow::bail!("there is no bug `{name}`; there are {}", names.join(", "));
    };
    store::planted::plant(Some(*bug));
    Ok(())
}

/// Runs the world of a seed.
///
/// # Errors
/// When the world cannot be made, which is a bug of the simulator.
pub fn run(seed: u64) -> Result<End> {
    end_of(seed, World::new(seed, false)?)
}

/// Runs the world of a seed and prints everything that happens.
///
/// # Errors
/// When the world cannot be made, which is a bug of the simulator.
pub fn run_aloud(seed: u64) -> Result<End> {
    end_of(seed, World::new(seed, true)?)
}

fn end_of(seed: u64, mut world: World) -> Result<End> {
    world.run()?;
    let trace = world.trace();
    let (hash, violation, lines) = (trace.hash(), trace.violation(), trace.lines());
    Ok(End { seed, hash, violation, lines })
}
