//! Login profiles: the password of a user.
//!
//! IAM API reference, "CreateLoginProfile", "ChangePassword" (read 2026-11).

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use store::Read;
use value::Value;

use super::credentials::{self, CredentialKind};
use super::entity::{self, Entity, Kind, seconds};
use super::{error, password_policy};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// The cost of hashing a password: a few milliseconds, for a server whose secrets guard test data.
const HASH_MEMORY_KIB: u32 = 4096;
const HASH_PASSES: u32 = 2;
const HASH_LANES: u32 = 1;
const HASH_BYTES: usize = 32;
/// How many passwords are remembered, the present one among them: as many as a password policy can
/// keep from coming again.
const PASSWORDS_REMEMBERED_MAX: usize = 24;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateLoginProfile",
        checks: |on, input| entity::named(on, "CreateLoginProfile", Kind::User, input),
        run: Run::Write(create),
    },
    Operation {
        name: "GetLoginProfile",
        checks: |on, input| entity::named(on, "GetLoginProfile", Kind::User, input),
        run: Run::Read(get),
    },
    Operation {
        name: "UpdateLoginProfile",
        checks: |on, input| entity::named(on, "UpdateLoginProfile", Kind::User, input),
        run: Run::Write(update),
    },
    Operation {
        name: "DeleteLoginProfile",
        checks: |on, input| entity::named(on, "DeleteLoginProfile", Kind::User, input),
        run: Run::Write(delete),
    },
    Operation { name: "ChangePassword", checks: may_change, run: Run::Write(change) },
];

/// A login profile, stored by the user's id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginProfile {
    created_millis: i64,
    password_reset_required: bool,
    password: Hashed,
    /// When the password was changed; absent while it is the first.
    #[serde(default)]
    changed_millis: Option<i64>,
    /// The passwords before, latest first. Kept also while no policy asks for them: one set later
    /// counts them.
    #[serde(default)]
    previous_passwords: Vec<Hashed>,
}

/// A password that can be compared, not read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hashed {
    memory_kib: u32,
    passes: u32,
    salt: String,
    hash: String,
}

impl Hashed {
    fn of(password: &str) -> Result<Hashed, Error> {
        let salt: [u8; 16] = ids::entropy();
        let hash = hash(password, &salt, HASH_MEMORY_KIB, HASH_PASSES)?;
        Ok(Hashed {
            memory_kib: HASH_MEMORY_KIB,
            passes: HASH_PASSES,
            salt: BASE64_STANDARD_NO_PAD.encode(salt),
            hash: BASE64_STANDARD_NO_PAD.encode(hash),
        })
    }

    fn matches(&self, password: &str) -> Result<bool, Error> {
        let salt = BASE64_STANDARD_NO_PAD.decode(&self.salt);
        let salt = salt.map_err(|err| Error::internal(&err))?;
        let hash = hash(password, &salt, self.memory_kib, self.passes)?;
        Ok(BASE64_STANDARD_NO_PAD.encode(hash) == self.hash)
    }
}

fn hash(
    password: &str,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Result<[u8; HASH_BYTES], Error> {
    let params = Params::new(memory_kib, passes, HASH_LANES, Some(HASH_BYTES));
    let params = params.map_err(|err| Error::internal(&err))?;
    let mut out = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .map_err(|err| Error::internal(&err))?;
    Ok(out)
}

impl LoginProfile {
    /// Takes a new password, after the policy of the account was asked about it.
    fn set_password(&mut self, w: &Writing<'_>, password: &str) -> Result<(), Error> {
        let account = w.call.account();
        password_policy::check_password(&*w.store, account, password)?;
        let policy = password_policy::of(&*w.store, account)?;
        let remembered = policy.and_then(|policy| policy.reuse_prevention).unwrap_or_default();
        let known = std::iter::once(&self.password).chain(&self.previous_passwords);
        for hashed in known.take(remembered) {
            if hashed.matches(password)? {
                return Err(password_policy::reused());
            }
        }
        let old = std::mem::replace(&mut self.password, Hashed::of(password)?);
        self.previous_passwords.insert(0, old);
        self.previous_passwords.truncate(PASSWORDS_REMEMBERED_MAX - 1);
        self.changed_millis = Some(w.call.now_millis);
        Ok(())
    }
}

/// Returns when a user's password was changed last, or made; `None` without a password.
pub(super) fn password_changed_millis(
    store: &(impl Read + ?Sized),
    user_id: &str,
) -> Result<Option<i64>, Error> {
    let profile: Option<LoginProfile> =
        credentials::load(store, CredentialKind::LoginProfile, user_id)?;
    Ok(profile.map(|profile| profile.changed_millis.unwrap_or(profile.created_millis)))
}

fn load(on: &Reading<'_>, user: &Entity) -> Result<LoginProfile, Error> {
    credentials::load(on.store, CredentialKind::LoginProfile, &user.id)?.ok_or_else(|| {
        let name = &user.name;
        error::no_such_entity(format!("Login Profile for User {name} cannot be found."))
    })
}

fn save(w: &mut Writing<'_>, user: &Entity, profile: &LoginProfile) -> Result<(), Error> {
    credentials::put(w, &user.id, CredentialKind::LoginProfile, &user.id, profile)
}

fn shown(user: &Entity, profile: &LoginProfile) -> Value {
    let shown = Value::object()
        .with("UserName", &*user.name)
        .with("CreateDate", seconds(profile.created_millis))
        .with("PasswordResetRequired", profile.password_reset_required);
    Value::object().with("LoginProfile", shown)
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    let known: Option<Value> =
        credentials::load(&*w.store, CredentialKind::LoginProfile, &user.id)?;
    if known.is_some() {
        let name = &user.name;
        return Err(error::already_exists(format!(
            "Login Profile for user {name} already exists."
        )));
    }
    let password = input.text("Password")?;
    password_policy::check_password(&*w.store, w.call.account(), password)?;
    let profile = LoginProfile {
        created_millis: w.call.now_millis,
        password_reset_required: input.flag("PasswordResetRequired"),
        password: Hashed::of(password)?,
        changed_millis: None,
        previous_passwords: Vec::new(),
    };
    save(w, &user, &profile)?;
    Ok(shown(&user, &profile))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    Ok(shown(&user, &load(on, &user)?))
}

fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    let mut profile = load(&w.reading(), &user)?;
    if let Some(password) = input.maybe_text("Password") {
        profile.set_password(w, password)?;
    }
    if let Some(required) = input.get("PasswordResetRequired").and_then(Value::as_bool) {
        profile.password_reset_required = required;
    }
    save(w, &user, &profile)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    load(&w.reading(), &user)?;
    credentials::remove(w, &user.id, CredentialKind::LoginProfile, &user.id)?;
    Ok(Value::object())
}

/// Whoever is no user is told so by the operation itself.
fn may_change(on: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    let Some(name) = on.call.user_name() else { return Ok(Vec::new()) };
    Ok(vec![entity::check(on, "ChangePassword", Kind::User, name)?])
}

/// The caller changes its own password.
fn change(w: &mut Writing<'_>, input: &Value) -> Answer {
    let Some(name) = w.call.user_name() else {
        return Err(Error::new("InvalidUserType", "Only IAM Users can change their own password."));
    };
    let user = entity::get(&*w.store, w.call, Kind::User, name)?;
    let mut profile = load(&w.reading(), &user)?;
    if !profile.password.matches(input.text("OldPassword")?)? {
        // UNVERIFIED: AWS's text for a wrong old password.
        return Err(Error::new("AccessDenied", "The old password was incorrect."));
    }
    profile.set_password(w, input.text("NewPassword")?)?;
    profile.password_reset_required = false;
    save(w, &user, &profile)?;
    Ok(Value::object())
}
