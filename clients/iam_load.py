#!/usr/bin/env python3
"""How much slower IAM is with many users: a page of ListUsers, GetUser, and a call that policies decide, first in an
account with one user, then with thousands of users who have ten managed policies each.

usage: iam_load.py [--users 2000] [--policies 10] [--calls 200] [--at-most 2]

Times are the server's processor time for each call, so that what else the machine does makes no difference. It fails when
one of them is beyond `--at-most` times the empty account's.
The last line is `N passed, M failed`.
"""

import argparse
import concurrent.futures
import json
import pathlib
import sys
import tempfile

from server import Server

THREADS = 4
PAGE_ITEMS = 100


def document(number):
    """Returns a policy that differs from others."""
    resource = f"arn:aws:s3:::bucket-{number}"
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "iam:GetUser"], "Resource": [resource, "*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def cpu_nanos(server):
    """Returns the processor time of the server so far (Linux)."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks)


def micros(server, call, calls):
    """Returns how much processor time of the server a call takes."""
    call()
    start = cpu_nanos(server)
    for _ in range(calls):
        call()
    return (cpu_nanos(server) - start) / calls / 1000


def measure(server, user, calls):
    """Returns the processor times of the three calls."""
    iam = server.client("iam")
    mine = server.client("iam", aws_access_key_id=user["AccessKeyId"], aws_secret_access_key=user["SecretAccessKey"])
    return {
        "ListUsers, a page": micros(server, lambda: iam.list_users(MaxItems=PAGE_ITEMS), calls),
        "GetUser": micros(server, lambda: iam.get_user(UserName="user-0"), calls),
        "GetUser as a user": micros(server, lambda: mine.get_user(UserName="user-0"), calls),
    }


def attach(iam, policies, name):
    """Makes a user who has all policies."""
    iam.create_user(UserName=name)
    for arn in policies:
        iam.attach_user_policy(UserName=name, PolicyArn=arn)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--policies", type=int, default=10)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--at-most", type=float, default=2)
    options = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder, Server("--data", folder) as server:
        iam = server.client("iam")
        made = [
            iam.create_policy(PolicyName=f"policy-{number}", PolicyDocument=document(number))["Policy"]["Arn"]
            for number in range(options.policies)
        ]
        # A page is as long before as after: what is compared is the account, not the page.
        for number in range(PAGE_ITEMS):
            attach(iam, made if number == 0 else [], f"user-{number}")
        key = iam.create_access_key(UserName="user-0")["AccessKey"]
        before = measure(server, key, options.calls)
        names = [f"user-{number}" for number in range(PAGE_ITEMS, options.users)]
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda name: attach(iam, made, name), names))
        after = measure(server, key, options.calls)
    for what, alone in before.items():
        ratio = after[what] / alone
        passed, failed = (passed + 1, failed) if ratio <= options.at_most else (passed, failed + 1)
        print(f"{what}: {alone:.0f} µs, with {options.users} users {after[what]:.0f} µs, {ratio:.2f} times")
    print(f"{passed} passed, {failed} failed")
    return failed == 0


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
