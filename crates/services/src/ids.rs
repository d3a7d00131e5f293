//! AWS's id formats (IAM user guide, "Unique identifiers"; reference/iam.md §1.1).

/// What ids of this kind are made of.
const UPPER: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub use runtime::entropy;

fn letters(alphabet: &[u8], count: usize) -> String {
    let fits = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(count);
    while text.len() < count {
        for byte in entropy::<32>() {
            // Bytes beyond a whole multiple would favour the first letters.
            if usize::from(byte) < fits && text.len() < count {
                let letter = alphabet.get(usize::from(byte) % alphabet.len()).copied();
                text.push(char::from(letter.unwrap_or(b'A')));
            }
        }
    }
    text
}

/// Returns a unique id: a four-letter prefix (`AIDA`, `AROA` …) and 17 letters or digits.
pub fn unique_id(prefix: &str) -> String {
    format!("{prefix}{}", letters(UPPER, 17))
}

/// How many letters an access key id has behind its prefix; each stands for five bits.
const KEY_LETTERS: u32 = 16;
/// Where the account begins in those 80 bits, from the right: it takes 40, below a bit that says
/// that it is there.
const ACCOUNT_SHIFT: u32 = 39;
const ACCOUNT_BITS: u128 = (1 << 40) - 1;
const HAS_ACCOUNT: u128 = 1 << 79;

/// Returns an access key id: `AKIA` or `ASIA` and 16 letters or digits. The account is in it, as in
/// AWS's own.
pub fn access_key_id(prefix: &str, account: &str) -> String {
    let random = u128::from_be_bytes(entropy());
    let account = account.parse::<u128>().unwrap_or_default() & ACCOUNT_BITS;
    let below = random & ((1 << ACCOUNT_SHIFT) - 1);
    let bits = HAS_ACCOUNT | account << ACCOUNT_SHIFT | below;
    let mut id = prefix.to_owned();
    for at in (0..KEY_LETTERS).rev() {
        let five = usize::try_from(bits >> (5 * at) & 31).unwrap_or_default();
        id.push(char::from(UPPER.get(five).copied().unwrap_or(b'A')));
    }
    id
}

/// Returns the account that is in an access key id; `None` where none is.
pub fn account_of_key(access_key_id: &str) -> Option<String> {
    let letters = access_key_id.get(4..)?;
    if letters.len() != KEY_LETTERS as usize {
        return None;
    }
    let mut bits: u128 = 0;
    for letter in letters.bytes() {
        let five = UPPER.iter().position(|known| *known == letter)?;
        bits = bits << 5 | u128::try_from(five).ok()?;
    }
    let account = bits >> ACCOUNT_SHIFT & ACCOUNT_BITS;
    (bits & HAS_ACCOUNT != 0).then(|| format!("{account:012}"))
}

/// Returns a secret of `count` letters and digits.
pub fn secret(count: usize) -> String {
    letters(ALPHANUMERIC, count)
}

/// Returns a random UUID (version 4).
pub fn uuid() -> String {
    uuid_from(entropy())
}

/// Returns a UUID (version 4 form) whose first 48 bits are a time, so that ids made one after the
/// other are neighbours: rows keyed by them share pages of a B-tree instead of touching one each.
/// The remaining 74 bits are random.
pub fn uuid_at(millis: i64) -> String {
    let mut bytes: [u8; 16] = entropy();
    let [_, _, time @ ..] = millis.to_be_bytes();
    for (to, from) in bytes.iter_mut().zip(time) {
        *to = from;
    }
    uuid_from(bytes)
}

/// Returns the UUID (version 4 form) made of these bytes: the same bytes, the same id.
pub fn uuid_from(mut bytes: [u8; 16]) -> String {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text
}

/// Returns the id of a signing certificate: 32 letters and digits.
pub fn certificate_id() -> String {
    letters(UPPER, 32)
}

/// Returns the id of a SAML provider (`SAMLSP…`) or of one of its private keys: a prefix and 20
/// letters or digits. The model asks for 22 to 64 of them.
///
/// UNVERIFIED: AWS's prefixes.
pub fn saml_id(prefix: &str) -> String {
    format!("{prefix}{}", letters(UPPER, 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_in_an_access_key_id() {
        for account in ["000000000000", "123456789012", "999999999999"] {
            let id = access_key_id("AKIA", account);
            assert_eq!((id.len(), account_of_key(&id).as_deref()), (20, Some(account)), "{id}");
        }
        // A key of AWS's whose account is known to the public.
        assert_eq!(account_of_key("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        for without in ["AKIAIOSFODNN7EXAMPLE", "test", "AKIA0000000000000000"] {
            assert_eq!(account_of_key(without), None, "{without}");
        }
    }
}
