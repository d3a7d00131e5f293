"""examples/delete-iam-user over boto3: deploy it, make the user, start it, judge the end."""

import base64
import hashlib
import hmac
import json
import re
import struct
import time

from botocore import xform_name
from botocore.exceptions import ClientError

from server import ACCOUNT, REGION, ROOT, wait_for

FOLDER = ROOT / "examples" / "delete-iam-user"
STACK, MACHINE, USER = "offboarding", "delete-iam-user", "leaver"
MACHINE_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINE}"
RUNBOOK = "AWSConfigRemediation-DeleteIAMUser"
RUNBOOK_STEPS = 6
TERMINAL = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}


def one_time_code(seed, period):
    """Returns the TOTP code of a base32 seed for a 30 s period."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    digest = hmac.new(key, struct.pack(">Q", period), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def deploy(server):
    """Creates the stack."""
    cloudformation = server.client("cloudformation")
    definition = (FOLDER / "machine.asl.json").read_text(encoding="utf-8")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=(FOLDER / "template.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": "MachineDefinition", "ParameterValue": definition}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    def status():
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    stack = wait_for("the stack", status)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise AssertionError(f"{stack['StackStatus']}: {stack.get('StackStatusReason')}")


def make_user(server, name=USER):
    """Makes the calls of user.json."""
    iam, known = server.client("iam"), {"input": {"username": name}}
    for call in json.loads((FOLDER / "user.json").read_text(encoding="utf-8")):
        arguments = {key: fill(text, known) for key, text in call["input"].items()}
        if "oneTimeCodesOf" in call:
            seed = fill(call["oneTimeCodesOf"], known)
            seed = seed.decode("ascii") if isinstance(seed, bytes) else seed
            period = int(time.time()) // 30
            arguments["AuthenticationCode1"] = one_time_code(seed, period - 1)
            arguments["AuthenticationCode2"] = one_time_code(seed, period)
        operation = xform_name(call["call"].split(":")[1])
        known[call.get("as", "_")] = getattr(iam, operation)(**arguments)


def fill(text, known):
    """Replaces a text `{% $name.path %}`; the example uses no other expressions here."""
    found = re.fullmatch(r"\{% \$([\w.]+) %\}", text) if isinstance(text, str) else None
    if not found:
        return text
    for part in found.group(1).split("."):
        known = known[part]
    return known


def put_event(server):
    """Sends the event of event.json."""
    entries = json.loads((FOLDER / "event.json").read_text(encoding="utf-8"))
    answer = server.client("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 0, answer


def ended_execution(server, seconds=60):
    """Waits for the one execution of the machine to end, and returns it described."""
    states = server.client("stepfunctions")

    def ended():
        found = states.list_executions(stateMachineArn=MACHINE_ARN)["executions"]
        if not found or found[0]["status"] == "RUNNING":
            return None
        assert len(found) == 1, f"{len(found)} executions of one event"
        return states.describe_execution(executionArn=found[0]["executionArn"])

    return wait_for("the execution's end", ended, seconds)


def history(server, execution_arn):
    """Returns all events of an execution."""
    pages = server.client("stepfunctions").get_paginator("get_execution_history")
    pages = pages.paginate(executionArn=execution_arn)
    return [event for page in pages for event in page["events"]]


def runbook_executions(server):
    """Returns the executions of the runbook, in full."""
    ssm = server.client("ssm")
    found = ssm.describe_automation_executions()["AutomationExecutionMetadataList"]
    ids = [one["AutomationExecutionId"] for one in found if one["DocumentName"] == RUNBOOK]
    read = ssm.get_automation_execution
    return [read(AutomationExecutionId=one)["AutomationExecution"] for one in ids]


def judge(server, seconds=60):
    """Checks the whole end of the story, and that nothing happened twice."""
    execution = ended_execution(server, seconds)
    assert execution["status"] == "SUCCEEDED", (execution.get("error"), execution.get("cause"))
    judge_iam(server)
    judge_history(history(server, execution["executionArn"]))
    runbooks = runbook_executions(server)
    assert len(runbooks) == 1, f"the runbook ran {len(runbooks)} times"
    steps = [(step["StepName"], step["StepStatus"]) for step in runbooks[0]["StepExecutions"]]
    assert runbooks[0]["AutomationExecutionStatus"] == "Success", runbooks[0]
    assert len({name for name, _ in steps}) == len(steps) == RUNBOOK_STEPS, steps
    assert all(status == "Success" for _, status in steps), steps


def judge_iam(server):
    """The user is gone, what is not theirs stays and counts right."""
    iam = server.client("iam")
    try:
        iam.get_user(UserName=USER)
        raise AssertionError("the user is still there")
    except ClientError as err:
        assert err.response["Error"]["Code"] == "NoSuchEntity", err
    assert iam.get_group(GroupName="sales")["Users"] == []
    policy = iam.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/read-reports")["Policy"]
    assert policy["AttachmentCount"] == 0, policy
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def judge_history(events):
    """Event ids have no gap, one event ends it, and states came in order."""
    assert [event["id"] for event in events] == list(range(1, len(events) + 1)), events
    assert all(event["previousEventId"] < event["id"] for event in events)
    types = [event["type"] for event in events]
    assert sum(type in TERMINAL for type in types) == 1 and types[-1] == "ExecutionSucceeded", types
    entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in events]
    entered = [name for name in entered if name]
    loops = (len(entered) - 3) // 3
    assert 1 <= loops, entered
    expected = ["FindUser", "StartRunbook"]
    expected += ["WaitForRunbook", "LookAtRunbook", "HowIsIt"] * loops + ["UserDeleted"]
    assert entered == expected, entered
    for kind in ("TaskScheduled", "TaskStarted", "TaskSucceeded"):
        assert types.count(kind) == 2 + loops, (kind, types)
    waits = [event for event in events if event["type"].startswith("WaitState")]
    for start, end in zip(waits[::2], waits[1::2]):
        waited = (end["timestamp"] - start["timestamp"]).total_seconds()
        assert 14.99 <= waited, f"waited {waited} s"
