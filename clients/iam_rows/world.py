"""What rows are played in: a client, and makers of everything that operations work on."""

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import pathlib
import struct
import time

from server import ACCOUNT, ROOT

DATA = pathlib.Path(ROOT, "crates/services/tests/it/data")
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
)
PASSWORD = "Passw0rd-xyzzy"
TOTP_SECONDS = 30


def trust(principal="ec2.amazonaws.com", sid=""):
    """Returns a trust policy for a service."""
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def long_document(characters):
    """Returns a policy of so many characters, and a few more."""
    statement = {"Sid": "x" * characters, "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def data(name):
    """Returns a file of the Rust tests: keys and certificates."""
    return (DATA / name).read_text(encoding="ascii")


def arn(rest):
    """Returns an ARN of IAM."""
    return f"arn:aws:iam::{ACCOUNT}:{rest}"


TWICE = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
FIFTY_ONE = [{"Key": f"key-{number}", "Value": ""} for number in range(51)]
TAGS = [{"Key": "team", "Value": "ops"}]
NOBODY, NOTHING = "nobody-of-this-name", arn("policy/nothing-of-this-name")


class World:
    """Everything that is made here has a name of its own, so that rows do not meet."""

    def __init__(self, server):
        self.server = server
        self.iam = server.client("iam")
        self.unchecked = server.client("iam")
        self.unchecked.meta.events.unregister("before-parameter-build.iam")
        self.unchecked._serializer = _without_checks(self.unchecked)
        self.numbers = itertools.count(1)

    @contextlib.contextmanager
    def watching(self):
        """Gives a set that fills with the names of the operations that this world's clients call."""
        called = set()
        note = lambda model, **_: called.add(model.name)
        self.watcher = note
        self.iam.meta.events.register("before-call.iam", note)
        try:
            yield called
        finally:
            self.iam.meta.events.unregister("before-call.iam", note)
            self.watcher = None

    def name(self, kind="thing"):
        """Returns a name that nothing has."""
        return f"{kind}-{next(self.numbers)}"

    def user(self, **more):
        """Makes a user; returns its name."""
        return self.iam.create_user(UserName=self.name("user"), **more)["User"]["UserName"]

    def group(self, *users):
        """Makes a group of users; returns its name."""
        name = self.iam.create_group(GroupName=self.name("group"))["Group"]["GroupName"]
        for user in users:
            self.iam.add_user_to_group(GroupName=name, UserName=user)
        return name

    def role(self, **more):
        """Makes a role; returns its name."""
        name = self.name("role")
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(), **more)
        return name

    def linked_role(self):
        """Makes a service-linked role; returns its name."""
        made = self.iam.create_service_linked_role(
            AWSServiceName="autoscaling.amazonaws.com", CustomSuffix=str(next(self.numbers))
        )
        return made["Role"]["RoleName"]

    def policy(self, **more):
        """Makes a managed policy; returns its ARN."""
        made = self.iam.create_policy(PolicyName=self.name("policy"), PolicyDocument=DOCUMENT, **more)
        return made["Policy"]["Arn"]

    def instance_profile(self, role=None, **more):
        """Makes an instance profile, with a role if one is given; returns its name."""
        name = self.name("profile")
        self.iam.create_instance_profile(InstanceProfileName=name, **more)
        if role:
            self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return name

    def access_key(self, user):
        """Makes an access key; returns its id."""
        return self.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]

    def as_user(self, user):
        """Returns a client that acts as a user."""
        key = self.iam.create_access_key(UserName=user)["AccessKey"]
        client = self.server.client(
            "iam", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        if getattr(self, "watcher", None):
            client.meta.events.register("before-call.iam", self.watcher)
        return client

    def login_profile(self, user):
        """Gives a user a password; returns it."""
        self.iam.create_login_profile(UserName=user, Password=PASSWORD)
        return PASSWORD

    def signing_certificate(self, user, number=0):
        """Uploads a certificate, which must be nobody's; returns its id."""
        body = data(("one.pem", "two.pem", "three.pem")[number])
        return self.iam.upload_signing_certificate(UserName=user, CertificateBody=body)["Certificate"]["CertificateId"]

    def ssh_key_text(self):
        """Returns a public key that nobody has: a modulus that differs in some places is another one."""
        text, other = data("ssh.pub"), base64.b64encode(struct.pack(">I", next(self.numbers) << 8))[:5].decode()
        return text[:200] + other + text[205:]

    def ssh_key(self, user):
        """Uploads a public key; returns its id."""
        made = self.iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=self.ssh_key_text())
        return made["SSHPublicKey"]["SSHPublicKeyId"]

    def service_credential(self, user, service="codecommit.amazonaws.com"):
        """Makes a service-specific credential; returns its id."""
        made = self.iam.create_service_specific_credential(UserName=user, ServiceName=service)
        return made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]

    def virtual_device(self, **more):
        """Makes a virtual MFA device; returns its serial number and its seed."""
        made = self.iam.create_virtual_mfa_device(VirtualMFADeviceName=self.name("device"), **more)
        device = made["VirtualMFADevice"]
        return device["SerialNumber"], base64.b32decode(device["Base32StringSeed"])

    def enabled_device(self, user):
        """Makes a virtual MFA device and enables it; returns its serial number and its seed."""
        serial, seed = self.virtual_device()
        self.iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes(seed, -4))
        return serial, seed

    def hardware_token(self, user):
        """Enables a hardware token; returns its serial number."""
        serial = f"GAHT{next(self.numbers):08}"
        self.iam.enable_mfa_device(
            UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
        return serial

    def oidc_provider(self, **more):
        """Makes an OIDC provider; returns its ARN."""
        url = f"https://{self.name('idp')}.example.com"
        return self.iam.create_open_id_connect_provider(Url=url, **more)["OpenIDConnectProviderArn"]

    def saml_provider(self, **more):
        """Makes a SAML provider; returns its ARN."""
        made = self.iam.create_saml_provider(Name=self.name("idp"), SAMLMetadataDocument=metadata(), **more)
        return made["SAMLProviderArn"]

    def server_certificate(self, **more):
        """Uploads a server certificate; returns its name."""
        name = self.name("certificate")
        self.iam.upload_server_certificate(
            ServerCertificateName=name, CertificateBody=data("server.pem"), PrivateKey=data("server.key"), **more
        )
        return name


def _without_checks(client):
    """Returns the serializer of a client without the checks in front of it."""
    from botocore.serialize import create_serializer

    return create_serializer(client.meta.service_model.metadata["protocol"], False)


def metadata(issuer="https://idp.example.com"):
    """Returns the metadata of a SAML provider, as long as AWS wants it."""
    body = "".join(line for line in data("server.pem").splitlines() if "---" not in line)
    return (
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}"><!-- {"x" * 1000} -->'
        '<IDPSSODescriptor><KeyDescriptor use="signing"><KeyInfo><X509Data><X509Certificate>'
        f"{body}</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>"
    )


def codes(seed, offset=-1):
    """Returns two successive codes of a virtual device, so many steps from now."""
    step = int(time.time()) // TOTP_SECONDS + offset
    return {"AuthenticationCode1": code(seed, step), "AuthenticationCode2": code(seed, step + 1)}


def code(seed, step):
    """Returns the code of a step (RFC 6238)."""
    digest = hmac.digest(seed, struct.pack(">Q", step), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
