"""Groups and who is in them."""

from .row import Row
from .world import NOBODY


def create(it):
    name = it.name("group")
    made = it.iam.create_group(GroupName=name)["Group"]
    return made["GroupName"] == name and made["GroupId"].startswith("AGPA")


def get(it):
    user = it.user()
    return [member["UserName"] for member in it.iam.get_group(GroupName=it.group(user))["Users"]] == [user]


def listed(it):
    name = it.group()
    return name in [group["GroupName"] for group in it.iam.list_groups(MaxItems=1000)["Groups"]]


def update(it):
    old, new = it.group(), it.name("group")
    it.iam.update_group(GroupName=old, NewGroupName=new)
    return it.iam.get_group(GroupName=new)["Group"]["GroupName"] == new


def delete(it):
    name = it.group()
    it.iam.delete_group(GroupName=name)
    return name not in [group["GroupName"] for group in it.iam.list_groups(MaxItems=1000)["Groups"]]


def groups_of(it, user):
    return [group["GroupName"] for group in it.iam.list_groups_for_user(UserName=user)["Groups"]]


def add(it):
    user, group = it.user(), it.group()
    it.iam.add_user_to_group(GroupName=group, UserName=user)
    return groups_of(it, user) == [group]


def add_eleven(it):
    user = it.user()
    for _ in range(11):
        it.iam.add_user_to_group(GroupName=it.group(), UserName=user)


def remove(it):
    user = it.user()
    it.iam.remove_user_from_group(GroupName=it.group(user), UserName=user)
    return groups_of(it, user) == []


def list_for_user(it):
    user = it.user()
    group = it.group(user)
    return groups_of(it, user) == [group]


ROWS = [
    Row("CreateGroup", create, EntityAlreadyExists=lambda it: it.iam.create_group(GroupName=it.group())),
    Row("GetGroup", get, NoSuchEntity=lambda it: it.iam.get_group(GroupName=NOBODY)),
    Row("ListGroups", listed),
    Row(
        "UpdateGroup",
        update,
        NoSuchEntity=lambda it: it.iam.update_group(GroupName=NOBODY, NewPath="/"),
        EntityAlreadyExists=lambda it: it.iam.update_group(GroupName=it.group(), NewGroupName=it.group()),
    ),
    Row(
        "DeleteGroup",
        delete,
        NoSuchEntity=lambda it: it.iam.delete_group(GroupName=NOBODY),
        DeleteConflict=lambda it: it.iam.delete_group(GroupName=it.group(it.user())),
    ),
    Row(
        "AddUserToGroup",
        add,
        NoSuchEntity=lambda it: it.iam.add_user_to_group(GroupName=it.group(), UserName=NOBODY),
        LimitExceeded=add_eleven,
    ),
    Row(
        "RemoveUserFromGroup",
        remove,
        NoSuchEntity=lambda it: it.iam.remove_user_from_group(GroupName=NOBODY, UserName=it.user()),
    ),
    Row("ListGroupsForUser", list_for_user, NoSuchEntity=lambda it: it.iam.list_groups_for_user(UserName=NOBODY)),
]
