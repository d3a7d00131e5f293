"""Users."""

from .row import Row
from .world import NOBODY, NOTHING


def create(it):
    name = it.name("user")
    made = it.iam.create_user(UserName=name, Path="/ops/")["User"]
    return made["Arn"].endswith(f":user/ops/{name}") and made["UserId"].startswith("AIDA")


def get(it):
    name = it.user()
    return it.iam.get_user(UserName=name)["User"]["UserName"] == name


def listed(it):
    name = it.user(Path="/listed/")
    return name in [user["UserName"] for user in it.iam.list_users(PathPrefix="/listed/")["Users"]]


def update(it):
    old, new = it.user(), it.name("user")
    it.iam.update_user(UserName=old, NewUserName=new)
    return it.iam.get_user(UserName=new)["User"]["UserName"] == new


def delete(it):
    name = it.user()
    it.iam.delete_user(UserName=name)
    return name not in [user["UserName"] for user in it.iam.list_users(MaxItems=1000)["Users"]]


def delete_with_a_key(it):
    name = it.user()
    it.access_key(name)
    it.iam.delete_user(UserName=name)


ROWS = [
    Row(
        "CreateUser",
        create,
        EntityAlreadyExists=lambda it: it.iam.create_user(UserName=it.user()),
        NoSuchEntity=lambda it: it.iam.create_user(UserName=it.name(), PermissionsBoundary=NOTHING),
    ),
    Row("GetUser", get, NoSuchEntity=lambda it: it.iam.get_user(UserName=NOBODY)),
    Row("ListUsers", listed),
    Row(
        "UpdateUser",
        update,
        NoSuchEntity=lambda it: it.iam.update_user(UserName=NOBODY, NewPath="/"),
        EntityAlreadyExists=lambda it: it.iam.update_user(UserName=it.user(), NewUserName=it.user()),
    ),
    Row(
        "DeleteUser",
        delete,
        NoSuchEntity=lambda it: it.iam.delete_user(UserName=NOBODY),
        DeleteConflict=delete_with_a_key,
    ),
]
