"""Tags of everything that carries them."""

from botocore import xform_name

from .mfa import NO_DEVICE
from .providers import NO_OIDC, NO_SAML, OTHER
from .row import Row
from .world import FIFTY_ONE, NOBODY, NOTHING, TAGS, TWICE


class Tagged:
    """A kind of resource with tags: how one is made, how it is named, what names none."""

    def __init__(self, noun, member, make, none, other=None):
        self.noun, self.member, self.make, self.none, self.other = noun, member, make, none, other

    def call(self, it, operation, who, **more):
        return getattr(it.iam, xform_name(operation))(**{self.member: who}, **more)

    def tags(self, it, who):
        return self.call(it, f"List{self.noun}Tags", who)["Tags"]

    def tag(self):
        def happy(it):
            who = self.make(it)
            self.call(it, f"Tag{self.noun}", who, Tags=TAGS)
            return self.tags(it, who) == TAGS

        def refused(who, tags):
            return lambda it: self.call(it, f"Tag{self.noun}", who(it), Tags=tags)

        return Row(
            f"Tag{self.noun}",
            happy,
            NoSuchEntity=refused(lambda it: self.none, TAGS),
            LimitExceeded=self.too_many,
            InvalidInput=refused(self.make, TWICE),
        )

    def too_many(self, it):
        who = self.make(it)
        for tags in (FIFTY_ONE[:50], FIFTY_ONE[50:]):
            self.call(it, f"Tag{self.noun}", who, Tags=tags)

    def untag(self):
        def happy(it):
            who = self.make(it, Tags=TAGS)
            self.call(it, f"Untag{self.noun}", who, TagKeys=["team", "nothing"])
            return self.tags(it, who) == []

        errors = {"NoSuchEntity": lambda it: self.call(it, f"Untag{self.noun}", self.none, TagKeys=["team"])}
        if self.other:
            errors["InvalidInput"] = lambda it: self.call(it, f"Untag{self.noun}", self.other, TagKeys=["team"])
        return Row(f"Untag{self.noun}", happy, **errors)

    def listed(self):
        errors = {"NoSuchEntity": lambda it: self.tags(it, self.none)}
        if self.other:
            errors["InvalidInput"] = lambda it: self.tags(it, self.other)
        return Row(f"List{self.noun}Tags", lambda it: self.tags(it, self.make(it, Tags=TAGS)) == TAGS, **errors)


KINDS = [
    Tagged("User", "UserName", lambda it, **more: it.user(**more), NOBODY),
    Tagged("Role", "RoleName", lambda it, **more: it.role(**more), NOBODY),
    Tagged("Policy", "PolicyArn", lambda it, **more: it.policy(**more), NOTHING),
    Tagged("InstanceProfile", "InstanceProfileName", lambda it, **more: it.instance_profile(**more), NOBODY),
    Tagged("MFADevice", "SerialNumber", lambda it, **more: it.virtual_device(**more)[0], NO_DEVICE),
    Tagged("ServerCertificate", "ServerCertificateName", lambda it, **more: it.server_certificate(**more), NOBODY),
    Tagged(
        "OpenIDConnectProvider", "OpenIDConnectProviderArn", lambda it, **more: it.oidc_provider(**more), NO_OIDC, OTHER
    ),
    Tagged("SAMLProvider", "SAMLProviderArn", lambda it, **more: it.saml_provider(**more), NO_SAML, OTHER),
]
ROWS = [row for kind in KINDS for row in (kind.tag(), kind.untag(), kind.listed())]
