//! An RSA public key in SSH's binary form (RFC 4253 §6.6) and in PEM (RFC 3279, RFC 8017).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

/// How many characters a line of PEM has.
const PEM_LINE_CHARACTERS: usize = 64;
/// The algorithm `rsaEncryption` with its absent parameters, in DER.
const RSA_ENCRYPTION: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const TAG_INTEGER: u8 = 0x02;
const TAG_BIT_STRING: u8 = 0x03;
const TAG_SEQUENCE: u8 = 0x30;
const SSH_NAME: &[u8] = b"ssh-rsa";

/// Both numbers are big-endian with a leading zero byte where the first bit is set, as SSH and DER
/// both write them.
pub(super) struct RsaPublicKey {
    exponent: Vec<u8>,
    modulus: Vec<u8>,
}

impl RsaPublicKey {
    /// Reads SSH's binary form.
    pub(super) fn from_ssh(bytes: &[u8]) -> Option<RsaPublicKey> {
        let (name, rest) = ssh_string(bytes)?;
        let (exponent, rest) = ssh_string(rest)?;
        let (modulus, rest) = ssh_string(rest)?;
        let whole = name == SSH_NAME && rest.is_empty();
        let key = RsaPublicKey { exponent: exponent.to_vec(), modulus: modulus.to_vec() };
        (whole && !exponent.is_empty() && !modulus.is_empty()).then_some(key)
    }

    /// Reads PEM, `PUBLIC KEY` or `RSA PUBLIC KEY`.
    pub(super) fn from_pem(text: &str) -> Option<RsaPublicKey> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(text.as_bytes()).ok()?;
        let info = match &*pem.label {
            "PUBLIC KEY" => pem.contents.clone(),
            "RSA PUBLIC KEY" => wrap(&pem.contents),
            _ => return None,
        };
        let (_, info) = SubjectPublicKeyInfo::from_der(&info).ok()?;
        match info.parsed().ok()? {
            PublicKey::RSA(key) => {
                Some(RsaPublicKey { exponent: signed(key.exponent), modulus: signed(key.modulus) })
            }
            _ => None,
        }
    }

    /// Writes SSH's binary form.
    pub(super) fn to_ssh(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [SSH_NAME, &self.exponent, &self.modulus] {
            bytes.extend(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }

    /// Writes PEM, `PUBLIC KEY`.
    pub(super) fn to_pem(&self) -> String {
        let numbers = [der(TAG_INTEGER, &self.modulus), der(TAG_INTEGER, &self.exponent)].concat();
        let text = BASE64_STANDARD.encode(wrap(&der(TAG_SEQUENCE, &numbers)));
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (at, letter) in text.chars().enumerate() {
            if at > 0 && at % PEM_LINE_CHARACTERS == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }
}

fn signed(number: &[u8]) -> Vec<u8> {
    let significant = number.iter().skip_while(|byte| **byte == 0).copied();
    let mut bytes: Vec<u8> = significant.collect();
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    bytes
}

/// Takes one length-prefixed string off the front.
fn ssh_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

/// Wraps `RSAPublicKey` into `SubjectPublicKeyInfo`.
fn wrap(key: &[u8]) -> Vec<u8> {
    let bits = [&[0], key].concat();
    der(TAG_SEQUENCE, &[RSA_ENCRYPTION, &der(TAG_BIT_STRING, &bits)].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => bytes.push(short),
        Ok(_) | Err(_) => {
            let length: Vec<u8> =
                content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            bytes.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            bytes.extend(length);
        }
    }
    bytes.extend(content);
    bytes
}
