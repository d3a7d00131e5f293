//! Policy documents as text: checked when stored, measured against quotas, encoded when shown.

use std::fmt::Write;

use policy::{Document, Kind};

use crate::Error;

/// Refuses a text that is no policy of this kind.
///
/// # Errors
/// `MalformedPolicyDocument` in AWS's words.
pub(crate) fn validate_policy(text: &str, kind: Kind) -> Result<Document, Error> {
    Document::parse(text, kind)
        .map_err(|fault| Error::new("MalformedPolicyDocument", fault.message))
}

/// Returns the size that counts against quotas: white space is free.
pub(super) fn billed_characters(text: &str) -> usize {
    text.chars().filter(|letter| !letter.is_whitespace()).count()
}

/// Returns a document as IAM's answers carry it: percent-encoded (RFC 3986), inside whatever the
/// protocol does to texts. Clients decode it.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_everything_but_the_unreserved() {
        assert_eq!(
            encoded(r#"{"a b":"%3A-._~/日"}"#),
            "%7B%22a%20b%22%3A%22%253A-._~%2F%E6%97%A5%22%7D"
        );
    }

    #[test]
    fn white_space_is_free() {
        assert_eq!(billed_characters(" { \"a\" :\n 1 } "), 7);
    }
}
