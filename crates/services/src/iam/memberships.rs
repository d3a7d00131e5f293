//! Which users belong to which groups, by the unique ids of both.

use store::{Read, Scan, Table};
use value::Value;

use super::entity::{self, Entity, Kind};
use super::{error, paging};
use crate::{Answer, Error, Operation, Reading, Run, Writing};

/// How many groups a user can belong to.
const GROUPS_PER_USER_MAX: usize = 10;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "AddUserToGroup",
        checks: |on, input| entity::named(on, "AddUserToGroup", Kind::Group, input),
        run: Run::Write(add),
    },
    Operation {
        name: "RemoveUserFromGroup",
        checks: |on, input| entity::named(on, "RemoveUserFromGroup", Kind::Group, input),
        run: Run::Write(remove),
    },
    Operation {
        name: "ListGroupsForUser",
        checks: |on, input| entity::named(on, "ListGroupsForUser", Kind::User, input),
        run: Run::Read(list),
    },
];

fn groups_prefix(account: &str, user_id: &str) -> String {
    format!("groups-of-user/{account}/{user_id}/")
}

fn members_prefix(account: &str, group_id: &str) -> String {
    format!("users-of-group/{account}/{group_id}/")
}

/// Returns the entities whose ids follow a prefix.
fn related(
    store: &(impl Read + ?Sized),
    account: &str,
    prefix: &str,
) -> Result<Vec<Entity>, Error> {
    let mut found = Vec::new();
    for (key, _) in store.scan(Table::Relations, Scan::prefix(prefix))? {
        let id = key.strip_prefix(prefix).unwrap_or_default();
        found.extend(entity::by_id(store, account, id)?);
    }
    Ok(found)
}

/// Returns the groups of a user.
pub(super) fn groups_of(
    store: &(impl Read + ?Sized),
    account: &str,
    user_id: &str,
) -> Result<Vec<Entity>, Error> {
    related(store, account, &groups_prefix(account, user_id))
}

/// Returns the users in a group.
pub(super) fn members_of(
    store: &(impl Read + ?Sized),
    account: &str,
    group_id: &str,
) -> Result<Vec<Entity>, Error> {
    related(store, account, &members_prefix(account, group_id))
}

/// Returns the group and the user of an input, and the keys of their membership.
fn membership(w: &Writing<'_>, input: &Value) -> Result<(Entity, [String; 2]), Error> {
    let account = w.call.account();
    let group = entity::get_named(&*w.store, w.call, Kind::Group, input)?;
    let user = entity::get_named(&*w.store, w.call, Kind::User, input)?;
    let keys = [
        groups_prefix(account, &user.id) + &group.id,
        members_prefix(account, &group.id) + &user.id,
    ];
    Ok((user, keys))
}

fn add(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (user, keys) = membership(w, input)?;
    let groups =
        w.store.scan(Table::Relations, Scan::prefix(&groups_prefix(w.call.account(), &user.id)))?;
    let is_member = groups.iter().any(|(key, _)| keys.contains(key));
    if !is_member && groups.len() >= GROUPS_PER_USER_MAX {
        return Err(error::quota("GroupsPerUser", GROUPS_PER_USER_MAX));
    }
    for key in &keys {
        w.store.put(Table::Relations, key, b"1")?;
    }
    Ok(Value::object())
}

/// A user that is not in the group is no error, as on AWS.
fn remove(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (_, keys) = membership(w, input)?;
    for key in &keys {
        w.store.delete(Table::Relations, key)?;
    }
    Ok(Value::object())
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let user = entity::get_named(on.store, on.call, Kind::User, input)?;
    let mut groups: Vec<_> = groups_of(on.store, on.call.account(), &user.id)?
        .into_iter()
        .map(|group| (group.name.to_lowercase(), group.shown(on.call)))
        .collect();
    groups.sort_by(|one, other| one.0.cmp(&other.0));
    paging::page(input, "Groups", groups)
}
