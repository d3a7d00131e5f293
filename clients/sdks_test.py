#!/usr/bin/env python3
"""Sends boto3, the AWS CLI and the JavaScript and Rust SDKs on the same tour (`sdks/README.md`).

usage: sdks_test.py [NAME …]   only these: boto3, cli, javascript, rust

Installs the JavaScript SDK (npm) and builds the Rust one (cargo) where they are not there yet. The
last line is `N passed, M failed`.
"""

import json
import os
import pathlib
import subprocess
import sys

from server import REGION, ROOT, Server

SDKS = pathlib.Path(__file__).resolve().parent / "sdks"
RUST_TARGET = ROOT / "target" / "sdks-rust"
MINUTES_MAX = 20
SPOKEN = '{"greeting":"こんにちは, ada 🪜"}'
EXPECTED = {
    "status": "SUCCEEDED",
    "output": SPOKEN,
    "waitedSeconds": 2,
    "events": [
        "ExecutionStarted",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "WaitStateEntered", "WaitStateExited",
        "PassStateEntered", "PassStateExited",
        "ExecutionSucceeded",
    ],
    "syncStatus": "SUCCEEDED",
    "syncOutput": SPOKEN,
    "listed": True,
    "gone": True,
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }],
}
PERMISSIONS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}],
}


def boto3(arguments):
    return [sys.executable, SDKS / "tour.py", *arguments]


def cli(arguments):
    return [SDKS / "tour.sh", *arguments]


def javascript(arguments):
    folder = SDKS / "javascript"
    if not (folder / "node_modules").exists():
        install = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=folder, check=True, timeout=MINUTES_MAX * 60)
    return ["node", folder / "tour.mjs", *arguments]


def rust(arguments):
    build = ["cargo", "build", "--quiet", "--locked", "--target-dir", RUST_TARGET]
    subprocess.run(build, cwd=SDKS / "rust", check=True, timeout=MINUTES_MAX * 60)
    return [RUST_TARGET / "debug" / "stepwell-client-tour", *arguments]


CLIENTS = {"boto3": boto3, "cli": cli, "javascript": javascript, "rust": rust}


def prepare(server):
    """Makes the user that the tour looks up and the role of its machines; returns the role's ARN."""
    iam = server.client("iam")
    iam.create_user(UserName="ada")
    role = iam.create_role(RoleName="tour", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.put_role_policy(
        RoleName="tour", PolicyName="look-up", PolicyDocument=json.dumps(PERMISSIONS)
    )
    return role["Arn"]


def tour(name, server, role_arn):
    """Sends one client on the tour; returns what is wrong with what it saw."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    command = [str(part) for part in CLIENTS[name]([f"tour-{name}", role_arn])]
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=MINUTES_MAX * 60,
        check=False,
    )
    if ran.returncode:
        return [f"ended with status {ran.returncode}: {ran.stderr[-2000:]}"]
    saw = json.loads(ran.stdout)
    keys = sorted(EXPECTED.keys() | saw.keys())
    return [
        f"{key}: {saw.get(key)!r} instead of {EXPECTED.get(key)!r}"
        for key in keys
        if saw.get(key) != EXPECTED.get(key)
    ]


def main():
    names = sys.argv[1:] or list(CLIENTS)
    failed = 0
    with Server("--memory", "--clock", "virtual") as server:
        role_arn = prepare(server)
        for name in names:
            wrong = tour(name, server, role_arn)
            failed += bool(wrong)
            print("FAIL " if wrong else "ok   ", name, *wrong, sep="\n      " if wrong else " ")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
