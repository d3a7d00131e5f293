//! Responses that others have signed, and what becomes of them in bad hands.
#![cfg(test)]
#![expect(clippy::string_slice, reason = "texts are cut where something was found in them")]

mod limits;
mod signatures;
mod wrapping;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use saml::{Assertion, Flaw, Response};

const RSA: &str = include_str!("data/rsa.pem");
const P256: &str = include_str!("data/p256.pem");
const P384: &str = include_str!("data/p384.pem");

/// Returns the certificate of a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    BASE64_STANDARD.decode(lines).unwrap()
}

/// Verifies a response with the RSA key.
fn verify(text: &str) -> Result<Assertion, Flaw> {
    Response::parse(text)?.verify(&[der(RSA)])
}
