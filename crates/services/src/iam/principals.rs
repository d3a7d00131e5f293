//! Principals and the policies that speak about them.

use policy::{Principal, PrincipalKind};
use store::Read;

use super::entity::{self, Entity, Kind};
use super::{managed_policies, memberships, password_policy};
use crate::Error;

/// The policies of a principal as texts: what the authoriser decides on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityPolicies {
    /// Label (ARN, or the name of an inline policy) and text, of the principal and its groups.
    pub identity: Vec<(String, String)>,
    /// Label and text of the permissions boundary, where one is set.
    pub boundary: Option<(String, String)>,
}

/// What the root user may do, and with it the most that a federated user of root's may.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Returns the user or role behind a principal: kind, name and unique id. Root, services, strangers
/// and whom root has federated have none.
fn behind(principal: &Principal) -> Option<(Kind, &str, &str)> {
    match &principal.kind {
        PrincipalKind::User { name, id, .. } => Some((Kind::User, name, id)),
        PrincipalKind::AssumedRole { role_name, role_id, .. } => {
            Some((Kind::Role, role_name, role_id))
        }
        PrincipalKind::FederatedUser { .. } => {
            let user = principal.session.as_ref()?.federating_user.as_ref()?;
            Some((Kind::User, &user.name, &user.id))
        }
        PrincipalKind::Root | PrincipalKind::Service { .. } | PrincipalKind::Anonymous => None,
    }
}

/// Returns whether whoever stands behind a session is still there: the user or the role itself, not
/// another of its name.
///
/// # Errors
/// When the store fails.
pub fn is_live(store: &dyn Read, principal: &Principal) -> Result<bool, Error> {
    let Some((kind, name, id)) = behind(principal) else { return Ok(true) };
    if kind == Kind::User {
        // One may have been renamed since: the id is what stays.
        return Ok(entity::by_id(store, &principal.account, id)?.is_some());
    }
    let found = entity::find(store, &principal.account, kind, name)?;
    Ok(found.is_some_and(|entity| entity.id == id))
}

/// Returns the policies of a principal. Who is gone, or has been deleted and made anew since the
/// credentials were given out, has none; root, services and strangers have none either.
///
/// # Errors
/// When the store fails.
pub fn policies_of_principal(
    store: &dyn Read,
    principal: &Principal,
) -> Result<IdentityPolicies, Error> {
    let account = &principal.account;
    let mut policies = IdentityPolicies::default();
    let Some((kind, name, id)) = behind(principal) else {
        if matches!(principal.kind, PrincipalKind::FederatedUser { .. }) {
            policies.identity.push(("root".into(), EVERYTHING.into()));
        }
        return Ok(policies);
    };
    let found = entity::find(store, account, kind, name)?;
    let Some(entity) = found.filter(|entity| entity.id == id) else { return Ok(policies) };
    collect(store, &entity, &mut policies.identity)?;
    if kind == Kind::User {
        for group in memberships::groups_of(store, account, id)? {
            collect(store, &group, &mut policies.identity)?;
        }
        let arn = principal.arn();
        policies.identity.extend(password_policy::granted_to_users(store, account, &arn)?);
    }
    policies.boundary = match &entity.permissions_boundary {
        Some(arn) => Some((arn.clone(), stored(store, arn)?)),
        None => None,
    };
    Ok(policies)
}

/// Returns the policies of a user or role by its ARN; `None` when there is none, or it is neither.
///
/// # Errors
/// When the store fails.
pub(crate) fn policies_of_arn(
    store: &dyn Read,
    account: &str,
    arn: &str,
) -> Result<Option<IdentityPolicies>, Error> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let (Some((word, _)), Some((_, name))) = (resource.split_once('/'), resource.rsplit_once('/'))
    else {
        return Ok(None);
    };
    let kind = match word {
        "user" => Kind::User,
        "role" => Kind::Role,
        _ => return Ok(None),
    };
    let Some(entity) = entity::find(store, account, kind, name)? else { return Ok(None) };
    let principal = match kind {
        Kind::User => user(account, &entity),
        Kind::Group | Kind::Role => {
            Principal::assumed_role(account, &entity.path, &entity.name, &entity.id, "any")
        }
    };
    policies_of_principal(store, &principal).map(Some)
}

fn collect(
    store: &dyn Read,
    entity: &Entity,
    into: &mut Vec<(String, String)>,
) -> Result<(), Error> {
    for (name, text) in &entity.inline_policies {
        into.push((name.clone(), text.clone()));
    }
    for arn in &entity.attached_policies {
        into.push((arn.clone(), stored(store, arn)?));
    }
    Ok(())
}

/// Returns the text of a policy that is attached, or is a boundary. It cannot be deleted while it
/// is, so a missing one is our fault: an error, for what it refuses or limits is not known.
fn stored(store: &dyn Read, arn: &str) -> Result<String, Error> {
    policy_document(store, arn)?
        .ok_or_else(|| Error::internal(&format!("the policy `{arn}` is not in the store")))
}

/// Returns a user as a principal with long-term credentials.
pub(super) fn user(account: &str, user: &Entity) -> Principal {
    let mut principal = Principal::user(account, &user.path, &user.name, &user.id);
    principal.tags = user.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    principal
}

/// Returns the text of a managed policy by its ARN, for session policies given by ARN; `None` when
/// there is no such policy.
///
/// # Errors
/// When the store fails.
pub fn policy_document(store: &dyn Read, arn: &str) -> Result<Option<String>, Error> {
    let policy = managed_policies::find(store, arn)?;
    Ok(policy.as_ref().and_then(|policy| policy.document()).map(str::to_owned))
}
