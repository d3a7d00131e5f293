"""Roles, and those that are linked to a service."""

from .row import Row
from .world import NOBODY, TWICE, long_document, trust


def create(it):
    name = it.name("role")
    made = it.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(), MaxSessionDuration=7200)["Role"]
    principal = made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    return made["RoleId"].startswith("AROA") and principal == {"Service": "ec2.amazonaws.com"}


def get(it):
    role = it.iam.get_role(RoleName=it.role(Description="what it is for"))["Role"]
    return (role["Description"], role["MaxSessionDuration"]) == ("what it is for", 3600)


def listed(it):
    name = it.role(Path="/listed/")
    return name in [role["RoleName"] for role in it.iam.list_roles(PathPrefix="/listed/")["Roles"]]


def update(it):
    name = it.role()
    it.iam.update_role(RoleName=name, MaxSessionDuration=7200)
    return it.iam.get_role(RoleName=name)["Role"]["MaxSessionDuration"] == 7200


def describe(it):
    return it.iam.update_role_description(RoleName=it.role(), Description="new")["Role"]["Description"] == "new"


def update_trust(it):
    name = it.role()
    it.iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust("states.amazonaws.com"))
    document = it.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    return document["Statement"][0]["Principal"] == {"Service": "states.amazonaws.com"}


def delete(it):
    name = it.role()
    it.iam.delete_role(RoleName=name)
    return name not in [role["RoleName"] for role in it.iam.list_roles(MaxItems=1000)["Roles"]]


def delete_with_a_profile(it):
    role = it.role()
    it.instance_profile(role)
    it.iam.delete_role(RoleName=role)


def create_linked(it):
    made = it.iam.create_service_linked_role(AWSServiceName="spot.amazonaws.com")["Role"]
    return made["Path"] == "/aws-service-role/spot.amazonaws.com/" and made["RoleName"] == "AWSServiceRoleForEC2Spot"


def delete_linked(it):
    name = it.linked_role()
    task = it.iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    return task.startswith(f"task/aws-service-role/autoscaling.amazonaws.com/{name}/")


def deletion_status(it):
    task = it.iam.delete_service_linked_role(RoleName=it.linked_role())["DeletionTaskId"]
    return it.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


def ask_about(it, task):
    return it.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)


ROWS = [
    Row(
        "CreateRole",
        create,
        LimitExceeded=lambda it: it.iam.create_role(
            RoleName=it.name(), AssumeRolePolicyDocument=trust(sid="x" * 2048)
        ),
        InvalidInput=lambda it: it.role(Tags=TWICE),
        EntityAlreadyExists=lambda it: it.iam.create_role(RoleName=it.role(), AssumeRolePolicyDocument=trust()),
        MalformedPolicyDocument=lambda it: it.iam.create_role(RoleName=it.name(), AssumeRolePolicyDocument="{"),
    ),
    Row("GetRole", get, NoSuchEntity=lambda it: it.iam.get_role(RoleName=NOBODY)),
    Row("ListRoles", listed),
    Row(
        "UpdateRole",
        update,
        UnmodifiableEntity=lambda it: it.iam.update_role(RoleName=it.linked_role(), MaxSessionDuration=7200),
        NoSuchEntity=lambda it: it.iam.update_role(RoleName=NOBODY),
    ),
    Row(
        "UpdateRoleDescription",
        describe,
        NoSuchEntity=lambda it: it.iam.update_role_description(RoleName=NOBODY, Description="new"),
    ),
    Row(
        "UpdateAssumeRolePolicy",
        update_trust,
        NoSuchEntity=lambda it: it.iam.update_assume_role_policy(RoleName=NOBODY, PolicyDocument=trust()),
        MalformedPolicyDocument=lambda it: it.iam.update_assume_role_policy(
            RoleName=it.role(), PolicyDocument=long_document(1)
        ),
        UnmodifiableEntity=lambda it: it.iam.update_assume_role_policy(
            RoleName=it.linked_role(), PolicyDocument=trust()
        ),
    ),
    Row(
        "DeleteRole",
        delete,
        NoSuchEntity=lambda it: it.iam.delete_role(RoleName=NOBODY),
        DeleteConflict=delete_with_a_profile,
        UnmodifiableEntity=lambda it: it.iam.delete_role(RoleName=it.linked_role()),
    ),
    Row(
        "CreateServiceLinkedRole",
        create_linked,
        InvalidInput=lambda it: it.iam.create_service_linked_role(AWSServiceName="es.amazonaws.com", CustomSuffix="x"),
    ),
    Row(
        "DeleteServiceLinkedRole",
        delete_linked,
        NoSuchEntity=lambda it: it.iam.delete_service_linked_role(RoleName=it.role()),
    ),
    Row(
        "GetServiceLinkedRoleDeletionStatus",
        deletion_status,
        NoSuchEntity=lambda it: ask_about(it, "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/none"),
        InvalidInput=lambda it: ask_about(it, "none"),
    ),
]
