#!/usr/bin/env python3
"""Kills the server at many points of the example's flow, restarts it, and judges the end.

usage: crash_test.py [--points 60] [--real 3] [--seed 1]

Every point starts from the same prepared directory (stack deployed, user made): the event is sent,
the server is killed (SIGKILL) at the point, started again on the same directory, and the execution
must end as if nothing had happened. Points are of four kinds: so many milliseconds after the event;
when history has reached an event; when the runbook has reached a step; and on the real clock so many
seconds into the 15 s wait. A point may kill more than once. The last line is `N passed, M failed`.
"""

import argparse
import concurrent.futures
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback

import example
from server import Server, wait_for

REAL_WAIT_SECONDS = 15


def prepare(folder):
    """Makes the directory that every point starts from; returns how long the flow takes."""
    with Server("--data", str(folder), "--clock", "virtual") as server:
        example.deploy(server)
        example.make_user(server)
    trial = folder.with_name("trial")
    shutil.copytree(folder, trial)
    with Server("--data", str(trial), "--clock", "virtual") as server:
        started = time.monotonic()
        example.put_event(server)
        example.ended_execution(server)
        seconds = time.monotonic() - started
        example.judge(server)
        events = len(example.history(server, example.ended_execution(server)["executionArn"]))
    return seconds, events


def after(seconds):
    """A point so long after the event."""

    def point(_server):
        time.sleep(seconds)

    point.label = f"{seconds * 1000:.0f} ms after the event"
    return point


def at_history_event(number):
    """A point as soon as history has so many events."""

    def point(server):
        states = server.client("stepfunctions")

        def reached():
            found = states.list_executions(stateMachineArn=example.MACHINE_ARN)["executions"]
            if not found:
                return False
            arn = found[0]["executionArn"]
            events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
            return number <= len(events)

        wait_for(f"history event {number}", reached, 30)

    point.label = f"at history event {number}"
    return point


def at_runbook_step(number):
    """A point as soon as the runbook has begun so many steps."""

    def point(server):
        ssm = server.client("ssm")

        def reached():
            found = ssm.describe_automation_executions()["AutomationExecutionMetadataList"]
            if not found:
                return False
            id = found[0]["AutomationExecutionId"]
            steps = ssm.describe_automation_step_executions(AutomationExecutionId=id)
            begun = [one for one in steps["StepExecutions"] if one["StepStatus"] != "Pending"]
            return number <= len(begun)

        wait_for(f"runbook step {number}", reached, 30)

    point.label = f"at runbook step {number}"
    return point


def run(prepared, clock, points):
    """Plays the flow, with a kill and a restart at each of the points."""
    with tempfile.TemporaryDirectory(prefix="stepwell-crash-") as scratch:
        folder = pathlib.Path(scratch) / "data"
        shutil.copytree(prepared, folder)
        server = Server("--data", str(folder), "--clock", clock).start()
        try:
            example.put_event(server)
            for point in points:
                point(server)
                server.kill()
                server.start()
            example.judge(server, seconds=60)
        finally:
            server.stop()


def attempt(prepared, clock, points):
    """Runs one case and prints what came of it; returns whether it passed."""
    label = f"{clock} clock, killed " + " and ".join(point.label for point in points)
    try:
        run(prepared, clock, points)
    except Exception as err:
        print(f"FAIL  {label} -- {type(err).__name__}: {str(err)[:400]}", flush=True)
        traceback.print_exc(limit=-2)
        return False
    print("ok   ", label, flush=True)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--real", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="stepwell-crash-") as scratch:
        prepared = pathlib.Path(scratch) / "prepared"
        seconds, events = prepare(prepared)
        print(f"the flow takes {seconds * 1000:.0f} ms and has {events} history events", flush=True)
        cases = [("virtual", [at_history_event(number)]) for number in range(1, events + 1)]
        cases += [("virtual", [at_runbook_step(number)]) for number in range(1, 7)]
        double = [after(chance.uniform(0, seconds)), after(chance.uniform(0, seconds / 2))]
        cases.append(("virtual", double))
        timed = max(options.points - len(cases), 20)
        cases += [("virtual", [after(seconds * 1.1 * n / timed)]) for n in range(timed)]
        waits = [REAL_WAIT_SECONDS * (n + 0.5) / options.real for n in range(options.real)]
        with concurrent.futures.ThreadPoolExecutor(max(options.real, 1)) as pool:
            real = [pool.submit(attempt, prepared, "real", [after(wait)]) for wait in waits]
            results = [attempt(prepared, *case) for case in cases]
            results += [case.result() for case in real]
    passed = sum(results)
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
