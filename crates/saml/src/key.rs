//! The public keys of providers, and what they have signed.

use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA384, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What kind of key makes signatures of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
}

/// A way to sign.
pub(crate) struct Algorithm {
    kind: Kind,
    verification: &'static dyn VerificationAlgorithm,
}

impl Algorithm {
    /// Returns the algorithm of a name (RFC 9231, §2.3); none when it is not accepted. Keys of 1024
    /// bits and SHA-1 are old, and AWS takes them.
    // UNVERIFIED: that AWS goes on accepting SHA-1. Providers that sign with it by default (Auth0,
    // AD FS) work with AWS as they are.
    pub(crate) fn named(name: &str) -> Option<Algorithm> {
        let (kind, verification): (Kind, &'static dyn VerificationAlgorithm) = match name {
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1" => {
                (Kind::Rsa, &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)
            }
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => {
                (Kind::Rsa, &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
            }
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => {
                (Kind::Rsa, &RSA_PKCS1_2048_8192_SHA384)
            }
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => {
                (Kind::Rsa, &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)
            }
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => {
                (Kind::P256, &ECDSA_P256_SHA256_FIXED)
            }
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => {
                (Kind::P384, &ECDSA_P384_SHA384_FIXED)
            }
            _ => return None,
        };
        Some(Algorithm { kind, verification })
    }

    /// Returns whether the key of a certificate, in DER, has made a signature. The certificate is
    /// nothing but the way in which the key was told: who has issued it, and for how long, does not
    /// count in SAML.
    pub(crate) fn is_made_by(&self, certificate: &[u8], signed: &[u8], signature: &[u8]) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
        let key = certificate.public_key();
        let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
        let algorithm = &key.algorithm.algorithm;
        let kind = if *algorithm == OID_PKCS1_RSAENCRYPTION {
            Some(Kind::Rsa)
        } else if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_EC_P256) {
            Some(Kind::P256)
        } else if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_NIST_EC_P384) {
            Some(Kind::P384)
        } else {
            None
        };
        let key: signature::UnparsedPublicKey<&[u8]> =
            UnparsedPublicKey::new(self.verification, &key.subject_public_key.data);
        kind == Some(self.kind) && key.verify(signed, signature).is_ok()
    }
}
