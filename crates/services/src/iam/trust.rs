//! Trust policies: whom they name, and what becomes of names that are deleted.
//!
//! IAM user guide, "AWS JSON policy elements: Principal" (read 2026-11): when a user or role that a
//! trust policy names is deleted, its ARN turns into its unique id, and a new one of the same name
//! is not trusted.

use std::collections::BTreeMap;

use policy::{Arn, Kind as PolicyKind, PrincipalPattern};
use store::Read;

use super::entity::{self, Entity, Kind, RoleDetail};
use super::policy_text::validate_policy;
use crate::{Call, Error};

/// Refuses a text that is no trust policy or names users or roles that are not there; returns the
/// unique ids behind the ARNs it names.
pub(super) fn check(
    store: &dyn Read,
    call: &Call,
    text: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let document = validate_policy(text, PolicyKind::Trust)?;
    let mut ids = BTreeMap::new();
    for pattern in document.principals() {
        let PrincipalPattern::Arn(arn) = pattern else { continue };
        if let Some(named) = named(store, call.account(), arn)? {
            let entity = named.ok_or_else(|| {
                Error::new(
                    "MalformedPolicyDocument",
                    format!("Invalid principal in policy: \"AWS\":\"{arn}\""),
                )
            })?;
            ids.insert(arn.to_string(), entity.id);
        }
    }
    Ok(ids)
}

/// Returns the user or role of this account that an ARN names, `Some(None)` when it is missing,
/// `None` for ARNs of anything else.
fn named(store: &dyn Read, account: &str, arn: &str) -> Result<Option<Option<Entity>>, Error> {
    let Ok(parsed) = arn.parse::<Arn>() else { return Ok(None) };
    if parsed.service() != "iam" || parsed.account() != account {
        return Ok(None);
    }
    let (word, rest) = parsed.resource_type_and_id();
    let kind = match word {
        "user" => Kind::User,
        "role" => Kind::Role,
        _ => return Ok(None),
    };
    let (path, name) = match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), rest),
    };
    let found = entity::find(store, account, kind, name)?;
    Ok(Some(found.filter(|entity| entity.path == path && entity.name == name)))
}

/// Returns the trust policy as it stands now: the ARN of who is gone is the unique id.
pub(super) fn current(store: &dyn Read, account: &str, role: &RoleDetail) -> Result<String, Error> {
    let mut text = role.trust_policy.clone();
    for (arn, id) in &role.trusted_ids {
        let now = named(store, account, arn)?.flatten();
        if now.is_none_or(|entity| entity.id != *id) {
            text = text.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
        }
    }
    Ok(text)
}
