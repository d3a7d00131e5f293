#!/usr/bin/env python3
"""Sends bad input, and checks that each gets a clear AWS-shaped error and the server goes on.

usage: bad_input.py [--record docs/bad-input.md]

--record writes the answers as a page. The last line is `N passed, M failed`.
"""

import argparse
import datetime
import http.client
import json
import re
import sys
import tempfile

from server import Server

JSON_10, FORM = "application/x-amz-json-1.0", "application/x-www-form-urlencoded"
MACHINE = "AWSStepFunctions.CreateStateMachine"
ROLE = "arn:aws:iam::000000000000:role/x"


def signed(service, key="test", signature="0" * 64):
    """Returns headers that look signed, just now: what is old is refused before its key is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    scope = f"{key}/{now:%Y%m%d}/us-east-1/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    return {"X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}", "Authorization": text}


def target(operation, body, service="states", **headers):
    """Returns a JSON-protocol request."""
    kind = {"Content-Type": JSON_10, "X-Amz-Target": operation}
    return {**kind, **signed(service), **headers}, body


def form(body, service="iam", **headers):
    """Returns a query-protocol request."""
    return {"Content-Type": FORM, **signed(service), **headers}, body


def machine(definition):
    """Returns a CreateStateMachine with this definition."""
    body = {"name": "bad", "definition": definition, "roleArn": ROLE}
    return target(MACHINE, json.dumps(body).encode())


def stack(template):
    """Returns a CreateStack with this template."""
    from urllib.parse import urlencode

    fields = {"Action": "CreateStack", "Version": "2010-05-15", "StackName": "bad"}
    return form(urlencode({**fields, "TemplateBody": template}).encode(), "cloudformation")


def document(content):
    """Returns a CreateDocument of a runbook with this content."""
    body = {"Name": "bad", "DocumentType": "Automation", "DocumentFormat": "YAML", "Content": content}
    return target("AmazonSSM.CreateDocument", json.dumps(body).encode(), "ssm")


def iam(rest):
    """Returns an IAM query."""
    return form(b"Version=2010-05-08&" + rest)


# What is sent, the statuses that are right, and a piece of the error code.
CASES = [
    ("malformed JSON", target(MACHINE, b'{"name": '), [400], "SerializationException"),
    ("JSON that is not an object", target(MACHINE, b"[]"), [400], "SerializationException"),
    ("an empty JSON body", target(MACHINE, b""), [400], "ValidationException"),
    ("a member of the wrong type", target(MACHINE, b'{"name": 1}'), [400], "SerializationException|ValidationException"),
    ("invalid UTF-8 in JSON", target(MACHINE, b'{"name": "\xff\xfe"}'), [400], "SerializationException"),
    ("JSON nested 100,000 deep", target(MACHINE, b'{"name":' * 100_000), [400], "SerializationException"),
    ("arrays nested 100,000 deep", target(MACHINE, b'{"name":' + b"[" * 100_000), [400], "SerializationException"),
    ("a lone surrogate", target(MACHINE, b'{"name": "\\ud800"}'), [400], "Exception"),
    ("a definition that is not JSON", machine("{oops"), [400], "InvalidDefinition"),
    ("a definition nested 10,000 deep", machine('{"a":' * 10_000 + "1" + "}" * 10_000), [400], "InvalidDefinition"),
    ("an unknown operation", target("AWSStepFunctions.Nothing", b"{}"), [400, 404, 501], "UnknownOperation|NotImplemented"),
    ("an operation that is not served", target("AmazonSSM.DescribePatchBaselines", b'{}'), [400, 501], "NotImplemented|Unknown"),
    ("an unknown service", target("Nothing.Nothing", b"{}", "nothing"), [400, 404, 501], ""),
    ("a target without a point", target("Nothing", b"{}"), [400, 404, 501], ""),
    ("malformed form", iam(b"Action=CreateUser&UserName=%ZZ"), [400], ""),
    ("a form of invalid UTF-8", iam(b"Action=CreateUser&UserName=%ff%fe"), [400], ""),
    ("a form without an action", iam(b"UserName=x"), [400, 404], ""),
    ("an unknown action", iam(b"Action=Nothing"), [400, 501], "InvalidAction|NotImplemented"),
    ("an unknown version", form(b"Action=CreateUser&Version=1999-01-01"), [400, 404], ""),
    ("a parameter that is missing", iam(b"Action=CreateUser"), [400], "ValidationError|MissingParameter"),
    ("a name with forbidden letters", iam(b"Action=CreateUser&UserName=a%2Fb"), [400], "ValidationError"),
    ("a policy that is not JSON", iam(b"Action=CreatePolicy&PolicyName=p&PolicyDocument=%7Boops"), [400], "MalformedPolicyDocument"),
    ("XML where a form belongs", form(b"<CreateUser/>", **{"Content-Type": "text/xml"}), [400, 404], ""),
    ("malformed YAML template", stack("Resources: [1,\n  oops: {"), [400], "ValidationError"),
    ("malformed JSON template", stack('{"Resources": {'), [400], "ValidationError"),
    ("a template of aliases upon aliases", stack("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"), [400], "ValidationError"),
    ("a template nested 10,000 deep", stack("[" * 10_000), [400], "ValidationError"),
    ("malformed YAML runbook", document("mainSteps: [1,\n  oops: {"), [400], "InvalidDocumentContent"),
    ("no signature", ({"Content-Type": FORM}, b"Action=ListUsers&Version=2010-05-08"), [403], "MissingAuthenticationToken"),
    ("an unknown access key", form(b"Action=ListUsers&Version=2010-05-08", **signed("iam", "AKIAIOSFODNN7EXAMPLE")), [403], "InvalidClientTokenId"),
    ("an Authorization that is none", form(b"Action=ListUsers&Version=2010-05-08", Authorization="AWS4-HMAC-SHA256 oops"), [400, 403], "IncompleteSignature"),
    ("another scheme", form(b"Action=ListUsers&Version=2010-05-08", Authorization="Bearer oops"), [400, 403], ""),
    ("11 MB of form", iam(b"Action=CreateUser&UserName=" + b"a" * 11_000_000), [400, 413], ""),
    ("11 MB of JSON", target(MACHINE, b'{"name":"' + b"a" * 11_000_000 + b'"}'), [400, 413], ""),
    ("no body and no headers", ({}, b""), [400, 403, 404], ""),
]


def wrong_signature(server):
    """Returns a request of a stored key with a signature that is not its own."""
    iam_client = server.client("iam")
    iam_client.create_user(UserName="kept")
    key = iam_client.create_access_key(UserName="kept")["AccessKey"]["AccessKeyId"]
    return form(b"Action=ListUsers&Version=2010-05-08", **signed("iam", key))


def send(server, headers, body):
    """Sends a request and returns status, headers and body."""
    host = server.endpoint.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        try:
            connection.request("POST", "/", body, headers)
        except BrokenPipeError:
            # The server refuses a body that is too large before all of it is there. That is fine,
            # as long as its answer can be read.
            pass
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8")
    finally:
        connection.close()


def error_of(text):
    """Returns code and message of an AWS error, XML or JSON."""
    if text.startswith("{"):
        error = json.loads(text)
        return error["__type"].split("#")[-1], error.get("message", error.get("Message", ""))
    code = re.search(r"<Code>(.*?)</Code>", text, re.S)
    message = re.search(r"<Message>(.*?)</Message>", text, re.S)
    return code.group(1), message.group(1) if message else ""


def check(server, request, statuses, code_pattern):
    """Returns what came, or raises."""
    status, headers, text = send(server, *request)
    assert status in statuses, f"{status}: {text[:200]}"
    assert "<html" not in text.lower(), text[:200]
    code, message = error_of(text)
    assert re.search(code_pattern, code), f"{code}: {message[:200]}"
    assert any(name.lower() in ("x-amzn-requestid", "x-amz-request-id") for name in headers), headers
    assert server.is_healthy(), "the server does not answer any more"
    return status, code, message


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--record")
    options = parser.parse_args()
    rows, failures = [], 0
    with tempfile.TemporaryDirectory() as data, Server("--data", data) as server:
        wrong = ("a stored key with a wrong signature", wrong_signature(server), [403], "SignatureDoesNotMatch")
        for name, request, statuses, code in [*CASES, wrong]:
            try:
                status, found, message = check(server, request, statuses, code)
                rows.append((name, status, found, message))
                print(f"ok    {name}: {status} {found}")
            except Exception as err:
                failures += 1
                if server.process.poll() is not None:
                    print("".join(server.output[-3:]))
                    server.start()
                print(f"FAIL  {name} -- {type(err).__name__}: {str(err)[:300]}")
        server.kill()
        server.start()
        users = [user["UserName"] for user in server.client("iam").list_users()["Users"]]
        assert users == ["kept"], f"what was stored is not what is there: {users}"
        print("ok    what was stored is there after a kill and a restart, and nothing else")
    if options.record:
        record(options.record, rows)
    print(f"{len(rows) + 1} passed, {failures} failed")
    return 1 if failures else 0


def record(path, rows):
    """Writes the answers as a page."""
    with open(path, "w", encoding="utf-8") as page:
        page.write("# Bad input, and what the server answers\n\n")
        page.write("Written by `clients/bad_input.py --record docs/bad-input.md`; CI sends all of it.\n\n")
        page.write("| sent | status | code | message |\n|---|---|---|---|\n")
        for name, status, code, message in rows:
            message = message.replace("|", "\\|").replace("\n", " ")
            message = message if len(message) <= 160 else message[:159] + "…"
            page.write(f"| {name} | {status} | {code} | {message} |\n")


if __name__ == "__main__":
    sys.exit(main())
