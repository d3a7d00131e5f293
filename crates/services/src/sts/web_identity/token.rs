//! A JSON Web Token (RFC 7519), signed (RFC 7515), as identity providers give them out.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use value::Value;

/// A token that reads as one; nothing of it has been checked.
pub(crate) struct Token<'t> {
    /// What is signed: header and claims as they came.
    signed: &'t str,
    signature: Vec<u8>,
    header: Value,
    claims: Value,
}

impl<'t> Token<'t> {
    /// Reads a token; `None` when it is none.
    pub(crate) fn parse(text: &'t str) -> Option<Token<'t>> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
            value::parse_bytes(&bytes).ok().filter(|value| value.as_object().is_some())
        };
        let header = object(header)?;
        // What must be understood, and is not understood here, makes it none (RFC 7515, 4.1.11).
        if header.get("crit").is_some() {
            return None;
        }
        Some(Token {
            signed,
            signature: BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?,
            header,
            claims: object(claims)?,
        })
    }

    /// Returns what it says about whom.
    pub(super) fn claims(&self) -> &Value {
        &self.claims
    }

    /// Returns who has issued it.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss")?.as_str()
    }

    /// Returns how it is signed: `RS256`.
    pub(super) fn algorithm(&self) -> Option<&str> {
        self.header.get("alg")?.as_str()
    }

    /// Returns which key it is signed with, if it says so.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.get("kid")?.as_str()
    }

    /// Returns what is signed, and the signature.
    pub(super) fn signature(&self) -> (&[u8], &[u8]) {
        (self.signed.as_bytes(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_of_which_two_are_objects() {
        // {"alg":"none"} and {"iss":"a"}.
        let token = Token::parse("eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.AA").unwrap();
        assert_eq!((token.algorithm(), token.issuer()), (Some("none"), Some("a")));
        for wrong in [
            "",
            "x",
            "a.b.c",
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0",
            "eyJhbGciOiJub25lIn0=.eyJpc3MiOiJhIn0.AA",
            "W10.eyJpc3MiOiJhIn0.AA",
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.A A",
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.AA.AA",
            // {"alg":"none","crit":["b64"]}, and with `crit` as null.
            "eyJhbGciOiJub25lIiwiY3JpdCI6WyJiNjQiXX0.eyJpc3MiOiJhIn0.AA",
            "eyJhbGciOiJub25lIiwiY3JpdCI6bnVsbH0.eyJpc3MiOiJhIn0.AA",
        ] {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
    }
}
