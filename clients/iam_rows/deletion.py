"""What stands in the way of DeleteUser: the message, how it comes to be, how it goes."""

from .world import DOCUMENT

MUST = "Cannot delete entity, must "


def attached(it, user):
    arn = it.policy()
    it.iam.attach_user_policy(UserName=user, PolicyArn=arn)
    return arn


def in_group(it, user):
    return it.group(user)


REFUSALS = [
    (
        MUST + "delete login profile first.",
        lambda it, user: it.login_profile(user),
        lambda it, user, _: it.iam.delete_login_profile(UserName=user),
    ),
    (
        MUST + "delete access keys first.",
        lambda it, user: it.access_key(user),
        lambda it, user, key: it.iam.delete_access_key(UserName=user, AccessKeyId=key),
    ),
    (
        MUST + "delete certificates first.",
        lambda it, user: it.signing_certificate(user),
        lambda it, user, certificate: it.iam.delete_signing_certificate(UserName=user, CertificateId=certificate),
    ),
    (
        MUST + "remove referenced objects first.",
        lambda it, user: it.ssh_key(user),
        lambda it, user, key: it.iam.delete_ssh_public_key(UserName=user, SSHPublicKeyId=key),
    ),
    (
        MUST + "remove referenced objects first.",
        lambda it, user: it.service_credential(user),
        lambda it, user, credential: it.iam.delete_service_specific_credential(
            UserName=user, ServiceSpecificCredentialId=credential
        ),
    ),
    (
        MUST + "delete MFA device first.",
        lambda it, user: it.enabled_device(user)[0],
        lambda it, user, serial: it.iam.deactivate_mfa_device(UserName=user, SerialNumber=serial),
    ),
    (
        MUST + "delete policies first.",
        lambda it, user: it.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=DOCUMENT),
        lambda it, user, _: it.iam.delete_user_policy(UserName=user, PolicyName="p"),
    ),
    (
        MUST + "detach all policies first.",
        attached,
        lambda it, user, arn: it.iam.detach_user_policy(UserName=user, PolicyArn=arn),
    ),
    (
        MUST + "remove users from group first.",
        in_group,
        lambda it, user, group: it.iam.remove_user_from_group(GroupName=group, UserName=user),
    ),
]
