//! Service-specific credentials: passwords for CodeCommit and Keyspaces, API keys for Bedrock.
//!
//! IAM API reference, "CreateServiceSpecificCredential" (read 2026-11).

use serde::{Deserialize, Serialize};
use value::Value;

use super::credentials::{self, CredentialKind, status_in};
use super::entity::{self, Entity, Kind, seconds};
use super::{error, paging};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// How many credentials a user can have for one service.
const CREDENTIALS_MAX: usize = 2;
/// How many letters a password and an API key have.
const PASSWORD_CHARACTERS: usize = 44;
const API_KEY_CHARACTERS: usize = 128;
/// How long an API key may live.
const AGE_DAYS_MAX: i64 = 36_600;
const MILLIS_PER_DAY: i64 = 86_400_000;
/// The services that take a user name and a password, and those that take an API key.
const PASSWORD_SERVICES: &[&str] = &["codecommit.amazonaws.com", "cassandra.amazonaws.com"];
const API_KEY_SERVICES: &[&str] = &["bedrock.amazonaws.com"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateServiceSpecificCredential",
        checks: may_create,
        run: Run::Write(create),
    },
    Operation {
        name: "ListServiceSpecificCredentials",
        checks: |on, input| entity::named(on, "ListServiceSpecificCredentials", Kind::User, input),
        run: Run::Read(list),
    },
    Operation {
        name: "UpdateServiceSpecificCredential",
        checks: |on, input| may_change(on, "UpdateServiceSpecificCredential", input),
        run: Run::Write(update),
    },
    Operation {
        name: "ResetServiceSpecificCredential",
        checks: |on, input| may_change(on, "ResetServiceSpecificCredential", input),
        run: Run::Write(reset),
    },
    Operation {
        name: "DeleteServiceSpecificCredential",
        checks: |on, input| may_change(on, "DeleteServiceSpecificCredential", input),
        run: Run::Write(delete),
    },
];

/// A credential, stored by its id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceSpecificCredential {
    service: String,
    /// What the service knows the user by: a user name, or the alias of an API key.
    login: String,
    /// The password or the API key.
    secret: String,
    status: String,
    created_millis: i64,
    expires_millis: Option<i64>,
}

impl ServiceSpecificCredential {
    fn is_api_key(&self) -> bool {
        API_KEY_SERVICES.contains(&&*self.service)
    }

    fn status_at(&self, now_millis: i64) -> &str {
        match self.expires_millis {
            Some(expires) if expires <= now_millis => "Expired",
            Some(_) | None => &self.status,
        }
    }
}

fn shown(call: &Call, user: &Entity, id: &str, credential: &ServiceSpecificCredential) -> Value {
    let login = if credential.is_api_key() { "ServiceCredentialAlias" } else { "ServiceUserName" };
    Value::object()
        .with("CreateDate", seconds(credential.created_millis))
        .with_some("ExpirationDate", credential.expires_millis.map(seconds))
        .with("ServiceName", &*credential.service)
        .with(login, &*credential.login)
        .with("ServiceSpecificCredentialId", id)
        .with("UserName", &*user.name)
        .with("Status", credential.status_at(call.now_millis))
}

/// Returns a credential with its secret, which is shown once.
fn shown_secret(
    call: &Call,
    user: &Entity,
    id: &str,
    credential: &ServiceSpecificCredential,
) -> Value {
    let secret =
        if credential.is_api_key() { "ServiceCredentialSecret" } else { "ServicePassword" };
    let shown = shown(call, user, id, credential).with(secret, &*credential.secret);
    Value::object().with("ServiceSpecificCredential", shown)
}

fn new_secret(service: &str) -> String {
    if API_KEY_SERVICES.contains(&service) {
        format!("ABSK{}", ids::secret(API_KEY_CHARACTERS))
    } else {
        format!("{}=", ids::secret(PASSWORD_CHARACTERS - 1))
    }
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let action = "CreateServiceSpecificCredential";
    let mut check =
        entity::check(on, action, Kind::User, entity::name_in(on.call, Kind::User, input)?)?;
    let service = input.text("ServiceName")?.to_owned();
    check = check.with("iam:ServiceSpecificCredentialServiceName", vec![service]);
    if let Some(days) = input.integer("CredentialAgeDays") {
        check = check.with("iam:ServiceSpecificCredentialAgeDays", vec![days.to_string()]);
    }
    Ok(vec![check])
}

fn may_change(on: &Reading<'_>, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    let name = entity::name_in(on.call, Kind::User, input)?;
    let mut check = entity::check(on, action, Kind::User, name)?;
    let kind = CredentialKind::ServiceSpecificCredential;
    let id = input.text("ServiceSpecificCredentialId")?;
    let known: Option<ServiceSpecificCredential> = credentials::load(on.store, kind, id)?;
    if let Some(known) = known {
        check = check.with("iam:ServiceSpecificCredentialServiceName", vec![known.service]);
    }
    Ok(vec![check])
}

/// Returns when a new credential expires.
fn expiry(call: &Call, service: &str, input: &Value) -> Result<Option<i64>, Error> {
    let Some(days) = input.integer("CredentialAgeDays") else { return Ok(None) };
    if !API_KEY_SERVICES.contains(&service) {
        // UNVERIFIED: AWS's text.
        return Err(error::invalid_input(format!(
            "CredentialAgeDays is not supported for service {service}"
        )));
    }
    if !(1..=AGE_DAYS_MAX).contains(&days) {
        let bound =
            if days < 1 { "greater than or equal to 1" } else { "less than or equal to 36600" };
        let constraint = format!("Member must have value {bound}");
        return Err(error::constraint("credentialAgeDays", Some(&days.to_string()), &constraint));
    }
    Ok(Some(call.now_millis + days * MILLIS_PER_DAY))
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    let service = input.text("ServiceName")?;
    if !PASSWORD_SERVICES.contains(&service) && !API_KEY_SERVICES.contains(&service) {
        return Err(error::no_such_entity(format!(
            "No such service {service} is supported for Service Specific Credentials"
        )));
    }
    let expires_millis = expiry(w.call, service, input)?;
    let (account, kind) = (w.call.account(), CredentialKind::ServiceSpecificCredential);
    let known = all(&w.reading(), &user)?;
    let of_service = known.iter().filter(|(_, credential)| credential.service == service).count();
    if of_service >= CREDENTIALS_MAX {
        // UNVERIFIED: the name of this quota.
        return Err(error::quota("ServiceSpecificCredentialsPerUser", CREDENTIALS_MAX));
    }
    let login = free_login(&format!("{}-at-{account}", user.name), &known);
    let credential = ServiceSpecificCredential {
        service: service.to_owned(),
        login,
        secret: new_secret(service),
        status: "Active".into(),
        created_millis: w.call.now_millis,
        expires_millis,
    };
    let id = ids::unique_id("ACCA");
    credentials::put(w, &user.id, kind, &id, &credential)?;
    Ok(shown_secret(w.call, &user, &id, &credential))
}

/// Returns the first login, of `base`, `base+1` and so on, that no other credential has.
fn free_login(base: &str, known: &[(String, ServiceSpecificCredential)]) -> String {
    let taken = |login: &str| known.iter().any(|(_, other)| other.login == login);
    let mut logins = (1..=known.len()).map(|more| format!("{base}+{more}"));
    if !taken(base) {
        return base.to_owned();
    }
    logins.find(|login| !taken(login)).unwrap_or_else(|| format!("{base}+{}", known.len() + 1))
}

fn all(on: &Reading<'_>, user: &Entity) -> Result<Vec<(String, ServiceSpecificCredential)>, Error> {
    let kind = CredentialKind::ServiceSpecificCredential;
    credentials::all_owned(on.store, on.call.account(), &user.id, kind)
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let users = if input.flag("AllUsers") {
        let users = entity::all(on.store, on.call.account(), Kind::User)?;
        users.into_iter().map(|(_, user)| user).collect()
    } else {
        vec![entity::get_named(on.store, on.call, Kind::User, input)?]
    };
    let mut rows = Vec::new();
    for user in users {
        for (id, credential) in all(on, &user)? {
            let service = input.maybe_text("ServiceName");
            if service.is_none_or(|service| service == credential.service) {
                let shown = shown(on.call, &user, &id, &credential);
                rows.push((id, shown));
            }
        }
    }
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    paging::page(input, "ServiceSpecificCredentials", rows)
}

/// Returns the user of an input and its credential of that id.
fn owned(on: &Reading<'_>, input: &Value) -> Result<(Entity, ServiceSpecificCredential), Error> {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let id = input.text("ServiceSpecificCredentialId")?;
    let (account, kind) = (on.call.account(), CredentialKind::ServiceSpecificCredential);
    let credential = credentials::owned(on.store, account, &user.id, kind, id)?;
    let credential = credential
        .ok_or_else(|| error::no_such_entity(format!("No such credential {id} exists")))?;
    Ok((user, credential))
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let status = status_in(input)?;
    let (user, mut credential) = owned(&w.reading(), input)?;
    status.clone_into(&mut credential.status);
    store(w, &user, input, &credential)?;
    Ok(Value::object())
}

fn store(
    w: &mut Writing<'_>,
    user: &Entity,
    input: &Value,
    credential: &ServiceSpecificCredential,
) -> Result<(), Error> {
    let id = input.text("ServiceSpecificCredentialId")?;
    credentials::put(w, &user.id, CredentialKind::ServiceSpecificCredential, id, credential)
}

fn reset(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (user, mut credential) = owned(&w.reading(), input)?;
    credential.secret = new_secret(&credential.service);
    store(w, &user, input, &credential)?;
    Ok(shown_secret(w.call, &user, input.text("ServiceSpecificCredentialId")?, &credential))
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (user, _) = owned(&w.reading(), input)?;
    let (kind, id) =
        (CredentialKind::ServiceSpecificCredential, input.text("ServiceSpecificCredentialId")?);
    credentials::remove(w, &user.id, kind, id)?;
    Ok(Value::object())
}
