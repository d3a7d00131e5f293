#!/usr/bin/env python3
"""Creates every runbook of the corpus on a real server, starts it, and sees how it ends.

usage: run-runbooks.py [--only GLOB] [--every N] [-v]

Whatever is called that Stepwell does not serve is answered by clients/shapes_stub.py: something
valid, made from the shapes of the API. A runbook passes when it reaches a terminal status and no
step failed for a reason that is Stepwell's: an action or operation that it lacks, a reference that
it cannot read, a fault of its own. A step that fails because the made-up answer does not fit, or
because the document is wrong, is no fault of the engine; the score file says how many succeeded.

So that as much as possible of a runbook runs, what it says itself is used:
- parameters are made to match their patterns; where another runbook of the corpus is called, the
  patterns of its parameters count too. An instance is named also where the default stands for one
  (`*`, and `{{TARGET_ID}}`, which a maintenance window fills in);
- a property that a step waits for or asserts has the value that it wants when the step asks;
- most of these documents are sources in which a build puts scripts and role names
  (`%%SCRIPT=…%%`, `%%ROLE=…%%`). Here the name of a role is put in, and a script that returns
  values for the outputs that the step declares, of the shape that the call they are for wants;
- who is asked for approval approves.

The score is conformance/run-runbooks.score; STEPWELL_BLESS=1 writes it. All of them take some
minutes; with --only or --every the score is looked at for those that ran.
"""

import argparse
import concurrent.futures
import fnmatch
import functools
import json
import os
import pathlib
import random
import re
import re._parser
import sys
import time
import zlib

import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

from server import ACCOUNT, REGION, Server  # noqa: E402
from shapes_stub import Answers, ShapesStub, Steering, service_model  # noqa: E402

SCORE = HERE / "run-runbooks.score"
RUN_SECONDS_MAX = 30
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Corpus"
EMBEDDED = ("events", "iam", "logs", "ssm", "stepfunctions", "sts")
TERMINAL = ("Success", "Failed", "TimedOut", "Cancelled")
# What a failure says that is Stepwell's own.
OURS = (
    "Stepwell",
    "NotImplemented",
    "not authorized",
    "Internal Server Error",
    "InternalFailure",
    "Automation definition with name",
    "AWS has no",
    "Unable to execute HTTP request",
    "could not be started",
    "validation error",
    "Unknown parameter",
    "Parameter validation",
)


# Values


def sample(pattern, rng):
    """Returns a text that a pattern matches, or nothing."""
    try:
        tree = re._parser.parse(pattern)
    except re.error:
        return None
    for _ in range(200):
        text = "".join(pieces(tree, rng))
        try:
            if re.fullmatch(pattern, text):
                return text
        except re.error:
            return None
    return None


def pieces(tree, rng):
    for op, argument in tree:
        name = str(op)
        if name == "LITERAL":
            yield chr(argument)
        elif name == "NOT_LITERAL":
            yield "a" if argument != ord("a") else "b"
        elif name == "ANY":
            yield "a"
        elif name == "IN":
            yield member(argument, rng)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            for _ in range(rng.randint(least, min(int(most), least + 3))):
                yield from pieces(inner, rng)
        elif name == "SUBPATTERN":
            yield from pieces(argument[-1], rng)
        elif name == "BRANCH":
            yield from pieces(rng.choice(argument[1]), rng)
        # Anchors and what looks ahead or behind: what came out is checked.


def member(choices, rng):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-./:=+@ "
    if str(choices[0][0]) == "NEGATE":
        refused = {chr(a) for o, a in choices[1:] if str(o) == "LITERAL"}
        return rng.choice([c for c in letters if c not in refused])
    op, argument = rng.choice(choices)
    if str(op) == "LITERAL":
        return chr(argument)
    if str(op) == "RANGE":
        return chr(rng.randint(argument[0], min(argument[1], 0x7E)))
    return rng.choice("0123456789" if str(argument).endswith("DIGIT") else "abc012")


HINTS = {
    "rolename": "Target", "role": ROLE, "instanceid": "i-0123456789abcdef0", "volumeid": "vol-0123456789abcdef0",
    "snapshotid": "snap-0123456789abcdef0", "vpcid": "vpc-0123456789abcdef0", "accountid": ACCOUNT,
    "subnetid": "subnet-0123456789abcdef0", "imageid": "ami-0123456789abcdef0", "region": REGION,
    "approvers": f"arn:aws:iam::{ACCOUNT}:root", "topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:one",
    "duration": "PT10S", "timeout": "10", "bucket": "one-bucket", "account": ACCOUNT,
    "availabilityzone": "us-east-1a", "policyarn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "kmskeyarn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one",
    "securitygroup": "sg-0123456789abcdef0", "instancetype": "m5.large",
}  # fmt: skip


def text_for(name, parameter, wanted=()):
    """Returns a text for a parameter that all the patterns admit."""
    allowed = [str(one) for one in parameter.get("allowedValues") or [] if one != ""]
    if allowed:
        return allowed[0]
    patterns = [one for one in [parameter.get("allowedPattern"), *wanted] if one]
    lower = name.lower()
    tried = [text for key, text in HINTS.items() if key in lower]
    tried += [f"one{name}"[:20], f"one{name.lower()}"[:20], "one", "7"]
    rng = random.Random(name)
    for pattern in patterns:
        for text in (sample(pattern, rng) for _ in range(5)):
            tried += [at_home(text), text] if text else []
    for text in tried:
        if all(admits(pattern, text) for pattern in patterns):
            return text
    return tried[-1]


def at_home(text):
    """Returns an ARN with the account and the region of the server."""
    parts = text.split(":")
    if len(parts) < 6:
        return text
    return ":".join([*parts[:3], parts[3] and REGION, parts[4] and ACCOUNT, *parts[5:]])


def admits(pattern, text):
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return True


def value_for(name, parameter, wanted=()):
    """Returns a value for a parameter, as StartAutomationExecution has it."""
    kind = parameter["type"]
    if kind == "Integer":
        text = text_for(name, parameter, wanted)
        return [text if text.isdigit() else str(max(1, int(parameter.get("minValue") or 1)))]
    if kind == "Boolean":
        return ["true"]
    if kind in ("StringMap", "MapList"):
        return [json.dumps({"Id": "one"})]
    return [text_for(name, parameter, wanted)]


# Documents

STORED = {}
# What stands for an instance in the default of a parameter.
ANY_INSTANCE = ("*", "{{TARGET_ID}}")


def steps_of(document):
    def walk(steps):
        for step in steps or []:
            yield step
            if step.get("action") == "aws:loop":
                yield from walk(step["inputs"].get("Steps"))

    return walk(document.get("mainSteps"))


class Runbook:
    """One document of the corpus."""

    def __init__(self, path):
        self.file = path.name
        self.format = "JSON" if path.suffix == ".json" else "YAML"
        text = path.read_text(encoding="utf-8")
        self.document = json.loads(text) if self.format == "JSON" else yaml.safe_load(text)
        self.text, self.is_source = text, "%%" in text
        stem = path.stem.rsplit("__", 1)[-1]
        is_called = "remediation_runbooks" in path.name
        unique = f"Corpus-{zlib.crc32(path.name.encode()):08x}-{stem}"[:120]
        self.name = f"ASR-{stem}" if is_called else unique

    def called(self, corpus):
        """Yields the inputs of the steps that call another runbook of the corpus, and that one."""
        for step in steps_of(self.document):
            inputs = step.get("inputs") or {}
            callee = corpus.get(inputs.get("DocumentName"))
            if step.get("action") == "aws:executeAutomation" and callee:
                yield inputs, callee

    def callees(self, corpus):
        return [callee for _, callee in self.called(corpus)]

    def passed_on(self, corpus):
        """Yields what it passes to another runbook, and the parameter that it becomes there."""
        for inputs, callee in self.called(corpus):
            for name, given in (inputs.get("RuntimeParameters") or {}).items():
                parameter = (callee.document.get("parameters") or {}).get(name, {})
                for one in given if isinstance(given, list) else [given]:
                    whole = re.fullmatch(r"\{\{\s*([\w.]+)\s*\}\}", str(one))
                    if whole:
                        yield whole[1], parameter

    def sent(self):
        """Yields the outputs of steps that are a whole structure of a call, with one such structure."""
        for step in steps_of(self.document):
            if step.get("action") != "aws:executeAwsApi":
                continue
            inputs = step["inputs"]
            operation = service_model(inputs["Service"].lower()).operation_model(operation_of(inputs["Api"]))
            for name, shape in operation.input_shape.members.items():
                whole = re.fullmatch(r"\{\{\s*([\w.]+)\s*\}\}", str(inputs.get(name)))
                if whole and shape.type_name == "structure":
                    yield whole[1], Answers(operation, {}).value(shape, name, 0)

    def filled(self, corpus):
        """Returns the content with what the authors' build puts in."""
        if not self.is_source:
            return self.text
        wanted = {}
        for name, parameter in self.passed_on(corpus):
            wanted.setdefault(name, parameter)
        document = json.loads(json.dumps(self.document))
        for step in steps_of(document):
            inputs = step.get("inputs") or {}
            if "%%SCRIPT" in str(inputs.get("Script", "")):
                inputs["Script"] = stand_in(step, wanted, dict(self.sent()))
        text = json.dumps(document)
        text = re.sub(r"%%ROLE=([\w-]+)%%", r"\1", text)
        return re.sub(r"%%\w+(=[^%]*)?%%", "Corpus", text)

    def parameters(self, corpus):
        wanted = {}
        for name, parameter in self.passed_on(corpus):
            if parameter.get("allowedPattern"):
                wanted.setdefault(name, []).append(parameter["allowedPattern"])
        given = {}
        for name, parameter in (self.document.get("parameters") or {}).items():
            is_role = "assumerole" in name.lower()
            is_told = "default" not in parameter or parameter["default"] in ANY_INSTANCE
            if is_told or is_role:
                given[name] = [ROLE] if is_role else value_for(name, parameter, wanted.get(name, ()))
        return given

    def stored_parameters(self, corpus):
        """Yields parameter, name and value of what its defaults refer to in Parameter Store."""
        wanted = dict(self.passed_on(corpus))
        for name, parameter in (self.document.get("parameters") or {}).items():
            found = re.fullmatch(r"\{\{\s*ssm:(.+?)\s*\}\}", str(parameter.get("default")))
            # AWS's own (`/aws/service/…`) nobody can put there.
            if found and not found[1].startswith("/aws/"):
                pattern = wanted.get(name, {}).get("allowedPattern")
                text = text_for(name, parameter, [pattern] if pattern else [])
                # The first document that names it says what it is.
                yield name, found[1], STORED.setdefault(found[1], text)

    def needs_somebody(self):
        """Returns whether it waits for approval, which virtual time does not."""
        return any(step.get("action") in ("aws:approve", "aws:pause") for step in steps_of(self.document))

    def services(self):
        """Yields the services that it names."""
        for step in steps_of(self.document):
            inputs = step.get("inputs") or {}
            if "Service" in inputs:
                yield str(inputs["Service"]).lower()
            script = inputs.get("Script") or ""
            yield from re.findall(r"boto3\.(?:client|resource)\(\s*['\"]([\w-]+)", script)


def stand_in(step, wanted, sent):
    """Returns a script that returns values for the outputs that a step declares."""
    payload = {}
    for output in step.get("outputs") or []:
        path = re.findall(r"\w+", output["Selector"].removeprefix("$.Payload"))
        kind, name = output.get("Type", "String"), output["Name"]
        parameter = wanted.get(f"{step['name']}.{name}", {})
        value = {
            "StringMap": {"Type": "Object", "Id": "one", "OutputKey": "one"},
            "StringList": [text_for(name, parameter)],
            "MapList": [{"Id": "one"}],
            "Boolean": True,
            "Integer": int(text) if (text := text_for(name, parameter)).isdigit() else 1,
        }.get(kind, text_for(name, parameter))
        value = sent.get(f"{step['name']}.{name}", value)
        if not path:
            payload = value
            continue
        here = payload
        for part in path[:-1]:
            here = here.setdefault(part, {})
        if isinstance(here, dict):
            here.setdefault(path[-1], value)
    handler = step["inputs"]["Handler"].rsplit(".", 1)[-1]
    return f"import json\n\n\ndef {handler}(events, context):\n    return json.loads({json.dumps(payload)!r})\n"


# Steering


def steer(stub, runbook, parameters, corpus):
    """Tells the stub what the steps of a runbook wait for, in their order."""
    stub.steering = steering = Steering()
    values = {
        name: parameter.get("default") for name, parameter in (runbook.document.get("parameters") or {}).items()
    }
    values.update(
        {name: stored for name, _, stored in runbook.stored_parameters(corpus)}
    )
    values.update({name: given[0] for name, given in parameters.items()})
    for step in steps_of(runbook.document):
        inputs, action = step.get("inputs") or {}, step.get("action")
        if "PropertySelector" in inputs:
            wanted = resolved(str(inputs["DesiredValues"][0]), values)
            turn = {inputs["PropertySelector"].removeprefix("$."): wanted}
            steering.add(str(inputs["Service"]), operation_of(inputs["Api"]), turn)
        elif action == "aws:executeAwsApi":
            steering.add(str(inputs["Service"]), operation_of(inputs["Api"]), {})
        elif action == "aws:changeInstanceState":
            instances(steering, inputs["DesiredState"])
        elif action == "aws:createStack":
            steering.add("cloudformation", "DescribeStacks", {"Stacks[0].StackStatus": "CREATE_COMPLETE"})
        elif action == "aws:deleteStack":
            gone = ("ValidationError", "Stack with id one does not exist")
            steering.add("cloudformation", "DescribeStacks", gone)


def instances(steering, state):
    if state == "running":
        status = {
            f"InstanceStatuses[0].{which}": value
            for which, value in (
                ("InstanceState.Name", "running"),
                ("SystemStatus.Status", "ok"),
                ("InstanceStatus.Status", "ok"),
            )
        }
        steering.add("ec2", "DescribeInstanceStatus", status)
    else:
        steering.add("ec2", "DescribeInstances", {"Reservations[0].Instances[0].State.Name": state})


def operation_of(api):
    return "".join(part[:1].upper() + part[1:] for part in str(api).split("_"))


def resolved(text, values):
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: str(values.get(found[1], "")), text)


# Running


def is_lack(message):
    return any(word in message for word in OURS)


def failures(record, children_of):
    """Yields step and message of every failure of an execution and of its children. One that failed
    although no step did has no step."""
    failed = [one for one in record["StepExecutions"] if one["StepStatus"] not in ("Success", "Pending")]
    whole = record.get("FailureMessage", "")
    for step in failed:
        yield step["StepName"], step.get("FailureMessage") or whole
    for child in children_of(record["AutomationExecutionId"]):
        yield from failures(child, children_of)
    if record["AutomationExecutionStatus"] == "Failed" and not failed:
        yield "", whole
    elif is_lack(whole):
        yield failed[0]["StepName"] if failed else "", whole


def children(ssm, execution):
    """Yields the records of the executions that an execution has started."""
    filters = [{"Key": "ParentExecutionId", "Values": [execution]}]
    for page in ssm.get_paginator("describe_automation_executions").paginate(Filters=filters):
        for one in page["AutomationExecutionMetadataList"]:
            yield ssm.get_automation_execution(AutomationExecutionId=one["AutomationExecutionId"])["AutomationExecution"]


class Run:
    """How a runbook ended, or why it did not."""

    def __init__(self, runbook):
        self.runbook, self.status, self.step, self.why = runbook, "", "", ""
        self.is_unexplained = False

    @property
    def is_ours(self):
        return self.status not in TERMINAL or self.is_unexplained or is_lack(self.why)

    def judge(self, record, children_of):
        """Takes from the record of an execution why it did not succeed: a lack of ours before anything else."""
        failed = list(failures(record, children_of))
        lacks = [one for one in failed if is_lack(one[1])]
        self.step, self.why = (lacks or failed or [("", "")])[0]
        # Nothing that a document does fails a run of which each step has succeeded.
        self.is_unexplained = any(not step for step, _ in failed)

    def line(self):
        step = f" at {self.step}" if self.step else ""
        return f"{self.runbook.file}: {self.status}{step}: {' '.join(self.why.split())[:420]}"


def run(server, stub, outcome, corpus):
    ssm, runbook = server.client("ssm"), outcome.runbook
    parameters = runbook.parameters(corpus)
    steer(stub, runbook, parameters, corpus)
    try:
        execution = ssm.start_automation_execution(
            DocumentName=runbook.name, **({"Parameters": parameters} if parameters else {})
        )["AutomationExecutionId"]
    except Exception as err:
        outcome.status, outcome.why = "not started", str(err)
        return
    end = time.monotonic() + RUN_SECONDS_MAX
    while time.monotonic() < end:
        record = ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]
        outcome.status = record["AutomationExecutionStatus"]
        if outcome.status in TERMINAL:
            break
        if outcome.status == "Waiting":
            approve(ssm, execution)
        time.sleep(0.01)
    else:
        # A script that still runs would keep the clock from going on for the others.
        ssm.stop_automation_execution(AutomationExecutionId=execution)
    outcome.judge(record, functools.partial(children, ssm))


def approve(ssm, execution):
    try:
        ssm.send_automation_signal(AutomationExecutionId=execution, SignalType="Approve")
    except ssm.exceptions.ClientError:
        pass  # It went on meanwhile.


def prepare(server, runbooks, corpus):
    """Makes the roles and documents that runbooks refer to."""
    needed = {one.name: one for one in runbooks}
    for runbook in list(needed.values()):
        needed.update({callee.name: callee for callee in runbook.callees(corpus)})
    iam, ssm = server.client("iam"), server.client("ssm")
    trust = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    named = {"Corpus", "Target"}.union(*(re.findall(r"%%ROLE=([\w-]+)%%", one.text) for one in needed.values()))
    for role in sorted(named):
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        iam.put_role_policy(RoleName=role, PolicyName="everything", PolicyDocument=policy)
    logs = server.client("logs")
    for group in ("oneLogGroupName",):
        logs.create_log_group(logGroupName=group)
    refused = {}
    for runbook in needed.values():
        for _, name, value in runbook.stored_parameters(corpus):
            ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
        form = "JSON" if runbook.is_source else runbook.format
        content = runbook.filled(corpus)
        try:
            ssm.create_document(
                Name=runbook.name, Content=content, DocumentType="Automation", DocumentFormat=form
            )
        except ssm.exceptions.ClientError as err:
            refused[runbook.name] = str(err)
    return refused


def run_all(runbooks, corpus, outside, clock):
    """Runs documents on a server of their own, one after the other."""
    outcomes = []
    with ShapesStub() as stub:
        arguments = ["--memory", "--clock", clock]
        for name in sorted(outside.difference(EMBEDDED)):
            arguments += ["--endpoint", f"{name}={stub.address}"]
        for name in EMBEDDED:
            arguments += ["--endpoint", f"{name}/unserved={stub.address}"]
        with Server(*arguments) as server:
            refused = prepare(server, runbooks, corpus)
            for runbook in runbooks:
                outcome = Run(runbook)
                if runbook.name in refused:
                    outcome.status, outcome.why = "refused", refused[runbook.name]
                else:
                    run(server, stub, outcome, corpus)
                outcomes.append(outcome)
        for what in sorted(set(stub.unanswered)):
            print(f"the stub knows no operation for {what}")
    return outcomes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="*", help="those whose file has such a name")
    parser.add_argument("--every", type=int, default=1, help="every Nth of them")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    default = HERE.parent.parent / "shared" / "conformance"
    folder = pathlib.Path(os.environ.get("STEPWELL_CONFORMANCE", default)) / "runbooks" / "dev"
    if not folder.exists():
        print(f"SKIPPED: conformance data absent at {folder}", file=sys.stderr)
        return 0
    corpus = {one.name: one for one in map(Runbook, sorted(folder.iterdir()))}
    outside = {name for one in corpus.values() for name in one.services()}
    outside |= {"cloudformation", "ec2", "lambda", "s3", "sns"}
    wanted = [one for one in corpus.values() if fnmatch.fnmatch(one.file, options.only)]
    wanted = wanted[:: options.every]
    if not wanted:
        print(f"no document has a name like {options.only}", file=sys.stderr)
        return 1
    together = [one for one in wanted if not one.needs_somebody()]
    alone = [one for one in wanted if one.needs_somebody()]
    with concurrent.futures.ThreadPoolExecutor(len(alone) + 1) as pool:
        runs = [pool.submit(run_all, [one], corpus, outside, "real") for one in alone]
        runs.append(pool.submit(run_all, together, corpus, outside, "virtual"))
        outcomes = [outcome for run in runs for outcome in run.result()]
    for outcome in outcomes:
        if options.v or outcome.is_ours:
            print(outcome.line())
    return report(outcomes, options)


def report(outcomes, options):
    ours = sorted(one.runbook.file for one in outcomes if one.is_ours)
    ended = {}
    for one in outcomes:
        ended[one.status] = ended.get(one.status, 0) + 1
    score = f"{len(outcomes) - len(ours)}/{len(outcomes)}\n" + "\n".join(ours)
    print(", ".join(f"{count} {status}" for status, count in sorted(ended.items())))
    print(score.split("\n", 1)[0])
    if options.only != "*" or options.every != 1:
        known = SCORE.read_text(encoding="utf-8").split("\n") if SCORE.exists() else []
        new = [file for file in ours if file not in known]
        return 1 if new else 0
    if os.environ.get("STEPWELL_BLESS"):
        SCORE.write_text(score, encoding="utf-8")
    if SCORE.exists() and SCORE.read_text(encoding="utf-8") == score:
        return 0
    print(f"{SCORE} says something else", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
