//! The codes of a virtual MFA device (RFC 6238), as the user's telephone would show them.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// How long a code is good for.
const PERIOD_SECONDS: i64 = 30;

/// Returns the codes of the previous and the current period for a seed as IAM gives it: base64 of
/// the base32 text.
///
/// # Errors
/// When the seed is not that.
pub(super) fn two_codes(seed_base64: &str, unix_seconds: i64) -> Result<(String, String)> {
    let text = STANDARD.decode(seed_base64).context("the seed is not base64")?;
    let seed = base32(&text).context("the seed is not base32")?;
    let period = unix_seconds / PERIOD_SECONDS;
    Ok((code(&seed, period - 1)?, code(&seed, period)?))
}

fn code(seed: &[u8], period: i64) -> Result<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(seed)?;
    mac.update(&period.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last().copied().unwrap_or_default() & 15);
    let four = digest.iter().skip(offset).take(4);
    let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    Ok(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

fn base32(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.iter().filter(|letter| **letter != b'=') {
        let five = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(five);
        count += 5;
        if 8 <= count {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let seed = STANDARD.encode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let (_, now) = two_codes(&seed, 59).unwrap();
        assert_eq!(now, "287082");
        let (before, _) = two_codes(&seed, 89).unwrap();
        assert_eq!(before, "287082");
    }

    #[test]
    fn a_seed_that_is_none_is_an_error() {
        assert!(two_codes("!", 59).is_err());
        assert!(two_codes(&STANDARD.encode("1"), 59).is_err());
    }
}
