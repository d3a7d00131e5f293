//! What users own: one row per credential, and an index from the user's id to its credentials.

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use super::error;
use crate::{Error, Input, Writing};

/// The kinds of credentials, in the order in which DeleteUser asks for their removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CredentialKind {
    LoginProfile,
    AccessKey,
    SigningCertificate,
    SshPublicKey,
    ServiceSpecificCredential,
    MfaDevice,
}

impl CredentialKind {
    pub(super) const ALL: [CredentialKind; 6] = [
        CredentialKind::LoginProfile,
        CredentialKind::AccessKey,
        CredentialKind::SigningCertificate,
        CredentialKind::SshPublicKey,
        CredentialKind::ServiceSpecificCredential,
        CredentialKind::MfaDevice,
    ];

    const fn word(self) -> &'static str {
        match self {
            CredentialKind::LoginProfile => "login-profile",
            CredentialKind::AccessKey => "access-key",
            CredentialKind::SigningCertificate => "signing-certificate",
            CredentialKind::SshPublicKey => "ssh-public-key",
            CredentialKind::ServiceSpecificCredential => "service-specific-credential",
            CredentialKind::MfaDevice => "mfa-device",
        }
    }

    /// Where records of this kind lie, and under which key.
    fn row(self, id: &str) -> (Table, String) {
        match self {
            CredentialKind::MfaDevice => (Table::MfaDevices, id.to_owned()),
            CredentialKind::LoginProfile
            | CredentialKind::AccessKey
            | CredentialKind::SigningCertificate
            | CredentialKind::SshPublicKey
            | CredentialKind::ServiceSpecificCredential => {
                (Table::Credentials, format!("{}/{id}", self.word()))
            }
        }
    }
}

fn owned_prefix(account: &str, user_id: &str, kind: CredentialKind) -> String {
    format!("owned/{account}/{user_id}/{}/", kind.word())
}

/// Returns a credential by its id alone.
pub(super) fn load<T: DeserializeOwned>(
    store: &(impl Read + ?Sized),
    kind: CredentialKind,
    id: &str,
) -> Result<Option<T>, Error> {
    let (table, key) = kind.row(id);
    Ok(store.load(table, &key)?)
}

/// Returns a credential of one user; `None` when it is another's.
pub(super) fn owned<T: DeserializeOwned>(
    store: &(impl Read + ?Sized),
    account: &str,
    user_id: &str,
    kind: CredentialKind,
    id: &str,
) -> Result<Option<T>, Error> {
    let key = owned_prefix(account, user_id, kind) + id;
    match store.get(Table::Relations, &key)? {
        Some(_) => load(store, kind, id),
        None => Ok(None),
    }
}

/// Returns the ids of a user's credentials of one kind.
pub(super) fn owned_ids(
    store: &(impl Read + ?Sized),
    account: &str,
    user_id: &str,
    kind: CredentialKind,
) -> Result<Vec<String>, Error> {
    let prefix = owned_prefix(account, user_id, kind);
    let rows = store.scan(Table::Relations, Scan::prefix(&prefix))?;
    Ok(rows.iter().filter_map(|(key, _)| key.strip_prefix(&prefix).map(str::to_owned)).collect())
}

/// Returns a user's credentials of one kind with their ids.
pub(super) fn all_owned<T: DeserializeOwned>(
    store: &(impl Read + ?Sized),
    account: &str,
    user_id: &str,
    kind: CredentialKind,
) -> Result<Vec<(String, T)>, Error> {
    let mut found = Vec::new();
    for id in owned_ids(store, account, user_id, kind)? {
        if let Some(record) = load(store, kind, &id)? {
            found.push((id, record));
        }
    }
    Ok(found)
}

/// Stores a credential and who owns it.
pub(super) fn put(
    w: &mut Writing<'_>,
    user_id: &str,
    kind: CredentialKind,
    id: &str,
    record: &impl Serialize,
) -> Result<(), Error> {
    let (table, key) = kind.row(id);
    w.store.save(table, &key, record)?;
    own(w, user_id, kind, id)
}

/// Notes that a user owns what is stored elsewhere.
pub(super) fn own(
    w: &mut Writing<'_>,
    user_id: &str,
    kind: CredentialKind,
    id: &str,
) -> Result<(), Error> {
    let owner = owned_prefix(w.call.account(), user_id, kind) + id;
    Ok(w.store.put(Table::Relations, &owner, b"1")?)
}

/// Removes a credential.
pub(super) fn remove(
    w: &mut Writing<'_>,
    user_id: &str,
    kind: CredentialKind,
    id: &str,
) -> Result<(), Error> {
    let (table, key) = kind.row(id);
    w.store.delete(table, &key)?;
    disown(w, user_id, kind, id)
}

/// Forgets that a user owns something.
pub(super) fn disown(
    w: &mut Writing<'_>,
    user_id: &str,
    kind: CredentialKind,
    id: &str,
) -> Result<(), Error> {
    let owner = owned_prefix(w.call.account(), user_id, kind) + id;
    w.store.delete(Table::Relations, &owner)?;
    Ok(())
}

/// Returns the status that an update asks for.
pub(super) fn status_in(input: &Value) -> Result<&str, Error> {
    let status = input.text("Status")?;
    match status {
        "Active" | "Inactive" => Ok(status),
        // UNVERIFIED: AWS's text for the status that only time gives.
        "Expired" => Err(error::invalid_input("The status Expired cannot be set.")),
        _ => Err(error::constraint(
            "status",
            Some(status),
            "Member must satisfy enum value set: [Active, Inactive]",
        )),
    }
}
