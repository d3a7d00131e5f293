"""Managed policies, their versions, what they hang on, and policies within users, groups and roles."""

from .row import Row
from .world import DOCUMENT, NOBODY, NOTHING, TWICE, long_document

AMAZONS = "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"
SIZES = {"user": 2048, "group": 5120, "role": 10240}


def create(it):
    name = it.name("policy")
    made = it.iam.create_policy(PolicyName=name, PolicyDocument=DOCUMENT)["Policy"]
    return made["DefaultVersionId"] == "v1" and made["Arn"].endswith(f":policy/{name}")


def create_called(it, name, document=DOCUMENT, **more):
    return it.iam.create_policy(PolicyName=name, PolicyDocument=document, **more)


def get(it):
    return it.iam.get_policy(PolicyArn=it.policy())["Policy"]["AttachmentCount"] == 0


def listed(it):
    arn = it.policy()
    return arn in [policy["Arn"] for policy in it.iam.list_policies(Scope="Local", MaxItems=1000)["Policies"]]


def delete(it):
    arn = it.policy()
    it.iam.delete_policy(PolicyArn=arn)
    return arn not in [policy["Arn"] for policy in it.iam.list_policies(Scope="Local", MaxItems=1000)["Policies"]]


def delete_attached(it):
    arn = it.policy()
    it.iam.attach_user_policy(UserName=it.user(), PolicyArn=arn)
    it.iam.delete_policy(PolicyArn=arn)


def entities(it):
    user, arn = it.user(), it.policy()
    it.iam.attach_user_policy(UserName=user, PolicyArn=arn)
    return [entity["UserName"] for entity in it.iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]] == [user]


def add_version(it, arn=None, **more):
    arn = arn or it.policy()
    made = it.iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT, **more)["PolicyVersion"]
    return arn, made["VersionId"]


def get_version(it):
    version = it.iam.get_policy_version(PolicyArn=it.policy(), VersionId="v1")["PolicyVersion"]
    return version["Document"]["Version"] == "2012-10-17" and version["IsDefaultVersion"]


def versions(it):
    arn, _ = add_version(it)
    return [version["VersionId"] for version in it.iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v2", "v1"]


def set_default(it):
    arn, version = add_version(it)
    it.iam.set_default_policy_version(PolicyArn=arn, VersionId=version)
    return it.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"


def delete_version(it):
    arn, version = add_version(it)
    it.iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    return len(it.iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 1


MANAGED = [
    Row(
        "CreatePolicy",
        create,
        InvalidInput=lambda it: create_called(it, it.name(), Tags=TWICE),
        LimitExceeded=lambda it: create_called(it, it.name(), long_document(6144)),
        EntityAlreadyExists=lambda it: create_called(it, it.policy().rsplit("/", 1)[1]),
        MalformedPolicyDocument=lambda it: create_called(it, it.name(), "{"),
    ),
    Row("GetPolicy", get, NoSuchEntity=lambda it: it.iam.get_policy(PolicyArn=NOTHING)),
    Row("ListPolicies", listed),
    Row(
        "DeletePolicy",
        delete,
        NoSuchEntity=lambda it: it.iam.delete_policy(PolicyArn=NOTHING),
        DeleteConflict=delete_attached,
    ),
    Row(
        "ListEntitiesForPolicy", entities, NoSuchEntity=lambda it: it.iam.list_entities_for_policy(PolicyArn=NOTHING)
    ),
    Row(
        "CreatePolicyVersion",
        lambda it: add_version(it, SetAsDefault=True)[1] == "v2",
        NoSuchEntity=lambda it: add_version(it, NOTHING),
        MalformedPolicyDocument=lambda it: it.iam.create_policy_version(PolicyArn=it.policy(), PolicyDocument="{"),
    ),
    Row(
        "GetPolicyVersion",
        get_version,
        NoSuchEntity=lambda it: it.iam.get_policy_version(PolicyArn=it.policy(), VersionId="v9"),
    ),
    Row("ListPolicyVersions", versions, NoSuchEntity=lambda it: it.iam.list_policy_versions(PolicyArn=NOTHING)),
    Row(
        "SetDefaultPolicyVersion",
        set_default,
        NoSuchEntity=lambda it: it.iam.set_default_policy_version(PolicyArn=it.policy(), VersionId="v9"),
    ),
    Row(
        "DeletePolicyVersion",
        delete_version,
        NoSuchEntity=lambda it: it.iam.delete_policy_version(PolicyArn=it.policy(), VersionId="v9"),
        DeleteConflict=lambda it: it.iam.delete_policy_version(PolicyArn=it.policy(), VersionId="v1"),
    ),
]


class Kind:
    """What is said of users, groups and roles alike."""

    def __init__(self, word):
        self.word, self.title, self.member = word, word.capitalize(), f"{word.capitalize()}Name"

    def made(self, it):
        return {self.member: getattr(it, self.word)()}

    def linked(self, it):
        return {self.member: it.linked_role()}

    @property
    def nobody(self):
        return {self.member: NOBODY}

    def call(self, it, verb, noun, **more):
        return getattr(it.iam, f"{verb}_{self.word}_{noun}")(**more)

    def attached(self, it, who):
        return [policy["PolicyArn"] for policy in self.list_attached(it, who)["AttachedPolicies"]]

    def list_attached(self, it, who):
        return getattr(it.iam, f"list_attached_{self.word}_policies")(**who)

    def names(self, it, who):
        return getattr(it.iam, f"list_{self.word}_policies")(**who)["PolicyNames"]

    def put(self, it, who, document=DOCUMENT):
        return self.call(it, "put", "policy", **who, PolicyName="p", PolicyDocument=document)


def attach(kind):
    def happy(it):
        who, arn = kind.made(it), it.policy()
        kind.call(it, "attach", "policy", **who, PolicyArn=arn)
        return kind.attached(it, who) == [arn]

    def eleven(it):
        who = kind.made(it)
        for _ in range(11):
            kind.call(it, "attach", "policy", **who, PolicyArn=it.policy())

    return Row(
        f"Attach{kind.title}Policy",
        happy,
        NoSuchEntity=lambda it: kind.call(it, "attach", "policy", **kind.made(it), PolicyArn=NOTHING),
        LimitExceeded=eleven,
        PolicyNotAttachable=lambda it: kind.call(it, "attach", "policy", **kind.made(it), PolicyArn=AMAZONS),
    )


def detach(kind):
    def happy(it):
        who, arn = kind.made(it), it.policy()
        kind.call(it, "attach", "policy", **who, PolicyArn=arn)
        kind.call(it, "detach", "policy", **who, PolicyArn=arn)
        return kind.attached(it, who) == []

    errors = {"NoSuchEntity": lambda it: kind.call(it, "detach", "policy", **kind.made(it), PolicyArn=it.policy())}
    if kind.word == "role":
        errors["UnmodifiableEntity"] = lambda it: kind.call(
            it, "detach", "policy", **kind.linked(it), PolicyArn=it.policy()
        )
    return Row(f"Detach{kind.title}Policy", happy, **errors)


def list_attached(kind):
    def happy(it):
        who, arn = kind.made(it), it.policy()
        kind.call(it, "attach", "policy", **who, PolicyArn=arn)
        return kind.attached(it, who) == [arn]

    return Row(
        f"ListAttached{kind.title}Policies", happy, NoSuchEntity=lambda it: kind.list_attached(it, kind.nobody)
    )


def put_inline(kind):
    def happy(it):
        who = kind.made(it)
        kind.put(it, who)
        return kind.names(it, who) == ["p"]

    return Row(
        f"Put{kind.title}Policy",
        happy,
        LimitExceeded=lambda it: kind.put(it, kind.made(it), long_document(SIZES[kind.word])),
        MalformedPolicyDocument=lambda it: kind.put(it, kind.made(it), "{"),
    )


def get_inline(kind):
    def happy(it):
        who = kind.made(it)
        kind.put(it, who)
        return kind.call(it, "get", "policy", **who, PolicyName="p")["PolicyDocument"]["Version"] == "2012-10-17"

    return Row(
        f"Get{kind.title}Policy",
        happy,
        NoSuchEntity=lambda it: kind.call(it, "get", "policy", **kind.made(it), PolicyName="p"),
    )


def delete_inline(kind):
    def happy(it):
        who = kind.made(it)
        kind.put(it, who)
        kind.call(it, "delete", "policy", **who, PolicyName="p")
        return kind.names(it, who) == []

    errors = {"NoSuchEntity": lambda it: kind.call(it, "delete", "policy", **kind.made(it), PolicyName="p")}
    if kind.word == "role":
        errors["UnmodifiableEntity"] = lambda it: kind.call(it, "delete", "policy", **kind.linked(it), PolicyName="p")
    return Row(f"Delete{kind.title}Policy", happy, **errors)


def list_inline(kind):
    def happy(it):
        who = kind.made(it)
        kind.put(it, who)
        return kind.names(it, who) == ["p"]

    return Row(f"List{kind.title}Policies", happy, NoSuchEntity=lambda it: kind.names(it, kind.nobody))


def boundary_of(it, kind, who):
    shown = getattr(it.iam, f"get_{kind.word}")(**who)[kind.title]
    return shown.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")


def put_boundary(kind):
    def put(it, who, arn):
        return kind.call(it, "put", "permissions_boundary", **who, PermissionsBoundary=arn)

    def happy(it):
        who, arn = kind.made(it), it.policy()
        put(it, who, arn)
        return boundary_of(it, kind, who) == arn

    errors = {
        "NoSuchEntity": lambda it: put(it, kind.made(it), NOTHING),
        "PolicyNotAttachable": lambda it: put(it, kind.made(it), AMAZONS),
    }
    if kind.word == "role":
        errors["UnmodifiableEntity"] = lambda it: put(it, kind.linked(it), it.policy())
    return Row(f"Put{kind.title}PermissionsBoundary", happy, **errors)


def delete_boundary(kind):
    def delete(it, who):
        return kind.call(it, "delete", "permissions_boundary", **who)

    def happy(it):
        who = kind.made(it)
        kind.call(it, "put", "permissions_boundary", **who, PermissionsBoundary=it.policy())
        delete(it, who)
        return boundary_of(it, kind, who) is None

    errors = {"NoSuchEntity": lambda it: delete(it, kind.nobody)}
    if kind.word == "role":
        errors["UnmodifiableEntity"] = lambda it: delete(it, kind.linked(it))
    return Row(f"Delete{kind.title}PermissionsBoundary", happy, **errors)


KINDS = [Kind("user"), Kind("group"), Kind("role")]
ON_EACH = [attach, detach, list_attached, put_inline, get_inline, delete_inline, list_inline]
ROWS = MANAGED + [make(kind) for make in ON_EACH for kind in KINDS]
ROWS += [make(kind) for make in (put_boundary, delete_boundary) for kind in KINDS if kind.word != "group"]
