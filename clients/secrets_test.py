#!/usr/bin/env python3
"""Looks for secrets where none may be: on disk, in the log at its most talkative, in error answers.

usage: secrets_test.py

Makes one of every kind of secret, uses it, sends it in requests that are refused, runs the story of
the seed where it is at hand, kills the server and starts it again. Then nothing that the server has
written may hold any of the secrets, in clear or encoded.

That this search finds what is there is shown on another server first, by what lies in clear as the docs say: a key
that a state machine has made, in its history; names, in the log and in errors. The last line says how many were sought.
"""

import base64
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from server import ACCOUNT, REGION, ROOT, Server, wait_for

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": ACCOUNT},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        },
    }
)
ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
STACK = """
Parameters: {Password: {Type: String, NoEcho: true}}
Resources:
  User:
    Type: AWS::IAM::User
    Properties: {UserName: of-a-stack, LoginProfile: {Password: !Ref Password}}
"""
# What answers call the secrets that they give out.
MEMBERS = rb"SecretAccessKey|SessionToken|Base32StringSeed|ServicePassword|ServiceCredentialSecret"


class Secrets:
    """Secrets by what they are."""

    def __init__(self):
        self.known = {}

    def add(self, what, text):
        self.known[what] = text
        return text

    def forms(self):
        """Every way in which a secret might be written."""
        for what, text in self.known.items():
            raw = text.encode()
            forms = {raw, base64.b64encode(raw).rstrip(b"="), raw.hex().encode()}
            forms.add(urllib.parse.quote(text, safe="").encode())
            forms.add(json.dumps(text)[1:-1].encode())
            if "seed" in what:
                seed = base64.b32decode(text + "=" * (-len(text) % 8))
                forms |= {seed, base64.b64encode(seed).rstrip(b"="), seed.hex().encode()}
            for form in forms:
                yield what, form

    def told(self, where, data):
        """Returns which secrets are in some bytes."""
        return sorted({f"{what} in {where}" for what, form in self.forms() if form in data})


def connect(server, secrets):
    """Makes connections with a password, a key, and a parameter that is called a secret."""
    events = server.client("events")
    password = secrets.add("the password of a connection", "of-basic-Horse0/battery")
    basic = {"Username": "u", "Password": password}
    events.create_connection(
        Name="basic", AuthorizationType="BASIC", AuthParameters={"BasicAuthParameters": basic}
    )
    key = secrets.add("the key of a connection", "of-api-Horse1/battery")
    added = secrets.add("a secret parameter of a connection", "of-header-Horse2/battery")
    header = {"Key": "h", "Value": added, "IsValueSecret": True}
    events.create_connection(
        Name="key",
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": key},
            "InvocationHttpParameters": {"HeaderParameters": [header]},
        },
    )
    events.describe_connection(Name="key")
    secret = secrets.add("the secret of an OAuth client", "of-oauth-Horse3/battery")
    token = secrets.add("the token of a connection", "of-token-Horse4.battery")
    endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), granting(token))
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    events.create_connection(
        Name="oauth",
        AuthorizationType="OAUTH_CLIENT_CREDENTIALS",
        AuthParameters={
            "OAuthParameters": {
                "ClientParameters": {"ClientID": "i", "ClientSecret": secret},
                "AuthorizationEndpoint": f"http://127.0.0.1:{endpoint.server_port}/token",
                "HttpMethod": "POST",
                "OAuthHttpParameters": {"BodyParameters": [{**header, "Key": "b"}]},
            }
        },
    )
    wait_for(
        "an authorized connection",
        lambda: events.describe_connection(Name="oauth")["ConnectionState"] == "AUTHORIZED",
    )
    endpoint.shutdown()


def granting(token):
    """Returns what answers every request with a token."""

    class Granting(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"access_token": token, "expires_in": 3600}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Granting


def keep(server, secrets):
    """Puts SecureStrings into Parameter Store, and reads them in every way."""
    ssm = server.client("ssm")
    for tier, size in [("Standard", 1), ("Advanced", 200)]:
        value = secrets.add(f"a SecureString, {tier}", f"of-{tier}-Horse4/battery+" * size)
        put = {"Name": f"/app/{tier}", "Type": "SecureString", "Tier": tier}
        ssm.put_parameter(**put, Value=value)
        changed = secrets.add(f"a changed SecureString, {tier}", f"new-{tier}-Horse5/battery+staple")
        ssm.put_parameter(**put, Value=changed, Overwrite=True)
        for with_decryption in [True, False]:
            read = {"WithDecryption": with_decryption}
            one = ssm.get_parameter(Name=f"/app/{tier}:1", **read)["Parameter"]
            many = ssm.get_parameters(Names=[f"/app/{tier}"], **read)["Parameters"]
            path = ssm.get_parameters_by_path(Path="/app", **read)["Parameters"]
            history = ssm.get_parameter_history(Name=f"/app/{tier}", **read)["Parameters"]
            shown = [one["Value"], many[0]["Value"], path[-1]["Value"], history[-1]["Value"]]
            told = secrets.told("an answer", json.dumps(shown).encode())
            assert bool(told) == with_decryption, (with_decryption, told)
    ssm.describe_parameters()


def make(server, secrets):
    """Makes and uses one of every kind."""
    iam = server.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=ALL)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    secrets.add("the secret of an access key", key["SecretAccessKey"])
    long_term = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    password = secrets.add("a password", "correct-Horse7/battery+staple")
    iam.create_login_profile(UserName="u", Password=password)
    changed = secrets.add("a changed password", "another-Horse8/battery+staple")
    iam.update_login_profile(UserName="u", Password=changed)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="d")["VirtualMFADevice"]
    secrets.add("an MFA seed", device["Base32StringSeed"].decode())
    for service, member in [
        ("codecommit", "ServicePassword"),
        ("cassandra", "ServicePassword"),
        ("bedrock", "ServiceCredentialSecret"),
    ]:
        made = iam.create_service_specific_credential(
            UserName="u", ServiceName=f"{service}.amazonaws.com"
        )["ServiceSpecificCredential"]
        secrets.add(f"a secret for {service}", made[member])
        reset = iam.reset_service_specific_credential(
            UserName="u", ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"]
        )["ServiceSpecificCredential"]
        secrets.add(f"a reset secret for {service}", reset[member])
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=ALL)
    sts = server.client("sts", **long_term)
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    sessions = {
        "AssumeRole": sts.assume_role(RoleArn=role, RoleSessionName="session"),
        "GetSessionToken": sts.get_session_token(),
        "GetFederationToken": sts.get_federation_token(Name="guest", Policy=ALL),
    }
    for operation, answer in sessions.items():
        credentials = answer["Credentials"]
        secrets.add(f"the secret of {operation}", credentials["SecretAccessKey"])
        secrets.add(f"the token of {operation}", credentials["SessionToken"])
        session = server.client(
            "sts",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        session.get_caller_identity()
    connect(server, secrets)
    keep(server, secrets)
    given = secrets.add("a parameter of a stack", "stack-Horse9/battery+staple")
    cloudformation = server.client("cloudformation")
    parameters = [{"ParameterKey": "Password", "ParameterValue": given}]
    cloudformation.create_stack(
        StackName="s", TemplateBody=STACK, Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    changed = secrets.add("a parameter of a change set", "change-Horse9/battery+staple")
    cloudformation.create_change_set(
        StackName="s", ChangeSetName="c", TemplateBody=STACK,
        Parameters=[{"ParameterKey": "Password", "ParameterValue": changed}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return long_term, sessions["AssumeRole"]["Credentials"]


def refused(server, secrets, long_term, session):
    """Sends secrets in requests that are refused; returns the answers."""
    iam, answers = server.client("iam"), []

    def refuse(call, **arguments):
        try:
            call(**arguments)
        except ClientError as err:
            answers.append(json.dumps(err.response))
        else:
            raise AssertionError(f"{call} was not refused")

    password = secrets.known["a password"]
    refuse(iam.create_login_profile, UserName="u", Password=password)
    refuse(iam.create_login_profile, UserName="nobody", Password=password)
    refuse(iam.create_login_profile, UserName="u", Password=password * 9)
    refuse(iam.update_login_profile, UserName="nobody", Password=password)
    ssm, value = server.client("ssm"), secrets.known["a SecureString, Standard"]
    put = {"Name": "/app/Standard", "Value": value, "Type": "SecureString"}
    refuse(ssm.put_parameter, **put)
    refuse(ssm.put_parameter, **{**put, "Type": "String"}, Overwrite=True)
    refuse(ssm.put_parameter, **{**put, "Name": "/other"}, AllowedPattern="[0-9]*")
    refuse(ssm.put_parameter, **{**put, "Name": "/other"}, KeyId="alias/mine")
    refuse(ssm.put_parameter, **{**put, "Name": "/other", "Value": value * 200})
    user = server.client("iam", **long_term)
    refuse(user.change_password, OldPassword=password, NewPassword=password * 9)
    # The right key with another secret, and the right session with another's token.
    other = {**long_term, "aws_secret_access_key": secrets.known["the secret of AssumeRole"]}
    refuse(server.client("sts", **other).get_caller_identity)
    other = {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": secrets.known["the token of GetSessionToken"],
    }
    refuse(server.client("sts", **other).get_caller_identity)
    credentials = Credentials("test", "test")
    for service, body in [
        ("iam", f"Action=NoSuchAction&Version=2010-05-08&Password={password}"),
        ("iam", f"Action=CreateLoginProfile&Version=2010-05-08&Password={password}&X=%ff"),
        ("states", '{"input": "' + password),
        ("ssm", '{"Parameters": "' + password + '"}'),
    ]:
        request = AWSRequest("POST", server.endpoint + "/", data=body.encode())
        if body.startswith("{"):
            targets = {"states": "AWSStepFunctions.StartExecution", "ssm": "AmazonSSM.GetDocument"}
            request.headers["x-amz-target"] = targets[service]
            request.headers["content-type"] = "application/x-amz-json-1.0"
        else:
            request.headers["content-type"] = "application/x-www-form-urlencoded"
        SigV4Auth(credentials, service, REGION).add_auth(request)
        sent = urllib.request.Request(request.url, body.encode(), dict(request.headers))
        try:
            urllib.request.urlopen(sent, timeout=10)
            raise AssertionError(f"{body} was not refused")
        except urllib.error.HTTPError as err:
            answers.append(err.read().decode())
    return answers


def written(secrets, data, server, answers):
    """Returns which secrets are in what a server has written, and which answers that give some out."""
    found = []
    for path in sorted(pathlib.Path(data).iterdir()):
        content = path.read_bytes()
        # What was committed last lies in the commit log, the rest in the tables.
        in_store = path.name.startswith(("stepwell.sqlite", "commits-"))
        where = f"the store, {path.name}" if in_store else path.name
        found += secrets.told(where, content)
        named = set(re.findall(rb'"(' + MEMBERS + rb')\\*"', content))
        found += [f"an answer's {name.decode()} in {where}" for name in named]
    found += secrets.told("the log", "".join(server.output).encode())
    for answer in answers:
        found += secrets.told(f"the answer {answer}", answer.encode())
    return found


def control():
    """Returns what of the things that do lie in clear the search does not find."""
    secrets, name = Secrets(), "a-name+that/is=no-secret"
    secrets.add("a name", name)
    with tempfile.TemporaryDirectory() as data, Server("--data", data) as server:
        iam, states = server.client("iam"), server.client("stepfunctions")
        trust = TRUST.replace(f'"AWS": "{ACCOUNT}"', '"Service": "states.amazonaws.com"')
        role = iam.create_role(RoleName="m", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName="m", PolicyName="p", PolicyDocument=ALL)
        iam.create_user(UserName="u")
        arguments = {"UserName": "u"}
        task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:createAccessKey", "End": True}
        task["Parameters"] = arguments
        definition = json.dumps({"StartAt": "Make", "States": {"Make": task}})
        machine = states.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
        started = secrets.add("an execution's name", "a-name-that-is-no-secret")
        execution = states.start_execution(stateMachineArn=machine, name=started)["executionArn"]
        ended = lambda: states.describe_execution(executionArn=execution).get("output")  # noqa: E731
        key = json.loads(wait_for("the key", ended, 20))["AccessKey"]["SecretAccessKey"]
        secrets.add("a key in a history", key)
        try:
            server.client("events").describe_rule(Name=name)
            answers = []
        except ClientError as err:
            answers = [json.dumps(err.response)]
        iam.tag_user(UserName="u", Tags=[{"Key": "name", "Value": name}])
        server.stop()
        found = written(secrets, data, server, answers)
    wanted = [
        "a key in a history in the store",
        "an answer's SecretAccessKey in the store",
        "a name in the store",
        "an execution's name in the log",
        "a name in the answer",
    ]
    return [one for one in wanted if not any(what.startswith(one) for what in found)]


def seed(server):
    """Runs the story of the seed, if it is at hand."""
    shared = pathlib.Path(os.environ.get("STEPWELL_SHARED", ROOT.parent / "shared"))
    script = shared / "acceptance" / "seed_acceptance.py"
    texts = sorted((shared / "seed").glob("*.txt")) if script.exists() else []
    if not texts:
        print(f"SKIPPED: the story of the seed is not in {shared}")
        return
    command = [sys.executable, script, "--endpoint", server.endpoint, "--seed", texts[0]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(f"the story of the seed failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def main():
    os.environ["STEPWELL_LOG"] = "trace"
    secrets = Secrets()
    found = [f"not, though it is there: {one}" for one in control()]
    with tempfile.TemporaryDirectory() as data, Server("--data", data, "--clock", "virtual") as server:
        long_term, session = make(server, secrets)
        answers = refused(server, secrets, long_term, session)
        seed(server)
        server.kill()
        server.start()
        server.client("sts", **long_term).get_caller_identity()
        server.stop()
        mode = (pathlib.Path(data) / "key").stat().st_mode & 0o777
        if mode != 0o600:
            found.append(f"the key file has mode {mode:o}")
        log = "".join(server.output)
        if "TRACE" not in log and "DEBUG" not in log:
            found.append("nothing: the log was not asked for everything")
        found += written(secrets, data, server, answers)
    for one in found:
        print(f"found {one}")
    print(f"{len(secrets.known)} secrets sought, {len(answers)} refusals, {len(found)} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
