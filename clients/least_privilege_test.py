#!/usr/bin/env python3
"""The example under the least privileges: what its roles never used is named, what is left is enough, and of a
permission that is taken away `stepwell why` says the line to add.

The last line is `N passed, M failed`.
"""

import json
import os
import subprocess
import sys
import tempfile

import example
from server import ACCOUNT, Server, binary, wait_for

MACHINE_ROLE, RUNBOOK_ROLE = "offboarding-machine", "offboarding-runbook"
# The two that the runbook's documentation asks for and no step of it uses.
NEVER_USED = ["ssm:GetAutomationExecution", "ssm:StartAutomationExecution"]


def ran(server, *arguments):
    """Runs a command that asks the server."""
    environment = {**os.environ, "AWS_ENDPOINT_URL": server.endpoint}
    command = [binary(), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def stepwell(server, *arguments):
    """Returns what a command that asks the server prints as JSON."""
    done = ran(server, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(server, name):
    """Makes a user with all nine kinds of dependents and has it deleted; returns the execution."""
    iam = server.client("iam")
    # What the last one left behind and the next one brings along.
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        iam.delete_policy(PolicyArn=policy["Arn"])
    for group in iam.list_groups()["Groups"]:
        iam.delete_group(GroupName=group["GroupName"])
    example.make_user(server, name)
    return again(server, name)


def again(server, name):
    states, body = server.client("stepfunctions"), json.dumps({"username": name})
    started = states.start_execution(stateMachineArn=example.MACHINE_ARN, input=body)
    arn = started["executionArn"]

    def ended():
        found = states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    return wait_for("the execution's end", ended, 60)


def inline(server, role):
    """Returns the name and document of a role's one policy."""
    iam = server.client("iam")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]


def put(server, role, document):
    name, _ = inline(server, role)
    iam = server.client("iam")
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def least(server, execution, *more):
    """Returns what the roles of a run need, by the names of the roles."""
    arn = execution["executionArn"]
    found = stepwell(server, "policy", "least-privilege", "--execution", arn, *more)
    return {one["principal"].rsplit("/", 1)[1]: one for one in found["principals"]}


def names_what_was_never_used(server):
    # As the seed's role has it: the permissions that the runbook's documentation lists.
    _, document = inline(server, RUNBOOK_ROLE)
    extra = {"Sid": "AsDocumented", "Effect": "Allow", "Action": NEVER_USED, "Resource": "*"}
    document["Statement"].append(extra)
    put(server, RUNBOOK_ROLE, document)
    execution = run(server, "leaver")
    assert execution["status"] == "SUCCEEDED", execution
    roles = least(server, execution)
    assert set(roles) == {MACHINE_ROLE, RUNBOOK_ROLE}, set(roles)
    unused = [
        (one.get("sid"), action) for one in roles[RUNBOOK_ROLE]["granted"] for action in one["unused"]
    ]
    assert unused == [("AsDocumented", action) for action in NEVER_USED], unused
    assert all(not one["unused"] for one in roles[MACHINE_ROLE]["granted"]), roles[MACHINE_ROLE]
    needed = roles[RUNBOOK_ROLE]["policy"]["Statement"]
    actions = [action for one in needed for action in listed(one["Action"])]
    assert len(actions) == 21 and not set(actions) & set(NEVER_USED), actions
    return least(server, execution, "--any-resource")


def listed(one_or_all):
    return one_or_all if isinstance(one_or_all, list) else [one_or_all]


def what_is_left_is_enough(server, roles):
    for role, found in roles.items():
        put(server, role, found["policy"])
    execution = run(server, "next-leaver")
    assert execution["status"] == "SUCCEEDED", execution
    found = least(server, execution)
    assert all(not one["unused"] for role in found.values() for one in role["granted"]), found


def says_the_line_to_add(server):
    _, document = inline(server, RUNBOOK_ROLE)
    for statement in document["Statement"]:
        kept = [one for one in listed(statement["Action"]) if one != "iam:DeleteSSHPublicKey"]
        statement["Action"] = kept
    put(server, RUNBOOK_ROLE, document)
    execution = run(server, "third-leaver")
    assert execution["status"] == "FAILED", execution
    calls = stepwell(server, "why", "--execution", execution["executionArn"])["calls"]
    [refused] = [call for call in calls if call["outcome"] != "allowed"]
    assert refused["principal"] == f"arn:aws:iam::{ACCOUNT}:role/{RUNBOOK_ROLE}", refused
    assert stepwell(server, "why", refused["requestId"])["calls"] == [refused]
    [check] = refused["checks"]
    [add] = check["add"]
    assert add["statement"]["Action"] == "iam:DeleteSSHPublicKey", add
    document["Statement"].append(add["statement"])
    put(server, RUNBOOK_ROLE, document)
    execution = again(server, "third-leaver")
    assert execution["status"] == "SUCCEEDED", execution


def knows_nothing_of_others(server):
    nobody = example.MACHINE_ARN.replace(":stateMachine:", ":execution:") + ":nobody"
    for form in ([], ["--json"]):
        done = ran(server, "policy", "least-privilege", "--execution", nobody, *form)
        assert done.returncode == 1 and "knows of no call" in done.stderr, (form, done)
    assert json.loads(done.stdout)["principals"] == [], done.stdout


def knows_it_after_a_crash(server):
    before = stepwell(server, "why", "--last-refused")["calls"]
    server.kill()
    server.start()
    assert stepwell(server, "why", "--last-refused")["calls"] == before


def main():
    passed, failed, roles = 0, 0, None
    with tempfile.TemporaryDirectory() as data:
        with Server("--data", data, "--clock", "virtual") as server:
            example.deploy(server)
            steps = [
                names_what_was_never_used,
                lambda server: what_is_left_is_enough(server, roles),
                says_the_line_to_add,
                knows_nothing_of_others,
                knows_it_after_a_crash,
            ]
            names = ["what was never used", "the rest is enough", "the line to add", "others", "after a crash"]
            for name, step in zip(names, steps):
                try:
                    roles = step(server) or roles
                    passed += 1
                    print("ok   ", name)
                except (AssertionError, RuntimeError) as err:
                    failed += 1
                    print("FAIL ", name, "--", str(err)[:2000])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
