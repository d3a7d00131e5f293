#!/usr/bin/env python3
"""Replays the recorded cases whose Maps read from S3 or write into it, with a stub of S3 beside the server.

usage: run-states-s3.py [conform.py's options]

The score is conformance/states-s3.score; STEPWELL_BLESS=1 writes it. With options nothing is compared.
"""

import importlib.util
import json
import os
import pathlib
import runpy
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

import boto3  # noqa: E402
from s3_stub import Stub  # noqa: E402
from server import Server  # noqa: E402

SCORE = HERE / "states-s3.score"
CASES = ["--only", "*map_item*", "--only", "*map_state_result_writer*"]


def states():
    """Returns the module that runs the other cases."""
    spec = importlib.util.spec_from_file_location("run_states", HERE / "run-states.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def replay(folder, options):
    """Runs the replayer and returns its results for cases that need S3."""
    real = boto3.client
    with tempfile.TemporaryDirectory() as scratch, Stub() as stub:
        results = pathlib.Path(scratch) / "results.json"
        there = ("--endpoint", f"s3={stub.endpoint}")
        with Server("--memory", "--clock", "virtual", *there) as server:

            def client(service, **settings):
                """Sends what is for S3 to the stub."""
                if service == "s3":
                    settings["endpoint_url"] = stub.endpoint
                return real(service, **settings)

            boto3.client = client
            sys.argv = ["conform.py", "--endpoint", server.endpoint, "--all"]
            sys.argv += ["--json", str(results), *(options or ["-q", *CASES])]
            try:
                runpy.run_path(str(folder / "conform.py"), run_name="__main__")
            except SystemExit:
                # Its status says whether all passed; the score says whether that is news.
                pass
            finally:
                boto3.client = real
        found = json.loads(results.read_text(encoding="utf-8"))["results"]
    # Of this one the recording ends before the machine is started: it says nothing.
    return [one for one in found if "map_item_batching_base_json" not in one["id"]]


def main():
    module = states()
    folder = module.corpus()
    if folder is None:
        return 0
    options = sys.argv[1:]
    found = module.score(replay(folder, options))
    if options:
        return 0
    if os.environ.get("STEPWELL_BLESS"):
        SCORE.write_text(found, encoding="utf-8")
    known = SCORE.read_text(encoding="utf-8") if SCORE.exists() else ""
    print(f"states with S3: {found.splitlines()[0]}, {(known or '?').splitlines()[0]} is committed")
    return 0 if found == known else 1


if __name__ == "__main__":
    sys.exit(main())
