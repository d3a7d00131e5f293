//! Whose policies are simulated: a user with its groups, a group, a role.

use std::sync::Arc;

use policy::{Arn, Document, Policy, Principal};
use value::Value;

use super::super::entity::{self, Entity, Kind};
use super::super::error::invalid_input;
use super::super::{error, memberships, principals};
use crate::{Check, Error, Input, Reading};

/// The session that a role is simulated in.
const SESSION: &str = "simulation";

/// The policies of an entity under the names that results show.
pub(in super::super) struct Subject {
    pub(in super::super) identity: Vec<Policy>,
    pub(super) boundary: Option<Vec<Policy>>,
    /// A group calls nothing.
    pub(super) principal: Option<Principal>,
}

impl Subject {
    /// Reads the policies of the entity that `PolicySourceArn` names.
    ///
    /// # Errors
    /// `NoSuchEntity`, or `InvalidInput` for what names no entity.
    pub(in super::super) fn read(on: &Reading<'_>, input: &Value) -> Result<Subject, Error> {
        let (kind, name) = named(input)?;
        let entity = entity::get(on.store, on.call, kind, name)?;
        if entity.arn(on.call) != input.text("PolicySourceArn")? {
            let word = kind.word();
            let message = format!("The {word} with name {name} cannot be found.");
            return Err(error::no_such_entity(message));
        }
        let mut identity = Vec::new();
        collect(on, &entity, &mut identity)?;
        if kind == Kind::User {
            for group in memberships::groups_of(on.store, on.call.account(), &entity.id)? {
                collect(on, &group, &mut identity)?;
            }
        }
        let boundary = match &entity.permissions_boundary {
            Some(arn) => Some(vec![managed(on, arn, policy::Kind::Boundary)?]),
            None => None,
        };
        let account = on.call.account();
        let principal = match kind {
            Kind::User => Some(principals::user(account, &entity)),
            Kind::Role => {
                let Entity { path, name, id, .. } = &entity;
                Some(Principal::assumed_role(account, path, name, id, SESSION))
            }
            Kind::Group => None,
        };
        let partition = &on.call.settings.partition;
        let principal = principal.map(|principal| principal.in_partition(partition));
        Ok(Subject { identity, boundary, principal })
    }
}

/// Returns the question that looking at the policies of the entity raises.
pub(in super::super) fn check(
    on: &Reading<'_>,
    action: &str,
    input: &Value,
) -> Result<Check, Error> {
    let (kind, name) = named(input)?;
    let mut check = entity::check(on, action, kind, name)?;
    input.text("PolicySourceArn")?.clone_into(&mut check.resource);
    Ok(check)
}

/// Returns what `PolicySourceArn` names.
fn named(input: &Value) -> Result<(Kind, &str), Error> {
    let text = input.text("PolicySourceArn")?;
    // UNVERIFIED: AWS's text, from memory.
    let refused = || {
        invalid_input(format!(
            "Invalid Entity Arn: {text} does not clearly define entity type and name."
        ))
    };
    let arn: Arn = text.parse().map_err(|_| refused())?;
    let rest = text.rsplit_once(':').map(|(_, rest)| rest).unwrap_or_default();
    let (word, path) = rest.split_once('/').ok_or_else(refused)?;
    let kinds = [Kind::User, Kind::Group, Kind::Role];
    let kind = kinds.into_iter().find(|kind| kind.word() == word && arn.service() == "iam");
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let kind = kind.filter(|_| !name.is_empty()).ok_or_else(refused)?;
    Ok((kind, name))
}

/// Adds the policies of an entity. An inline one is called by whose it is and its name, a managed
/// one by its name.
// UNVERIFIED: the form of inline policies' ids, from memory.
fn collect(on: &Reading<'_>, entity: &Entity, into: &mut Vec<Policy>) -> Result<(), Error> {
    for (name, text) in &entity.inline_policies {
        let label = format!("{}_{}_{name}", entity.kind().word(), entity.name);
        into.push(stored(&label, text, policy::Kind::Identity)?);
    }
    for arn in &entity.attached_policies {
        into.push(managed(on, arn, policy::Kind::Identity)?);
    }
    Ok(())
}

fn managed(on: &Reading<'_>, arn: &str, kind: policy::Kind) -> Result<Policy, Error> {
    let text = principals::policy_document(on.store, arn)?
        .ok_or_else(|| Error::internal(&format!("the policy `{arn}` is not in the store")))?;
    let name = arn.rsplit_once('/').map_or(arn, |(_, name)| name);
    stored(name, &text, kind)
}

fn stored(label: &str, text: &str, kind: policy::Kind) -> Result<Policy, Error> {
    let document = Document::parse(text, kind).map_err(|fault| {
        Error::internal(&format!("the stored policy {label} is malformed: {fault}"))
    })?;
    Ok(Policy::new(label, Arc::new(document)))
}
