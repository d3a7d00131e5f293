#!/usr/bin/env python3
"""Kills the server under load again and again, and proves that nothing is lost or done twice.

usage: kill_test.py [--rounds 200] [--store postgres|postgres-13|postgres://URL] [--seed 1]
                    [--seconds-per-round 0.8] [--threads 4]

All rounds go on with one data directory (or one PostgreSQL; `postgres` starts a private one). In a
round, threads start executions as fast as they are taken, the server is killed (SIGKILL) at a
random moment and started again, now and then killed once more while it starts. What had been
acknowledged is then judged; what still runs is carried over. Half of the requests that a kill has
interrupted are sent again, as a client would. The last line is `N passed, M failed`.
"""

import argparse
import collections
import random
import statistics
import sys
import tempfile
import time

import load
import postgres
from load import Judge, Load, Wire
from server import Server

END_SECONDS_MAX = 120
AGAIN_AT_THE_END = 2_000
KILLED_AT_START_SHARE = 0.1
MACHINES = ["chain", "effect", "wait", "branches"]

ENDS = "every acknowledged execution has ended"
KNOWN = "what a kill interrupted is there in whole or not at all, and can be sent again"
LISTED = "ListExecutions has each execution once, with the status it has"
USERS = "no user comes back after it was judged and deleted"
REFUSED = "no request was refused"
LOG = "the server logged no error and no panic"


class Rounds:
    """The rounds, and what is known of each execution."""

    def __init__(self, server, options):
        self.server, self.options = server, options
        self.chance, self.judge = random.Random(options.seed), Judge(forgetful=True)
        self.run = f"{options.seed}-{time.time_ns() // 1_000_000 % 10**9}"
        self.acknowledged, self.running, self.maybe = [], [], []
        self.restart_seconds, self.unknown, self.killed_at_start = [], 0, 0

    def endpoints(self):
        return [self.server.endpoint]

    def round(self, number):
        """Load, kill, restart, judge."""
        options = self.options
        load_ = Load(self.endpoints, f"{self.run}-{number}", options.seed, options.threads).begin()
        time.sleep(self.chance.uniform(0.05, 1) * options.seconds_per_round)
        load_.stopping.set()  # or threads would connect once more while the process is dying
        self.server.kill()
        load_.end()
        for execution, status, answer in load_.refused:
            self.judge.fault(REFUSED, f"{execution.name}: {status} {answer}")
        self.restart()
        again = self.send_again(load_.unknown)
        self.acknowledged += load_.acknowledged + again
        self.unknown += len(load_.unknown)
        look_at = self.running + load_.acknowledged + again
        self.running, _ = self.judge.look_at_all(self.endpoints(), look_at)
        print(f"round {number}: {len(load_.acknowledged)} acknowledged, {len(load_.unknown)} "
              f"unknown, first answer after {self.restart_seconds[-1] * 1000:.0f} ms, "
              f"{len(self.running)} still running", flush=True)

    def restart(self):
        """Starts the server and notes when it gave its first answer."""
        if self.chance.random() < KILLED_AT_START_SHARE:
            self.server.begin()
            time.sleep(self.chance.uniform(0, 0.1))
            self.server.kill()
            self.killed_at_start += 1
        started = time.monotonic()
        self.server.start()
        wire = Wire(self.server.endpoint)
        status, answer = wire.states("ListStateMachines", {})
        self.restart_seconds.append(time.monotonic() - started)
        wire.close()
        if status != 200:
            self.judge.fault(load.ANSWERS, f"first answer {status} {answer}")

    def send_again(self, unknown):
        """Sends half of the interrupted requests again; returns them, now acknowledged."""
        again = [one for one in unknown if self.chance.random() < 0.5]
        self.maybe += [one for one in unknown if one not in again]
        wire = Wire(self.server.endpoint)
        for execution in again:
            if not load.is_taken(wire, execution):
                self.judge.fault(KNOWN, f"{execution.name} is refused when sent again")
        wire.close()
        return again

    def end(self):
        """Judges what is left, and everything once more as a list."""
        judge, endpoints = self.judge, self.endpoints()
        late, _ = judge.look_until_ended(endpoints, self.running, END_SECONDS_MAX)
        late_too, absent = judge.look_until_ended(
            endpoints, self.maybe, END_SECONDS_MAX, must_exist=False
        )
        for execution in late:
            judge.fault(ENDS, f"{execution.machine} {execution.name}")
        for execution in late_too:
            judge.fault(KNOWN, f"{execution.machine} {execution.name} does not end")
        print(f"of {len(self.maybe)} interrupted and not sent again {len(absent)} are absent, "
              f"{len(self.maybe) - len(absent)} are there", flush=True)
        sample = min(AGAIN_AT_THE_END, len(self.acknowledged))
        judge.look_at_all(endpoints, self.chance.sample(self.acknowledged, sample))
        absent = set(absent)
        self.judge_lists(self.acknowledged + [one for one in self.maybe if one not in absent])

    def judge_lists(self, executions):
        """ListExecutions has what it must, nothing twice, and no user is left."""
        wire = Wire(self.server.endpoint)
        for machine in MACHINES:
            found = [one for one in load.listed(wire, machine) if one[0].startswith(self.run)]
            times = collections.Counter(name for name, _ in found)
            expected = {one.name for one in executions if one.machine == machine}
            for name in expected ^ set(times):
                self.judge.fault(LISTED, f"{machine} {name} is listed {times[name]} times")
            for name, status in found:
                if times[name] != 1 or status != "SUCCEEDED":
                    self.judge.fault(LISTED, f"{machine} {name}: {status}, {times[name]} times")
        wire.close()
        for name in load.user_names(self.server):
            if name.startswith(self.run):
                self.judge.fault(USERS, name)

    def judge_log(self):
        """What the server printed, over all its lives."""
        for line in self.server.output:
            if " ERROR " in line or "panicked" in line:
                self.judge.fault(LOG, line.strip())

    def report(self, seconds):
        """Prints totals and checks; returns how many checks failed."""
        times, faults = sorted(self.restart_seconds), self.judge.faults
        print(f"{len(times)} kills in {seconds:.0f} s, {self.killed_at_start} more during starts: "
              f"{len(self.acknowledged)} acknowledged, {self.unknown} unknown, "
              f"{self.judge.count(load.LOST)} lost, {self.judge.count(load.TERMINALS)} with other "
              f"than one terminal event, {self.judge.count(load.EFFECTS)} effects missing or "
              "repeated")
        print(f"restart to first answer: p50 {statistics.median(times) * 1000:.0f} ms, "
              f"max {times[-1] * 1000:.0f} ms")
        checks = [*load.KINDS, ENDS, KNOWN, LISTED, USERS, REFUSED, LOG]
        for check in checks:
            wrong = faults[check]
            print(f"FAIL  {check}: {len(wrong)} times" if wrong else f"ok    {check}")
        failed = sum(bool(faults[check]) for check in checks)
        print(f"{len(checks) - failed} passed, {failed} failed")
        return failed


def run(options, store):
    """Plays all rounds on a store; returns how many checks failed."""
    started = time.monotonic()
    with Server(*store) as server:
        load.deploy(server)
        rounds = Rounds(server, options)
        wire = Wire(server.endpoint)
        rounds.judge.learn(wire, MACHINES)
        wire.close()
        for number in range(1, options.rounds + 1):
            rounds.round(number)
        rounds.end()
        rounds.judge_log()
        return rounds.report(time.monotonic() - started)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--store")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds-per-round", type=float, default=0.8)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    if options.store:
        with postgres.store(options.store) as url:
            return 1 if run(options, ["--store", url]) else 0
    with tempfile.TemporaryDirectory(prefix="stepwell-kill-") as data:
        return 1 if run(options, ["--data", data]) else 0


if __name__ == "__main__":
    sys.exit(main())
