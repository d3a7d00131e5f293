#!/usr/bin/env python3
"""The tour of README.md with boto3. Usage: tour.py NAME ROLE_ARN"""

import json
import pathlib
import sys
import time

import boto3
from botocore.config import Config

NAME, ROLE_ARN = sys.argv[1:]
DEFINITION = (pathlib.Path(__file__).parent / "machine.asl.json").read_text(encoding="utf-8")
INPUT = json.dumps({"userName": "ada", "言葉": "こんにちは"})
# Without this the host of StartSyncExecution would be `sync-127.0.0.1`.
SFN = boto3.client("stepfunctions", config=Config(inject_host_prefix=False))


def create(kind):
    made = SFN.create_state_machine(
        name=f"{NAME}-{kind}", type=kind, definition=DEFINITION, roleArn=ROLE_ARN
    )
    return made["stateMachineArn"]


def ended(arn):
    while True:
        execution = SFN.describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING":
            return execution
        time.sleep(0.05)


def is_gone(arn):
    try:
        SFN.describe_state_machine(stateMachineArn=arn)
    except SFN.exceptions.StateMachineDoesNotExist:
        return True
    return False


standard, express = create("STANDARD"), create("EXPRESS")
started = SFN.start_execution(stateMachineArn=standard, name="first", input=INPUT)
execution = ended(started["executionArn"])
pages = SFN.get_paginator("get_execution_history").paginate(
    executionArn=execution["executionArn"], PaginationConfig={"PageSize": 4}
)
events = [event["type"] for page in pages for event in page["events"]]
sync = SFN.start_sync_execution(stateMachineArn=express, input=INPUT)
pages = SFN.get_paginator("list_state_machines").paginate()
listed = {machine["stateMachineArn"] for page in pages for machine in page["stateMachines"]}
for arn in (standard, express):
    SFN.delete_state_machine(stateMachineArn=arn)
print(json.dumps({
    "status": execution["status"],
    "output": execution["output"],
    "waitedSeconds": int((execution["stopDate"] - execution["startDate"]).total_seconds()),
    "events": events,
    "syncStatus": sync["status"],
    "syncOutput": sync["output"],
    "listed": {standard, express} <= listed,
    "gone": is_gone(standard) and is_gone(express),
}))
