#!/usr/bin/env python3
"""What run-runbooks.py counts as a fault of ours.

usage: run_runbooks_test.py
"""

import importlib.util
import pathlib
import subprocess
import sys
import unittest

RUNNER = pathlib.Path(__file__).resolve().parent / "run-runbooks.py"
SPEC = importlib.util.spec_from_file_location("run_runbooks", RUNNER)
runner = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(runner)

LACK = "Stepwell has no such thing"


def record(*steps, status="Failed", message=""):
    steps = [
        {"StepName": name, "StepStatus": "Failed" if why is not None else "Success", "FailureMessage": why or ""}
        for name, why in steps
    ]
    return {
        "AutomationExecutionId": f"one with {len(steps)} steps",
        "AutomationExecutionStatus": status,
        "FailureMessage": message,
        "StepExecutions": steps,
    }


def judged(given, *children):
    outcome = runner.Run(None)
    outcome.status = given["AutomationExecutionStatus"]
    of = {given["AutomationExecutionId"]: children}
    outcome.judge(given, lambda execution: of.pop(execution, ()))
    return outcome.is_ours, outcome.step, outcome.why


class Judge(unittest.TestCase):
    def test_what_the_document_does_is_not_ours(self):
        given = record(("a", None), ("b", "no such bucket"))
        self.assertEqual(judged(given), (False, "b", "no such bucket"))
        self.assertEqual(judged(record(("a", None), status="Success")), (False, "", ""))

    def test_a_lack_of_ours_counts_whichever_step_has_it(self):
        given = record(("a", "no such bucket"), ("b", None), ("c", LACK))
        self.assertEqual(judged(given), (True, "c", LACK))

    def test_the_message_of_the_execution_counts_too(self):
        self.assertEqual(judged(record(("a", ""), message=LACK)), (True, "a", LACK))
        self.assertEqual(judged(record(("a", "no such bucket"), message=LACK))[0], True)

    def test_a_failure_of_no_step_is_ours(self):
        self.assertEqual(judged(record(("a", None), message="odd")), (True, "", "odd"))
        self.assertEqual(judged(record())[0], True)

    def test_what_a_child_lacks_counts(self):
        failed = record(("a", "the child failed"))
        self.assertEqual(judged(failed, record(("b", LACK))), (True, "b", LACK))
        self.assertEqual(judged(failed, record(("b", None)))[0], True)
        self.assertEqual(judged(failed, record(("b", "no such bucket")))[:2], (False, "a"))
        succeeded = record(("a", None), status="Success")
        self.assertEqual(judged(succeeded, record(("b", LACK), ("c", None), status="Success"))[0], True)

    def test_what_does_not_fit_a_model_counts(self):
        for count in ("1 validation error", "2 validation errors"):
            self.assertTrue(judged(record(("a", f"{count} detected: Value null at 'x' …")))[0])

    def test_no_document_is_no_success(self):
        done = subprocess.run([sys.executable, RUNNER, "--only", "NOTHING"], capture_output=True, text=True, check=False)
        if "SKIPPED" in done.stderr:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
