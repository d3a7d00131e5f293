"""A boto3 for tests: answers from a table, writes every call down.

FAKE_BOTO3 is a JSON file {"answers": [[operation, answer], ...], "calls": PATH}; each call takes the
first answer left for its operation. An answer is {"output": ...} or {"error": {"code", "message"}}.
"""

import json
import os

OPERATIONS = {
    "list_users": "ListUsers",
    "list_access_keys": "ListAccessKeys",
    "list_ssh_public_keys": "ListSSHPublicKeys",
    "list_signing_certificates": "ListSigningCertificates",
    "list_mfa_devices": "ListMFADevices",
    "list_service_specific_credentials": "ListServiceSpecificCredentials",
    "list_groups_for_user": "ListGroupsForUser",
    "list_user_policies": "ListUserPolicies",
    "list_attached_user_policies": "ListAttachedUserPolicies",
    "delete_login_profile": "DeleteLoginProfile",
    "delete_access_key": "DeleteAccessKey",
    "delete_ssh_public_key": "DeleteSSHPublicKey",
    "delete_signing_certificate": "DeleteSigningCertificate",
    "deactivate_mfa_device": "DeactivateMFADevice",
    "delete_virtual_mfa_device": "DeleteVirtualMFADevice",
    "delete_service_specific_credential": "DeleteServiceSpecificCredential",
    "remove_user_from_group": "RemoveUserFromGroup",
    "delete_user_policy": "DeleteUserPolicy",
    "detach_user_policy": "DetachUserPolicy",
    "delete_user": "DeleteUser",
    "get_user": "GetUser",
}


class ClientError(Exception):
    def __init__(self, error, operation):
        code, message = error["code"], error["message"]
        super().__init__(
            f"An error occurred ({code}) when calling the {operation} operation: {message}"
        )


class NoSuchEntityException(ClientError):
    pass


class DeleteConflictException(ClientError):
    pass


class Exceptions:
    NoSuchEntityException = NoSuchEntityException


CLASSES = {"NoSuchEntity": NoSuchEntityException, "DeleteConflict": DeleteConflictException}


class Paginator:
    def __init__(self, call):
        self.call = call

    def paginate(self, **request):
        page = self.call(**request)
        yield page
        while page.get("IsTruncated"):
            page = self.call(**request, Marker=page["Marker"])
            yield page


class Client:
    exceptions = Exceptions

    def __init__(self, service):
        assert service == "iam"
        with open(os.environ["FAKE_BOTO3"], encoding="utf-8") as table:
            self.table = json.load(table)

    def get_paginator(self, name):
        return Paginator(getattr(self, name))

    def __getattr__(self, name):
        operation = OPERATIONS[name]

        def call(**request):
            with open(self.table["calls"], "a", encoding="utf-8") as calls:
                calls.write(json.dumps([operation, request]) + "\n")
            answers = self.table["answers"]
            found = next(item for item in answers if item[0] == operation)
            answers.remove(found)
            if "error" in found[1]:
                error = found[1]["error"]
                raise CLASSES.get(error["code"], ClientError)(error, operation)
            return found[1]["output"]

        return call


def client(service):
    return Client(service)
