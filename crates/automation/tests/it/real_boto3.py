"""Lets the real boto3 call a table instead of AWS.

FAKE_BOTO3 is a JSON file {"answers": [[operation, answer], ...], "calls": PATH}: each call takes the
next answer, which must be of its operation, and is written down with its parameters. An answer is
{"output": ...} or {"error": {"code", "message"}}.
"""

import json
import os

import boto3

with open(os.environ["FAKE_BOTO3"], encoding="utf-8") as file:
    TABLE = json.load(file)

boto3.setup_default_session(
    aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
)


class Http:
    def __init__(self, status_code):
        self.status_code, self.headers = status_code, {}


def note(params, model, **_):
    with open(TABLE["calls"], "a", encoding="utf-8") as calls:
        calls.write(json.dumps([model.name, params]) + "\n")


def answer(model, **_):
    operation, found = TABLE["answers"].pop(0)
    assert operation == model.name, f"{model.name} was called, and {operation} is next"
    metadata = {
        "RequestId": "c45a9839",
        "HTTPStatusCode": 200,
        "HTTPHeaders": {"x-amzn-requestid": "c45a9839"},
        "RetryAttempts": 0,
    }
    if "error" in found:
        error = {"Code": found["error"]["code"], "Message": found["error"]["message"]}
        return Http(400), {"Error": error, "ResponseMetadata": metadata}
    return Http(200), {**found["output"], "ResponseMetadata": metadata}


boto3.DEFAULT_SESSION.events.register("before-parameter-build.iam", note)
boto3.DEFAULT_SESSION.events.register("before-call.iam", answer)
