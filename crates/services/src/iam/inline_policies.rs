//! Inline policies of users, groups and roles.
//!
//! IAM API reference, "PutUserPolicy", "GetUserPolicy" and their kin (read 2026-11).

use value::Value;

use super::entity::{self, Entity, Kind};
use super::policy_text::{billed_characters, encoded, validate_policy};
use super::{error, names, paging};
use crate::{Answer, Error, Input, Operation, Reading, Run, Writing};

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 128;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "PutUserPolicy",
        checks: |on, input| entity::named(on, "PutUserPolicy", Kind::User, input),
        run: Run::Write(|w, input| put(w, Kind::User, input)),
    },
    Operation {
        name: "PutGroupPolicy",
        checks: |on, input| entity::named(on, "PutGroupPolicy", Kind::Group, input),
        run: Run::Write(|w, input| put(w, Kind::Group, input)),
    },
    Operation {
        name: "PutRolePolicy",
        checks: |on, input| entity::named(on, "PutRolePolicy", Kind::Role, input),
        run: Run::Write(|w, input| put(w, Kind::Role, input)),
    },
    Operation {
        name: "GetUserPolicy",
        checks: |on, input| entity::named(on, "GetUserPolicy", Kind::User, input),
        run: Run::Read(|on, input| get(on, Kind::User, input)),
    },
    Operation {
        name: "GetGroupPolicy",
        checks: |on, input| entity::named(on, "GetGroupPolicy", Kind::Group, input),
        run: Run::Read(|on, input| get(on, Kind::Group, input)),
    },
    Operation {
        name: "GetRolePolicy",
        checks: |on, input| entity::named(on, "GetRolePolicy", Kind::Role, input),
        run: Run::Read(|on, input| get(on, Kind::Role, input)),
    },
    Operation {
        name: "DeleteUserPolicy",
        checks: |on, input| entity::named(on, "DeleteUserPolicy", Kind::User, input),
        run: Run::Write(|w, input| delete(w, Kind::User, input)),
    },
    Operation {
        name: "DeleteGroupPolicy",
        checks: |on, input| entity::named(on, "DeleteGroupPolicy", Kind::Group, input),
        run: Run::Write(|w, input| delete(w, Kind::Group, input)),
    },
    Operation {
        name: "DeleteRolePolicy",
        checks: |on, input| entity::named(on, "DeleteRolePolicy", Kind::Role, input),
        run: Run::Write(|w, input| delete(w, Kind::Role, input)),
    },
    Operation {
        name: "ListUserPolicies",
        checks: |on, input| entity::named(on, "ListUserPolicies", Kind::User, input),
        run: Run::Read(|on, input| list(on, Kind::User, input)),
    },
    Operation {
        name: "ListGroupPolicies",
        checks: |on, input| entity::named(on, "ListGroupPolicies", Kind::Group, input),
        run: Run::Read(|on, input| list(on, Kind::Group, input)),
    },
    Operation {
        name: "ListRolePolicies",
        checks: |on, input| entity::named(on, "ListRolePolicies", Kind::Role, input),
        run: Run::Read(|on, input| list(on, Kind::Role, input)),
    },
];

/// How large all inline policies of an entity together can be, white space not counted.
const fn characters_max(kind: Kind) -> usize {
    match kind {
        Kind::User => 2048,
        Kind::Group => 5120,
        Kind::Role => 10_240,
    }
}

fn not_found(kind: Kind, name: &str) -> Error {
    error::no_such_entity(format!("The {} policy with name {name} cannot be found.", kind.word()))
}

fn check_size(entity: &Entity) -> Result<(), Error> {
    let total: usize = entity.inline_policies.values().map(|text| billed_characters(text)).sum();
    let max = characters_max(entity.kind());
    if total > max {
        let (word, name) = (entity.kind().word(), &entity.name);
        return Err(Error::new(
            "LimitExceeded",
            format!("Maximum policy size of {max} bytes exceeded for {word} {name}"),
        ));
    }
    Ok(())
}

fn put(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let name = input.text("PolicyName")?;
    names::check_name("policyName", name, NAME_CHARACTERS_MAX)?;
    let document = input.text("PolicyDocument")?;
    let mut entity = entity::get_modifiable(&*w.store, w.call, kind, input)?;
    validate_policy(document, policy::Kind::Identity)?;
    entity.inline_policies.insert(name.to_owned(), document.to_owned());
    check_size(&entity)?;
    entity::save(w, &entity)?;
    Ok(Value::object())
}

fn get(on: &Reading<'_>, kind: Kind, input: &Value) -> Answer {
    let entity = entity::get_named(on.store, on.call, kind, input)?;
    let name = input.text("PolicyName")?;
    let document = entity.inline_policies.get(name).ok_or_else(|| not_found(kind, name))?;
    Ok(Value::object()
        .with(kind.name_member().0, &*entity.name)
        .with("PolicyName", name)
        .with("PolicyDocument", encoded(document)))
}

fn delete(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let mut entity = entity::get_modifiable(&*w.store, w.call, kind, input)?;
    let name = input.text("PolicyName")?;
    entity.inline_policies.remove(name).ok_or_else(|| not_found(kind, name))?;
    entity::save(w, &entity)?;
    Ok(Value::object())
}

fn list(on: &Reading<'_>, kind: Kind, input: &Value) -> Answer {
    let entity = entity::get_named(on.store, on.call, kind, input)?;
    let names = entity.inline_policies.keys();
    paging::page(input, "PolicyNames", names.map(|name| (name.clone(), &**name)))
}
