//! Base64 and URLs.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};

use super::text_argument;
use crate::Dialect;
use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Run};

/// Accepts texts with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `$base64encode(text)`
// DIFFERS: beyond Latin-1 the reference drops bits; we encode UTF-8 then, as Step Functions does.
pub(super) fn base64_encode(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(letter).ok()).collect();
    let bytes = match (evaluator.dialect, latin) {
        (Dialect::Full, Some(latin)) => latin,
        (Dialect::Full | Dialect::Aws, _) => text.as_bytes().to_vec(),
    };
    evaluator.text(general_purpose::STANDARD.encode(bytes))
}

/// `$base64decode(text)`
pub(super) fn base64_decode(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    // Step Functions reports a broken text as an internal error.
    let bytes = LENIENT.decode(text).map_err(|_| Fault::uncoded(crate::error::INTERNAL_TEXT))?;
    let decoded = match evaluator.dialect {
        Dialect::Full => bytes.into_iter().map(char::from).collect(),
        Dialect::Aws => String::from_utf8_lossy(&bytes).into_owned(),
    };
    evaluator.text(decoded)
}

/// What stays as it is in a component of a URL besides letters and digits.
const COMPONENT: &str = "-_.!~*'()";
/// What stays as it is in a whole URL.
const WHOLE: &str = "-_.!~*'();/?:@&=+$,#";
/// What `$decodeUrl` leaves encoded.
const RESERVED: &str = ";/?:@&=+$,#";

fn encode(evaluator: &mut Evaluator, arguments: &[Datum], kept: &str) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let mut out = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || kept.contains(letter) {
            out.push(letter);
            continue;
        }
        for byte in letter.encode_utf8(&mut buffer).bytes() {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    evaluator.text(out)
}

/// `$encodeUrlComponent(text)`
pub(super) fn encode_url_component(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    encode(evaluator, arguments, COMPONENT)
}

/// `$encodeUrl(text)`
pub(super) fn encode_url(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    encode(evaluator, arguments, WHOLE)
}

/// `$decodeUrlComponent(text)`
pub(super) fn decode_url_component(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    decode(evaluator, arguments, "", "decodeUrlComponent")
}

/// `$decodeUrl(text)`
pub(super) fn decode_url(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    decode(evaluator, arguments, RESERVED, "decodeUrl")
}

fn decode(
    evaluator: &mut Evaluator,
    arguments: &[Datum],
    reserved: &str,
    name: &'static str,
) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    match decoded(text, reserved) {
        Some(decoded) => evaluator.text(decoded),
        None => Err(Fault::new("D3140").token(name).value(text)),
    }
}

fn decoded(text: &str, reserved: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            out.push(first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii() && reserved.contains(char::from(byte)) {
            out.extend_from_slice(rest.get(..3)?);
        } else {
            out.push(byte);
        }
        rest = after.get(2..)?;
    }
    String::from_utf8(out).ok()
}
