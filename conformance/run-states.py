#!/usr/bin/env python3
"""Replays the recorded Step Functions cases against a server of its own and compares the score.

usage: run-states.py [conform.py's options, such as --only 'activities/*' -v]

The cases are in $STEPWELL_CONFORMANCE/states (default: ../shared/conformance beside the clone). The
score is conformance/states.score; STEPWELL_BLESS=1 writes it. With options nothing is compared.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))

from server import Server  # noqa: E402

SCORE = HERE / "states.score"
# What stops an execution while it waits needs time that passes, not time that jumps.
IN_REAL_TIME = ["test_sfn_api.py::TestSnfApi::test_stop_execution"]


def corpus():
    """Returns the folder of the cases, or None."""
    default = HERE.parent.parent / "shared" / "conformance"
    folder = pathlib.Path(os.environ.get("STEPWELL_CONFORMANCE", default)) / "states"
    return folder if (folder / "conform.py").exists() else print(
        f"SKIPPED: conformance data absent at {folder}", file=sys.stderr
    )


def replay(folder, options, clock="virtual"):
    """Runs the replayer and returns its results."""
    with tempfile.TemporaryDirectory() as scratch:
        results = pathlib.Path(scratch) / "results.json"
        with Server("--memory", "--clock", clock) as server:
            command = [sys.executable, str(folder / "conform.py"), "--endpoint", server.endpoint]
            command += ["--json", str(results), *(options or ["-q", "--jobs", "4"])]
            # Its status says whether all passed; the score says whether that is news.
            subprocess.run(command, check=False)
            assert server.process.poll() is None, "the server ended during the replay"
        return json.loads(results.read_text(encoding="utf-8"))["results"]


def replay_all(folder):
    """Runs every case, each on the clock that it needs."""
    found = {one["id"]: one for one in replay(folder, [])}
    for case in IN_REAL_TIME:
        found.update({one["id"]: one for one in replay(folder, ["-q", "--only", case], "real")})
    return list(found.values())


def score(results):
    """Returns the text of the score file."""
    failing = sorted(one["id"] for one in results if not passed(one))
    return "\n".join([f"{len(results) - len(failing)}/{len(results)}", *failing]) + "\n"


def passed(one):
    """Returns whether a case passed."""
    return one["pass"]


def main():
    folder = corpus()
    if folder is None:
        return 0
    options = sys.argv[1:]
    if options:
        replay(folder, options)
        return 0
    found = score(replay_all(folder))
    if os.environ.get("STEPWELL_BLESS"):
        SCORE.write_text(found, encoding="utf-8")
    known = SCORE.read_text(encoding="utf-8") if SCORE.exists() else ""
    lines, before = set(found.splitlines()[1:]), set(known.splitlines()[1:])
    for case in sorted(lines - before):
        print("fails now:  ", case)
    for case in sorted(before - lines):
        print("passes now: ", case)
    print(f"states: {found.splitlines()[0]}, {(known or '?').splitlines()[0]} is committed")
    return 0 if found == known else 1


if __name__ == "__main__":
    sys.exit(main())
