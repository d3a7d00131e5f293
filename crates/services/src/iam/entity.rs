//! Users, groups and roles as they are stored, and what the three have in common: a name, a path,
//! policies, tags.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use super::error;
use super::names::{self, ROOT_PATH};
use super::paging;
use super::tags::{self, Tag};
use crate::page::Page;
use crate::{Call, Check, Error, Reading, Writing, decisions, ids};

/// The three kinds of entities that policies can hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kind {
    User,
    Group,
    Role,
}

impl Kind {
    /// The word in ARNs, messages and AccessDenied texts.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
            Kind::Role => "role",
        }
    }

    /// The word in member and quota names.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Kind::User => "User",
            Kind::Group => "Group",
            Kind::Role => "Role",
        }
    }

    /// The input member that names such an entity, and its spelling in validation messages.
    pub(super) const fn name_member(self) -> (&'static str, &'static str) {
        match self {
            Kind::User => ("UserName", "userName"),
            Kind::Group => ("GroupName", "groupName"),
            Kind::Role => ("RoleName", "roleName"),
        }
    }

    /// The longest name of a new entity, in characters.
    pub(super) const fn name_characters_max(self) -> usize {
        match self {
            Kind::User | Kind::Role => 64,
            Kind::Group => 128,
        }
    }

    /// How many an account can have.
    pub(super) const fn quota(self) -> (&'static str, usize) {
        match self {
            Kind::User => ("UsersPerAccount", 5000),
            Kind::Group => ("GroupsPerAccount", 300),
            Kind::Role => ("RolesPerAccount", 1000),
        }
    }

    const fn id_prefix(self) -> &'static str {
        match self {
            Kind::User => "AIDA",
            Kind::Group => "AGPA",
            Kind::Role => "AROA",
        }
    }

    pub(super) const fn table(self) -> Table {
        match self {
            Kind::User => Table::Users,
            Kind::Group => Table::Groups,
            Kind::Role => Table::Roles,
        }
    }
}

/// A user, group or role, stored by `account/lower-case name`. Everything else refers to it by its
/// unique id, which is never used again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entity {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) path: String,
    pub(super) created_millis: i64,
    /// Texts by name.
    #[serde(default)]
    pub(super) inline_policies: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub(super) attached_policies: BTreeSet<String>,
    /// The ARN of a managed policy.
    pub(super) permissions_boundary: Option<String>,
    pub(super) tags: Vec<Tag>,
    pub(super) detail: Detail,
}

/// What only one kind has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub(super) enum Detail {
    User { password_last_used_millis: Option<i64> },
    Group,
    Role(RoleDetail),
}

/// What only roles have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleDetail {
    /// The trust policy, as it was given.
    pub(super) trust_policy: String,
    /// The unique ids behind the ARNs that the trust policy names, as of when it was given.
    pub(super) trusted_ids: BTreeMap<String, String>,
    pub(super) description: Option<String>,
    pub(super) max_session_seconds: i64,
    /// The service that alone may change the role, where it is a service-linked one.
    #[serde(default)]
    pub(super) linked_service: Option<String>,
}

impl Entity {
    /// Makes an entity that hangs together with nothing yet.
    pub(super) fn new(
        kind: Kind,
        name: &str,
        path: &str,
        now_millis: i64,
        detail: Detail,
    ) -> Entity {
        Entity {
            name: name.to_owned(),
            id: ids::unique_id(kind.id_prefix()),
            path: path.to_owned(),
            created_millis: now_millis,
            inline_policies: BTreeMap::new(),
            attached_policies: BTreeSet::new(),
            permissions_boundary: None,
            tags: Vec::new(),
            detail,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.detail {
            Detail::User { .. } => Kind::User,
            Detail::Group => Kind::Group,
            Detail::Role(_) => Kind::Role,
        }
    }

    /// Returns the service to which a role is linked.
    pub(super) fn linked_service(&self) -> Option<&str> {
        match &self.detail {
            Detail::Role(detail) => detail.linked_service.as_deref(),
            Detail::User { .. } | Detail::Group => None,
        }
    }

    pub(super) fn arn(&self, call: &Call) -> String {
        call.global_arn("iam", &format!("{}{}{}", self.kind().word(), self.path, self.name))
    }

    /// Returns the members that describe the entity itself: path, name, id, ARN, creation.
    pub(super) fn shown(&self, call: &Call) -> Value {
        let title = self.kind().title();
        Value::object()
            .with("Path", &*self.path)
            .with(format!("{title}Name"), &*self.name)
            .with(format!("{title}Id"), &*self.id)
            .with("Arn", self.arn(call))
            .with("CreateDate", seconds(self.created_millis))
    }

    /// Returns the members that lists leave out: boundary and tags.
    pub(super) fn shown_whole(&self, call: &Call) -> Value {
        let boundary = self.permissions_boundary.as_deref().map(boundary_shown);
        let tags = Some(&self.tags).filter(|tags| !tags.is_empty());
        self.shown(call)
            .with_some("PermissionsBoundary", boundary)
            .with_some("Tags", tags.map(|tags| tags::shown(tags)))
    }
}

fn boundary_shown(arn: &str) -> Value {
    Value::object().with("PermissionsBoundaryType", "Policy").with("PermissionsBoundaryArn", arn)
}

/// Returns a time as answers carry it: whole seconds, as IAM keeps them.
pub(super) fn seconds(millis: i64) -> Value {
    Value::from(millis.div_euclid(1000))
}

/// Returns a stored entity, if it exists.
pub(super) fn find(
    store: &(impl Read + ?Sized),
    account: &str,
    kind: Kind,
    name: &str,
) -> Result<Option<Entity>, Error> {
    Ok(store.load(kind.table(), &names::key(account, name))?)
}

/// Returns a stored entity.
///
/// # Errors
/// `NoSuchEntity` when there is none of this name.
pub(super) fn get(
    store: &(impl Read + ?Sized),
    call: &Call,
    kind: Kind,
    name: &str,
) -> Result<Entity, Error> {
    find(store, call.account(), kind, name)?.ok_or_else(|| {
        error::no_such_entity(format!("The {} with name {name} cannot be found.", kind.word()))
    })
}

/// Returns the name of the entity with this unique id.
pub(super) fn by_id(
    store: &(impl Read + ?Sized),
    account: &str,
    id: &str,
) -> Result<Option<Entity>, Error> {
    let pointer: Option<(Kind, String)> = store.load(Table::Relations, &id_key(account, id))?;
    match pointer {
        Some((kind, name)) => find(store, account, kind, &name),
        None => Ok(None),
    }
}

/// Returns whether there is a user, group or role of this unique id.
///
/// # Errors
/// When the store fails.
pub(crate) fn is_entity(store: &dyn Read, account: &str, id: &str) -> Result<bool, Error> {
    Ok(store.get(Table::Relations, &id_key(account, id))?.is_some())
}

fn id_key(account: &str, id: &str) -> String {
    format!("entity-of-id/{account}/{id}")
}

/// Returns all entities of a kind with their keys, in order of their names.
pub(super) fn all(
    store: &(impl Read + ?Sized),
    account: &str,
    kind: Kind,
) -> Result<Vec<(String, Entity)>, Error> {
    Ok(store.load_all(kind.table(), Scan::prefix(&format!("{account}/")))?)
}

/// Returns the page of a list of entities that an input asks for. Inline policies, which no list
/// shows, are left out.
pub(super) fn page(on: &Reading<'_>, kind: Kind, input: &Value) -> Result<Page<Entity>, Error> {
    let prefix = format!("{}/", on.call.account());
    let keep = |entity: &Entity| names::under_prefix(input, &entity.path);
    paging::stored_without(on.store, input, (kind.table(), &prefix), &["inlinePolicies"], keep)
}

/// Stores a new entity.
///
/// # Errors
/// When the name is taken, whatever its case, or the account is full.
pub(super) fn create(w: &mut Writing<'_>, entity: &Entity) -> Result<(), Error> {
    let kind = entity.kind();
    let account = w.call.account();
    if find(&*w.store, account, kind, &entity.name)?.is_some() {
        return Err(name_taken(kind, &entity.name));
    }
    let (quota, max) = kind.quota();
    if w.store.scan(kind.table(), Scan::prefix(&format!("{account}/")))?.len() >= max {
        return Err(error::quota(quota, max));
    }
    save(w, entity)?;
    let key = id_key(account, &entity.id);
    w.store.save(Table::Relations, &key, &(kind, &entity.name))?;
    Ok(())
}

fn name_taken(kind: Kind, name: &str) -> Error {
    error::already_exists(format!("{} with name {name} already exists.", kind.title()))
}

/// Stores what has changed in an entity, but not its name.
pub(super) fn save(w: &mut Writing<'_>, entity: &Entity) -> Result<(), Error> {
    let key = names::key(w.call.account(), &entity.name);
    Ok(w.store.save(entity.kind().table(), &key, entity)?)
}

/// Gives an entity another name.
///
/// # Errors
/// When the name is taken by another.
pub(super) fn rename(w: &mut Writing<'_>, entity: &mut Entity, name: &str) -> Result<(), Error> {
    let (kind, account) = (entity.kind(), w.call.account());
    let other = find(&*w.store, account, kind, name)?;
    if other.is_some_and(|other| other.id != entity.id) {
        return Err(name_taken(kind, name));
    }
    w.store.delete(kind.table(), &names::key(account, &entity.name))?;
    name.clone_into(&mut entity.name);
    save(w, entity)?;
    Ok(w.store.save(Table::Relations, &id_key(account, &entity.id), &(kind, name))?)
}

/// Removes an entity; the caller has seen that nothing hangs on it.
pub(super) fn delete(w: &mut Writing<'_>, entity: &Entity) -> Result<(), Error> {
    let account = w.call.account();
    w.store.delete(entity.kind().table(), &names::key(account, &entity.name))?;
    w.store.delete(Table::Relations, &id_key(account, &entity.id))?;
    decisions::forget_uses(w.store, &entity.id)
}

/// Returns the question that an operation on an entity raises. Of an entity that does not exist
/// the ARN it would have is asked about: AWS authorises before it looks.
pub(super) fn check(
    on: &Reading<'_>,
    action: &str,
    kind: Kind,
    name: &str,
) -> Result<Check, Error> {
    let word = kind.word();
    let action = format!("iam:{action}");
    let display = format!("{word} {name}");
    let Some(entity) = find(on.store, on.call.account(), kind, name)? else {
        let arn = on.call.global_arn("iam", &format!("{word}{ROOT_PATH}{name}"));
        return Ok(Check::new(action, arn).shown_as(display));
    };
    let mut check = Check::new(action, entity.arn(on.call)).shown_as(display);
    if let Some(boundary) = entity.permissions_boundary {
        check = check.with("iam:PermissionsBoundary", vec![boundary]);
    }
    Ok(tags::with_resource_tags(check, &entity.tags))
}

/// As [`check`], for the operations that name the entity in their input.
pub(super) fn named(
    on: &Reading<'_>,
    action: &str,
    kind: Kind,
    input: &Value,
) -> Result<Vec<Check>, Error> {
    let name = name_in(on.call, kind, input)?;
    Ok(vec![check(on, action, kind, name)?])
}

/// Returns the name of the entity that an input speaks of; for users, the caller when it is silent.
pub(super) fn name_in<'a>(call: &'a Call, kind: Kind, input: &'a Value) -> Result<&'a str, Error> {
    use crate::Input;
    match kind {
        Kind::User => names::user_name(call, input),
        Kind::Group | Kind::Role => input.text(kind.name_member().0),
    }
}

/// Returns the stored entity that an input speaks of.
pub(super) fn get_named(
    store: &(impl Read + ?Sized),
    call: &Call,
    kind: Kind,
    input: &Value,
) -> Result<Entity, Error> {
    get(store, call, kind, name_in(call, kind, input)?)
}

/// As [`get_named`], for what only AWS may do to a service-linked role.
///
/// # Errors
/// `UnmodifiableEntity` for such a role.
pub(super) fn get_modifiable(
    store: &(impl Read + ?Sized),
    call: &Call,
    kind: Kind,
    input: &Value,
) -> Result<Entity, Error> {
    let entity = get_named(store, call, kind, input)?;
    match entity.linked_service() {
        Some(_) => Err(error::unmodifiable(&entity.name)),
        None => Ok(entity),
    }
}
