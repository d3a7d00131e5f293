#!/usr/bin/env python3
"""Calls every operation of STS with boto3: as it is meant, and as the documentation says it fails.

usage: sts_test.py

Keys and tokens of an identity provider are made with openssl, so that what verifies them is not what
signed them. The last line says how many calls went as they should.
"""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from botocore.exceptions import ClientError

from server import ACCOUNT, Server, binary

ISSUER = "token.example.com"
ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"


EC2_MACHINE = {
    "StartAt": "Call",
    "States": {
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ec2:describeInstances",
            "End": True,
        }
    },
}


def trust(principal, actions, condition=None):
    """Returns a trust policy."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def encode(data):
    """Returns base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """An identity provider that signs with RS256, by way of openssl."""

    def __init__(self, folder):
        self.key = pathlib.Path(folder) / "provider.pem"
        self.file = pathlib.Path(folder) / "keys.json"
        self.run("genrsa", "-out", self.key, "2048")
        modulus = self.run("rsa", "-in", self.key, "-noout", "-modulus").decode()
        n = bytes.fromhex(modulus.strip().removeprefix("Modulus="))
        key = {"kty": "RSA", "kid": "k", "alg": "RS256", "n": encode(n), "e": "AQAB"}
        self.file.write_text(json.dumps({"keys": [key]}), encoding="ascii")

    def run(self, *arguments, **more):
        """Runs openssl and returns what it prints."""
        command = ["openssl", *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, **more).stdout

    def token(self, **claims):
        """Returns a signed token; it says what is usual unless told otherwise."""
        now = int(time.time())
        usual = {
            "iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com", "sub": "repo:a/b",
            "iat": now, "exp": now + 300,
        }
        header = encode(json.dumps({"alg": "RS256", "kid": "k"}).encode())
        text = f"{header}.{encode(json.dumps({**usual, **claims}).encode())}"
        signature = self.run("dgst", "-sha256", "-sign", self.key, input=text.encode())
        return f"{text}.{encode(signature)}"


DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ENTITY = "https://idp.example.com/metadata"
SAML_PROVIDER = f"arn:aws:iam::{ACCOUNT}:saml-provider/idp"


class SamlProvider:
    """A SAML identity provider that signs with RSA and SHA-256, by way of openssl. What it writes is
    canonical as it stands, so that nothing here has to make it so."""

    def __init__(self, folder):
        self.key = pathlib.Path(folder) / "saml.key"
        certificate = pathlib.Path(folder) / "saml.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=idp"]
        subprocess.run([*command, "-keyout", self.key, "-out", certificate], check=True,
                       capture_output=True)
        lines = certificate.read_text(encoding="ascii").splitlines()
        packed = "".join(line for line in lines if not line.startswith("---"))
        self.metadata = (
            f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}">'
            f'<IDPSSODescriptor><KeyDescriptor use="signing"><KeyInfo xmlns="{DS}"><X509Data>'
            f"<X509Certificate>{packed}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
            "</IDPSSODescriptor></EntityDescriptor>"
        )

    def response(self, role, age=0, subject="alice"):
        """Returns a response, in base64, that lets somebody assume a role."""
        def at(seconds):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

        names = {"Role": f"{role},{SAML_PROVIDER}", "RoleSessionName": "session"}
        attributes = "".join(
            f'<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/{name}">'
            f"<saml:AttributeValue>{text}</saml:AttributeValue></saml:Attribute>"
            for name, text in names.items()
        )
        issuer = f"<saml:Issuer>{ENTITY}</saml:Issuer>"
        assertion = (
            '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" '
            f'IssueInstant="{at(-age)}" Version="2.0">{issuer}<saml:Subject>'
            f"<saml:NameID>{subject}</saml:NameID><saml:SubjectConfirmation "
            'Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
            f'NotOnOrAfter="{at(300)}" Recipient="https://signin.aws.amazon.com/saml">'
            "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
            "<saml:Conditions><saml:AudienceRestriction><saml:Audience>urn:amazon:webservices"
            "</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
            f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"
        )
        digest = base64.b64encode(hashlib.sha256(assertion.encode()).digest()).decode()
        info = (
            f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{MORE}"></ds:SignatureMethod>'
            '<ds:Reference URI="#_a"><ds:Transforms>'
            f'<ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform>'
            f'<ds:Transform Algorithm="{EXCLUSIVE}"></ds:Transform></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod>'
            f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )
        canonical = f'<ds:SignedInfo xmlns:ds="{DS}">{info}'
        command = ["openssl", "dgst", "-sha256", "-sign", self.key]
        made = subprocess.run(command, input=canonical.encode(), capture_output=True, check=True)
        value = base64.b64encode(made.stdout).decode()
        signature = (
            f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}'
            f"<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        )
        text = (
            '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" '
            'Version="2.0"><samlp:Status><samlp:StatusCode '
            'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            f"{assertion.replace(issuer, issuer + signature)}</samlp:Response>"
        )
        return base64.b64encode(text.encode()).decode()


class Checks:
    """What was called and how it went."""

    def __init__(self):
        self.passed = self.failed = 0

    def note(self, what, good, found):
        """Counts one check, and prints what went wrong."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL  {what}: {found}")

    def refused(self, code, call, **arguments):
        """Makes a call that must be refused with this code; returns the text."""
        what = f"{call.__name__} {code}"
        try:
            self.note(what, False, call(**arguments))
        except ClientError as err:
            self.note(what, err.response["Error"]["Code"] == code, err)
            return err.response["Error"]["Message"]
        return ""

    def equal(self, what, found, expected):
        """Notes whether two things are the same."""
        self.note(what, found == expected, f"{found} for {expected}")


def keys_of(credentials):
    """Returns credentials as boto3 takes them."""
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials.get("SessionToken"),
    }


def noisy_tags():
    """Returns tags that no session has room for."""
    def noise(count):
        return os.urandom(count).hex()

    return [{"Key": noise(60), "Value": noise(120)} for _ in range(50)]


def assume_role(check, server, user):
    """AssumeRole."""
    sts, asked = server.client("sts", **user), {"RoleArn": ROLE, "RoleSessionName": "session"}
    tags = [{"Key": "team", "Value": "red"}]
    answer = sts.assume_role(
        **asked, Policy=ALL, Tags=tags, TransitiveTagKeys=["team"], SourceIdentity="alice"
    )
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/session"
    check.equal("AssumeRole", answer["AssumedRoleUser"]["Arn"], arn)
    check.equal("AssumeRole, source identity", answer["SourceIdentity"], "alice")
    check.note("AssumeRole, packed", 0 < answer["PackedPolicySize"] <= 100, answer)
    session = server.client("sts", **keys_of(answer["Credentials"]))
    check.equal("GetCallerIdentity", session.get_caller_identity()["Arn"], arn)
    check.refused("MalformedPolicyDocument", sts.assume_role, **asked, Policy="{}")
    text = check.refused("PackedPolicyTooLarge", sts.assume_role, **asked, Tags=noisy_tags())
    check.note("its text", text.startswith("Packed size of session tags consumes "), text)
    other = {**asked, "RoleArn": ROLE + "-absent"}
    check.refused("AccessDenied", sts.assume_role, **other)
    check.refused("ValidationError", sts.assume_role, **asked, DurationSeconds=43_200)
    # A chain: an hour at most, and the source identity stays.
    check.refused("ValidationError", session.assume_role, **asked, DurationSeconds=3_601)
    check.refused("AccessDenied", session.assume_role, **asked, SourceIdentity="mallory")
    check.refused("InvalidParameterValue", session.assume_role, **asked, Tags=tags)
    check.refused("AccessDenied", session.get_session_token)
    check.refused("AccessDenied", session.get_federation_token, Name="guest")


def assume_role_with_web_identity(check, server, provider):
    """AssumeRoleWithWebIdentity."""
    sts = server.client("sts")
    asked = {"RoleArn": ROLE + "-web", "RoleSessionName": "session"}
    call = sts.assume_role_with_web_identity
    answer = call(**asked, WebIdentityToken=provider.token())
    check.equal("AssumeRoleWithWebIdentity", answer["SubjectFromWebIdentityToken"], "repo:a/b")
    check.equal("its audience", answer["Audience"], "sts.amazonaws.com")
    session = server.client("sts", **keys_of(answer["Credentials"]))
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/r-web/session"
    check.equal("its session", session.get_caller_identity()["Arn"], arn)
    expired = provider.token(exp=int(time.time()) - 1)
    check.refused("ExpiredTokenException", call, **asked, WebIdentityToken=expired)
    silent = provider.token(iss="https://localhost:1")
    check.refused("IDPCommunicationError", call, **asked, WebIdentityToken=silent)
    forged = provider.token().split(".")
    forged[1] = provider.token(sub="repo:a/mallory").split(".")[1]
    check.refused("InvalidIdentityToken", call, **asked, WebIdentityToken=".".join(forged))
    other = provider.token(aud="other")
    text = check.refused("InvalidIdentityToken", call, **asked, WebIdentityToken=other)
    check.equal("its text", text, "Incorrect token audience")
    check.refused("InvalidIdentityToken", call, **asked, WebIdentityToken="x.y.z")
    stranger = provider.token(sub="repo:c/d")
    check.refused("AccessDenied", call, **asked, WebIdentityToken=stranger)


def get_federation_token(check, server, user):
    """GetFederationToken."""
    sts = server.client("sts", **user)
    answer = sts.get_federation_token(Name="guest", Policy=ALL)
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/guest"
    check.equal("GetFederationToken", answer["FederatedUser"]["Arn"], arn)
    guest = keys_of(answer["Credentials"])
    who = server.client("sts", **guest).get_caller_identity()
    check.equal("GetCallerIdentity, federated", who["UserId"], f"{ACCOUNT}:guest")
    server.client("stepfunctions", **guest).list_state_machines()
    check.refused("InvalidClientTokenId", server.client("iam", **guest).list_users)
    check.refused("AccessDenied", server.client("sts", **guest).get_session_token)
    call = sts.get_federation_token
    check.refused("MalformedPolicyDocument", call, Name="guest", Policy="{}")
    check.refused("PackedPolicyTooLarge", call, Name="guest", Tags=noisy_tags())
    check.refused("ValidationError", call, Name="gu est")


def get_session_token(check, server, user):
    """GetSessionToken."""
    sts = server.client("sts", **user)
    session = keys_of(sts.get_session_token(DurationSeconds=900)["Credentials"])
    who = server.client("sts", **session).get_caller_identity()
    check.equal("GetSessionToken", who["Arn"], f"arn:aws:iam::{ACCOUNT}:user/u")
    server.client("stepfunctions", **session).list_state_machines()
    check.refused("InvalidClientTokenId", server.client("iam", **session).list_users)
    call = server.client("sts", **session).get_session_token
    text = check.refused("AccessDenied", call)
    check.equal("its text", text, "Cannot call GetSessionToken with session credentials")
    code = {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/none", "TokenCode": "123456"}
    text = check.refused("AccessDenied", sts.get_session_token, **code)
    check.note("its text", "verify your MFA serial number" in text, text)
    check.refused("ValidationError", sts.get_session_token, DurationSeconds=129_601)


def get_access_key_info(check, server, user):
    """GetAccessKeyInfo."""
    sts, own = server.client("sts", **user), user["aws_access_key_id"]
    check.equal("GetAccessKeyInfo", sts.get_access_key_info(AccessKeyId=own)["Account"], ACCOUNT)
    published = sts.get_access_key_info(AccessKeyId="ASIAQNZGKIQY56JQ7WML")["Account"]
    check.equal("GetAccessKeyInfo, a key of AWS", published, "029608264753")
    check.refused("ValidationError", sts.get_access_key_info, AccessKeyId="AKIAIOSFODNN7EXAMPLE")
    check.refused("ValidationError", sts.get_access_key_info, AccessKeyId="A B" * 7)


def decode_authorization_message(check, server, user):
    """DecodeAuthorizationMessage."""
    states, sts = server.client("stepfunctions", **user), server.client("sts", **user)
    machine = states.create_state_machine(
        name="m", definition=json.dumps(EC2_MACHINE), roleArn=ROLE + "-machine"
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    for _ in range(100):
        found = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            break
        time.sleep(0.05)
    text = found.get("cause", "")
    check.note("a refusal of EC2", "Encoded authorization failure message: " in text, found)
    message = text.split("failure message: ")[-1].split(" ")[0]
    decoded = json.loads(
        sts.decode_authorization_message(EncodedMessage=message)["DecodedMessage"]
    )
    check.equal("its action", decoded["context"]["action"], "ec2:DescribeInstances")
    check.equal("its verdict", (decoded["allowed"], decoded["explicitDeny"]), (False, False))
    call = sts.decode_authorization_message
    check.refused("InvalidAuthorizationMessageException", call, EncodedMessage=message + "x")
    check.refused("InvalidAuthorizationMessageException", call, EncodedMessage="message")


def assume_role_with_saml(check, server, provider):
    """AssumeRoleWithSAML."""
    sts = server.client("sts")
    role = ROLE + "-saml"
    asked = {"RoleArn": role, "PrincipalArn": SAML_PROVIDER}
    call = sts.assume_role_with_saml
    answer = call(**asked, SAMLAssertion=provider.response(role))
    found = [answer[name] for name in ["Subject", "Issuer", "Audience"]]
    check.equal("AssumeRoleWithSAML", found, ["alice", ENTITY, "https://signin.aws.amazon.com/saml"])
    qualifier = hashlib.sha1(f"{ENTITY}{ACCOUNT}/idp".encode()).digest()
    check.equal("its qualifier", answer["NameQualifier"], base64.b64encode(qualifier).decode())
    session = server.client("sts", **keys_of(answer["Credentials"]))
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/r-saml/session"
    check.equal("its session", session.get_caller_identity()["Arn"], arn)
    old = provider.response(role, age=600)
    text = check.refused("ExpiredTokenException", call, **asked, SAMLAssertion=old)
    check.equal("its text", text, "Token must be redeemed within 5 minutes of issuance")
    forged = base64.b64decode(provider.response(role)).replace(b">alice<", b">mallory<")
    forged = base64.b64encode(forged).decode()
    text = check.refused("InvalidIdentityToken", call, **asked, SAMLAssertion=forged)
    check.equal("its text", text, "Response signature invalid")
    denied = base64.b64decode(provider.response(role)).replace(b":Success", b":Responder")
    denied = base64.b64encode(denied).decode()
    check.refused("IDPRejectedClaim", call, **asked, SAMLAssertion=denied)
    stranger = provider.response(role, subject="mallory")
    check.refused("AccessDenied", call, **asked, SAMLAssertion=stranger)
    good = provider.response(role)
    check.refused("MalformedPolicyDocument", call, **asked, SAMLAssertion=good, Policy="{}")


def absent(check, server):
    """What is not there says so by name."""
    sts = server.client("sts")
    text = check.refused("NotImplemented", sts.assume_root, TargetPrincipal=ACCOUNT,
                         TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"})
    check.note("it names itself", "AssumeRoot" in text, text)


def ends(check, server, user):
    """A session ends on the server's clock."""
    sts = server.client("sts", **user)
    answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="session", DurationSeconds=900)
    session = server.client("sts", **keys_of(answer["Credentials"]))
    session.get_caller_identity()
    advance = [binary(), "clock", "advance", "16m", "--endpoint", server.endpoint]
    subprocess.run(advance, check=True, capture_output=True)
    check.refused("ExpiredToken", session.get_caller_identity)


def main():
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        provider, saml_provider = Provider(folder), SamlProvider(folder)
        keys = f"{ISSUER}={provider.file}"
        # Nobody listens there: what is refused does not leave.
        nowhere = ["--endpoint", "ec2=http://127.0.0.1:1"]
        with Server("--memory", "--clock", "virtual", "--oidc-keys", keys, *nowhere) as server:
            iam = server.client("iam")
            iam.create_user(UserName="u")
            iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=ALL)
            user = keys_of(iam.create_access_key(UserName="u")["AccessKey"])
            actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
            document = trust({"AWS": [ACCOUNT, ROLE]}, actions)
            iam.create_role(
                RoleName="r", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}, actions)
            )
            iam.update_assume_role_policy(RoleName="r", PolicyDocument=document)
            iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=ALL)
            for issuer in [ISSUER, "localhost:1"]:
                iam.create_open_id_connect_provider(
                    Url=f"https://{issuer}", ClientIDList=["sts.amazonaws.com"],
                    ThumbprintList=["a" * 40],
                )
            federated = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
            condition = {"StringLike": {f"{ISSUER}:sub": "repo:a/*"}}
            web = trust(federated, "sts:AssumeRoleWithWebIdentity", condition)
            iam.create_role(RoleName="r-web", AssumeRolePolicyDocument=web)
            iam.create_saml_provider(Name="idp", SAMLMetadataDocument=saml_provider.metadata)
            alice = {"StringEquals": {"saml:sub": "alice"}}
            saml = trust({"Federated": SAML_PROVIDER}, "sts:AssumeRoleWithSAML", alice)
            iam.create_role(RoleName="r-saml", AssumeRolePolicyDocument=saml)
            machine = trust({"Service": "states.amazonaws.com"}, "sts:AssumeRole")
            iam.create_role(RoleName="r-machine", AssumeRolePolicyDocument=machine)
            assume_role(check, server, user)
            assume_role_with_web_identity(check, server, provider)
            assume_role_with_saml(check, server, saml_provider)
            get_federation_token(check, server, user)
            get_session_token(check, server, user)
            get_access_key_info(check, server, user)
            decode_authorization_message(check, server, user)
            absent(check, server)
            ends(check, server, user)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
