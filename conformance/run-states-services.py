#!/usr/bin/env python3
"""Replays the recorded cases that call services outside, which clients/elsewhere.py stands in for.

usage: run-states-services.py [--only GLOB] [-v]

The score is conformance/states-services.score; STEPWELL_BLESS=1 writes it. With options nothing is
compared. Functions are not deployed: the recording names a handler, and the stand-in does the same.
"""

import argparse
import concurrent.futures
import fnmatch
import importlib.util
import json
import os
import pathlib
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

import elsewhere  # noqa: E402
from server import Server  # noqa: E402

SCORE = HERE / "states-services.score"
HERE_TOO = {"events"}  # which the server itself serves
JOBS, CASE_SECONDS_MAX = 16, 40
# What the recorder's own code did, which is no step of the recorded program: it read tokens from
# messages and answered them, and kept the messages that it read as constants.
ANSWERED_BY_THE_RECORDER = (
    "*::test_multiple_executions_and_heartbeat_notifications",
    "*::test_multiple_heartbeat_notifications",
    "*::test_sns_publish_wait_for_task_token",
)
READ_BY_THE_RECORDER = ("messages", "stepfunctions_events")


def corpus():
    """Returns the folder of the cases, or None."""
    default = HERE.parent.parent / "shared" / "conformance"
    folder = pathlib.Path(os.environ.get("STEPWELL_CONFORMANCE", default)) / "states"
    return folder if (folder / "conform.py").exists() else print(
        f"SKIPPED: conformance data absent at {folder}", file=sys.stderr
    )


def loaded(folder):
    """Returns the replayer as a module."""
    spec = importlib.util.spec_from_file_location("conform", folder / "conform.py")
    conform = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conform)
    return conform


def cases(folder, only):
    """Returns the cases that need services outside, and none but those that are there."""
    for path in sorted((folder / "dev").glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        needs = set(case["needs"])
        served = needs and needs <= HERE_TOO.union(elsewhere.NAMES)
        names = [only, *ANSWERED_BY_THE_RECORDER]
        wanted, *unable = (fnmatch.fnmatchcase(case["id"], name) for name in names)
        if served and wanted and not any(unable):
            case = as_recorded(case)
            if case["expected"]:
                yield case


def as_recorded(case):
    """Returns a case without what the replayer cannot know, and without the replacements that were
    not made yet when it was recorded."""
    text = json.dumps(case["expected"], ensure_ascii=False)
    text = text.replace("<<task_token>:", "<task_token:")
    expected = {
        key: value for key, value in json.loads(text).items() if key not in READ_BY_THE_RECORDER
    }
    made = [one for one in case["normalise"] if one["kind"] != "set" or is_shown(one["to"], text)]
    steps = [step for step in case["steps"] if step.get("match") not in READ_BY_THE_RECORDER]
    return {**case, "expected": expected, "normalise": made, "steps": steps}


def is_shown(value, text):
    """Returns whether a value is there, in an object or a list."""
    return any(before + json.dumps(value, ensure_ascii=False) in text for before in (": ", "["))


def split(conform, stand_in):
    """Has the replayer ask the stand-in for what the server does not serve."""
    call, client = conform.Run.call, conform.Env.client

    def calling(run, number, step):
        if step["op"] != "lambda.CreateFunction":
            return call(run, number, step)
        asked = run.sub(step["params"])
        handler = pathlib.PurePath(asked["HandlerFile"]).stem
        arn = stand_in.functions.create(asked["FunctionName"], handler)
        run.res[number] = {"FunctionName": asked["FunctionName"], "FunctionArn": arn}

    def client_of(env, service, secondary=False):
        if service not in elsewhere.NAMES:
            return client(env, service, secondary)
        with env.lock:
            if service not in env.cache:
                env.cache[service] = conform.boto3.client(
                    service,
                    endpoint_url=stand_in.address,
                    region_name=env.region,
                    aws_access_key_id=env.key,
                    aws_secret_access_key=env.secret,
                )
            return env.cache[service]

    conform.Run.call, conform.Env.client = calling, client_of


def settings(endpoint):
    """Returns what the replayer takes from its command line."""
    return argparse.Namespace(
        endpoint=endpoint, region=elsewhere.REGION, account=None, access_key="test",
        secret_key="test", timeout=CASE_SECONDS_MAX, reset_url=None, forgive_declared=False,
        lenient=False,
    )  # fmt: skip


def replay(folder, only, verbose):
    """Returns for every case whether it passed."""
    conform, passed = loaded(folder), {}
    with elsewhere.Elsewhere() as stand_in:
        split(conform, stand_in)
        with Server("--memory", *stand_in.arguments()) as server:
            arguments = settings(server.endpoint)
            env, printing = conform.Env(arguments), threading.Lock()

            def run(case):
                result = conform.run_case(case, env, arguments)
                passed[case["id"]] = result["pass"]
                if verbose and not result["pass"]:
                    with printing:
                        print("FAIL", case["id"], f"{result['seconds']} s")
                        for path, expected, found in result["diffs"][:4]:
                            print(f"    {path}\n      {conform.short(expected)}")
                            print(f"      {conform.short(found)}")

            with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
                list(pool.map(run, cases(folder, only)))
            assert server.process.poll() is None, "the server ended during the replay"
    return passed


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", default="*")
    options.add_argument("-v", action="store_true")
    options = options.parse_args()
    folder = corpus()
    if folder is None:
        return 0
    passed = replay(folder, options.only, options.v)
    failing = sorted(one for one, well in passed.items() if not well)
    found = "\n".join([f"{len(passed) - len(failing)}/{len(passed)}", *failing]) + "\n"
    print(f"states, services: {found.splitlines()[0]}")
    if options.only != "*":
        return 0
    if os.environ.get("STEPWELL_BLESS"):
        SCORE.write_text(found, encoding="utf-8")
    known = SCORE.read_text(encoding="utf-8") if SCORE.exists() else ""
    lines, before = set(failing), set(known.splitlines()[1:])
    for case in sorted(lines - before):
        print("fails now:  ", case)
    for case in sorted(before - lines):
        print("passes now: ", case)
    return 0 if found == known else 1


if __name__ == "__main__":
    sys.exit(main())
