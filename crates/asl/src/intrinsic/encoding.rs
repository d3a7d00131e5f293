//! "Intrinsics for data encoding and decoding" and "Intrinsic for hash calculation".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonata::Moment;
use sha2::Digest;
use value::Value;

use super::string_of;

/// The longest text that is encoded, decoded or hashed, in characters (AWS's quota).
const TEXT_CHARS_MAX: usize = 10_000;

fn text_of(arguments: &[Value], index: usize) -> Result<&str, String> {
    let text = string_of(arguments, index)?;
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(format!("argument {} has more than {TEXT_CHARS_MAX} characters", index + 1));
    }
    Ok(text)
}

pub(super) fn base64_encode(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    Ok(STANDARD.encode(text_of(arguments, 0)?).into())
}

pub(super) fn base64_decode(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let bytes = STANDARD.decode(text_of(arguments, 0)?).map_err(|err| err.to_string())?;
    let text = String::from_utf8(bytes).map_err(|err| err.to_string())?;
    Ok(text.into())
}

pub(super) fn hash(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let data = match arguments.first() {
        Some(Value::String(text)) => text.to_string(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    if data.chars().count() > TEXT_CHARS_MAX {
        return Err(format!("argument 1 has more than {TEXT_CHARS_MAX} characters"));
    }
    let digest = match string_of(arguments, 1)? {
        "MD5" => hex(&md5::Md5::digest(&data)),
        "SHA-1" => hex(&sha1::Sha1::digest(&data)),
        "SHA-256" => hex(&sha2::Sha256::digest(&data)),
        "SHA-384" => hex(&sha2::Sha384::digest(&data)),
        "SHA-512" => hex(&sha2::Sha512::digest(&data)),
        other => return Err(format!("unknown hash algorithm `{other}`")),
    };
    Ok(digest.into())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        hex_into(&mut text, *byte);
    }
    text
}

/// Appends the two hexadecimal digits of a byte.
pub(super) fn hex_into(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 0xF] {
        text.extend(char::from_digit(u32::from(digit), 16));
    }
}
