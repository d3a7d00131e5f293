//! Temporary credentials as they are stored, found and forgotten.

use policy::{Principal, SessionPolicy};
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use crate::{Error, Writing, iam, ids};

/// How many letters a session token has.
const TOKEN_CHARACTERS: usize = 344;
/// What every token of AWS starts with.
const TOKEN_PREFIX: &str = "IQoJb3JpZ2luX2Vj";
/// How many sessions are looked at for expired ones when a new one is made.
const SWEEP_ROWS_MAX: usize = 32;

/// Temporary credentials with their secret; given out once and never logged.
#[derive(Clone)]
pub struct Credentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// What requests are signed with.
    pub secret_access_key: String,
    /// What requests carry besides.
    pub session_token: String,
    /// When they end.
    pub expires_millis: i64,
}

impl Credentials {
    /// Returns the credentials as answers carry them.
    pub(super) fn shown(&self) -> Value {
        Value::object()
            .with("AccessKeyId", &*self.access_key_id)
            .with("SecretAccessKey", &*self.secret_access_key)
            .with("SessionToken", &*self.session_token)
            .with("Expiration", self.expires_millis.div_euclid(1000))
    }
}

/// What temporary credentials stand for.
#[derive(Clone)]
pub struct Session {
    /// What signatures are made with; never logged.
    pub secret: String,
    /// What requests must carry in `X-Amz-Security-Token`.
    pub token: String,
    /// When the session ends, on the server's clock.
    pub expires_millis: i64,
    /// Who calls.
    pub principal: Principal,
    /// The process whose script has the credentials: `automation/ID`.
    pub process: Option<String>,
}

/// A session, stored by its access key id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    secret: String,
    token: String,
    expires_millis: i64,
    principal: Principal,
    /// Label and text, where an older server stored them.
    #[serde(default, skip_serializing)]
    policies: Option<Vec<(String, String)>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process: Option<String>,
}

/// Returns the session of temporary credentials, expired or not; `None` when there is none.
///
/// # Errors
/// When the store fails.
pub fn find_session(store: &dyn Read, access_key_id: &str) -> Result<Option<Session>, Error> {
    let stored: Option<Stored> = store.load(Table::Sessions, access_key_id)?;
    let policy = |(label, document)| SessionPolicy { label, document };
    Ok(stored.map(|Stored { secret, token, expires_millis, mut principal, policies, process }| {
        if let Some(policies) = policies {
            let session = principal.session.get_or_insert_default();
            session.policies = Some(policies.into_iter().map(policy).collect());
        }
        Session { secret, token, expires_millis, principal, process }
    }))
}

/// Returns temporary credentials for a principal: for a script of a process that acts as a role.
///
/// # Errors
/// When the store fails.
pub fn credentials_for(
    w: &mut Writing<'_>,
    principal: &Principal,
    process: Option<String>,
    duration_seconds: i64,
) -> Result<Credentials, Error> {
    keep(w, principal.clone(), process, duration_seconds)
}

/// Makes a session and stores it.
pub(super) fn open(
    w: &mut Writing<'_>,
    principal: &Principal,
    policies: Option<Vec<SessionPolicy>>,
    duration_seconds: i64,
) -> Result<Credentials, Error> {
    let mut principal = principal.clone();
    principal.session.get_or_insert_default().policies = policies;
    keep(w, principal, None, duration_seconds)
}

fn keep(
    w: &mut Writing<'_>,
    principal: Principal,
    process: Option<String>,
    duration_seconds: i64,
) -> Result<Credentials, Error> {
    let credentials = Credentials {
        access_key_id: ids::access_key_id("ASIA", w.call.account()),
        secret_access_key: ids::secret(iam::SECRET_CHARACTERS),
        session_token: format!("{TOKEN_PREFIX}{}", ids::secret(TOKEN_CHARACTERS)),
        expires_millis: w.call.now_millis + duration_seconds * 1000,
    };
    sweep(w, &credentials.access_key_id)?;
    let stored = Stored {
        secret: credentials.secret_access_key.clone(),
        token: credentials.session_token.clone(),
        expires_millis: credentials.expires_millis,
        principal,
        policies: None,
        process,
    };
    w.store.save(Table::Sessions, &credentials.access_key_id, &stored)?;
    Ok(credentials)
}

/// How long an expired session is remembered, so that its use is answered with ExpiredToken.
const REMEMBERED_MILLIS: i64 = 86_400_000;

/// Forgets sessions that expired a day ago among those behind `key`. New keys are random, so every
/// session is looked at once in a while and the table does not grow for ever.
fn sweep(w: &mut Writing<'_>, key: &str) -> Result<(), Error> {
    let scan = Scan::prefix("").after(Some(key)).limit(SWEEP_ROWS_MAX);
    for (key, session) in w.store.load_all::<Stored>(Table::Sessions, scan)? {
        if session.expires_millis + REMEMBERED_MILLIS < w.call.now_millis {
            w.store.delete(Table::Sessions, &key)?;
        }
    }
    Ok(())
}
