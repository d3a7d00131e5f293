"""Calls operations with boto3's own code and prints what it read.

Reads lines of JSON from standard input: {"service", "operation", "input"}; writes one line of JSON
each: {"output"} or {"error"}. The endpoint is the first argument. Run by `cargo test -p wire`.
"""

import base64
import datetime
import json
import sys

import botocore.session
from botocore.config import Config

CONFIG = Config(
    parameter_validation=False, inject_host_prefix=False, retries={"total_max_attempts": 1}
)


def to_boto(shape, value):
    """Turns base64 into bytes where the model says so."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False) or value is None:
        return value
    if kind == "structure":
        return {k: to_boto(shape.members[k], v) for k, v in value.items()}
    if kind == "list":
        return [to_boto(shape.member, v) for v in value]
    if kind == "map":
        return {k: to_boto(shape.value, v) for k, v in value.items()}
    if kind == "blob":
        return base64.b64decode(value)
    return value


def from_boto(value):
    """Turns bytes and times into what JSON can say."""
    if isinstance(value, dict):
        return {k: from_boto(v) for k, v in value.items()}
    if isinstance(value, list):
        return [from_boto(v) for v in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if hasattr(value, "read"):
        return base64.b64encode(value.read()).decode()
    return value


def main():
    session = botocore.session.Session()
    session.set_credentials("AKIAEXAMPLE", "secret", "token")
    clients = {}
    for line in sys.stdin:
        call = json.loads(line)
        name = call["service"]
        if name not in clients:
            clients[name] = session.create_client(
                name, region_name="us-east-1", endpoint_url=sys.argv[1], config=CONFIG
            )
        client = clients[name]
        try:
            shape = client.meta.service_model.operation_model(call["operation"]).input_shape
            given = to_boto(shape, call["input"]) if shape else {}
            answer = client._make_api_call(call["operation"], given)
            answer.pop("ResponseMetadata")
            print(json.dumps({"output": from_boto(answer)}), flush=True)
        except Exception as err:  # every failure is a finding, whatever it is
            print(json.dumps({"error": f"{type(err).__name__}: {err}"}), flush=True)


main()
