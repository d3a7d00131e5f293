#!/usr/bin/env python3
"""Calls every operation of IAM that the server serves, with boto3: its happy case, and the first two of the errors that
the model documents for it, of those that can be provoked. Then the nine refusals of DeleteUser, word by word.

The tables are in `iam_rows/`, a file for each group of operations; a new operation is a row in one of them. An operation
that is served without a row fails, as does one that docs/compat/iam.md does not name.

usage: iam_test.py [OPERATION …]

The last line is `N passed, M failed`.
"""

import pathlib
import re
import sys

from botocore.exceptions import ClientError

from iam_rows import rows, unprovoked
from iam_rows.deletion import REFUSALS
from iam_rows.world import World
from server import ROOT, Server

ERRORS_PER_OPERATION = 2


class Program:
    """Counts what holds, and prints what does not."""

    def __init__(self, server):
        self.world = World(server)
        self.model = self.world.iam.meta.service_model
        self.passed = self.failed = 0

    def check(self, what, run):
        """Runs a check, which returns what is wrong, or nothing."""
        try:
            problem = run()
        except Exception as err:  # whatever it is, it is a failure of this one check
            problem = f"{type(err).__name__}: {err}"
        if problem is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: {problem}")

    def happy(self, row):
        """The operation answers, in the shape of the model, and has done what it says."""
        with self.world.watching() as called:
            done = row.happy(self.world)
        if row.operation not in called:
            return f"only {sorted(called)} were called"
        return None if done is True else f"it answered, but {done!r} came of it"

    def refused(self, row, code):
        """The operation fails with this code, and the status that the model gives it."""
        try:
            row.errors[code](self.world)
        except ClientError as err:
            if err.operation_name != row.operation:
                return f"{err.operation_name} failed instead: {err}"
            found, status = err.response["Error"]["Code"], err.response["ResponseMetadata"]["HTTPStatusCode"]
            if found != code:
                return f"{found}: {err.response['Error']['Message']}"
            wanted = self.documented(row.operation)[code]
            return None if status == wanted else f"HTTP {status}, not {wanted}"
        return "nothing was refused"

    def documented(self, operation):
        """Returns the codes of an operation's errors, in the order of the model, with their HTTP statuses."""
        errors = [shape.metadata.get("error", {}) for shape in self.model.operation_model(operation).error_shapes]
        return {error["code"]: error["httpStatusCode"] for error in errors if "code" in error}

    def provoked(self, row):
        """The first errors of the model are provoked, or it is said why they are not."""
        documented = list(self.documented(row.operation))
        stray = set(row.errors) - set(documented)
        if stray:
            return f"the model does not know {sorted(stray)}"
        provokable = [code for code in documented if unprovoked.reason(row.operation, code) is None]
        missing = [code for code in provokable[:ERRORS_PER_OPERATION] if code not in row.errors]
        needless = [code for code in row.errors if code not in provokable]
        if needless:
            return f"{needless} are provoked, and listed as what cannot be"
        return f"{missing} are not provoked" if missing else None

    def absent(self, operation):
        """An operation without a row is not served, and says so by name."""
        try:
            self.world.unchecked._make_api_call(operation, {})
        except ClientError as err:
            error = err.response["Error"]
            if error["Code"] == "NotImplemented" and operation in error["Message"]:
                return None
        return "it is served; add a row to clients/iam_rows"

    def documented_in_page(self, served):
        """The page of compatibility names every operation of the model once, and the right ones as absent."""
        page = pathlib.Path(ROOT, "docs/compat/iam.md").read_text(encoding="utf-8")
        lines = [line for line in page.splitlines() if line.startswith("| ")]
        state = {}
        for line in lines:
            names, verdict = [cell.strip() for cell in line.split("|")[1:3]]
            for name in re.findall(r"\b[A-Z]\w+", names):
                if name in state:
                    return f"{name} stands there twice"
                state[name] = verdict
        missing = set(self.model.operation_names) - set(state)
        if missing:
            return f"{sorted(missing)} are not named"
        wrong = [name for name in self.model.operation_names if (state[name] == "absent") == (name in served)]
        return f"{wrong} are said to be what they are not" if wrong else None

    def refusal(self, message, hang, clear):
        """DeleteUser refuses because of one thing, and no longer once that is gone."""
        name = self.world.user()
        thing = hang(self.world, name)
        try:
            self.world.iam.delete_user(UserName=name)
            return "the user was deleted"
        except ClientError as err:
            found = err.response["Error"]
        if (found["Code"], found["Message"]) != ("DeleteConflict", message):
            return f"{found['Code']}: {found['Message']}"
        clear(self.world, name, thing)
        self.world.iam.delete_user(UserName=name)
        return None


def main():
    table = {row.operation: row for row in rows()}
    asked = sys.argv[1:] or sorted(table)
    with Server("--memory") as server:
        program = Program(server)
        for operation in asked:
            row = table[operation]
            program.check(operation, lambda: program.happy(row))
            for code in row.errors:
                program.check(f"{operation}, {code}", lambda: program.refused(row, code))
            program.check(f"{operation}, its errors", lambda: program.provoked(row))
        if not sys.argv[1:]:
            for operation in sorted(set(program.model.operation_names) - set(table)):
                program.check(operation, lambda: program.absent(operation))
            program.check("docs/compat/iam.md", lambda: program.documented_in_page(table))
            for message, hang, clear in REFUSALS:
                program.check(f"DeleteUser, {message}", lambda: program.refusal(message, hang, clear))
    print(f"{program.passed} passed, {program.failed} failed")
    return program.failed == 0


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
