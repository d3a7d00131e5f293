//! Roles: CreateRole and its kin, and the roles as STS and the services see them.
//!
//! IAM API reference, "CreateRole", "UpdateAssumeRolePolicy" (read 2026-11).

use policy::{Arn, Principal};
use store::Read;
use value::Value;

use super::entity::{self, Detail, Entity, Kind, RoleDetail};
use super::policy_text::{billed_characters, encoded};
use super::{attachments, boundaries, error, instance_profiles, names, paging, tags, trust, users};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, decisions};

/// How long a session of a role may last, in seconds: the default, the least, the most.
const SESSION_SECONDS_DEFAULT: i64 = 3600;
const SESSION_SECONDS_MAX: i64 = 43_200;
/// The largest trust policy, in characters that are not white space.
const TRUST_CHARACTERS_MAX: usize = 2048;
/// The longest description, in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 1000;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateRole", checks: may_create, run: Run::Write(create) },
    Operation {
        name: "GetRole",
        checks: |on, input| entity::named(on, "GetRole", Kind::Role, input),
        run: Run::Read(get),
    },
    Operation {
        name: "ListRoles",
        checks: |on, input| Ok(vec![users::may_list(on, "ListRoles", Kind::Role, input)]),
        run: Run::Read(list),
    },
    Operation {
        name: "UpdateRole",
        checks: |on, input| entity::named(on, "UpdateRole", Kind::Role, input),
        run: Run::Write(update),
    },
    Operation {
        name: "UpdateRoleDescription",
        checks: |on, input| entity::named(on, "UpdateRoleDescription", Kind::Role, input),
        run: Run::Write(update_description),
    },
    Operation {
        name: "UpdateAssumeRolePolicy",
        checks: |on, input| entity::named(on, "UpdateAssumeRolePolicy", Kind::Role, input),
        run: Run::Write(update_trust),
    },
    Operation {
        name: "DeleteRole",
        checks: |on, input| entity::named(on, "DeleteRole", Kind::Role, input),
        run: Run::Write(delete),
    },
];

/// A role as STS and the services see it.
#[derive(Clone, Debug)]
pub struct Role {
    /// The ARN, with path.
    pub arn: String,
    /// The name.
    pub name: String,
    /// `AROA…`
    pub id: String,
    /// `/` or `/…/`
    pub path: String,
    /// Who may assume it. Users and roles that are gone stand in it with their unique ids.
    pub trust_policy: String,
    /// How long a session may last.
    pub max_session_seconds: i64,
    /// The role's tags.
    pub tags: Vec<(String, String)>,
}

impl Role {
    /// Returns a session of this role, without what a call of STS would add to it.
    pub fn session(&self, account: &str, session_name: &str, issued_at_millis: i64) -> Principal {
        let mut principal =
            Principal::assumed_role(account, &self.path, &self.name, &self.id, session_name);
        principal.tags = self.tags.iter().cloned().collect();
        let session = policy::Session { issued_at_millis, ..policy::Session::default() };
        principal.with_session(session)
    }
}

/// Returns a role of `account` by its ARN or its name; `None` when there is none, or when the ARN
/// has another path.
///
/// # Errors
/// When the store fails.
pub fn find_role(
    store: &dyn Read,
    account: &str,
    arn_or_name: &str,
) -> Result<Option<Role>, Error> {
    let arn = arn_or_name.parse::<Arn>().ok();
    let resource = arn.as_ref().map(|arn| arn.resource().to_owned());
    let (name, path) = match &resource {
        None => (arn_or_name, None),
        Some(resource) => {
            match resource.strip_prefix("role").and_then(|rest| rest.rsplit_once('/')) {
                Some((path, name)) => (name, Some(format!("{path}/"))),
                None => return Ok(None),
            }
        }
    };
    if arn.as_ref().is_some_and(|arn| arn.account() != account || arn.service() != "iam") {
        return Ok(None);
    }
    let found = entity::find(store, account, Kind::Role, name)?;
    // ARNs compare exactly, however names are found.
    let found = found.filter(|role| path.is_none_or(|path| path == role.path && role.name == name));
    found.map(|role| seen(store, account, arn.as_ref(), &role)).transpose()
}

fn seen(
    store: &dyn Read,
    account: &str,
    arn: Option<&Arn>,
    entity: &Entity,
) -> Result<Role, Error> {
    let detail = detail(entity)?;
    let partition = arn.map_or("aws", Arn::partition);
    Ok(Role {
        arn: format!("arn:{partition}:iam::{account}:role{}{}", entity.path, entity.name),
        name: entity.name.clone(),
        id: entity.id.clone(),
        path: entity.path.clone(),
        trust_policy: trust::current(store, account, detail)?,
        max_session_seconds: detail.max_session_seconds,
        tags: entity.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
    })
}

fn detail(entity: &Entity) -> Result<&RoleDetail, Error> {
    match &entity.detail {
        Detail::Role(detail) => Ok(detail),
        Detail::User { .. } | Detail::Group => {
            Err(Error::internal(&format!("`{}` is stored as a role and is none", entity.name)))
        }
    }
}

fn detail_mut(entity: &mut Entity) -> Result<&mut RoleDetail, Error> {
    let name = entity.name.clone();
    match &mut entity.detail {
        Detail::Role(detail) => Ok(detail),
        Detail::User { .. } | Detail::Group => {
            Err(Error::internal(&format!("`{name}` is stored as a role and is none")))
        }
    }
}

/// Returns a role as CreateRole shows it: the trust policy and what every entity has.
pub(super) fn shown(store: &dyn Read, call: &Call, role: &Entity) -> Answer {
    let trust_policy = trust::current(store, call.account(), detail(role)?)?;
    Ok(role.shown(call).with("AssumeRolePolicyDocument", encoded(&trust_policy)))
}

/// Returns a role as ListRoles shows it.
fn shown_in_list(store: &dyn Read, call: &Call, role: &Entity) -> Answer {
    let detail = detail(role)?;
    Ok(shown(store, call, role)?
        .with_some("Description", detail.description.as_deref())
        .with("MaxSessionDuration", detail.max_session_seconds))
}

/// Returns what lists leave out: boundary, tags and last use.
fn with_rest(store: &dyn Read, call: &Call, role: &Entity, shown: Value) -> Answer {
    let used = decisions::uses_of(store, &role.id)?.into_iter().map(|(_, last)| last);
    let last_used = used.max_by_key(|last| last.millis).map_or_else(Value::object, |last| {
        let date = entity::seconds(last.millis);
        Value::object().with("LastUsedDate", date).with("Region", last.region)
    });
    let whole = role.shown_whole(call);
    let kept = |member: &str| whole.get(member).cloned();
    Ok(shown
        .with_some("PermissionsBoundary", kept("PermissionsBoundary"))
        .with_some("Tags", kept("Tags"))
        .with("RoleLastUsed", last_used))
}

/// Returns a role as GetRole shows it.
fn shown_whole(store: &dyn Read, call: &Call, role: &Entity) -> Answer {
    with_rest(store, call, role, shown_in_list(store, call, role)?)
}

/// Returns a role as GetAccountAuthorizationDetails shows it, without its policies.
pub(super) fn detail_shown(store: &dyn Read, call: &Call, role: &Entity) -> Answer {
    with_rest(store, call, role, shown(store, call, role)?)
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    users::may_create_entity(on, "CreateRole", Kind::Role, input)
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("RoleName")?;
    names::check_name("roleName", name, Kind::Role.name_characters_max())?;
    let path = names::path_of(input)?;
    let (trust_policy, trusted_ids) = checked_trust(w, input.text("AssumeRolePolicyDocument")?)?;
    let detail = RoleDetail {
        trust_policy,
        trusted_ids,
        description: checked_description(input)?,
        max_session_seconds: checked_duration(input)?.unwrap_or(SESSION_SECONDS_DEFAULT),
        linked_service: None,
    };
    let mut role = Entity::new(Kind::Role, name, path, w.call.now_millis, Detail::Role(detail));
    role.tags = tags::in_input(input)?;
    entity::create(w, &role)?;
    if let Some(boundary) = input.maybe_text("PermissionsBoundary") {
        boundaries::set(w, &mut role, boundary)?;
    }
    let whole = role.shown_whole(w.call);
    let shown = shown(w.store.as_read(), w.call, &role)?
        .with_some("PermissionsBoundary", whole.get("PermissionsBoundary").cloned())
        .with_some("Tags", whole.get("Tags").cloned());
    Ok(Value::object().with("Role", shown))
}

/// Returns a trust policy that was checked, with the ids behind the ARNs it names.
fn checked_trust(
    w: &Writing<'_>,
    text: &str,
) -> Result<(String, std::collections::BTreeMap<String, String>), Error> {
    if billed_characters(text) > TRUST_CHARACTERS_MAX {
        return Err(error::quota("ACLSizePerRole", TRUST_CHARACTERS_MAX));
    }
    let trusted_ids = trust::check(w.store.as_read(), w.call, text)?;
    Ok((text.to_owned(), trusted_ids))
}

/// Returns the description that an input gives.
pub(super) fn checked_description(input: &Value) -> Result<Option<String>, Error> {
    let Some(text) = input.maybe_text("Description") else { return Ok(None) };
    if text.chars().count() > DESCRIPTION_CHARACTERS_MAX {
        let most = "Member must have length less than or equal to 1000";
        return Err(error::constraint("description", Some(text), most));
    }
    Ok(Some(text.to_owned()))
}

fn checked_duration(input: &Value) -> Result<Option<i64>, Error> {
    let Some(seconds) = input.integer("MaxSessionDuration") else { return Ok(None) };
    let refused = |bound: &str| {
        let bound = format!("Member must have value {bound}");
        Err(error::constraint("maxSessionDuration", Some(&seconds.to_string()), &bound))
    };
    if seconds < SESSION_SECONDS_DEFAULT {
        return refused("greater than or equal to 3600");
    }
    if seconds > SESSION_SECONDS_MAX {
        return refused("less than or equal to 43200");
    }
    Ok(Some(seconds))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let role = entity::get_named(on.store, on.call, Kind::Role, input)?;
    Ok(Value::object().with("Role", shown_whole(on.store, on.call, &role)?))
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let page = entity::page(on, Kind::Role, input)?;
    paging::answer("Roles", page, |role| shown_in_list(on.store, on.call, &role))
}

/// Of a service-linked role nothing but the description can be changed.
fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut role = entity::get_named(&*w.store, w.call, Kind::Role, input)?;
    let (description, seconds) = (checked_description(input)?, checked_duration(input)?);
    if seconds.is_some() && role.linked_service().is_some() {
        return Err(error::unmodifiable(&role.name));
    }
    let detail = detail_mut(&mut role)?;
    if description.is_some() {
        detail.description = description;
    }
    if let Some(seconds) = seconds {
        detail.max_session_seconds = seconds;
    }
    entity::save(w, &role)?;
    Ok(Value::object())
}

fn update_description(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut role = entity::get_named(&*w.store, w.call, Kind::Role, input)?;
    detail_mut(&mut role)?.description = checked_description(input)?;
    entity::save(w, &role)?;
    let shown = shown_in_list(w.store.as_read(), w.call, &role)?;
    Ok(Value::object().with("Role", shown))
}

fn update_trust(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut role = entity::get_modifiable(&*w.store, w.call, Kind::Role, input)?;
    let (text, ids) = checked_trust(w, input.text("PolicyDocument")?)?;
    let detail = detail_mut(&mut role)?;
    detail.trust_policy = text;
    detail.trusted_ids = ids;
    entity::save(w, &role)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut role = entity::get_modifiable(&*w.store, w.call, Kind::Role, input)?;
    if instance_profiles::has_role(&*w.store, w.call.account(), &role.id)? {
        return Err(error::delete_conflict("remove roles from instance profile first."));
    }
    if let Some(obstacle) = attachments::obstacle(&role) {
        return Err(error::delete_conflict(obstacle));
    }
    boundaries::clear(w, &mut role)?;
    entity::delete(w, &role)?;
    Ok(Value::object())
}
