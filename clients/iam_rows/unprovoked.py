"""Documented errors that nothing here can provoke, and why."""

ALWAYS = {
    "ServiceFailure": "a fault of the server",
    "ConcurrentModification": "changes are transactions: they come one after the other",
    "EntityTemporarilyUnmodifiable": "a change is complete when it is answered",
    "PolicyEvaluation": "every policy that is taken can be evaluated",
    "NotSupportedService": "AWS was recorded answering NoSuchEntity",
}

# By code: why, and of which operations.
OF_OPERATIONS = {
    "LimitExceeded": {
        "thousands or hundreds are too many to make here; crates/services/tests/it/iam_quotas.rs does": (
            "CreateUser CreateGroup CreateVirtualMFADevice CreateInstanceProfile CreateServiceLinkedRole"
        ),
        "nothing becomes more": (
            "UpdateAccessKey DeleteAccessKey CreateAccountAlias DeleteAccountAlias DetachUserPolicy DetachGroupPolicy "
            "DetachRolePolicy UpdateGroup DeleteGroup DeleteUserPolicy DeleteGroupPolicy DeleteRolePolicy "
            "RemoveRoleFromInstanceProfile DeleteInstanceProfile CreateLoginProfile UpdateLoginProfile "
            "DeleteLoginProfile ChangePassword DeletePolicy RemoveUserFromGroup DeactivateMFADevice ResyncMFADevice "
            "UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy SetDefaultPolicyVersion DeletePolicyVersion "
            "DeleteRole DeleteSAMLProvider UpdateServerCertificate DeleteServerCertificate DeleteServiceLinkedRole "
            "UpdateSigningCertificate DeleteSigningCertificate UpdateUser DeleteUser DeleteVirtualMFADevice "
            "GenerateCredentialReport"
        ),
    },
    "InvalidInput": {
        "what is no ARN of a policy gets ValidationError, as recorded on AWS": (
            "AttachUserPolicy AttachGroupPolicy AttachRolePolicy DetachUserPolicy DetachGroupPolicy DetachRolePolicy "
            "PutUserPermissionsBoundary PutRolePermissionsBoundary GetPolicy DeletePolicy ListEntitiesForPolicy "
            "CreatePolicyVersion GetPolicyVersion ListPolicyVersions SetDefaultPolicyVersion DeletePolicyVersion "
            "ListPolicyTags"
        ),
        "what is malformed gets ValidationError by the model": (
            "ListAttachedUserPolicies ListAttachedGroupPolicies ListAttachedRolePolicies ListMFADeviceTags "
            "GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities"
        ),
        "every list of keys can be taken off": (
            "UntagInstanceProfile UntagPolicy UntagMFADevice UntagServerCertificate"
        ),
    },
    "EntityAlreadyExists": {
        "there are no other accounts": "CreateAccountAlias",
        "a profile with a role gets LimitExceeded": "AddRoleToInstanceProfile",
        "DuplicateCertificate says so": "UploadSigningCertificate",
    },
    "NoSuchEntity": {
        "a group names nothing that could be missing": "CreateGroup",
        "to delete what is not there is no error, as documented": "DeleteOpenIDConnectProvider",
        "an account is always there": "UpdateAccountPasswordPolicy",
        "a service without such a role gets InvalidInput": "CreateServiceLinkedRole",
    },
    "UnmodifiableEntity": {
        "the description of a service-linked role can be edited, as documented": "UpdateRoleDescription",
    },
    "MalformedPolicyDocument": {"nothing in it could be malformed": "UpdateAccountPasswordPolicy"},
    "OpenIdIdpCommunicationError": {"the provider is not called": "CreateOpenIDConnectProvider"},
    "DeleteConflict": {"nothing here uses certificates": "DeleteServerCertificate"},
    "UnrecognizedPublicKeyEncoding": {"another encoding gets ValidationError by the model": "GetSSHPublicKey"},
}


def reason(operation, code):
    """Returns why an error is not provoked; nothing when it is."""
    if code in ALWAYS:
        return ALWAYS[code]
    for why, operations in OF_OPERATIONS.get(code, {}).items():
        if operation in operations.split():
            return why
    return None
