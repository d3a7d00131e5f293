"""Instance profiles."""

from .row import Row
from .world import NOBODY, TWICE


def create(it):
    name = it.name("profile")
    made = it.iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    return made["InstanceProfileId"].startswith("AIPA") and made["Roles"] == []


def roles(it, name):
    shown = it.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    return [role["RoleName"] for role in shown["Roles"]]


def get(it):
    role = it.role()
    return roles(it, it.instance_profile(role)) == [role]


def names(profiles):
    return [profile["InstanceProfileName"] for profile in profiles["InstanceProfiles"]]


def listed(it):
    return it.instance_profile() in names(it.iam.list_instance_profiles(MaxItems=1000))


def listed_for_role(it):
    role = it.role()
    return [it.instance_profile(role)] == names(it.iam.list_instance_profiles_for_role(RoleName=role))


def add(it):
    role, name = it.role(), it.instance_profile()
    it.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
    return roles(it, name) == [role]


def add_second(it):
    name = it.instance_profile(it.role())
    it.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=it.role())


def remove(it):
    role = it.role()
    name = it.instance_profile(role)
    it.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
    return roles(it, name) == []


def delete(it):
    name = it.instance_profile()
    it.iam.delete_instance_profile(InstanceProfileName=name)
    return name not in names(it.iam.list_instance_profiles(MaxItems=1000))


ROWS = [
    Row(
        "CreateInstanceProfile",
        create,
        EntityAlreadyExists=lambda it: it.iam.create_instance_profile(InstanceProfileName=it.instance_profile()),
        InvalidInput=lambda it: it.instance_profile(Tags=TWICE),
    ),
    Row("GetInstanceProfile", get, NoSuchEntity=lambda it: roles(it, NOBODY)),
    Row("ListInstanceProfiles", listed),
    Row(
        "ListInstanceProfilesForRole",
        listed_for_role,
        NoSuchEntity=lambda it: it.iam.list_instance_profiles_for_role(RoleName=NOBODY),
    ),
    Row(
        "AddRoleToInstanceProfile",
        add,
        NoSuchEntity=lambda it: it.iam.add_role_to_instance_profile(InstanceProfileName=NOBODY, RoleName=it.role()),
        LimitExceeded=add_second,
        UnmodifiableEntity=lambda it: it.instance_profile(it.linked_role()),
    ),
    Row(
        "RemoveRoleFromInstanceProfile",
        remove,
        NoSuchEntity=lambda it: it.iam.remove_role_from_instance_profile(
            InstanceProfileName=it.instance_profile(), RoleName=it.role()
        ),
        UnmodifiableEntity=lambda it: it.iam.remove_role_from_instance_profile(
            InstanceProfileName=it.instance_profile(), RoleName=it.linked_role()
        ),
    ),
    Row(
        "DeleteInstanceProfile",
        delete,
        NoSuchEntity=lambda it: it.iam.delete_instance_profile(InstanceProfileName=NOBODY),
        DeleteConflict=lambda it: it.iam.delete_instance_profile(InstanceProfileName=it.instance_profile(it.role())),
    ),
]
