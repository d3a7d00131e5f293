#!/usr/bin/env python3
"""Measures what a user feels first: start, memory, the example's flow. Medians of five.

usage: measure.py [--runs 5]
"""

import argparse
import http.client
import os
import platform
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

import example
from server import Server, binary

QUESTION = b"Action=GetCallerIdentity&Version=2011-06-15"
SCOPE = "test/20260101/us-east-1/sts/aws4_request"
HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "X-Amz-Date": "20260101T000000Z",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0",
}


def free_port():
    """Returns a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cold_start(*arguments):
    """Returns the milliseconds from starting the process to its first answered AWS request."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [binary(), "up", "--listen", f"127.0.0.1:{port}", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("POST", "/", QUESTION, HEADERS)
                assert connection.getresponse().status == 200
                return (time.perf_counter() - started) * 1000
            except ConnectionRefusedError:
                time.sleep(0.0005)
            finally:
                connection.close()
    finally:
        process.kill()
        process.wait()


def idle_memory():
    """Returns the mebibytes resident, one second after the first answer."""
    with tempfile.TemporaryDirectory() as data, Server("--data", data) as server:
        server.client("sts").get_caller_identity()
        time.sleep(1)
        return server.memory_bytes() / 2**20


def flow(*arguments):
    """Returns the milliseconds from the event to the execution's end on the virtual clock."""
    with Server("--clock", "virtual", *arguments) as server:
        example.deploy(server)
        example.make_user(server)
        states = server.client("stepfunctions")
        states.list_executions(stateMachineArn=example.MACHINE_ARN)
        started = time.perf_counter()
        example.put_event(server)
        example.ended_execution(server)
        return (time.perf_counter() - started) * 1000


def reset():
    """Returns the milliseconds of a reset after the example has run."""
    with Server("--memory", "--clock", "virtual") as server:
        example.deploy(server)
        example.make_user(server)
        request = urllib.request.Request(server.endpoint + "/_stepwell/reset", method="POST")
        started = time.perf_counter()
        urllib.request.urlopen(request, timeout=5).read()
        return (time.perf_counter() - started) * 1000


def report(what, unit, runs, measure):
    """Measures and prints one line."""
    figures = [measure() for _ in range(runs)]
    median, low, high = statistics.median(figures), min(figures), max(figures)
    print(f"{what:55} {median:8.1f} {unit}   ({low:.1f} to {high:.1f})", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"{binary()} ({os.path.getsize(binary()) / 2**20:.1f} MiB), {os.cpu_count()} cores, "
          f"{platform.system()} {platform.release()}; median of {runs} (lowest to highest)")
    with tempfile.TemporaryDirectory() as data:
        report("cold start to first answer, new directory", "ms", 1, lambda: cold_start("--data", data))
        report("cold start to first answer, on disk", "ms", runs, lambda: cold_start("--data", data))
    report("cold start to first answer, in memory", "ms", runs, lambda: cold_start("--memory"))
    report("idle resident memory, on disk", "MiB", runs, idle_memory)
    report("example, event to end, virtual clock, in memory", "ms", runs, lambda: flow("--memory"))

    def on_disk():
        with tempfile.TemporaryDirectory() as data:
            return flow("--data", data)

    report("example, event to end, virtual clock, on disk", "ms", runs, on_disk)
    report("reset", "ms", runs, reset)


if __name__ == "__main__":
    main()
