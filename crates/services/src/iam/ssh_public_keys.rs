//! SSH public keys of users, for CodeCommit.
//!
//! IAM API reference, "UploadSSHPublicKey", "GetSSHPublicKey" (read 2026-11).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use value::Value;

use super::credentials::{self, CredentialKind, status_in};
use super::entity::{self, Entity, Kind, seconds};
use super::rsa_public_key::RsaPublicKey;
use super::{error, paging};
use crate::{Answer, Error, Input, Operation, Reading, Run, Writing, ids};

/// How many keys a user can have.
const KEYS_MAX: usize = 5;
/// The largest key, in characters.
const BODY_CHARACTERS_MAX: usize = 16_384;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "UploadSSHPublicKey",
        checks: |on, input| entity::named(on, "UploadSSHPublicKey", Kind::User, input),
        run: Run::Write(upload),
    },
    Operation {
        name: "GetSSHPublicKey",
        checks: |on, input| entity::named(on, "GetSSHPublicKey", Kind::User, input),
        run: Run::Read(get),
    },
    Operation {
        name: "ListSSHPublicKeys",
        checks: |on, input| entity::named(on, "ListSSHPublicKeys", Kind::User, input),
        run: Run::Read(list),
    },
    Operation {
        name: "UpdateSSHPublicKey",
        checks: |on, input| entity::named(on, "UpdateSSHPublicKey", Kind::User, input),
        run: Run::Write(update),
    },
    Operation {
        name: "DeleteSSHPublicKey",
        checks: |on, input| entity::named(on, "DeleteSSHPublicKey", Kind::User, input),
        run: Run::Write(delete),
    },
];

/// A key, stored by its id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SshPublicKey {
    /// The key in SSH's binary form, base64.
    blob: String,
    /// What followed the key in its line.
    comment: String,
    status: String,
    uploaded_millis: i64,
}

impl SshPublicKey {
    fn bytes(&self) -> Result<Vec<u8>, Error> {
        BASE64_STANDARD.decode(&self.blob).map_err(|err| Error::internal(&err))
    }

    /// Returns the MD5 of the binary form, as CodeCommit shows it: `aa:bb:…`.
    fn fingerprint(&self) -> Result<String, Error> {
        let digest = Md5::digest(self.bytes()?);
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(pairs.join(":"))
    }

    /// Returns the line `ssh-rsa AAAA… comment`.
    fn line(&self) -> String {
        format!("ssh-rsa {} {}", self.blob, self.comment).trim_end().to_owned()
    }
}

fn invalid_key() -> Error {
    Error::new("InvalidPublicKey", "The public key is malformed or otherwise invalid.")
}

/// Returns blob and comment of a key in either of the encodings that IAM takes: an `ssh-rsa` line,
/// or PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`).
fn read_body(body: &str) -> Result<(String, String), Error> {
    if body.chars().count() > BODY_CHARACTERS_MAX {
        return Err(invalid_key());
    }
    let body = body.trim();
    if body.starts_with("-----BEGIN") {
        let key = RsaPublicKey::from_pem(body).ok_or_else(invalid_key)?;
        return Ok((BASE64_STANDARD.encode(key.to_ssh()), String::new()));
    }
    let mut words = body.splitn(3, char::is_whitespace);
    let (kind, blob) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if kind != "ssh-rsa" {
        return Err(invalid_key());
    }
    let bytes = BASE64_STANDARD.decode(blob).map_err(|_| invalid_key())?;
    RsaPublicKey::from_ssh(&bytes).ok_or_else(invalid_key)?;
    Ok((blob.to_owned(), words.next().unwrap_or_default().trim().to_owned()))
}

fn shown(user: &Entity, id: &str, key: &SshPublicKey) -> Value {
    Value::object()
        .with("UserName", &*user.name)
        .with("SSHPublicKeyId", id)
        .with("Status", &*key.status)
        .with("UploadDate", seconds(key.uploaded_millis))
}

fn upload(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    let (blob, comment) = read_body(input.text("SSHPublicKeyBody")?)?;
    let (account, kind) = (w.call.account(), CredentialKind::SshPublicKey);
    let known = credentials::all_owned::<SshPublicKey>(&*w.store, account, &user.id, kind)?;
    if known.iter().any(|(_, key)| key.blob == blob) {
        return Err(Error::new(
            "DuplicateSSHPublicKey",
            "The SSH public key is already associated with the specified IAM user.",
        ));
    }
    if known.len() >= KEYS_MAX {
        return Err(error::quota("SSHPublicKeysPerUser", KEYS_MAX));
    }
    let id = ids::unique_id("APKA");
    let uploaded_millis = w.call.now_millis;
    let key = SshPublicKey { blob, comment, status: "Active".into(), uploaded_millis };
    credentials::put(w, &user.id, kind, &id, &key)?;
    let shown = shown(&user, &id, &key)
        .with("Fingerprint", key.fingerprint()?)
        .with("SSHPublicKeyBody", key.line());
    Ok(Value::object().with("SSHPublicKey", shown))
}

/// Returns the user of an input and its key of that id.
fn owned(on: &Reading<'_>, input: &Value) -> Result<(Entity, SshPublicKey), Error> {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let id = input.text("SSHPublicKeyId")?;
    let (account, kind) = (on.call.account(), CredentialKind::SshPublicKey);
    let key = credentials::owned(on.store, account, &user.id, kind, id)?;
    let key = key.ok_or_else(|| {
        error::no_such_entity(format!("The SSH Public Key with id {id} cannot be found"))
    })?;
    Ok((user, key))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let (user, key) = owned(on, input)?;
    let body = match input.text("Encoding")? {
        "SSH" => key.line(),
        "PEM" => RsaPublicKey::from_ssh(&key.bytes()?).ok_or_else(invalid_key)?.to_pem(),
        _ => {
            return Err(Error::new(
                "UnrecognizedPublicKeyEncoding",
                "The encoding of the public key is not recognized.",
            ));
        }
    };
    let shown = shown(&user, input.text("SSHPublicKeyId")?, &key)
        .with("Fingerprint", key.fingerprint()?)
        .with("SSHPublicKeyBody", body);
    Ok(Value::object().with("SSHPublicKey", shown))
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let (account, kind) = (on.call.account(), CredentialKind::SshPublicKey);
    let keys = credentials::all_owned(on.store, account, &user.id, kind)?;
    let rows = keys.into_iter().map(|(id, key)| {
        let shown = shown(&user, &id, &key);
        (id, shown)
    });
    paging::page(input, "SSHPublicKeys", rows)
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let status = status_in(input)?;
    let (user, mut key) = owned(&w.reading(), input)?;
    status.clone_into(&mut key.status);
    let (kind, id) = (CredentialKind::SshPublicKey, input.text("SSHPublicKeyId")?);
    credentials::put(w, &user.id, kind, id, &key)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (user, _) = owned(&w.reading(), input)?;
    let (kind, id) = (CredentialKind::SshPublicKey, input.text("SSHPublicKeyId")?);
    credentials::remove(w, &user.id, kind, id)?;
    Ok(Value::object())
}
