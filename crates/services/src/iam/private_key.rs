//! Private keys in PEM, looked at for the public key that belongs to them.
//!
//! RFC 8017 (PKCS #1), RFC 5208 (PKCS #8), RFC 5915 (elliptic curves).

use x509_parser::prelude::SubjectPublicKeyInfo;
use x509_parser::public_key::PublicKey;

const TAG_INTEGER: u8 = 0x02;
const TAG_BIT_STRING: u8 = 0x03;
const TAG_OCTET_STRING: u8 = 0x04;
const TAG_OID: u8 = 0x06;
const TAG_SEQUENCE: u8 = 0x30;
/// `[1]`, where a key on an elliptic curve carries its public point.
const TAG_PUBLIC_POINT: u8 = 0xa1;
/// The object identifiers rsaEncryption and ecPublicKey.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// The public half of a private key; the private half is not kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PrivateKey {
    /// Big-endian numbers without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// The public point, where the key carries it (openssl always writes it).
    Ec { point: Option<Vec<u8>> },
}

impl PrivateKey {
    /// Reads PEM: `RSA PRIVATE KEY`, `EC PRIVATE KEY` or `PRIVATE KEY`; none that is encrypted.
    pub(super) fn from_pem(text: &str) -> Option<PrivateKey> {
        if text.contains("ENCRYPTED") {
            return None;
        }
        let (_, pem) = x509_parser::pem::parse_x509_pem(text.trim().as_bytes()).ok()?;
        match &*pem.label {
            "RSA PRIVATE KEY" => rsa(&pem.contents),
            "EC PRIVATE KEY" => ec(&pem.contents),
            "PRIVATE KEY" => pkcs8(&pem.contents),
            _ => None,
        }
    }

    /// Returns whether a certificate is for this key. Of a curve key without its public point only
    /// the kind is compared.
    pub(super) fn belongs_to(&self, certified: &SubjectPublicKeyInfo<'_>) -> bool {
        match (self, certified.parsed()) {
            (PrivateKey::Rsa { modulus, exponent }, Ok(PublicKey::RSA(key))) => {
                *modulus == significant(key.modulus) && *exponent == significant(key.exponent)
            }
            (PrivateKey::Ec { point }, Ok(PublicKey::EC(key))) => {
                point.as_ref().is_none_or(|point| *point == key.data())
            }
            _ => false,
        }
    }
}

/// Takes one element with this tag off the front; returns its content and what follows.
fn take(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = bytes else { return None };
    if *found != tag {
        return None;
    }
    if *length < 0x80 {
        return rest.split_at_checked(usize::from(*length));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(*length & 0x7f))?;
    if digits.len() > size_of::<u32>() {
        return None;
    }
    let length = digits.iter().fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
    rest.split_at_checked(length)
}

fn significant(number: &[u8]) -> Vec<u8> {
    number.iter().skip_while(|byte| **byte == 0).copied().collect()
}

fn rsa(der: &[u8]) -> Option<PrivateKey> {
    let (key, _) = take(TAG_SEQUENCE, der)?;
    let (_version, rest) = take(TAG_INTEGER, key)?;
    let (modulus, rest) = take(TAG_INTEGER, rest)?;
    let (exponent, rest) = take(TAG_INTEGER, rest)?;
    take(TAG_INTEGER, rest)?;
    Some(PrivateKey::Rsa { modulus: significant(modulus), exponent: significant(exponent) })
}

fn ec(der: &[u8]) -> Option<PrivateKey> {
    let (key, _) = take(TAG_SEQUENCE, der)?;
    let (_version, rest) = take(TAG_INTEGER, key)?;
    let (_secret, mut rest) = take(TAG_OCTET_STRING, rest)?;
    while let Some(tag) = rest.first() {
        let (content, after) = take(*tag, rest)?;
        if *tag == TAG_PUBLIC_POINT {
            let (bits, _) = take(TAG_BIT_STRING, content)?;
            let (_unused_bits, point) = bits.split_first()?;
            return Some(PrivateKey::Ec { point: Some(point.to_vec()) });
        }
        rest = after;
    }
    Some(PrivateKey::Ec { point: None })
}

fn pkcs8(der: &[u8]) -> Option<PrivateKey> {
    let (info, _) = take(TAG_SEQUENCE, der)?;
    let (_version, rest) = take(TAG_INTEGER, info)?;
    let (algorithm, rest) = take(TAG_SEQUENCE, rest)?;
    let (inner, _) = take(TAG_OCTET_STRING, rest)?;
    match take(TAG_OID, algorithm)?.0 {
        RSA_ENCRYPTION => rsa(inner),
        EC_PUBLIC_KEY => ec(inner),
        _ => None,
    }
}
