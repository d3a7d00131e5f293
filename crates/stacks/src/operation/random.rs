//! Names and ids from the random bytes of a stamp.

/// A sequence that a stamp determines.
pub(super) struct Random {
    state: u64,
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Random {
    pub(super) fn new(entropy: &[u8; 32]) -> Random {
        let fold = |state: u64, byte: &u8| {
            (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(7)
        };
        Random { state: entropy.iter().fold(0xcbf2_9ce4_8422_2325, fold) }
    }

    /// Returns the next number (SplitMix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff,
        )
    }

    /// Returns a name as CloudFormation makes them, `Stack-LogicalId-ab12CD34ef56`, with its parts
    /// shortened to keep within `characters_max`.
    pub(super) fn name(&mut self, stack: &str, logical_id: &str, characters_max: usize) -> String {
        const SUFFIX_CHARACTERS: usize = 12;
        let mut suffix = String::new();
        for _ in 0..SUFFIX_CHARACTERS {
            let at = usize::try_from(self.next() % 62).unwrap_or(0);
            suffix.push(char::from(LETTERS.get(at).copied().unwrap_or(b'0')));
        }
        let room = characters_max.saturating_sub(SUFFIX_CHARACTERS + 2);
        let shorten = |text: &str, characters| text.chars().take(characters).collect::<String>();
        let logical_id = shorten(logical_id, room.saturating_sub(stack.len()).max(room / 2));
        let stack = shorten(stack, room.saturating_sub(logical_id.len()));
        format!("{stack}-{logical_id}-{suffix}")
    }
}
