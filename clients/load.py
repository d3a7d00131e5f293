"""Starts executions as fast as they are taken, and judges afterwards what became of each.

Used by kill_test.py, nodes_test.py and disk_test.py. Requests go over raw sockets: http.client
takes longer to read an answer than the server to give it, and two cores are shared by both sides.
"""

import collections
import concurrent.futures
import json
import random
import socket
import threading
import time
import urllib.parse

from server import ACCOUNT, REGION

ROLE = "load"
ANSWER_SECONDS_MAX = 60
RECONNECT_SECONDS = 0.02
TERMINAL = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}
STATUS_OF = {"ExecutionSucceeded": "SUCCEEDED", "ExecutionFailed": "FAILED"}

Execution = collections.namedtuple("Execution", "machine name input")


class Wire:
    """One connection that is kept; an answer counts only when all of it has been read."""

    def __init__(self, endpoint):
        host, port = endpoint.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = f"{host}:{port}"

    def close(self):
        self.socket.close()

    def states(self, operation, members):
        """Calls Step Functions; returns status and answer."""
        headers = "Content-Type: application/x-amz-json-1.0\r\n"
        headers += f"X-Amz-Target: AWSStepFunctions.{operation}\r\n"
        status, text = self._send("states", headers, json.dumps(members))
        try:
            return status, json.loads(text) if text else {}
        except ValueError:
            return status, {"__type": "NotJson", "message": text.decode(errors="replace")[:200]}

    def iam(self, action, **members):
        """Calls IAM; returns status and text."""
        form = {"Action": action, "Version": "2010-05-08", **members}
        headers = "Content-Type: application/x-www-form-urlencoded\r\n"
        status, text = self._send("iam", headers, urllib.parse.urlencode(form))
        return status, text.decode()

    def _send(self, service, headers, body):
        scope = f"test/20260101/{REGION}/{service}/aws4_request"
        body = body.encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(body)}\r\n"
            f"X-Amz-Date: 20260101T000000Z\r\n{headers}Authorization: AWS4-HMAC-SHA256 "
            f"Credential={scope}, SignedHeaders=host;x-amz-date, Signature=0\r\n\r\n"
        )
        self.socket.sendall(head.encode() + body)
        return self._receive()

    def _receive(self):
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        lines = data[:end].decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", 0))
        parts, missing = [data[end + 4 :]], length - (len(data) - end - 4)
        while 0 < missing:
            parts.append(self._more())
            missing -= len(parts[-1])
        return int(lines[0].split(" ")[1]), b"".join(parts)

    def _more(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionResetError("the connection ended within an answer")
        return piece


def chain(states=20):
    """A chain of Pass states, each with JSONata."""
    step = {"name": "{% $states.input.name %}", "n": "{% $states.input.n + 1 %}"}
    steps = {
        f"S{n}": {"Type": "Pass", "Output": step, "Next": f"S{n + 1}"} for n in range(1, states)
    }
    return {"StartAt": "S1", "States": {**steps, f"S{states}": {"Type": "Pass", "Output": step,
                                                               "End": True}}}


def effect():
    """Makes a user: a createUser that is repeated fails, and with it the execution (no Retry)."""
    user, name = "arn:aws:states:::aws-sdk:iam:", "{% $states.context.Execution.Input.name %}"
    tags = [{"Key": "made-by", "Value": name}]
    read = {"name": "{% $states.result.User.UserName %}", "tags": "{% $states.result.User.Tags %}"}
    return {"StartAt": "Create", "States": {
        "Create": {"Type": "Task", "Resource": user + "createUser",
                   "Arguments": {"UserName": name}, "Next": "Tag"},
        "Tag": {"Type": "Task", "Resource": user + "tagUser",
                "Arguments": {"UserName": name, "Tags": tags}, "Next": "Read"},
        "Read": {"Type": "Task", "Resource": user + "getUser",
                 "Arguments": {"UserName": name}, "Output": read, "End": True}}}


def wait():
    """Waits for as many seconds as the input says."""
    return {"StartAt": "Wait", "States": {
        "Wait": {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "Next": "Done"},
        "Done": {"Type": "Pass", "Output": {"name": "{% $states.input.name %}"}, "End": True}}}


def branches():
    """A Map of five beside two Pass states, joined by a sum."""
    double = {"StartAt": "Double", "States": {
        "Double": {"Type": "Pass", "Output": "{% $states.input * 2 %}", "End": True}}}
    mapped = {"StartAt": "Each", "States": {
        "Each": {"Type": "Map", "Items": [1, 2, 3, 4, 5], "ItemProcessor": double, "End": True}}}
    plain = {"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Output": 3, "Next": "B"},
        "B": {"Type": "Pass", "Output": "{% $states.input + 4 %}", "End": True}}}
    joined = {"name": "{% $states.context.Execution.Input.name %}",
              "sum": "{% $sum($states.result[0]) + $states.result[1] %}"}
    return {"StartAt": "Both", "States": {
        "Both": {"Type": "Parallel", "Branches": [mapped, plain], "Output": joined, "End": True}}}


def heartbeat():
    """Waits a second as often as the input says."""
    return {"StartAt": "Begin", "States": {
        "Begin": {"Type": "Pass", "Assign": {"beats": 0}, "Next": "Beat"},
        "Beat": {"Type": "Wait", "Seconds": 1, "Assign": {"beats": "{% $beats + 1 %}"},
                 "Next": "Again"},
        "Again": {"Type": "Choice", "Default": "Done", "Choices": [
            {"Condition": "{% $beats < $states.context.Execution.Input.beats %}",
             "Next": "Beat"}]},
        "Done": {"Type": "Pass", "End": True,
                 "Output": {"name": "{% $states.context.Execution.Input.name %}"}}}}


MACHINES = {"chain": chain(), "effect": effect(), "wait": wait(), "branches": branches(),
            "heartbeat": heartbeat()}
# How often each is started.
MIX = ["chain"] * 3 + ["effect"] * 3 + ["wait"] * 2 + ["branches"] * 2


def machine_arn(machine):
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"


def execution_arn(execution):
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{execution.machine}:{execution.name}"


def new_execution(machine, name, chance):
    """Returns an execution to start; its name is its user's too."""
    given = {"name": name}
    if machine == "chain":
        given["n"] = 0
    if machine == "wait":
        given["seconds"] = chance.randint(1, 2)
    return Execution(machine, name, json.dumps(given))


def expected_output(execution):
    """Returns what the execution must give."""
    name = execution.name
    more = {"chain": {"n": 20}, "branches": {"sum": 37},
            "effect": {"tags": [{"Key": "made-by", "Value": name}]}}
    return {"name": name, **more.get(execution.machine, {})}


def deploy(server):
    """Creates the role and the machines, unless they are there (a store may be used again)."""
    iam, states = server.client("iam"), server.client("stepfunctions")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"},
             "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}
    document = lambda one: json.dumps({"Version": "2012-10-17", "Statement": [one]})  # noqa: E731
    try:
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document(trust))
    except iam.exceptions.EntityAlreadyExistsException:
        pass
    iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=document(allow))
    for name, definition in MACHINES.items():
        definition = json.dumps({"QueryLanguage": "JSONata", **definition})
        role = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
        states.create_state_machine(name=name, definition=definition, roleArn=role)


def start(wire, execution):
    """Asks for an execution; returns status and answer."""
    return wire.states("StartExecution", {"stateMachineArn": machine_arn(execution.machine),
                                          "name": execution.name, "input": execution.input})


def is_taken(wire, execution):
    """Starts an execution that may have been started before; returns whether it is there now."""
    status, answer = start(wire, execution)
    return status == 200 or "ExecutionAlreadyExists" in answer.get("__type", "")


class Load:
    """Threads that start executions until told to stop.

    `endpoints` are asked for anew at every connection. An execution is acknowledged when its
    answer, 200, was read to the end; unknown when the connection broke before; refused when the
    answer was another one.
    """

    def __init__(self, endpoints, prefix, seed, threads=4, per_second=None):
        self.endpoints, self.prefix, self.seed = endpoints, prefix, seed
        self.acknowledged, self.unknown, self.refused = [], [], []
        self.pause_seconds = threads / per_second if per_second else 0
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self._work, args=(n,), daemon=True) for n in range(threads)
        ]

    def begin(self):
        for thread in self.threads:
            thread.start()
        return self

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _connect(self, chance):
        endpoints = self.endpoints()
        try:
            return Wire(chance.choice(endpoints)) if endpoints else None
        except OSError:
            return None

    def _work(self, thread):
        chance, wire, number = random.Random(f"{self.seed}/{self.prefix}/{thread}"), None, 0
        while not self.stopping.is_set():
            wire = wire or self._connect(chance)
            if wire is None:
                time.sleep(RECONNECT_SECONDS)
                continue
            name, number = f"{self.prefix}-{thread}-{number}", number + 1
            execution = new_execution(chance.choice(MIX), name, chance)
            try:
                status, answer = start(wire, execution)
            except OSError:
                self.unknown.append(execution)
                wire.close()
                wire = None
                continue
            if status == 200:
                self.acknowledged.append(execution)
            else:
                self.refused.append((execution, status, answer))
            if self.pause_seconds:
                time.sleep(self.pause_seconds * chance.uniform(0.5, 1.5))
        if wire:
            wire.close()


# What can be wrong with an execution, in words for the report.
LOST = "no acknowledged execution is lost"
TERMINALS = "each ended execution has one terminal history event, its last"
HISTORY = "histories have no gap and are those of an undisturbed execution"
STATUS = "DescribeExecution agrees with the history"
OUTPUT = "each execution succeeded with the output that it must have"
EFFECTS = "no embedded effect is missing or repeated"
ANSWERS = "every question is answered"
KINDS = [LOST, TERMINALS, HISTORY, STATUS, OUTPUT, EFFECTS, ANSWERS]

RUNNING, ENDED, ABSENT = "RUNNING", "ENDED", "ABSENT"


class Judge:
    """Looks at executions and keeps what is wrong.

    A forgetful judge deletes the user of an execution once it is judged: an account may have 5,000.
    An effect that is repeated later brings the user back, which the list of users shows.
    """

    def __init__(self, forgetful=False):
        self.faults = collections.defaultdict(list)
        self.shapes, self.forgetful = {}, forgetful
        self.forgotten, self.in_doubt = set(), set()

    def fault(self, kind, text):
        self.faults[kind].append(text)
        if len(self.faults[kind]) <= 5:
            print(f"WRONG {kind}: {text}"[:1000] + "\n", end="", flush=True)

    def count(self, kind):
        """Returns of how many executions something is wrong; some are looked at twice."""
        return len(set(self.faults[kind]))

    def learn(self, wire, names):
        """Runs each machine once undisturbed, and keeps which history events it has."""
        chance = random.Random(0)
        for machine in names:
            execution = new_execution(machine, f"undisturbed-{machine}-{time.time_ns()}", chance)
            status, answer = start(wire, execution)
            assert status == 200, answer
            end = time.monotonic() + ANSWER_SECONDS_MAX
            while self.look(wire, execution) == RUNNING:
                assert time.monotonic() < end, f"{execution.name} does not end"
                time.sleep(0.02)
            self.shapes[machine] = collections.Counter(
                event["type"] for event in history(wire, execution)
            )

    def look(self, wire, execution, must_exist=True):
        """Judges one execution; returns RUNNING, ENDED or ABSENT."""
        arn = execution_arn(execution)
        status, answer = wire.states("DescribeExecution", {"executionArn": arn})
        if status != 200:
            if not answer.get("__type", "").endswith("ExecutionDoesNotExist"):
                self.fault(ANSWERS, f"DescribeExecution {execution.name}: {status} {answer}")
            elif must_exist:
                self.fault(LOST, f"{execution.name}: {answer}")
            return ABSENT
        if answer["status"] == RUNNING:
            return RUNNING
        try:
            events = history(wire, execution)
        except AssertionError as err:
            self.fault(ANSWERS, f"GetExecutionHistory {execution.name}: {err}")
            return ENDED
        self._judge_history(execution, events)
        self._judge_end(wire, execution, answer, events)
        return ENDED

    def _judge_history(self, execution, events):
        types, name = [event["type"] for event in events], execution.name
        terminals = sum(type in TERMINAL for type in types)
        if terminals != 1 or types[-1] not in TERMINAL:
            self.fault(TERMINALS, f"{name}: {terminals} terminal events, the last is {types[-1:]}")
        ids = [event["id"] for event in events]
        if ids != list(range(1, len(events) + 1)):
            self.fault(HISTORY, f"{name}: ids {ids}")
        for event in events:
            before = event.get("previousEventId", -1)
            if not (before == 0 if event["id"] <= 2 else 0 < before < event["id"]):
                self.fault(HISTORY, f"{name}: event {event['id']} has previousEventId {before}")
        times = [event["timestamp"] for event in events]
        if times != sorted(times):
            self.fault(HISTORY, f"{name}: time goes back: {times}")
        shape = self.shapes.get(execution.machine)
        if shape and execution.machine != "heartbeat" and collections.Counter(types) != shape:
            self.fault(HISTORY, f"{name}: {types}")

    def _judge_end(self, wire, execution, answer, events):
        name, last = execution.name, events[-1]["type"] if events else None
        if STATUS_OF.get(last) != answer["status"] or "stopDate" not in answer:
            self.fault(STATUS, f"{name}: {answer} but the last event is {last}")
        output = json.loads(answer.get("output", "null"))
        if answer["status"] != "SUCCEEDED" or output != expected_output(execution):
            why = f"{answer.get('error')} {answer.get('cause')}"
            kind = EFFECTS if "AlreadyExists" in why else OUTPUT
            self.fault(kind, f"{name}: {answer['status']} {output} {why}")
        if execution.machine == "effect" and name not in self.forgotten:
            self._judge_user(wire, name)

    def _judge_user(self, wire, name):
        status, text = wire.iam("GetUser", UserName=name)
        if status == 404 and name in self.in_doubt:  # a DeleteUser that was cut off did its work
            self.forgotten.add(name)
            return
        if status != 200 or text.count("<Key>made-by</Key>") != 1:
            self.fault(EFFECTS, f"GetUser {name}: {status} {text[:300]}")
        if self.forgetful:
            self.in_doubt.add(name)
            status, text = wire.iam("DeleteUser", UserName=name)
            self.forgotten.add(name)
            if status != 200:
                self.fault(EFFECTS, f"DeleteUser {name}: {status} {text[:300]}")

    def look_at_all(self, endpoints, executions, threads=4, must_exist=True):
        """Judges many; returns the running ones and the absent ones."""
        parts = [executions[n::threads] for n in range(threads)]

        def part(number):
            if not parts[number]:
                return []
            wire = Wire(endpoints[number % len(endpoints)])
            try:
                return [(one, self.look(wire, one, must_exist)) for one in parts[number]]
            finally:
                wire.close()

        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            found = [pair for pairs in pool.map(part, range(threads)) for pair in pairs]
        running = [one for one, state in found if state == RUNNING]
        return running, [one for one, state in found if state == ABSENT]

    def look_until_ended(self, endpoints, executions, seconds, threads=4, must_exist=True):
        """Judges many as they end; returns those that have not ended in time, and the absent."""
        end, absent = time.monotonic() + seconds, []
        while executions and time.monotonic() < end:
            executions, gone = self.look_at_all(endpoints, executions, threads, must_exist)
            absent += gone
            time.sleep(0.1 if executions else 0)
        return executions, absent


def history(wire, execution):
    """Returns all history events of an execution, without what went in and out."""
    events, more = [], {"maxResults": 1000, "includeExecutionData": False}
    more["executionArn"] = execution_arn(execution)
    while True:
        status, answer = wire.states("GetExecutionHistory", more)
        assert status == 200, f"{status} {answer}"
        events += answer["events"]
        if not answer.get("nextToken"):
            return events
        more["nextToken"] = answer["nextToken"]


def listed(wire, machine):
    """Returns (name, status) of every execution that ListExecutions has."""
    found, more = [], {"stateMachineArn": machine_arn(machine), "maxResults": 1000}
    while True:
        status, answer = wire.states("ListExecutions", more)
        assert status == 200, f"{status} {answer}"
        found += [(one["name"], one["status"]) for one in answer["executions"]]
        if not answer.get("nextToken"):
            return found
        more["nextToken"] = answer["nextToken"]


def user_names(server):
    """Returns the name of every user."""
    pages = server.client("iam").get_paginator("list_users").paginate(
        PaginationConfig={"PageSize": 1000}
    )
    return [user["UserName"] for page in pages for user in page["Users"]]
