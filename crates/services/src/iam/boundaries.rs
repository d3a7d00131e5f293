//! Permissions boundaries of users and roles.
//!
//! IAM user guide, "Permissions boundaries for IAM entities" (read 2026-11).

use value::Value;

use super::attachments::{self, Use};
use super::entity::{self, Entity, Kind};
use super::{error, managed_policies};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "PutUserPermissionsBoundary",
        checks: |on, input| may_put(on, "PutUserPermissionsBoundary", Kind::User, input),
        run: Run::Write(|w, input| put(w, Kind::User, input)),
    },
    Operation {
        name: "PutRolePermissionsBoundary",
        checks: |on, input| may_put(on, "PutRolePermissionsBoundary", Kind::Role, input),
        run: Run::Write(|w, input| put(w, Kind::Role, input)),
    },
    Operation {
        name: "DeleteUserPermissionsBoundary",
        checks: |on, input| entity::named(on, "DeleteUserPermissionsBoundary", Kind::User, input),
        run: Run::Write(|w, input| delete(w, Kind::User, input)),
    },
    Operation {
        name: "DeleteRolePermissionsBoundary",
        checks: |on, input| entity::named(on, "DeleteRolePermissionsBoundary", Kind::Role, input),
        run: Run::Write(|w, input| delete(w, Kind::Role, input)),
    },
];

/// `iam:PermissionsBoundary` is the one asked for, not the one that is there.
fn may_put(on: &Reading<'_>, action: &str, kind: Kind, input: &Value) -> Result<Vec<Check>, Error> {
    let mut check = entity::check(on, action, kind, entity::name_in(on.call, kind, input)?)?;
    check.context.retain(|(key, _)| key != "iam:PermissionsBoundary");
    let boundary = input.text("PermissionsBoundary")?.to_owned();
    Ok(vec![check.with("iam:PermissionsBoundary", vec![boundary])])
}

/// Gives an entity a boundary, in place of the one it may have.
///
/// # Errors
/// When there is no such policy.
pub(super) fn set(w: &mut Writing<'_>, entity: &mut Entity, arn: &str) -> Result<(), Error> {
    managed_policies::check_arn(arn)?;
    let policy = managed_policies::find(&*w.store, arn)?.ok_or_else(|| {
        error::no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable."))
    })?;
    managed_policies::check_attachable(&policy, "as a permissions boundary")?;
    clear(w, entity)?;
    entity.permissions_boundary = Some(arn.to_owned());
    attachments::note(w, Use::Boundary, arn, &entity.id)?;
    entity::save(w, entity)
}

/// Takes the boundary off an entity, if it has one.
pub(super) fn clear(w: &mut Writing<'_>, entity: &mut Entity) -> Result<(), Error> {
    if let Some(arn) = entity.permissions_boundary.take() {
        attachments::forget(w, Use::Boundary, &arn, &entity.id)?;
        entity::save(w, entity)?;
    }
    Ok(())
}

fn put(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let mut entity = entity::get_modifiable(&*w.store, w.call, kind, input)?;
    set(w, &mut entity, input.text("PermissionsBoundary")?)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let mut entity = entity::get_modifiable(&*w.store, w.call, kind, input)?;
    if entity.permissions_boundary.is_none() {
        // UNVERIFIED: AWS's text.
        return Err(error::no_such_entity(format!(
            "{} {} does not have a permissions boundary",
            kind.title(),
            entity.name
        )));
    }
    clear(w, &mut entity)?;
    Ok(Value::object())
}
