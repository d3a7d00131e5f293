//! Proof that the simulator can fail: bugs that are there on purpose are found.

use store::planted::{Bug, plant};

/// Within how many seeds each bug must be found.
const SEEDS_MAX: u64 = 1_000;

#[test]
fn every_planted_bug_is_found() {
    let _alone = super::alone();
    for (name, bug) in Bug::ALL {
        plant(Some(bug));
        let found = (1..=SEEDS_MAX).map(|seed| sim::run(seed).unwrap());
        let found = found.into_iter().find_map(|end| Some((end.seed, end.violation?)));
        plant(None);
        let (seed, what) = found.unwrap_or_else(|| panic!("nobody noticed {name}"));
        println!("{name}: found at seed {seed}: {what}");
    }
}
