#!/usr/bin/env python3
"""Scripts of runbooks on a real server: boto3 as the role, kill -9, nothing left behind.

usage: scripts_test.py

The last line is `N passed, M failed`.
"""

import json
import pathlib
import sys
import tempfile
import time
import traceback
import uuid

from server import ACCOUNT, Server, wait_for

ROLE = f"arn:aws:iam::{ACCOUNT}:role/scripts"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["iam:CreateUser", "iam:ListUsers"], "Resource": "*"}
    ],
}
WHO = """\
import boto3

def handler(events, context):
    print("asking")
    who = boto3.client("sts").get_caller_identity()
    boto3.client("iam").create_user(UserName="made-by-script")
    return {"Arn": who["Arn"], "Region": context["global:REGION"]}
"""
DENIED = """\
import boto3

def handler(events, context):
    boto3.client("iam").delete_user(UserName="made-by-script")
"""
NOBODY = """\
import boto3

def handler(events, context):
    return boto3.client("sts", region_name="us-east-1").get_caller_identity()["Arn"]
"""
# Makes a user at every start, starts a process that leaves its session, and goes on for ever.
SLOW = """\
import os, subprocess, sys, time, uuid
import boto3

def handler(events, context):
    boto3.client("iam").create_user(UserName="start-" + uuid.uuid4().hex)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, ["p", "-c", "import time; time.sleep(600)", events["Mark"]])
        os._exit(0)
    time.sleep(600 if events["Forever"] == "True" else 2)
"""


def document(script, role, properties=(), payload=None):
    inputs = {"Runtime": "python3.11", "Handler": "handler", "Script": script}
    step = {"name": "script", "action": "aws:executeScript", "inputs": inputs, **dict(properties)}
    if payload:
        inputs["InputPayload"] = payload
    return json.dumps(
        {
            "schemaVersion": "0.3",
            "assumeRole": ROLE if role else "",
            "mainSteps": [step],
        }
    )


def start(server, *arguments, **more):
    """Creates a document and starts it; returns the id of its execution."""
    ssm, name = server.client("ssm"), "d-" + uuid.uuid4().hex
    content = document(*arguments, **more)
    ssm.create_document(Name=name, Content=content, DocumentType="Automation", DocumentFormat="JSON")
    return ssm.start_automation_execution(DocumentName=name)["AutomationExecutionId"]


def ended(server, execution):
    """Returns the execution when it has ended."""

    def look():
        found = server.client("ssm").get_automation_execution(AutomationExecutionId=execution)
        found = found["AutomationExecution"]
        return found if "ExecutionEndTime" in found else None

    return wait_for("the end of the execution", look)


def prepare(server):
    iam = server.client("iam")
    iam.create_role(RoleName="scripts", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="scripts", PolicyName="p", PolicyDocument=json.dumps(ALLOWED))


def marked(mark):
    """Returns the processes whose command line holds a mark."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
        except OSError:
            pass
    return found


def directories(mark):
    """Returns the scripts' directories that hold a mark."""
    found = pathlib.Path(tempfile.gettempdir()).glob("stepwell-*/request.json")
    return [path for path in found if mark in path.read_text(errors="replace")]


def calls_as_its_role(server):
    execution = ended(server, start(server, WHO, True))
    assert execution["AutomationExecutionStatus"] == "Success", execution
    payload = json.loads(execution["StepExecutions"][0]["Outputs"]["OutputPayload"][0])
    assert payload["ExecutionLog"] == "asking\n", payload
    assert payload["Payload"]["Region"] == "us-east-1", payload
    assert f":sts::{ACCOUNT}:assumed-role/scripts/" in payload["Payload"]["Arn"], payload
    server.client("iam").get_user(UserName="made-by-script")


def may_do_no_more_than_its_role(server):
    execution = ended(server, start(server, DENIED, True))
    message = execution["FailureMessage"]
    assert execution["AutomationExecutionStatus"] == "Failed", execution
    head = "Step fails when it is Poll action status for completion. Traceback (most recent call last):\n"
    assert message.startswith(head + '  File "/tmp/'), message
    assert 'customer_script.py", line 4, in handler\n    boto3.client("iam").delete_user(' in message
    assert "\n\nClientError - An error occurred (AccessDenied) when calling the DeleteUser" in message
    assert message.endswith("Troubleshooting Guide for more diagnosis details."), message


def has_no_credentials_without_a_role(server):
    execution = ended(server, start(server, NOBODY, False))
    assert "NoCredentialsError - Unable to locate credentials" in execution["FailureMessage"], execution


def survives_neither_stop_nor_kill(server, end, attempts):
    """The server ends while a script runs; the script ends with it and is not started again."""
    mark, iam = "mark-" + uuid.uuid4().hex, server.client("iam")

    def starts():
        return [u for u in iam.list_users()["Users"] if u["UserName"].startswith("start-")]

    before = len(starts())
    # At its second attempt it goes on for two seconds only.
    payload = {"Mark": mark, "Forever": "True" if attempts == 1 else "False"}
    execution = start(server, SLOW, True, {"maxAttempts": attempts}, payload=payload)
    wait_for("the script", lambda: marked(mark))
    began = time.monotonic()
    end(server)
    wait_for("its end", lambda: not marked(mark), 10)
    wait_for("the end of its directory", lambda: not directories(mark), 10)
    seconds = time.monotonic() - began
    server.start()
    execution = ended(server, execution)
    told = execution.get("FailureMessage", "")
    assert len(starts()) - before == attempts, (starts(), attempts)
    if attempts == 1:
        assert execution["AutomationExecutionStatus"] == "Failed", execution
        assert "The script was interrupted: the server ended while it ran." in told, told
    else:
        assert execution["AutomationExecutionStatus"] == "Success", execution
    assert not marked(mark)
    print(f"  gone {seconds:.2f} s after the server was told to end")


def cannot_read_the_data(server, data):
    script = (
        "import os\ndef handler(events, context):\n    found = {}\n"
        f"    for path in ['{data}', '{data}/stepwell.sqlite', '/proc/{server.process.pid}/environ']:\n"
        "        try:\n            found[path] = str(os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(9))\n"
        "        except OSError as error:\n            found[path] = 'refused'\n    return found"
    )
    execution = ended(server, start(server, script, True))
    found = json.loads(execution["StepExecutions"][0]["Outputs"]["Payload"][0])
    assert pathlib.Path(data, "stepwell.sqlite").exists()
    # What is covered up is an empty directory.
    assert all(value in ("refused", "[]") for value in found.values()), found


def main():
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder).resolve() / "data"
        with Server("--data", str(data)) as server:
            prepare(server)
            for name, test in [
                ("calls as its role", lambda: calls_as_its_role(server)),
                ("may do no more than its role", lambda: may_do_no_more_than_its_role(server)),
                ("no credentials without a role", lambda: has_no_credentials_without_a_role(server)),
                ("cannot read the data", lambda: cannot_read_the_data(server, data)),
                ("kill -9", lambda: survives_neither_stop_nor_kill(server, Server.kill, 1)),
                ("kill -9, another attempt", lambda: survives_neither_stop_nor_kill(server, Server.kill, 2)),
                ("SIGTERM", lambda: survives_neither_stop_nor_kill(server, Server.stop, 1)),
            ]:
                try:
                    test()
                    passed += 1
                    print(f"ok: {name}")
                except Exception:
                    failed += 1
                    print(f"FAILED: {name}")
                    traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
