#!/usr/bin/env python3
"""A full account against an almost empty one: pages of ListUsers, GetUser, and a call that is signed, verified and
allowed by a policy. What is compared is processor time of the server per request, in one run; a page is compared with a
page of as many users. Every ratio must stay below 2.

usage: iam_load_test.py [--users 2000] [--policies 10] [--rounds 5] [--requests 2000]

The last line is `N passed, M failed`.
"""

import argparse
import concurrent.futures
import json
import pathlib
import re
import statistics
import sys
import tempfile

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from load import Wire
from server import ACCOUNT, REGION, Server

RATIO_MAX = 2.0
PAGE_ITEMS = 100
CONNECTIONS = 4
CALLER = "caller"


def document(number):
    """Returns a policy of a common size."""
    # Ten of them: inline policies of a user may have 2,048 characters in all.
    statement = {
        "Sid": f"Policy{number}",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::bucket-{number}/${{aws:username}}/*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def expect(answer):
    status, text = answer
    assert status == 200, text
    return text


def populate(server, users, policies):
    """Creates users, then their policies, on a few connections."""

    def each(work):
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as threads:
            list(threads.map(lambda part: work(Wire(server.endpoint), part), range(CONNECTIONS)))

    def make(wire, part):
        for number in range(part, users, CONNECTIONS):
            expect(wire.iam("CreateUser", UserName=f"user-{number:05}"))

    def allow(wire, part):
        for number in range(part, users, CONNECTIONS):
            for policy in range(policies):
                name = {"UserName": f"user-{number:05}", "PolicyName": f"policy-{policy}"}
                expect(wire.iam("PutUserPolicy", PolicyDocument=document(policy), **name))

    each(make)
    each(allow)


def caller(server):
    """Creates a user who may look at users; returns their keys."""
    iam = server.client("iam")
    iam.create_user(UserName=CALLER)
    statement = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": f"arn:aws:iam::{ACCOUNT}:user/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=CALLER, PolicyName="look", PolicyDocument=policy)
    key = iam.create_access_key(UserName=CALLER)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def signed(server, keys):
    """Returns a signed GetUser as it goes over the wire; it may be sent more than once."""
    body = f"Action=GetUser&Version=2010-05-08&UserName={CALLER}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", server.endpoint + "/", data=body, headers=form)
    SigV4Auth(keys, "iam", REGION).add_auth(request)
    host = server.endpoint.removeprefix("http://")
    headers = {"Host": host, "Content-Length": str(len(body)), **dict(request.headers.items())}
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n{body}".encode()


def cpu_micros(server):
    """Returns the processor time of the server's threads so far (Linux)."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1000


def pages(wire):
    """Reads all pages of ListUsers; returns how many there were."""
    count, marker = 0, {}
    while True:
        text = expect(wire.iam("ListUsers", MaxItems=PAGE_ITEMS, **marker))
        count += 1
        found = re.search("<Marker>(.*?)</Marker>", text)
        if not found:
            return count
        marker = {"Marker": found.group(1)}


class Account:
    """A server with a number of users, and what a request costs there."""

    def __init__(self, server, users, policies):
        self.server = server
        populate(server, users, policies)
        self.wire = Wire(server.endpoint)
        self.signed = signed(server, caller(server))
        self.costs = {}

    def measure(self, requests):
        def get_user():
            for _ in range(requests):
                expect(self.wire.iam("GetUser", UserName="user-00007"))
            return requests

        def authorised():
            for _ in range(requests):
                self.wire.socket.sendall(self.signed)
                expect(self.wire._receive())
            return requests

        def list_users():
            count = 0
            while count < requests // PAGE_ITEMS:
                count += pages(self.wire)
            return count

        for name, run in (("ListUsers page", list_users), ("GetUser", get_user), ("authorised call", authorised)):
            before = cpu_micros(self.server)
            count = run()
            self.costs.setdefault(name, []).append((cpu_micros(self.server) - before) / count)

    def cost(self, name):
        return statistics.median(self.costs[name])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--policies", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    asked = parser.parse_args()
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        with Server("--data", small) as one, Server("--data", large) as other:
            # A page less one: the caller is a user too.
            few = Account(one, PAGE_ITEMS - 1, 0)
            many = Account(other, asked.users, asked.policies)
            for account in (few, many):
                account.measure(PAGE_ITEMS)  # to warm up
                account.costs.clear()
            for _ in range(asked.rounds):
                few.measure(asked.requests)
                many.measure(asked.requests)
    print(f"{asked.users} users with {asked.policies} policies each; processor time per request, median of "
          f"{asked.rounds} rounds")
    for name in few.costs:
        ratio = many.cost(name) / few.cost(name)
        holds = ratio < RATIO_MAX
        passed, failed = passed + holds, failed + (not holds)
        print(f"{'ok   ' if holds else 'FAIL '} {name:<16} {few.cost(name):8.0f} us, full {many.cost(name):8.0f} us, "
              f"{ratio:.2f} times")
    print(f"{passed} passed, {failed} failed")
    return failed == 0


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
