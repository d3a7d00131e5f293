//! `$hash(text, algorithm)`: the digest in lower-case hexadecimal.

use sha2::Digest;

use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Run};
use crate::functions::text_argument;

/// Hashes the text's UTF-8 bytes; names of algorithms are case-sensitive.
// UNVERIFIED: the text for an unknown algorithm.
pub(in crate::functions) fn hash(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let Some(algorithm) = text_argument(arguments, 1) else { return Ok(Datum::Undefined) };
    let digest = match algorithm {
        "MD5" => hexadecimal(&md5::Md5::digest(text)),
        "SHA-1" => hexadecimal(&sha1::Sha1::digest(text)),
        "SHA-256" => hexadecimal(&sha2::Sha256::digest(text)),
        "SHA-384" => hexadecimal(&sha2::Sha384::digest(text)),
        "SHA-512" => hexadecimal(&sha2::Sha512::digest(text)),
        other => return Err(Fault::uncoded(format!("unknown hash algorithm `{other}`"))),
    };
    evaluator.text(digest)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect()
}
