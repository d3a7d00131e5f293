//! The public keys of an identity provider (RFC 7517), and signatures checked with them.
//!
//! IAM user guide, "Create an OpenID Connect (OIDC) identity provider in IAM": RS256, RS384, RS512,
//! ES256, ES384 and ES512 (read 2026-11).
// DIFFERS: ES512 is refused, for the library that checks signatures does not know its curve.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use value::Value;

use super::token::Token;

/// How many keys of a provider are looked at.
const KEYS_MAX: usize = 100;
/// How an uncompressed point of a curve begins.
const UNCOMPRESSED: u8 = 4;

/// The keys that a provider publishes.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
}

/// Why a signature is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The provider has no key that it could be checked with.
    NoKey,
    /// It is signed in a way that is not accepted.
    Algorithm,
    /// It does not match.
    Signature,
}

impl Keys {
    /// Reads a key set. Keys for other purposes, and of kinds not known here, are left out.
    pub(super) fn parse(text: &[u8]) -> Option<Keys> {
        let set = value::parse_bytes(text).ok()?;
        let keys = set.get("keys")?.as_array()?;
        Some(Keys(keys.iter().take(KEYS_MAX).filter_map(key).collect()))
    }

    /// Checks the signature of a token.
    pub(super) fn verify(&self, token: &Token<'_>) -> Result<(), Flaw> {
        let algorithm = token.algorithm().ok_or(Flaw::Algorithm)?;
        let algorithm = Algorithm::named(algorithm).ok_or(Flaw::Algorithm)?;
        let mut flaw = Flaw::NoKey;
        for key in self.0.iter().filter(|key| key.is_for(token)) {
            match algorithm.verify(&key.material, token.signature()) {
                Some(true) => return Ok(()),
                Some(false) => flaw = Flaw::Signature,
                // A key of another kind.
                None => {}
            }
        }
        Err(flaw)
    }
}

fn key(key: &Value) -> Option<Key> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let bytes = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
    let point = || Some([vec![UNCOMPRESSED], bytes("x")?, bytes("y")?].concat());
    let material = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            Material::Rsa { n: without_zeros(bytes("n")?), e: without_zeros(bytes("e")?) }
        }
        ("EC", Some("P-256")) => Material::P256(point()?),
        ("EC", Some("P-384")) => Material::P384(point()?),
        _ => return None,
    };
    let (id, algorithm) = (text("kid").map(str::to_owned), text("alg").map(str::to_owned));
    Some(Key { id, algorithm, material })
}

/// Numbers begin with what is not zero.
fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

impl Key {
    fn is_for(&self, token: &Token<'_>) -> bool {
        let by_id = token.key_id().is_none_or(|id| self.id.as_deref() == Some(id));
        let known = self.algorithm.as_deref();
        by_id && known.is_none_or(|known| token.algorithm() == Some(known))
    }
}

/// The ways to sign that are accepted: those in which only the provider can.
#[derive(Clone, Copy)]
enum Algorithm {
    Rsa(&'static RsaParameters),
    P256,
    P384,
}

impl Algorithm {
    fn named(name: &str) -> Option<Algorithm> {
        Some(match name {
            "RS256" => Algorithm::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Algorithm::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            "RS512" => Algorithm::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            "ES256" => Algorithm::P256,
            "ES384" => Algorithm::P384,
            _ => return None,
        })
    }

    /// Returns whether a signature matches; `None` for a key of another kind.
    fn verify(self, key: &Material, (signed, signature): (&[u8], &[u8])) -> Option<bool> {
        let on_curve = |algorithm: &'static dyn signature::VerificationAlgorithm, point: &[u8]| {
            UnparsedPublicKey::new(algorithm, point).verify(signed, signature).is_ok()
        };
        match (self, key) {
            (Algorithm::Rsa(parameters), Material::Rsa { n, e }) => {
                let key = RsaPublicKeyComponents { n, e };
                Some(key.verify(parameters, signed, signature).is_ok())
            }
            (Algorithm::P256, Material::P256(point)) => {
                Some(on_curve(&ECDSA_P256_SHA256_FIXED, point))
            }
            (Algorithm::P384, Material::P384(point)) => {
                Some(on_curve(&ECDSA_P384_SHA384_FIXED, point))
            }
            (Algorithm::Rsa(_) | Algorithm::P256 | Algorithm::P384, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, A.2: RS256.
    const RS256_KEY: &str = r#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#;
    const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    /// RFC 7515, A.3: ES256.
    const ES256_KEY: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    /// RFC 7515, A.1: HS256, for which a provider's public key would be the secret.
    const HS256: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn verdict(keys: &str, token: &str) -> Result<(), Flaw> {
        Keys::parse(keys.as_bytes()).unwrap().verify(&Token::parse(token).unwrap())
    }

    #[test]
    fn the_published_signatures_hold() {
        assert_eq!(verdict(RS256_KEY, RS256), Ok(()));
        assert_eq!(verdict(ES256_KEY, ES256), Ok(()));
    }

    #[test]
    fn nothing_else_does() {
        assert_eq!(verdict(ES256_KEY, RS256), Err(Flaw::NoKey));
        assert_eq!(verdict(RS256_KEY, ES256), Err(Flaw::NoKey));
        assert_eq!(verdict(RS256_KEY, HS256), Err(Flaw::Algorithm));
        let (header, rest) = RS256.split_once('.').unwrap();
        // {"alg":"none"}
        for algorithm in ["eyJhbGciOiJub25lIn0", "e30"] {
            let unsigned = format!("{algorithm}.{}.", rest.split_once('.').unwrap().0);
            assert_eq!(verdict(RS256_KEY, &unsigned), Err(Flaw::Algorithm), "{algorithm}");
        }
        // {"iss":"mallory"} under joe's signature.
        let (_, signature) = rest.split_once('.').unwrap();
        let forged = format!("{header}.eyJpc3MiOiJtYWxsb3J5In0.{signature}");
        assert_eq!(verdict(RS256_KEY, &forged), Err(Flaw::Signature));
        assert_eq!(verdict(r#"{"keys":[]}"#, RS256), Err(Flaw::NoKey));
    }

    #[test]
    fn a_key_is_taken_by_its_id_and_for_its_algorithm() {
        let with = |member: &str| RS256_KEY.replace("\"kty\"", &format!("{member},\"kty\""));
        // The token names no key, so any may be the one.
        assert_eq!(verdict(&with(r#""kid":"1""#), RS256), Ok(()));
        assert_eq!(verdict(&with(r#""alg":"RS512""#), RS256), Err(Flaw::NoKey));
        assert_eq!(verdict(&with(r#""use":"enc""#), RS256), Err(Flaw::NoKey));
        // {"alg":"RS256","kid":"2"}
        let named = RS256.replace("eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIifQ");
        assert_eq!(verdict(&with(r#""kid":"1""#), &named), Err(Flaw::NoKey));
        assert_eq!(verdict(&with(r#""kid":"2""#), &named), Err(Flaw::Signature));
    }
}
