#!/usr/bin/env python3
"""Kills PostgreSQL below running nodes, and checks that they say so and go on when it is back.

usage: postgres_test.py [--rounds 5] [--nodes 2] [--away-seconds 4] [--per-second 100] [--seed 1]

A private cluster is started, and nodes on it. In a round, PostgreSQL is killed (SIGKILL) under load
and started again after a while; the nodes are never restarted. While it is away they must answer
errors in AWS's shape, in time; afterwards all that was acknowledged ends once. The last line is
`N passed, M failed`.
"""

import argparse
import random
import sys
import time

import load
import postgres
from load import Judge, Load, Wire, new_execution
from server import Server, wait_for

ANSWER_SECONDS_MAX = 15
BACK_SECONDS_MAX = 30
END_SECONDS_MAX = 120
LOG_LINES_PER_SECOND_MAX = 50
MACHINES = ["chain", "effect", "wait", "branches"]

ENDS = "every acknowledged execution has ended"
KNOWN = "what was interrupted is there in whole or not at all"
SHAPE = "without PostgreSQL every answer is an error of the server in AWS's shape"
IN_TIME = f"without PostgreSQL every answer comes within {ANSWER_SECONDS_MAX} s"
ALIVE = "no node ends or panics"
BACK = f"every node takes executions within {BACK_SECONDS_MAX} s of PostgreSQL's return"
QUIET = "logs are not flooded"
CHECKS = [*load.KINDS, ENDS, KNOWN, SHAPE, IN_TIME, ALIVE, BACK, QUIET]


def ask_without(judge, nodes, name, chance):
    """Asks every node to start an execution, to read and to make a user, while it cannot."""
    for number, node in enumerate(nodes, 1):
        wire = Wire(node.endpoint)
        execution = new_execution("chain", f"{name}-{number}", chance)
        arn = {"stateMachineArn": load.machine_arn("chain")}
        for call in (lambda: load.start(wire, execution),
                     lambda: wire.states("ListExecutions", arn),
                     lambda: wire.iam("CreateUser", UserName=f"{name}-{number}")):
            started = time.monotonic()
            status, answer = call()
            seconds = time.monotonic() - started
            shaped = "__type" in answer if isinstance(answer, dict) else "<Code>" in answer
            if status < 500 or not shaped:
                judge.fault(SHAPE, f"node {number}: {status} {answer}")
            if ANSWER_SECONDS_MAX < seconds:
                judge.fault(IN_TIME, f"node {number}: {seconds:.1f} s")
        wire.close()


def takes(node, execution):
    """Returns whether a node takes an execution (again)."""
    wire = Wire(node.endpoint)
    try:
        return load.is_taken(wire, execution)
    finally:
        wire.close()


def play_round(database, nodes, judge, load_, options, name, chance):
    """Kills PostgreSQL under load and starts it again; returns what was started to see that."""
    time.sleep(chance.uniform(1, 2))
    database.kill()
    begun, lines = time.monotonic(), sum(len(node.output) for node in nodes)
    ask_without(judge, nodes, name, chance)
    time.sleep(max(0, options.away_seconds - (time.monotonic() - begun)))
    lines = sum(len(node.output) for node in nodes) - lines
    if LOG_LINES_PER_SECOND_MAX * (time.monotonic() - begun) < lines:
        judge.fault(QUIET, f"{lines} lines in {time.monotonic() - begun:.1f} s")
    database.start()
    back, taken = time.monotonic(), []
    for number, node in enumerate(nodes, 1):
        execution = new_execution("effect", f"{name}-back-{number}", chance)
        try:
            wait_for(execution.name, lambda: takes(node, execution), BACK_SECONDS_MAX)
            taken.append(execution)
        except (TimeoutError, OSError) as err:
            judge.fault(BACK, f"node {number}: {err}")
    print(f"{name}: PostgreSQL was away {back - begun:.1f} s, all nodes took executions "
          f"{time.monotonic() - back:.1f} s later; {len(load_.acknowledged)} acknowledged, "
          f"{len(load_.refused)} refused, {len(load_.unknown)} unknown", flush=True)
    return taken


def judge_end(nodes, judge, load_, acknowledged):
    """Judges everything."""
    endpoints = [node.endpoint for node in nodes]
    late, _ = judge.look_until_ended(endpoints, acknowledged, END_SECONDS_MAX)
    maybe = load_.unknown + [execution for execution, _, _ in load_.refused]
    late_too, _ = judge.look_until_ended(endpoints, maybe, END_SECONDS_MAX, must_exist=False)
    for execution in late:
        judge.fault(ENDS, f"{execution.machine} {execution.name}")
    for execution in late_too:
        judge.fault(KNOWN, f"{execution.machine} {execution.name} does not end")
    for execution, status, answer in load_.refused:
        if status < 500:
            judge.fault(SHAPE, f"{execution.name}: {status} {answer}")
    for number, node in enumerate(nodes, 1):
        panics = [line for line in node.output if "panicked" in line]
        if node.process.poll() is not None or panics:
            judge.fault(ALIVE, f"node {number}: {panics or node.output[-3:]}")


def run(options, database, nodes):
    """Plays all rounds; returns how many checks failed."""
    chance, judge = random.Random(options.seed), Judge(forgetful=True)
    load.deploy(nodes[0])
    wire = Wire(nodes[0].endpoint)
    judge.learn(wire, MACHINES)
    wire.close()
    endpoints = lambda: [node.endpoint for node in nodes]  # noqa: E731
    load_ = Load(endpoints, "load", options.seed, 2 * len(nodes), options.per_second).begin()
    taken = []
    for number in range(1, options.rounds + 1):
        name = f"round-{number}"
        taken += play_round(database, nodes, judge, load_, options, name, chance)
    load_.end()
    judge_end(nodes, judge, load_, load_.acknowledged + taken)
    for check in CHECKS:
        wrong = judge.faults[check]
        print(f"FAIL  {check}: {len(wrong)} times" if wrong else f"ok    {check}")
    failed = sum(bool(judge.faults[check]) for check in CHECKS)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--away-seconds", type=float, default=4)
    parser.add_argument("--per-second", type=float, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with postgres.Postgres() as database:
        nodes = [Server("--store", database.url) for _ in range(options.nodes)]
        try:
            for node in nodes:
                node.start()
            return 1 if run(options, database, nodes) else 0
        finally:
            for node in nodes:
                if node.process:
                    node.stop()


if __name__ == "__main__":
    sys.exit(main())
