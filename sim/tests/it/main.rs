//! A fixed number of worlds, and the seeds that once failed.

#![cfg(test)]

#[test]
fn a_world_is_the_same_every_time() {
    for seed in 0..6 {
        let (one, other) = (sim::run(seed).unwrap(), sim::run(seed).unwrap());
        assert_eq!(one.hash, other.hash, "seed {seed}");
    }
}
