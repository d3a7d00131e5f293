//! Randomness of the operating system, fetched for many at once.

use std::cell::RefCell;

/// Bytes that a thread fetches at once; asking costs about as much for them as for a few.
const FETCHED_BYTES: usize = 1024;

struct Fetched {
    bytes: [u8; FETCHED_BYTES],
    left: usize,
}

thread_local! {
    static FETCHED: RefCell<Fetched> =
        const { RefCell::new(Fetched { bytes: [0; FETCHED_BYTES], left: 0 }) };
}

/// Returns random bytes of the operating system, each of which is given once.
///
/// # Panics
/// When the operating system has none: without randomness no secret may be made, and ids repeat.
pub fn entropy<const N: usize>() -> [u8; N] {
    let mut taken = [0; N];
    FETCHED.with_borrow_mut(|Fetched { bytes, left }| {
        if *left < N {
            fill(bytes);
            *left = FETCHED_BYTES;
        }
        match left.checked_sub(N).and_then(|from| bytes.get_mut(from..*left)) {
            Some(part) => {
                taken.copy_from_slice(part);
                // Nothing that may have become a secret stays behind.
                part.fill(0);
                *left -= N;
            }
            None => fill(&mut taken),
        }
    });
    taken
}

fn fill(bytes: &mut [u8]) {
    #[expect(clippy::expect_used, reason = "without randomness no secret may be made")]
    getrandom::fill(bytes).expect("the operating system has randomness");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_twice() {
        let given: HashSet<[u8; 24]> = (0..1_000).map(|_| entropy()).collect();
        let elsewhere = std::thread::spawn(|| (0..1_000).map(|_| entropy()).collect());
        let elsewhere: HashSet<[u8; 24]> = elsewhere.join().unwrap();
        assert_eq!((given.len(), elsewhere.len()), (1_000, 1_000));
        assert!(given.is_disjoint(&elsewhere));
        assert_ne!(entropy::<2_000>(), entropy::<2_000>());
        assert_eq!(entropy::<0>(), [0; 0]);
    }
}
