//! Instance profiles: containers that hand one role to machines.
//!
//! IAM API reference, "CreateInstanceProfile", "AddRoleToInstanceProfile" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use super::entity::{self, Kind, seconds};
use super::tags::{self, Tag};
use super::{error, names, paging, roles};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 128;
/// How many an account can have.
const PROFILES_MAX: usize = 1000;
/// How many roles a profile can hold.
const ROLES_MAX: usize = 1;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateInstanceProfile", checks: may_create, run: Run::Write(create) },
    Operation {
        name: "GetInstanceProfile",
        checks: |on, input| Ok(vec![check(on, "GetInstanceProfile", input)?]),
        run: Run::Read(get),
    },
    Operation {
        name: "ListInstanceProfiles",
        checks: |on, _| {
            let display = on.call.global_arn("iam", "instance-profile/");
            Ok(vec![Check::any("iam:ListInstanceProfiles").shown_as(display)])
        },
        run: Run::Read(list),
    },
    Operation {
        name: "ListInstanceProfilesForRole",
        checks: |on, input| entity::named(on, "ListInstanceProfilesForRole", Kind::Role, input),
        run: Run::Read(list_for_role),
    },
    Operation { name: "AddRoleToInstanceProfile", checks: may_add_role, run: Run::Write(add_role) },
    Operation {
        name: "RemoveRoleFromInstanceProfile",
        checks: |on, input| Ok(vec![check(on, "RemoveRoleFromInstanceProfile", input)?]),
        run: Run::Write(remove_role),
    },
    Operation {
        name: "DeleteInstanceProfile",
        checks: |on, input| Ok(vec![check(on, "DeleteInstanceProfile", input)?]),
        run: Run::Write(delete),
    },
    Operation {
        name: "TagInstanceProfile",
        checks: |on, input| {
            Ok(vec![tags::with_request_tags(check(on, "TagInstanceProfile", input)?, input)])
        },
        run: Run::Write(tag),
    },
    Operation {
        name: "UntagInstanceProfile",
        checks: |on, input| {
            Ok(vec![tags::with_keys(check(on, "UntagInstanceProfile", input)?, input)])
        },
        run: Run::Write(untag),
    },
    Operation {
        name: "ListInstanceProfileTags",
        checks: |on, input| Ok(vec![check(on, "ListInstanceProfileTags", input)?]),
        run: Run::Read(|on, input| tags::page(input, &get_named(on, input)?.tags)),
    },
];

/// An instance profile, stored by `instance-profile/account/lower-case name`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceProfile {
    name: String,
    id: String,
    path: String,
    created_millis: i64,
    role_id: Option<String>,
    tags: Vec<Tag>,
}

fn prefix(account: &str) -> String {
    format!("instance-profile/{account}/")
}

fn find(
    store: &(impl Read + ?Sized),
    account: &str,
    name: &str,
) -> Result<Option<InstanceProfile>, Error> {
    Ok(store.load(Table::IamSettings, &(prefix(account) + &name.to_lowercase()))?)
}

fn all(
    store: &(impl Read + ?Sized),
    account: &str,
) -> Result<Vec<(String, InstanceProfile)>, Error> {
    Ok(store.load_all(Table::IamSettings, Scan::prefix(&prefix(account)))?)
}

fn get_named(w: &Reading<'_>, input: &Value) -> Result<InstanceProfile, Error> {
    let name = input.text("InstanceProfileName")?;
    find(w.store, w.call.account(), name)?
        .ok_or_else(|| error::no_such_entity(format!("Instance Profile {name} cannot be found.")))
}

fn save(w: &mut Writing<'_>, profile: &InstanceProfile) -> Result<(), Error> {
    let key = prefix(w.call.account()) + &profile.name.to_lowercase();
    Ok(w.store.save(Table::IamSettings, &key, profile)?)
}

/// Returns the instance profiles that a role is in.
pub(super) fn shown_of_role(on: &Reading<'_>, role_id: &str) -> Result<Vec<Value>, Error> {
    let profiles = all(on.store, on.call.account())?.into_iter().map(|(_, profile)| profile);
    let with_role = profiles.filter(|profile| profile.role_id.as_deref() == Some(role_id));
    with_role.map(|profile| shown(on, &profile)).collect()
}

/// Returns whether a role is in any instance profile.
pub(super) fn has_role(
    store: &(impl Read + ?Sized),
    account: &str,
    role_id: &str,
) -> Result<bool, Error> {
    let profiles = all(store, account)?;
    Ok(profiles.iter().any(|(_, profile)| profile.role_id.as_deref() == Some(role_id)))
}

/// Returns the ARN of the role in an instance profile; `None` when there is none.
pub(crate) fn role_in_profile(on: &Reading<'_>, name: &str) -> Result<Option<String>, Error> {
    let account = on.call.account();
    let Some(id) = find(on.store, account, name)?.and_then(|profile| profile.role_id) else {
        return Ok(None);
    };
    let role = entity::by_id(on.store, account, &id)?;
    Ok(role.map(|role| on.call.global_arn("iam", &format!("role{}{}", role.path, role.name))))
}

fn arn(on: &Reading<'_>, path: &str, name: &str) -> String {
    on.call.global_arn("iam", &format!("instance-profile{path}{name}"))
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    let name = input.text("InstanceProfileName")?;
    let found = find(on.store, on.call.account(), name)?;
    let path = found.as_ref().map_or(names::ROOT_PATH, |profile| &profile.path);
    let check = Check::new(format!("iam:{action}"), arn(on, path, name))
        .shown_as(format!("instance profile {name}"));
    Ok(match &found {
        Some(profile) => tags::with_resource_tags(check, &profile.tags),
        None => check,
    })
}

fn shown(on: &Reading<'_>, profile: &InstanceProfile) -> Answer {
    let role = match &profile.role_id {
        Some(id) => entity::by_id(on.store, on.call.account(), id)?,
        None => None,
    };
    let roles = role.map(|role| roles::shown(on.store, on.call, &role)).transpose()?;
    Ok(Value::object()
        .with("Path", &*profile.path)
        .with("InstanceProfileName", &*profile.name)
        .with("InstanceProfileId", &*profile.id)
        .with("Arn", arn(on, &profile.path, &profile.name))
        .with("CreateDate", seconds(profile.created_millis))
        .with("Roles", roles.into_iter().collect::<Vec<Value>>())
        .with_some("Tags", tags::shown_if_any(&profile.tags)))
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let path = input.maybe_text("Path").unwrap_or(names::ROOT_PATH);
    let arn = arn(on, path, input.text("InstanceProfileName")?);
    Ok(vec![tags::with_request_tags(Check::new("iam:CreateInstanceProfile", arn), input)])
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("InstanceProfileName")?;
    names::check_name("instanceProfileName", name, NAME_CHARACTERS_MAX)?;
    if find(&*w.store, w.call.account(), name)?.is_some() {
        return Err(error::already_exists(format!("Instance Profile {name} already exists.")));
    }
    let prefix = prefix(w.call.account());
    if w.store.scan(Table::IamSettings, Scan::prefix(&prefix))?.len() >= PROFILES_MAX {
        return Err(error::quota("InstanceProfilesPerAccount", PROFILES_MAX));
    }
    let profile = InstanceProfile {
        name: name.to_owned(),
        id: ids::unique_id("AIPA"),
        path: names::path_of(input)?.to_owned(),
        created_millis: w.call.now_millis,
        role_id: None,
        tags: tags::in_input(input)?,
    };
    save(w, &profile)?;
    Ok(Value::object().with("InstanceProfile", shown(&w.reading(), &profile)?))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let profile = get_named(on, input)?;
    Ok(Value::object().with("InstanceProfile", shown(on, &profile)?))
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let keep = |profile: &InstanceProfile| names::under_prefix(input, &profile.path);
    let prefix = prefix(on.call.account());
    let page = paging::stored(on.store, input, Table::IamSettings, &prefix, keep)?;
    paging::answer("InstanceProfiles", page, |profile| shown(on, &profile))
}

fn list_for_role(on: &Reading<'_>, input: &Value) -> Answer {
    let role = entity::get_named(on.store, on.call, Kind::Role, input)?;
    let mut rows = Vec::new();
    for (key, profile) in all(on.store, on.call.account())? {
        if profile.role_id.as_deref() == Some(&*role.id) {
            rows.push((key, shown(on, &profile)?));
        }
    }
    paging::page(input, "InstanceProfiles", rows)
}

/// Putting a role into a profile hands it to EC2.
fn may_add_role(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let role = entity::check(on, "PassRole", Kind::Role, input.text("RoleName")?)?;
    Ok(vec![
        check(on, "AddRoleToInstanceProfile", input)?,
        Check::pass_role(role.resource, "ec2.amazonaws.com"),
    ])
}

fn add_role(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut profile = get_named(&w.reading(), input)?;
    let role = entity::get_modifiable(&*w.store, w.call, Kind::Role, input)?;
    if profile.role_id.is_some() {
        return Err(error::quota("InstanceSessionsPerInstanceProfile", ROLES_MAX));
    }
    profile.role_id = Some(role.id);
    save(w, &profile)?;
    Ok(Value::object())
}

fn remove_role(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut profile = get_named(&w.reading(), input)?;
    let role = entity::get_modifiable(&*w.store, w.call, Kind::Role, input)?;
    if profile.role_id.as_deref() != Some(&*role.id) {
        return Err(error::no_such_entity(format!(
            "The role with name {} cannot be found.",
            role.name
        )));
    }
    profile.role_id = None;
    save(w, &profile)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let profile = get_named(&w.reading(), input)?;
    if profile.role_id.is_some() {
        return Err(error::delete_conflict("remove roles from instance profile first."));
    }
    let key = prefix(w.call.account()) + &profile.name.to_lowercase();
    w.store.delete(Table::IamSettings, &key)?;
    Ok(Value::object())
}

fn tag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut profile = get_named(&w.reading(), input)?;
    tags::merge(&mut profile.tags, input)?;
    save(w, &profile)?;
    Ok(Value::object())
}

fn untag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut profile = get_named(&w.reading(), input)?;
    tags::strip(&mut profile.tags, input);
    save(w, &profile)?;
    Ok(Value::object())
}
