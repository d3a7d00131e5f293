//! Who the caller is.
//!
//! STS API reference, "GetCallerIdentity", "GetAccessKeyInfo" (read 2026-11).

use value::Value;

use super::find_session;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, iam, ids};

/// How long an access key id is, in characters.
const KEY_CHARACTERS_MIN: usize = 16;
const KEY_CHARACTERS_MAX: usize = 128;

pub(super) const OPERATIONS: &[Operation] = &[
    // Needs no permission; not even an explicit deny stops it.
    Operation {
        name: "GetCallerIdentity",
        checks: |_, _| Ok(Vec::new()),
        run: Run::Read(get_caller_identity),
    },
    Operation {
        name: "GetAccessKeyInfo",
        checks: |_, _| Ok(vec![Check::any("sts:GetAccessKeyInfo")]),
        run: Run::Read(get_access_key_info),
    },
];

fn get_caller_identity(on: &Reading<'_>, _: &Value) -> Answer {
    let principal = &on.call.principal;
    Ok(Value::object()
        .with("UserId", principal.user_id())
        .with("Account", on.call.account())
        .with("Arn", principal.arn()))
}

/// The account is in the id itself. Ids that were made before it was are looked up.
fn get_access_key_info(on: &Reading<'_>, input: &Value) -> Answer {
    let id = input.text("AccessKeyId")?;
    if !(KEY_CHARACTERS_MIN..=KEY_CHARACTERS_MAX).contains(&id.len()) {
        return Err(Error::validation(format!(
            "1 validation error detected: Value '{id}' at 'accessKeyId' failed to satisfy \
             constraint: Member must have length greater than or equal to {KEY_CHARACTERS_MIN}"
        )));
    }
    let known = match iam::find_access_key(on.store, id)? {
        Some(key) => Some(key.principal.account),
        None => find_session(on.store, id)?.map(|session| session.principal.account),
    };
    // UNVERIFIED: AWS's text for ids that say nothing of an account.
    let account = known.or_else(|| ids::account_of_key(id)).ok_or_else(|| {
        Error::validation(format!("The access key with id {id} names no account"))
    })?;
    Ok(Value::object().with("Account", account))
}
