//! The time and the randomness of an evaluation, as values.

use sha2::{Digest, Sha256};

/// Bytes that one round of the generator gives.
const BLOCK_BYTES: usize = 32;

/// When an evaluation happens and what its random numbers are drawn from.
///
/// `$now` and `$millis` read `millis`. `$random` and `$uuid` draw from a stream derived from the 32
/// bytes, so the same moment repeats exactly; pass one moment to all expressions of a state and
/// they draw one after another, never the same value twice.
#[derive(Clone, Debug)]
pub struct Moment {
    millis: i64,
    entropy: [u8; 32],
    rounds: u64,
    block: [u8; BLOCK_BYTES],
    used: usize,
}

impl Moment {
    /// Returns the moment at `millis` since the Unix epoch with fresh `entropy`.
    pub fn new(millis: i64, entropy: [u8; 32]) -> Moment {
        Moment { millis, entropy, rounds: 0, block: [0; BLOCK_BYTES], used: BLOCK_BYTES }
    }

    /// Returns the time in milliseconds since the Unix epoch.
    pub fn millis(&self) -> i64 {
        self.millis
    }

    /// Draws the next byte of the stream.
    fn byte(&mut self) -> u8 {
        if self.used >= BLOCK_BYTES {
            let mut hash = Sha256::new();
            hash.update(self.entropy);
            hash.update(self.rounds.to_be_bytes());
            self.block = hash.finalize().into();
            self.rounds += 1;
            self.used = 0;
        }
        let byte = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        byte
    }

    /// Draws `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// Draws a number from 0 up to but without 1.
    pub fn unit(&mut self) -> f64 {
        /// The whole numbers below this are exact in `f64`.
        const EXACT_BITS: u32 = 53;
        let bits = u64::from_be_bytes(self.bytes()) >> (u64::BITS - EXACT_BITS);
        bits as f64 / (1_u64 << EXACT_BITS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_entropy_repeats_and_draws_differ() {
        let mut first = Moment::new(0, [1; 32]);
        let mut again = first.clone();
        let (a, b) = (first.unit(), first.unit());
        assert_eq!((a, b), (again.unit(), again.unit()));
        assert_ne!(a, b);
        assert!((0.0..1.0).contains(&a));
    }
}
