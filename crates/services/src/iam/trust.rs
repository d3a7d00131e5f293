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
        match named(store, call.account(), arn)? {
            Named::Entity(entity) => {
                ids.insert(arn.to_string(), entity.id);
            }
            Named::Missing => {
                return Err(Error::new(
                    "MalformedPolicyDocument",
                    format!("Invalid principal in policy: \"AWS\":\"{arn}\""),
                ));
            }
            Named::Other => {}
        }
    }
    Ok(ids)
}

/// What an ARN in a trust policy names.
enum Named {
    /// A user or role of this account.
    Entity(Box<Entity>),
    /// A user or role of this account that is not there.
    Missing,
    /// Anything else.
    Other,
}

fn named(store: &dyn Read, account: &str, arn: &str) -> Result<Named, Error> {
    let Ok(parsed) = arn.parse::<Arn>() else { return Ok(Named::Other) };
    if parsed.service() != "iam" || parsed.account() != account {
        return Ok(Named::Other);
    }
    let (word, rest) = parsed.resource_type_and_id();
    let kind = match word {
        "user" => Kind::User,
        "role" => Kind::Role,
        _ => return Ok(Named::Other),
    };
    let (path, name) = match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), rest),
    };
    let found = entity::find(store, account, kind, name)?;
    let found = found.filter(|entity| entity.path == path && entity.name == name);
    Ok(found.map_or(Named::Missing, |entity| Named::Entity(Box::new(entity))))
}

/// Returns the trust policy as it stands now: the ARN of who is gone is the unique id.
pub(super) fn current(store: &dyn Read, account: &str, role: &RoleDetail) -> Result<String, Error> {
    let mut text = role.trust_policy.clone();
    for (arn, id) in &role.trusted_ids {
        let is_same = match named(store, account, arn)? {
            Named::Entity(entity) => entity.id == *id,
            Named::Missing | Named::Other => false,
        };
        if !is_same {
            text = text.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
        }
    }
    Ok(text)
}
