//! Managed policies attached to users, groups and roles, and who is counted as using a policy.

use std::collections::BTreeSet;

use store::{Read, Scan, Table};
use value::Value;

use super::entity::{self, Entity, Kind};
use super::{error, managed_policies, names, paging};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many managed policies an entity can have.
const ATTACHED_MAX: usize = 10;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "AttachUserPolicy",
        checks: |on, input| may_change(on, "AttachUserPolicy", Kind::User, input),
        run: Run::Write(|w, input| attach(w, Kind::User, input)),
    },
    Operation {
        name: "AttachGroupPolicy",
        checks: |on, input| may_change(on, "AttachGroupPolicy", Kind::Group, input),
        run: Run::Write(|w, input| attach(w, Kind::Group, input)),
    },
    Operation {
        name: "AttachRolePolicy",
        checks: |on, input| may_change(on, "AttachRolePolicy", Kind::Role, input),
        run: Run::Write(|w, input| attach(w, Kind::Role, input)),
    },
    Operation {
        name: "DetachUserPolicy",
        checks: |on, input| may_change(on, "DetachUserPolicy", Kind::User, input),
        run: Run::Write(|w, input| detach(w, Kind::User, input)),
    },
    Operation {
        name: "DetachGroupPolicy",
        checks: |on, input| may_change(on, "DetachGroupPolicy", Kind::Group, input),
        run: Run::Write(|w, input| detach(w, Kind::Group, input)),
    },
    Operation {
        name: "DetachRolePolicy",
        checks: |on, input| may_change(on, "DetachRolePolicy", Kind::Role, input),
        run: Run::Write(|w, input| detach(w, Kind::Role, input)),
    },
    Operation {
        name: "ListAttachedUserPolicies",
        checks: |on, input| entity::named(on, "ListAttachedUserPolicies", Kind::User, input),
        run: Run::Read(|on, input| list(on, Kind::User, input)),
    },
    Operation {
        name: "ListAttachedGroupPolicies",
        checks: |on, input| entity::named(on, "ListAttachedGroupPolicies", Kind::Group, input),
        run: Run::Read(|on, input| list(on, Kind::Group, input)),
    },
    Operation {
        name: "ListAttachedRolePolicies",
        checks: |on, input| entity::named(on, "ListAttachedRolePolicies", Kind::Role, input),
        run: Run::Read(|on, input| list(on, Kind::Role, input)),
    },
];

/// Which way an entity uses a managed policy.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Attached,
    Boundary,
}

impl Use {
    /// A blank parts ARN and id, for ARNs hold everything else.
    fn prefix(self, account: &str, arn: &str) -> String {
        format!("{}{arn} ", self.prefix_of_all(account))
    }

    fn prefix_of_all(self, account: &str) -> String {
        let word = match self {
            Use::Attached => "policy-attached",
            Use::Boundary => "policy-boundary",
        };
        format!("{word}/{account}/")
    }
}

/// Notes that an entity uses a policy.
pub(super) fn note(w: &mut Writing<'_>, how: Use, arn: &str, id: &str) -> Result<(), Error> {
    let key = how.prefix(w.call.account(), arn) + id;
    Ok(w.store.put(Table::Relations, &key, b"1")?)
}

/// Forgets that an entity uses a policy.
pub(super) fn forget(w: &mut Writing<'_>, how: Use, arn: &str, id: &str) -> Result<(), Error> {
    let key = how.prefix(w.call.account(), arn) + id;
    w.store.delete(Table::Relations, &key)?;
    Ok(())
}

fn ids_using(
    store: &(impl Read + ?Sized),
    how: Use,
    account: &str,
    arn: &str,
) -> Result<Vec<String>, Error> {
    let prefix = how.prefix(account, arn);
    let rows = store.scan(Table::Relations, Scan::prefix(&prefix))?;
    Ok(rows.iter().filter_map(|(key, _)| key.strip_prefix(&prefix).map(str::to_owned)).collect())
}

/// Returns the ARNs of all policies that are used.
pub(super) fn used(
    store: &(impl Read + ?Sized),
    how: Use,
    account: &str,
) -> Result<BTreeSet<String>, Error> {
    let prefix = how.prefix_of_all(account);
    let rows = store.scan(Table::Relations, Scan::prefix(&prefix))?;
    let arns = rows.iter().filter_map(|(key, _)| key.strip_prefix(&prefix)?.split_once(' '));
    Ok(arns.map(|(arn, _)| arn.to_owned()).collect())
}

/// Returns the ids of the entities a policy is attached to.
pub(super) fn attached_ids(
    store: &(impl Read + ?Sized),
    account: &str,
    arn: &str,
) -> Result<Vec<String>, Error> {
    ids_using(store, Use::Attached, account, arn)
}

/// Returns the ids of the entities whose boundary a policy is.
pub(super) fn boundary_ids(
    store: &(impl Read + ?Sized),
    account: &str,
    arn: &str,
) -> Result<Vec<String>, Error> {
    ids_using(store, Use::Boundary, account, arn)
}

/// Returns `AttachmentCount`.
pub(super) fn attached_count(
    store: &(impl Read + ?Sized),
    account: &str,
    arn: &str,
) -> Result<usize, Error> {
    Ok(attached_ids(store, account, arn)?.len())
}

/// Returns `PermissionsBoundaryUsageCount`.
pub(super) fn boundary_count(
    store: &(impl Read + ?Sized),
    account: &str,
    arn: &str,
) -> Result<usize, Error> {
    Ok(boundary_ids(store, account, arn)?.len())
}

/// Returns which policies must go before the entity can, in AWS's words.
pub(super) fn obstacle(entity: &Entity) -> Option<&'static str> {
    if !entity.inline_policies.is_empty() {
        return Some("delete policies first.");
    }
    (!entity.attached_policies.is_empty()).then_some("detach all policies first.")
}

/// Returns an attached policy as lists show it.
pub(super) fn shown_one(arn: &str) -> Value {
    let name = arn.rsplit_once('/').map_or(arn, |(_, name)| name);
    Value::object().with("PolicyName", name).with("PolicyArn", arn)
}

fn may_change(
    on: &Reading<'_>,
    action: &str,
    kind: Kind,
    input: &Value,
) -> Result<Vec<Check>, Error> {
    let check = entity::check(on, action, kind, entity::name_in(on.call, kind, input)?)?;
    Ok(vec![check.with("iam:PolicyARN", vec![input.text("PolicyArn")?.to_owned()])])
}

fn attach(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let arn = input.text("PolicyArn")?;
    managed_policies::check_arn(arn)?;
    let mut entity = entity::get_modifiable(&*w.store, w.call, kind, input)?;
    let policy = managed_policies::find(&*w.store, arn)?.ok_or_else(|| {
        error::no_such_entity(format!("Policy {arn} does not exist or is not attachable."))
    })?;
    managed_policies::check_attachable(&policy, &format!("to a Customer {}", kind.title()))?;
    let is_new = !entity.attached_policies.contains(arn);
    if is_new && entity.attached_policies.len() >= ATTACHED_MAX {
        return Err(error::quota(&format!("PoliciesPer{}", kind.title()), ATTACHED_MAX));
    }
    entity.attached_policies.insert(arn.to_owned());
    note(w, Use::Attached, arn, &entity.id)?;
    entity::save(w, &entity)?;
    Ok(Value::object())
}

fn detach(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let arn = input.text("PolicyArn")?;
    managed_policies::check_arn(arn)?;
    let mut entity = entity::get_modifiable(&*w.store, w.call, kind, input)?;
    if !entity.attached_policies.remove(arn) {
        return Err(managed_policies::not_found(arn));
    }
    forget(w, Use::Attached, arn, &entity.id)?;
    entity::save(w, &entity)?;
    Ok(Value::object())
}

fn list(on: &Reading<'_>, kind: Kind, input: &Value) -> Answer {
    let entity = entity::get_named(on.store, on.call, kind, input)?;
    let mut rows = Vec::new();
    for arn in &entity.attached_policies {
        let policy = managed_policies::find(on.store, arn)?;
        if policy.is_some_and(|policy| names::under_prefix(input, &policy.path)) {
            rows.push((arn.clone(), shown_one(arn)));
        }
    }
    paging::page(input, "AttachedPolicies", rows)
}
