"""Reports: authorization details, credentials, and what was last used."""

import csv
import json
import urllib.request

from server import Server

from .row import Row
from .world import NOBODY, arn

FOUR_HOURS_SECONDS = 4 * 3600


def details(it):
    name = it.user()
    pages = it.iam.get_paginator("get_account_authorization_details").paginate(Filter=["User"])
    found = [user["UserName"] for page in pages for user in page["UserDetailList"]]
    return name in found


def generate(it):
    return it.iam.generate_credential_report()["State"] in ("STARTED", "COMPLETE")


def report(it):
    it.iam.generate_credential_report()
    answer = it.iam.get_credential_report()
    rows = list(csv.DictReader(answer["Content"].decode("utf-8").splitlines()))
    return (answer["ReportFormat"], rows[0]["user"], len(rows[0])) == ("text/csv", "<root_account>", 22)


def no_report(_):
    with Server("--memory") as server:
        server.client("iam").get_credential_report()


def old_report(_):
    with Server("--memory", "--clock", "virtual") as server:
        iam = server.client("iam")
        iam.generate_credential_report()
        body = json.dumps({"seconds": FOUR_HOURS_SECONDS}).encode("ascii")
        urllib.request.urlopen(f"{server.endpoint}/_stepwell/clock/advance", body).close()
        iam.get_credential_report()


def user_with_policy(it):
    """Returns the ARN of a user who may do something of IAM."""
    name = it.user()
    statement = {"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    it.iam.put_user_policy(UserName=name, PolicyName="gets", PolicyDocument=document)
    return arn(f"user/{name}")


def job(it):
    return it.iam.generate_service_last_accessed_details(Arn=user_with_policy(it))["JobId"]


def last_accessed(it):
    found = it.iam.get_service_last_accessed_details(JobId=job(it))
    return [service["ServiceNamespace"] for service in found["ServicesLastAccessed"]] == ["iam"]


def entities(it):
    found = it.iam.get_service_last_accessed_details_with_entities(JobId=job(it), ServiceNamespace="iam")
    return found["EntityDetailsList"] == [] and found["JobStatus"] == "COMPLETED"


def granting(it):
    found = it.iam.list_policies_granting_service_access(Arn=user_with_policy(it), ServiceNamespaces=["iam"])
    [entry] = found["PoliciesGrantingServiceAccess"]
    return [policy["PolicyName"] for policy in entry["Policies"]] == ["gets"]


NO_JOB = "00000000-0000-0000-0000-000000000000"
NO_USER, NO_ARN = arn(f"user/{NOBODY}"), "nothing-that-is-an-arn"

ROWS = [
    Row("GetAccountAuthorizationDetails", details),
    Row("GenerateCredentialReport", generate),
    Row("GetCredentialReport", report, ReportNotPresent=no_report, ReportExpired=old_report),
    Row(
        "GenerateServiceLastAccessedDetails",
        lambda it: len(job(it)) == 36,
        NoSuchEntity=lambda it: it.iam.generate_service_last_accessed_details(Arn=NO_USER),
        InvalidInput=lambda it: it.iam.generate_service_last_accessed_details(Arn=NO_ARN),
    ),
    Row(
        "GetServiceLastAccessedDetails",
        last_accessed,
        NoSuchEntity=lambda it: it.iam.get_service_last_accessed_details(JobId=NO_JOB),
    ),
    Row(
        "GetServiceLastAccessedDetailsWithEntities",
        entities,
        NoSuchEntity=lambda it: it.iam.get_service_last_accessed_details_with_entities(
            JobId=NO_JOB, ServiceNamespace="iam"
        ),
    ),
    Row(
        "ListPoliciesGrantingServiceAccess",
        granting,
        NoSuchEntity=lambda it: it.iam.list_policies_granting_service_access(
            Arn=NO_USER, ServiceNamespaces=["iam"]
        ),
        InvalidInput=lambda it: it.iam.list_policies_granting_service_access(
            Arn=NO_ARN, ServiceNamespaces=["iam"]
        ),
    ),
]
