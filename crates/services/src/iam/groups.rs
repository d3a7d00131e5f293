//! Groups: CreateGroup and its kin.
//!
//! IAM API reference, "CreateGroup", "GetGroup", "DeleteGroup" (read 2026-11).

use value::Value;

use super::entity::{self, Detail, Entity, Kind};
use super::{attachments, error, memberships, names, paging, users};
use crate::{Answer, Input, Operation, Reading, Run, Writing};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreateGroup",
        checks: |on, input| users::may_create_entity(on, "CreateGroup", Kind::Group, input),
        run: Run::Write(create),
    },
    Operation {
        name: "GetGroup",
        checks: |on, input| entity::named(on, "GetGroup", Kind::Group, input),
        run: Run::Read(get),
    },
    Operation {
        name: "ListGroups",
        checks: |on, input| Ok(vec![users::may_list(on, "ListGroups", Kind::Group, input)]),
        run: Run::Read(list),
    },
    Operation {
        name: "UpdateGroup",
        checks: |on, input| users::may_rename(on, "UpdateGroup", Kind::Group, input),
        run: Run::Write(|w, input| users::rename(w, Kind::Group, input)),
    },
    Operation {
        name: "DeleteGroup",
        checks: |on, input| entity::named(on, "DeleteGroup", Kind::Group, input),
        run: Run::Write(delete),
    },
];

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("GroupName")?;
    names::check_name("groupName", name, Kind::Group.name_characters_max())?;
    let path = names::path_of(input)?;
    let group = Entity::new(Kind::Group, name, path, w.call.now_millis, Detail::Group);
    entity::create(w, &group)?;
    Ok(Value::object().with("Group", group.shown(w.call)))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let group = entity::get_named(on.store, on.call, Kind::Group, input)?;
    let members = memberships::members_of(on.store, on.call.account(), &group.id)?;
    let mut members: Vec<_> =
        members.into_iter().map(|user| (user.name.to_lowercase(), user)).collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    let rows = members.into_iter().map(|(key, user)| (key, users::shown(on.call, &user)));
    let page = paging::page(input, "Users", rows)?;
    Ok(page.with("Group", group.shown(on.call)))
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let page = entity::page(on, Kind::Group, input)?;
    paging::answer("Groups", page, |group| Ok(group.shown(on.call)))
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let group = entity::get_named(&*w.store, w.call, Kind::Group, input)?;
    let members = memberships::members_of(&*w.store, w.call.account(), &group.id)?;
    if !members.is_empty() {
        return Err(error::delete_conflict("remove users from group first."));
    }
    if let Some(obstacle) = attachments::obstacle(&group) {
        return Err(error::delete_conflict(obstacle));
    }
    entity::delete(w, &group)?;
    Ok(Value::object())
}
