#!/usr/bin/env python3
"""Scripts of runbooks on a real server: boto3 as the role, kill -9, nothing left behind.

usage: scripts_test.py

Also on nodes of one PostgreSQL: another joins, and one is killed, while scripts run. Where there is a
PowerShell, its scripts run too; elsewhere the failure is looked at that says so.

The last line is `N passed, M failed`.
"""

import json
import pathlib
import re
import shutil
import sys
import tempfile
import time
import traceback
import urllib.request
import uuid

import postgres
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
# A second start of the same attempt would find its user there.
ONCE = """\
import time
import boto3

def handler(events, context):
    boto3.client("iam").create_user(UserName=events["Mark"])
    time.sleep(4)
    return events["Mark"]
"""
# What a PowerShell script is and what becomes of it: its payload and its log, or its failure.
POWERSHELL = [
    (
        "$in = $env:InputPayload | ConvertFrom-Json\nWrite-Host \"seen $($in.Name)\"\n"
        "Write-Information 'told'\n'not the last'\nreturn @{ Message = $in.Name }",
        ({"Message": "日本"}, "seen 日本\ntold\n"),
    ),
    ("@{ Message = 'm'; List = @(1, 2) } | ConvertTo-Json", ({"Message": "m", "List": [1, 2]}, None)),
    ("return 'a text'", ("a text", None)),
    ("$PWD.Path -eq $HOME", (True, None)),
    ("exit 3", (None, None)),
    ("Get-Date | Out-Null\nthrow 'boom'", "customer_script.ps1: line 2\n\nRuntimeException - boom"),
    ("Write-Error 'bad'\nreturn 1", "\n\nWriteErrorException - bad"),
    ("if (", "\n\nParseException - "),
]
# How many of them run on two nodes.
ON_NODES = 8


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
    return start_content(server, document(*arguments, **more))


def start_content(server, content):
    ssm, name = server.client("ssm"), "d-" + uuid.uuid4().hex
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


def runs_powershell_where_it_is_installed(server):
    for script, told in POWERSHELL:
        content = json.loads(document(script, True, payload={"Name": "日本"}))
        inputs = content["mainSteps"][0]["inputs"]
        del inputs["Handler"]
        inputs["Runtime"] = "PowerShell 7.4"
        execution = ended(server, start_content(server, json.dumps(content)))
        failure = execution.get("FailureMessage", "")
        if not shutil.which("pwsh"):
            assert "PowerShell scripts need pwsh, which does not run: " in failure, execution
            assert "Install PowerShell 7, or say where it is with `--pwsh`." in failure, execution
            print("  no pwsh here: the step says so")
            return
        if isinstance(told, str):
            assert told in failure, (script, execution)
            continue
        assert not failure, (script, failure)
        output = json.loads(execution["StepExecutions"][0]["Outputs"]["OutputPayload"][0])
        assert (output.get("Payload"), output.get("ExecutionLog")) == told, (script, output)


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


def does_not_wait_for_ever_for_a_script(server):
    server.stop()
    server.arguments += ["--drain-seconds", "1"]
    server.start()
    survives_neither_stop_nor_kill(server, Server.stop, 1)


# Speaks to the server while that is about to end.
LAST = """\
import time
import boto3

def handler(events, context):
    boto3.client("iam").create_user(UserName="first-" + events["Mark"])
    time.sleep(1)
    boto3.client("iam").create_user(UserName="last-" + events["Mark"])
    return events["Mark"]
"""


def goes_to_its_end_when_the_server_is_told_to_stop(server):
    """SIGTERM waits for the script, begins no other, and the next start goes on behind it."""
    mark, iam = uuid.uuid4().hex, server.client("iam")
    content = json.loads(document(LAST, True, payload={"Mark": mark}))
    [step] = content["mainSteps"]
    inputs = {**step["inputs"], "InputPayload": {"Mark": "behind-" + mark}}
    content["mainSteps"].append({**step, "name": "behind", "inputs": inputs})
    execution = start_content(server, json.dumps(content))

    def users():
        found = iam.list_users()["Users"]
        return sorted(user["UserName"] for user in found if user["UserName"].endswith(mark))

    wait_for("the script", users)
    began = time.monotonic()
    server.stop()
    assert server.process.returncode == 0, server.output[-5:]
    seconds = time.monotonic() - began
    assert 0.5 < seconds < 9, seconds
    server.start()
    found = ended(server, execution)
    assert found["AutomationExecutionStatus"] == "Success", found
    steps = [json.loads(step["Outputs"]["OutputPayload"][0])["Payload"] for step in found["StepExecutions"]]
    assert steps == [mark, "behind-" + mark], steps
    assert len(users()) == 4, users()
    print(f"  the server ended after {seconds:.1f} s")


def start_once(nodes):
    """Starts scripts at several nodes in turn; returns their executions by mark."""
    run = "once-" + uuid.uuid4().hex
    return {
        (mark := f"{run}-{number}"): start(node, ONCE, True, payload={"Mark": mark})
        for number, node in zip(range(ON_NODES), nodes * ON_NODES)
    }


def all_have_begun(node, executions):
    users = {user["UserName"] for user in node.client("iam").list_users()["Users"]}
    return users >= set(executions)


def ends(node, executions):
    """Returns how many scripts went to their end, and how many were interrupted."""
    succeeded = interrupted = 0
    for mark, execution in executions.items():
        found = ended(node, execution)
        if found["AutomationExecutionStatus"] == "Success":
            payload = json.loads(found["StepExecutions"][0]["Outputs"]["OutputPayload"][0])
            assert payload["Payload"] == mark, payload
            succeeded += 1
        else:
            told = found.get("FailureMessage", "")
            assert "The script was interrupted: the server ended while it ran." in told, found
            interrupted += 1
    print(f"  {succeeded} scripts went on, {interrupted} were interrupted")
    return succeeded, interrupted


def shards(node):
    with urllib.request.urlopen(node.endpoint + "/_stepwell/metrics", timeout=5) as answer:
        return int(re.search(rb"^stepwell_shards_held (\d+)", answer.read(), re.M).group(1))


def another_node_joins(one, other):
    """It is given shards, but none whose scripts would be interrupted by that."""
    executions = start_once([one])
    wait_for("the scripts", lambda: all_have_begun(one, executions))
    other.start()
    assert ends(other, executions) == (ON_NODES, 0)
    wait_for("half of the shards", lambda: shards(one) == shards(other), 20)


def one_of_two_nodes_is_killed(killed, other):
    """Its scripts end with it and have failed, as the other node says; those of that one go on."""
    executions = start_once([killed, other])
    wait_for("the scripts", lambda: all_have_begun(other, executions))
    killed.kill()
    succeeded, interrupted = ends(other, executions)
    assert succeeded and interrupted, (succeeded, interrupted)
    for mark in executions:
        wait_for("the end of its directory", lambda mark=mark: not directories(mark), 10)


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


class Tally:
    """Runs tests and counts them."""

    def __init__(self):
        self.passed = self.failed = 0

    def run(self, name, test):
        try:
            test()
            self.passed += 1
            print(f"ok: {name}")
        except Exception:
            self.failed += 1
            print(f"FAILED: {name}")
            traceback.print_exc()


def main():
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder).resolve() / "data"
        with Server("--data", str(data)) as server:
            prepare(server)
            for name, test in [
                ("calls as its role", lambda: calls_as_its_role(server)),
                ("may do no more than its role", lambda: may_do_no_more_than_its_role(server)),
                ("no credentials without a role", lambda: has_no_credentials_without_a_role(server)),
                ("PowerShell", lambda: runs_powershell_where_it_is_installed(server)),
                ("cannot read the data", lambda: cannot_read_the_data(server, data)),
                ("kill -9", lambda: survives_neither_stop_nor_kill(server, Server.kill, 1)),
                ("kill -9, another attempt", lambda: survives_neither_stop_nor_kill(server, Server.kill, 2)),
                ("SIGTERM, to its end", lambda: goes_to_its_end_when_the_server_is_told_to_stop(server)),
                ("SIGTERM, too long", lambda: does_not_wait_for_ever_for_a_script(server)),
            ]:
                tally.run(name, test)
    with postgres.store("postgres") as url:
        one, other = Server("--store", url), Server("--store", url)
        with one:
            prepare(one)
            try:
                tally.run("another node joins", lambda: another_node_joins(one, other))
                tally.run("one of two nodes is killed", lambda: one_of_two_nodes_is_killed(one, other))
            finally:
                other.stop()
    print(f"{tally.passed} passed, {tally.failed} failed")
    return tally.failed != 0


if __name__ == "__main__":
    sys.exit(main())
