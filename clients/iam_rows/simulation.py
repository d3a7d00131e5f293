"""The policy simulator, and the context keys it needs."""

import json

from .row import Row
from .world import DOCUMENT, NOBODY, arn

KEYED = json.dumps({"Version": "2012-10-17", "Statement": {
    "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}",
    "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2015-08-16T12:00:00Z"}}}})
ASKED = ["s3:ListBucket"]


def decision(answer):
    return [result["EvalDecision"] for result in answer["EvaluationResults"]]


def custom(it):
    answer = it.iam.simulate_custom_policy(PolicyInputList=[DOCUMENT], ActionNames=[*ASKED, "s3:GetObject"])
    return decision(answer) == ["allowed", "implicitDeny"]


def principal(it):
    user = it.user()
    it.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=DOCUMENT)
    answer = it.iam.simulate_principal_policy(PolicySourceArn=arn(f"user/{user}"), ActionNames=ASKED)
    return decision(answer) == ["allowed"]


def keys(it):
    names = it.iam.get_context_keys_for_custom_policy(PolicyInputList=[KEYED])["ContextKeyNames"]
    return names == ["aws:username", "aws:CurrentTime"]


def keys_of_principal(it):
    user = it.user()
    it.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=KEYED)
    answer = it.iam.get_context_keys_for_principal_policy(PolicySourceArn=arn(f"user/{user}"))
    return answer["ContextKeyNames"] == ["aws:username", "aws:CurrentTime"]


ROWS = [
    Row(
        "SimulateCustomPolicy", custom,
        InvalidInput=lambda it: it.iam.simulate_custom_policy(PolicyInputList=["{"], ActionNames=ASKED),
    ),
    Row(
        "SimulatePrincipalPolicy", principal,
        NoSuchEntity=lambda it: it.iam.simulate_principal_policy(
            PolicySourceArn=arn(f"user/{NOBODY}"), ActionNames=ASKED),
        InvalidInput=lambda it: it.iam.simulate_principal_policy(PolicySourceArn=arn("root"), ActionNames=ASKED),
    ),
    Row(
        "GetContextKeysForCustomPolicy", keys,
        InvalidInput=lambda it: it.iam.get_context_keys_for_custom_policy(PolicyInputList=["{"]),
    ),
    Row(
        "GetContextKeysForPrincipalPolicy", keys_of_principal,
        NoSuchEntity=lambda it: it.iam.get_context_keys_for_principal_policy(PolicySourceArn=arn(f"role/{NOBODY}")),
        InvalidInput=lambda it: it.iam.get_context_keys_for_principal_policy(PolicySourceArn=arn("x" * 30)),
    ),
]
