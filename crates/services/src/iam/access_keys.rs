//! Access keys of users.
//!
//! IAM API reference, "CreateAccessKey", "GetAccessKeyLastUsed" (read 2026-11).

use policy::Principal;
use serde::{Deserialize, Serialize};
use store::{Read, Save, Table, Transaction};
use value::Value;

use super::credentials::{self, CredentialKind, status_in};
use super::entity::{self, Entity, Kind, seconds};
use super::{error, paging, principals};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// How many access keys a user can have.
const ACCESS_KEYS_MAX: usize = 2;
/// How many characters a secret has.
pub(crate) const SECRET_CHARACTERS: usize = 40;
/// Uses of a key that are closer together than this count as one: not every call shall write.
const USE_NOTED_EVERY_MILLIS: i64 = 60_000;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateAccessKey",
        checks: |on, input| entity::named(on, "CreateAccessKey", Kind::User, input),
        run: Run::Write(create),
    },
    Operation {
        name: "ListAccessKeys",
        checks: |on, input| entity::named(on, "ListAccessKeys", Kind::User, input),
        run: Run::Read(list),
    },
    Operation {
        name: "UpdateAccessKey",
        checks: |on, input| entity::named(on, "UpdateAccessKey", Kind::User, input),
        run: Run::Write(update),
    },
    Operation {
        name: "DeleteAccessKey",
        checks: |on, input| entity::named(on, "DeleteAccessKey", Kind::User, input),
        run: Run::Write(delete),
    },
    Operation {
        name: "GetAccessKeyLastUsed",
        checks: may_get_last_used,
        run: Run::Read(get_last_used),
    },
];

/// An access key, stored by its id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessKey {
    account: String,
    user_id: String,
    status: String,
    created_millis: i64,
    /// Signatures are verified with it, so it is stored as it is.
    secret: String,
    last_used: Option<LastUsed>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LastUsed {
    millis: i64,
    service: String,
    region: String,
}

/// A long-term access key and whom it stands for.
#[derive(Clone)]
pub struct StoredKey {
    /// What signatures are made with; never logged.
    pub secret: String,
    /// Whether the key may be used.
    pub status: KeyStatus,
    /// The user, with its tags.
    pub principal: Principal,
}

/// Whether an access key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It may.
    Active,
    /// Requests signed with it are refused.
    Inactive,
}

/// How the keys of all access keys begin in `Table::Credentials`.
pub(crate) const ACCESS_KEYS: &str = "access-key/";

/// Returns a long-term access key by its id; `None` when there is none.
///
/// # Errors
/// When the store fails.
pub fn find_access_key(store: &dyn Read, access_key_id: &str) -> Result<Option<StoredKey>, Error> {
    let Some(key) = load(store, access_key_id)? else { return Ok(None) };
    let Some(user) = entity::by_id(store, &key.account, &key.user_id)? else { return Ok(None) };
    let status = match &*key.status {
        "Active" => KeyStatus::Active,
        _ => KeyStatus::Inactive,
    };
    let principal = principals::user(&key.account, &user);
    Ok(Some(StoredKey { secret: key.secret, status, principal }))
}

/// Notes that a key was used, for GetAccessKeyLastUsed. `service` is the name in the signature,
/// `iam`. Does nothing when the last noted use is younger than a minute.
///
/// # Errors
/// When the store fails.
pub fn note_key_use(
    store: &mut dyn Transaction,
    access_key_id: &str,
    service: &str,
    region: &str,
    now_millis: i64,
) -> Result<(), Error> {
    let Some(mut key) = load(&*store, access_key_id)? else { return Ok(()) };
    let noted = key.last_used.as_ref().map(|used| used.millis);
    if noted.is_some_and(|noted| now_millis - noted < USE_NOTED_EVERY_MILLIS) {
        return Ok(());
    }
    let (service, region) = (service.to_owned(), region.to_owned());
    key.last_used = Some(LastUsed { millis: now_millis, service, region });
    Ok(store.save(Table::Credentials, &format!("{ACCESS_KEYS}{access_key_id}"), &key)?)
}

fn load(store: &(impl Read + ?Sized), access_key_id: &str) -> Result<Option<AccessKey>, Error> {
    credentials::load(store, CredentialKind::AccessKey, access_key_id)
}

/// What a credential report tells of a key.
pub(super) struct ReportedKey {
    pub(super) is_active: bool,
    pub(super) created_millis: i64,
    /// When, in which region and for which service.
    pub(super) last_used: Option<(i64, String, String)>,
}

/// Returns what a credential report tells of a user's keys, oldest first.
pub(super) fn reported(
    store: &(impl Read + ?Sized),
    account: &str,
    user_id: &str,
) -> Result<Vec<ReportedKey>, Error> {
    let kind = CredentialKind::AccessKey;
    let keys: Vec<(String, AccessKey)> = credentials::all_owned(store, account, user_id, kind)?;
    let mut reported: Vec<ReportedKey> = keys
        .into_iter()
        .map(|(_, key)| ReportedKey {
            is_active: key.status == "Active",
            created_millis: key.created_millis,
            last_used: key.last_used.map(|used| (used.millis, used.region, used.service)),
        })
        .collect();
    reported.sort_by_key(|key| key.created_millis);
    Ok(reported)
}

fn not_found(id: &str) -> Error {
    error::no_such_entity(format!("The Access Key with id {id} cannot be found"))
}

/// Returns the user of an input and its key of that id.
fn owned(on: &Reading<'_>, input: &Value) -> Result<(Entity, AccessKey), Error> {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let id = input.text("AccessKeyId")?;
    let account = on.call.account();
    let key = credentials::owned(on.store, account, &user.id, CredentialKind::AccessKey, id)?;
    Ok((user, key.ok_or_else(|| not_found(id))?))
}

fn shown(user: &Entity, id: &str, key: &AccessKey) -> Value {
    Value::object()
        .with("UserName", &*user.name)
        .with("AccessKeyId", id)
        .with("Status", &*key.status)
        .with("CreateDate", seconds(key.created_millis))
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    let kind = CredentialKind::AccessKey;
    let account = w.call.account();
    if credentials::owned_ids(&*w.store, account, &user.id, kind)?.len() >= ACCESS_KEYS_MAX {
        return Err(error::quota("AccessKeysPerUser", ACCESS_KEYS_MAX));
    }
    let id = ids::access_key_id("AKIA", account);
    let key = AccessKey {
        account: account.to_owned(),
        user_id: user.id.clone(),
        status: "Active".into(),
        created_millis: w.call.now_millis,
        secret: ids::secret(SECRET_CHARACTERS),
        last_used: None,
    };
    credentials::put(w, &user.id, kind, &id, &key)?;
    let shown = shown(&user, &id, &key).with("SecretAccessKey", &*key.secret);
    Ok(Value::object().with("AccessKey", shown))
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let kind = CredentialKind::AccessKey;
    let keys = credentials::all_owned(on.store, on.call.account(), &user.id, kind)?;
    let rows = keys.into_iter().map(|(id, key)| {
        let shown = shown(&user, &id, &key);
        (id, shown)
    });
    paging::page(input, "AccessKeyMetadata", rows)
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let status = status_in(input)?;
    let (user, mut key) = owned(&w.reading(), input)?;
    status.clone_into(&mut key.status);
    let id = input.text("AccessKeyId")?;
    credentials::put(w, &user.id, CredentialKind::AccessKey, id, &key)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (user, _) = owned(&w.reading(), input)?;
    let id = input.text("AccessKeyId")?;
    credentials::remove(w, &user.id, CredentialKind::AccessKey, id)?;
    Ok(Value::object())
}

/// Returns the owner of a key in the caller's own account.
fn owner(
    store: &(impl Read + ?Sized),
    call: &Call,
    id: &str,
) -> Result<Option<(Entity, AccessKey)>, Error> {
    let Some(key) = load(store, id)?.filter(|key| key.account == call.account()) else {
        return Ok(None);
    };
    Ok(entity::by_id(store, &key.account, &key.user_id)?.map(|user| (user, key)))
}

fn may_get_last_used(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let action = "GetAccessKeyLastUsed";
    match owner(on.store, on.call, input.text("AccessKeyId")?)? {
        Some((user, _)) => Ok(vec![entity::check(on, action, Kind::User, &user.name)?]),
        None => Ok(vec![Check::any(format!("iam:{action}"))]),
    }
}

fn get_last_used(on: &Reading<'_>, input: &Value) -> Answer {
    let id = input.text("AccessKeyId")?;
    let (user, key) = owner(on.store, on.call, id)?.ok_or_else(|| not_found(id))?;
    let used = match &key.last_used {
        Some(used) => Value::object()
            .with("LastUsedDate", seconds(used.millis))
            .with("ServiceName", &*used.service)
            .with("Region", &*used.region),
        None => Value::object().with("ServiceName", "N/A").with("Region", "N/A"),
    };
    Ok(Value::object().with("UserName", &*user.name).with("AccessKeyLastUsed", used))
}
