//! Parameters of type SecureString: with which key they are sealed, who may open them, and what
//! those see who do not.
//!
//! AWS Systems Manager user guide, "SecureString parameters" and "Restricting decryption of
//! SecureString parameter values" (read 2026-11): the key that AWS manages lets everybody of the
//! account decrypt through Systems Manager; a policy that denies it is heard all the same.
// DIFFERS: there is no KMS here, so that `alias/aws/ssm` is the only key. The store seals the
// values; what stands in their place without `WithDecryption` is random and cannot be opened.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use value::Value;

use super::parameter_names as names;
use crate::{Call, Check, Error, Input, Reading, ids};

/// The type of these parameters.
pub(super) const TYPE: &str = "SecureString";
/// The key that AWS manages.
const KEY: &str = "alias/aws/ssm";
/// With what ciphertexts of KMS begin.
const CIPHERTEXT_HEAD: [u8; 5] = [1, 2, 2, 0, 0x78];
/// How long the rest is, in bytes; it does not tell how long the value is.
const CIPHERTEXT_BYTES: usize = 160;
/// What the policy of the key grants; that it does so only through Systems Manager goes without
/// saying, for there is no other way to it here.
const KEY_POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*"
    }
}"#;

/// What the version of a SecureString has besides its value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Secure {
    pub(super) key_id: String,
    /// What is shown instead of the value.
    pub(super) ciphertext: String,
}

/// Whether a caller wants to see the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decryption {
    With,
    Without,
}

impl Decryption {
    pub(super) fn asked(input: &Value) -> Decryption {
        if input.flag("WithDecryption") { Decryption::With } else { Decryption::Without }
    }
}

/// Returns what a new version of a type has besides its value.
///
/// # Errors
/// When it is to be sealed with a key that is not there.
pub(super) fn of_new_version(
    call: &Call,
    kind: &str,
    input: &Value,
) -> Result<Option<Secure>, Error> {
    let key_id = input.maybe_text("KeyId").filter(|key| !key.is_empty());
    match (kind, key_id) {
        (TYPE, None) => {}
        (TYPE, Some(key)) if key == KEY || key == call.regional_arn("kms", KEY) => {}
        (TYPE, Some(key)) => {
            let text = format!(
                "Stepwell has no KMS, and so no key {key}: leave KeyId out, which means {KEY}."
            );
            return Err(Error::new("InvalidKeyId", text));
        }
        // UNVERIFIED: the words, and that it is refused.
        (kind, Some(_)) => {
            let text = format!("KeyId is for parameters of type {TYPE} only, not for {kind}.");
            return Err(Error::new("ValidationException", text));
        }
        (_, None) => return Ok(None),
    }
    let random: [u8; CIPHERTEXT_BYTES] = ids::entropy();
    let ciphertext = STANDARD.encode([&CIPHERTEXT_HEAD[..], &random].concat());
    Ok(Some(Secure { key_id: KEY.to_owned(), ciphertext }))
}

/// Returns the question whether the caller may do something with the key, for a parameter.
pub(super) fn check(on: &Reading<'_>, action: &str, name: &str) -> Check {
    let (call, region) = (on.call, &on.call.region);
    let key = call.regional_arn("kms", &format!("key/{}", call.uuid_of("kms/aws/ssm")));
    Check::new(format!("kms:{action}"), key)
        .with("kms:ViaService", vec![format!("ssm.{region}.amazonaws.com")])
        .with("kms:CallerAccount", vec![call.account().to_owned()])
        .with("kms:EncryptionContext:PARAMETER_ARN", vec![names::arn(call, name)])
        .granted_by(KEY_POLICY)
}
