#!/usr/bin/env python3
"""Kills nodes that share one PostgreSQL, and proves that others take over and all ends once.

usage: nodes_test.py [--store postgres|postgres-13|postgres://URL] [--minutes 5] [--every 20] [--nodes 3]
                     [--per-second 150] [--heartbeats 64] [--takeover-seconds 10] [--seed 1]
                     [--pause-every 0]

Load goes to all nodes; every so many seconds a random one is killed (SIGKILL) and started again a
few seconds later. Executions that wait a second again and again show the takeover: after a kill,
those of the dead node pause until another node has them. With `--pause-every 3` each third victim
is not killed but stopped (SIGSTOP) until others have taken over, and then let go on as if nothing
had happened: its commits must be refused. `--store postgres` starts a private cluster. The last
line is `N passed, M failed`.
"""

import argparse
import collections
import random
import signal
import sys
import threading
import time

import load
import postgres
from load import Execution, Judge, Load, Wire
from server import Server

END_SECONDS_MAX = 180
# A heartbeat this late was interrupted; undisturbed it takes a second, on a busy machine longer.
LATE_SECONDS = 2.5
DOWN_SECONDS = (3, 8)
PAUSE_SECONDS = (11, 14)
REFUSED_MAX_SHARE = 0.02
MACHINES = ["chain", "effect", "wait", "branches", "heartbeat"]

ENDS = "every acknowledged execution has ended"
KNOWN = "what a kill interrupted is there in whole or not at all"
LISTED = "every node lists each execution once, with the status it has"
USERS = "no user comes back after it was judged and deleted"
REFUSED = f"at most {REFUSED_MAX_SHARE:.0%} of the requests were refused, and only as unavailable"
SHARED = "the killed nodes had executions, so takeovers were seen"
LOG = "no node panicked or ended by itself"


class Nodes:
    """The nodes, of which one may be down."""

    def __init__(self, options, store):
        self.options, self.chance = options, random.Random(options.seed)
        self.nodes = [Server(*store) for _ in range(options.nodes)]
        self.up, self.kills, self.start_seconds = [], [], []

    def __enter__(self):
        for node in self.nodes:
            node.start()
        self.up = list(self.nodes)
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()

    def endpoints(self):
        return [node.endpoint for node in self.up]

    def disturb(self, number):
        """Kills or stops a random node."""
        node = self.chance.choice(self.nodes)
        self.up = [one for one in self.nodes if one is not node]
        self.kills.append(time.time())
        if self.options.pause_every and number % self.options.pause_every == 0:
            what = "stopped for a while"
            node.process.send_signal(signal.SIGSTOP)
            time.sleep(self.chance.uniform(*PAUSE_SECONDS))
            node.process.send_signal(signal.SIGCONT)
        else:
            what = "killed"
            self.kill_and_restart(node)
        self.up = list(self.nodes)
        print(f"kill {number}: node {self.nodes.index(node) + 1} was {what}", flush=True)

    def kill_and_restart(self, node):
        """Kills a node, waits, and starts it again."""
        node.kill()
        time.sleep(self.chance.uniform(*DOWN_SECONDS))
        started = time.monotonic()
        node.start()
        self.start_seconds.append(time.monotonic() - started)

    def play(self):
        """Kills one node after the other, in equal distances, until the time is over."""
        begin, every = time.monotonic(), self.options.every
        for number in range(1, int(self.options.minutes * 60 / every) + 1):
            time.sleep(max(0, begin + number * every - time.monotonic()))
            self.disturb(number)
        time.sleep(every / 2)


class PatientWire(Wire):
    """A node that is taking over may be unavailable; then another is asked later."""

    def _send(self, service, headers, body):
        status, text = super()._send(service, headers, body)
        if status == 503:
            raise ConnectionError(f"unavailable: {text[:200]}")
        return status, text


class Background:
    """Judges executions while the load goes on, so that little is left for the end."""

    def __init__(self, judge, nodes, load_):
        self.judge, self.nodes, self.load, self.chance = judge, nodes, load_, random.Random(0)
        self.ended, self.stopping = set(), threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self):
        running, taken = [], 0
        while not self.stopping.wait(0.5):
            new = self.load.acknowledged[taken:]
            taken += len(new)
            running = [one for one in running + new if not self._has_ended(one)]

    def _has_ended(self, execution):
        """Asks any node; one that dies meanwhile is no news."""
        if self.stopping.is_set():
            return False
        endpoints, wire = self.nodes.endpoints(), None
        if not endpoints:
            return False
        try:
            wire = PatientWire(self.chance.choice(endpoints))
            if self.judge.look(wire, execution) == load.RUNNING:
                return False
            self.ended.add(execution)
            return True
        except OSError:
            return False
        finally:
            if wire:
                wire.close()

    def end(self):
        """Stops, and returns what is still to be judged."""
        self.stopping.set()
        self.thread.join()
        return [one for one in self.load.acknowledged if one not in self.ended]


def start_heartbeats(nodes, run, options):
    """Starts the executions that show takeovers; returns them."""
    beats = int(options.minutes * 60 + options.every / 2)
    started = []
    for number in range(options.heartbeats):
        name = f"{run}-heartbeat-{number}"
        given = load.json.dumps({"name": name, "beats": beats})
        started.append(Execution("heartbeat", name, given))
        wire = Wire(nodes.endpoints()[number % len(nodes.endpoints())])
        status, answer = load.start(wire, started[-1])
        assert status == 200, answer
        wire.close()
    return started


def takeovers(nodes, heartbeats):
    """Returns for each kill how long the interrupted heartbeats paused after it."""
    wire, beats = Wire(nodes.endpoints()[0]), []
    for execution in heartbeats:
        events = load.history(wire, execution)
        beats.append([one["timestamp"] for one in events if one["type"] == "WaitStateExited"])
    wire.close()
    found = []
    for kill in nodes.kills:
        pauses = []
        for times in beats:
            before = [at for at in times if at <= kill]
            after = [at for at in times if kill < at]
            if before and after and LATE_SECONDS < after[0] - before[-1]:
                pauses.append(after[0] - kill)
        found.append(sorted(pauses))
    return found


def judge_rest(judge, nodes, left, load_):
    """Judges what is left; returns what was not acknowledged and is there all the same."""
    late, _ = judge.look_until_ended(nodes.endpoints(), left, END_SECONDS_MAX)
    maybe = load_.unknown + [execution for execution, _, _ in load_.refused]
    late_too, absent = judge.look_until_ended(
        nodes.endpoints(), maybe, END_SECONDS_MAX, must_exist=False
    )
    for execution in late:
        judge.fault(ENDS, f"{execution.machine} {execution.name}")
    for execution in late_too:
        judge.fault(KNOWN, f"{execution.machine} {execution.name} does not end")
    absent = set(absent)
    return [one for one in maybe if one not in absent]


def judge_lists(judge, nodes, run, executions):
    """Every node must list the same."""
    for number, node in enumerate(nodes.nodes, 1):
        wire = Wire(node.endpoint)
        for machine in MACHINES:
            found = [one for one in load.listed(wire, machine) if one[0].startswith(run)]
            times = collections.Counter(name for name, _ in found)
            expected = {one.name for one in executions if one.machine == machine}
            for name in expected ^ set(times):
                judge.fault(LISTED, f"node {number}: {name} is listed {times[name]} times")
            for name, status in found:
                if times[name] != 1 or status != "SUCCEEDED":
                    judge.fault(LISTED, f"node {number}: {name} {status} {times[name]} times")
        wire.close()
    for name in load.user_names(nodes.nodes[0]):
        if name.startswith(run):
            judge.fault(USERS, name)


def judge_refused(judge, load_):
    """A node that is taking over may say that it is unavailable, rarely."""
    for execution, status, answer in load_.refused:
        if status != 503:
            judge.fault(REFUSED, f"{execution.name}: {status} {answer}")
    count = len(load_.refused)
    if REFUSED_MAX_SHARE * len(load_.acknowledged) < count:
        judge.fault(REFUSED, f"{count} refused, such as {load_.refused[0]}")


def judge_takeovers(judge, found, limit, check):
    """Prints the takeover of each kill; each must be quick."""
    for number, pauses in enumerate(found, 1):
        text = f"{len(pauses)} heartbeats interrupted"
        if pauses:
            text += f", going on {pauses[0]:.1f} to {pauses[-1]:.1f} s after the kill"
            if limit < pauses[-1]:
                judge.fault(check, f"kill {number}: {pauses[-1]:.1f} s")
        print(f"takeover {number}: {text}", flush=True)
    if not any(found):
        judge.fault(SHARED, "no heartbeat was ever interrupted")


def run(options, store):
    """Plays the whole test on a store; returns how many checks failed."""
    run_ = f"nodes-{options.seed}-{time.time_ns() // 1_000_000 % 10**9}"
    judge = Judge(forgetful=True)
    quick = f"after a kill all executions go on within {options.takeover_seconds:g} s"
    with Nodes(options, store) as nodes:
        load.deploy(nodes.nodes[0])
        wire = Wire(nodes.nodes[-1].endpoint)  # what one node has made, any other runs
        judge.learn(wire, ["chain", "effect", "wait", "branches"])
        wire.close()
        heartbeats = start_heartbeats(nodes, run_, options)
        load_ = Load(nodes.endpoints, run_, options.seed, 2 * options.nodes, options.per_second)
        background = Background(judge, nodes, load_.begin())
        nodes.play()
        load_.end()
        print(f"{len(load_.acknowledged)} acknowledged, {len(load_.unknown)} unknown, "
              f"{len(load_.refused)} refused; judging the rest", flush=True)
        there = judge_rest(judge, nodes, background.end() + heartbeats, load_)
        judge_refused(judge, load_)
        judge_takeovers(judge, takeovers(nodes, heartbeats), options.takeover_seconds, quick)
        judge_lists(judge, nodes, run_, load_.acknowledged + heartbeats + there)
        for number, node in enumerate(nodes.nodes, 1):
            panics = [line for line in node.output if "panicked" in line]
            if panics or node.process.poll() is not None:
                judge.fault(LOG, f"node {number}: {panics or node.output[-3:]}")
        return report(judge, nodes, load_, quick)


def report(judge, nodes, load_, quick):
    """Prints totals and checks; returns how many checks failed."""
    faults, starts = judge.faults, nodes.start_seconds
    print(f"{len(nodes.kills)} kills of {len(nodes.nodes)} nodes: {len(load_.acknowledged)} "
          f"acknowledged, {judge.count(load.LOST)} lost, {judge.count(load.TERMINALS)} with other "
          f"than one terminal event, {judge.count(load.EFFECTS)} effects missing or repeated; "
          f"starts of nodes took at most {max(starts, default=0) * 1000:.0f} ms")
    checks = [*load.KINDS, ENDS, KNOWN, LISTED, USERS, REFUSED, SHARED, quick, LOG]
    for check in checks:
        wrong = faults[check]
        print(f"FAIL  {check}: {len(wrong)} times" if wrong else f"ok    {check}")
    failed = sum(bool(faults[check]) for check in checks)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", default="postgres")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--every", type=float, default=20)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--per-second", type=float, default=150)
    parser.add_argument("--heartbeats", type=int, default=64)
    parser.add_argument("--takeover-seconds", type=float, default=10)
    parser.add_argument("--pause-every", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with postgres.store(options.store) as url:
        return 1 if run(options, ["--store", url]) else 0


if __name__ == "__main__":
    sys.exit(main())
