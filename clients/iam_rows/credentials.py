"""What users own: passwords, keys, certificates, service-specific credentials."""

from .row import Row
from .world import NOBODY, PASSWORD, data

NEW_PASSWORD = "An0ther-w0rd"
NO_ID = "APKA" + "A" * 17


def create_login(it):
    user = it.user()
    made = it.iam.create_login_profile(UserName=user, Password=PASSWORD, PasswordResetRequired=True)["LoginProfile"]
    return made["UserName"] == user and made["PasswordResetRequired"]


def create_login_again(it):
    user = it.user()
    it.login_profile(user)
    it.iam.create_login_profile(UserName=user, Password=PASSWORD)


def get_login(it):
    user = it.user()
    it.login_profile(user)
    return it.iam.get_login_profile(UserName=user)["LoginProfile"]["UserName"] == user


def update_login(it):
    user = it.user()
    it.login_profile(user)
    it.iam.update_login_profile(UserName=user, Password=NEW_PASSWORD, PasswordResetRequired=True)
    return it.iam.get_login_profile(UserName=user)["LoginProfile"]["PasswordResetRequired"]


def update_login_weakly(it):
    user = it.user()
    it.login_profile(user)
    it.iam.update_login_profile(UserName=user, Password="x")


def delete_login(it):
    user = it.user()
    it.login_profile(user)
    it.iam.delete_login_profile(UserName=user)
    it.login_profile(user)
    return True


def changing(it, user):
    """Returns a client of a user who may change the password: the account says so."""
    it.iam.update_account_password_policy(AllowUsersToChangePassword=True)
    return it.as_user(user)


def change(it, client, new=NEW_PASSWORD):
    try:
        client.change_password(OldPassword=PASSWORD, NewPassword=new)
    finally:
        it.iam.delete_account_password_policy()
    return True


def change_own(it):
    user = it.user()
    it.login_profile(user)
    return change(it, changing(it, user))


def change_what_is_not_there(it):
    change(it, changing(it, it.user()))


LOGIN = [
    Row(
        "CreateLoginProfile",
        create_login,
        EntityAlreadyExists=create_login_again,
        NoSuchEntity=lambda it: it.iam.create_login_profile(UserName=NOBODY, Password=PASSWORD),
        PasswordPolicyViolation=lambda it: it.iam.create_login_profile(UserName=it.user(), Password="x"),
    ),
    Row("GetLoginProfile", get_login, NoSuchEntity=lambda it: it.iam.get_login_profile(UserName=it.user())),
    Row(
        "UpdateLoginProfile",
        update_login,
        NoSuchEntity=lambda it: it.iam.update_login_profile(UserName=it.user(), Password=NEW_PASSWORD),
        PasswordPolicyViolation=update_login_weakly,
    ),
    Row("DeleteLoginProfile", delete_login, NoSuchEntity=lambda it: it.iam.delete_login_profile(UserName=it.user())),
    Row(
        "ChangePassword",
        change_own,
        NoSuchEntity=change_what_is_not_there,
        InvalidUserType=lambda it: it.iam.change_password(OldPassword=PASSWORD, NewPassword=NEW_PASSWORD),
    ),
]


def create_key(it):
    key = it.iam.create_access_key(UserName=it.user())["AccessKey"]
    return key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40


def create_three_keys(it):
    user = it.user()
    for _ in range(3):
        it.access_key(user)


def keys(it, user):
    return it.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]


def list_keys(it):
    user = it.user()
    return [it.access_key(user)] == [key["AccessKeyId"] for key in keys(it, user)]


def update_key(it):
    user = it.user()
    it.iam.update_access_key(UserName=user, AccessKeyId=it.access_key(user), Status="Inactive")
    return [key["Status"] for key in keys(it, user)] == ["Inactive"]


def update_own_key(it, status):
    user = it.user()
    it.iam.update_access_key(UserName=user, AccessKeyId=it.access_key(user), Status=status)


def delete_key(it):
    user = it.user()
    it.iam.delete_access_key(UserName=user, AccessKeyId=it.access_key(user))
    return keys(it, user) == []


def last_used(it):
    user = it.user()
    answer = it.iam.get_access_key_last_used(AccessKeyId=it.access_key(user))
    return answer["UserName"] == user and answer["AccessKeyLastUsed"]["ServiceName"] == "N/A"


KEYS = [
    Row(
        "CreateAccessKey",
        create_key,
        NoSuchEntity=lambda it: it.iam.create_access_key(UserName=NOBODY),
        LimitExceeded=create_three_keys,
    ),
    Row("ListAccessKeys", list_keys, NoSuchEntity=lambda it: it.iam.list_access_keys(UserName=NOBODY)),
    Row(
        "UpdateAccessKey",
        update_key,
        NoSuchEntity=lambda it: it.iam.update_access_key(UserName=it.user(), AccessKeyId=NO_ID, Status="Active"),
        InvalidInput=lambda it: update_own_key(it, "Expired"),
    ),
    Row(
        "DeleteAccessKey",
        delete_key,
        NoSuchEntity=lambda it: it.iam.delete_access_key(UserName=it.user(), AccessKeyId=NO_ID),
    ),
    Row("GetAccessKeyLastUsed", last_used),
]


def remove_certificates(it, user):
    """A certificate is one user's: the next row needs it again."""
    for certificate in it.iam.list_signing_certificates(UserName=user)["Certificates"]:
        it.iam.delete_signing_certificate(UserName=user, CertificateId=certificate["CertificateId"])


def with_certificate(it, run):
    """Runs with a user and the id of its certificate."""
    user = it.user()
    try:
        return run(user, it.signing_certificate(user))
    finally:
        remove_certificates(it, user)


def upload_three(it):
    user = it.user()
    try:
        for number in range(3):
            it.signing_certificate(user, number)
    finally:
        remove_certificates(it, user)


def certificates(it, user, member="CertificateId"):
    return [certificate[member] for certificate in it.iam.list_signing_certificates(UserName=user)["Certificates"]]


def update_certificate(it, status="Inactive"):
    def run(user, certificate):
        it.iam.update_signing_certificate(UserName=user, CertificateId=certificate, Status=status)
        return certificates(it, user, "Status") == [status]

    return with_certificate(it, run)


def delete_certificate(it):
    def run(user, certificate):
        it.iam.delete_signing_certificate(UserName=user, CertificateId=certificate)
        return certificates(it, user) == []

    return with_certificate(it, run)


CERTIFICATES = [
    Row(
        "UploadSigningCertificate",
        lambda it: with_certificate(it, lambda user, certificate: certificates(it, user) == [certificate]),
        LimitExceeded=upload_three,
        MalformedCertificate=lambda it: it.iam.upload_signing_certificate(UserName=it.user(), CertificateBody="x"),
        DuplicateCertificate=lambda it: with_certificate(it, lambda *_: it.signing_certificate(it.user())),
    ),
    Row(
        "ListSigningCertificates",
        lambda it: with_certificate(it, lambda user, certificate: certificates(it, user) == [certificate]),
        NoSuchEntity=lambda it: it.iam.list_signing_certificates(UserName=NOBODY),
    ),
    Row(
        "UpdateSigningCertificate",
        update_certificate,
        NoSuchEntity=lambda it: it.iam.update_signing_certificate(
            UserName=it.user(), CertificateId="A" * 24, Status="Active"
        ),
        InvalidInput=lambda it: update_certificate(it, "Expired"),
    ),
    Row(
        "DeleteSigningCertificate",
        delete_certificate,
        NoSuchEntity=lambda it: it.iam.delete_signing_certificate(UserName=it.user(), CertificateId="A" * 24),
    ),
]


def upload_key(it):
    made = it.iam.upload_ssh_public_key(UserName=it.user(), SSHPublicKeyBody=it.ssh_key_text())["SSHPublicKey"]
    return made["SSHPublicKeyId"].startswith("APKA") and made["Fingerprint"].count(":") == 15


def upload_six_keys(it):
    user = it.user()
    for _ in range(6):
        it.ssh_key(user)


def get_key(it):
    user = it.user()
    got = it.iam.get_ssh_public_key(UserName=user, SSHPublicKeyId=it.ssh_key(user), Encoding="PEM")
    return got["SSHPublicKey"]["SSHPublicKeyBody"].startswith("-----BEGIN PUBLIC KEY-----")


def ssh_keys(it, user, member="SSHPublicKeyId"):
    return [key[member] for key in it.iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"]]


def list_ssh(it):
    user = it.user()
    return [it.ssh_key(user)] == ssh_keys(it, user)


def update_ssh(it, status="Inactive"):
    user = it.user()
    it.iam.update_ssh_public_key(UserName=user, SSHPublicKeyId=it.ssh_key(user), Status=status)
    return ssh_keys(it, user, "Status") == [status]


def delete_ssh(it):
    user = it.user()
    it.iam.delete_ssh_public_key(UserName=user, SSHPublicKeyId=it.ssh_key(user))
    return ssh_keys(it, user) == []


SSH_KEYS = [
    Row(
        "UploadSSHPublicKey",
        upload_key,
        LimitExceeded=upload_six_keys,
        NoSuchEntity=lambda it: it.iam.upload_ssh_public_key(UserName=NOBODY, SSHPublicKeyBody=data("ssh.pub")),
        InvalidPublicKey=lambda it: it.iam.upload_ssh_public_key(UserName=it.user(), SSHPublicKeyBody="ssh-rsa AAAA"),
    ),
    Row(
        "GetSSHPublicKey",
        get_key,
        NoSuchEntity=lambda it: it.iam.get_ssh_public_key(UserName=it.user(), SSHPublicKeyId=NO_ID, Encoding="SSH"),
    ),
    Row("ListSSHPublicKeys", list_ssh, NoSuchEntity=lambda it: it.iam.list_ssh_public_keys(UserName=NOBODY)),
    Row(
        "UpdateSSHPublicKey",
        update_ssh,
        NoSuchEntity=lambda it: it.iam.update_ssh_public_key(UserName=it.user(), SSHPublicKeyId=NO_ID, Status="Active"),
        InvalidInput=lambda it: update_ssh(it, "Expired"),
    ),
    Row(
        "DeleteSSHPublicKey",
        delete_ssh,
        NoSuchEntity=lambda it: it.iam.delete_ssh_public_key(UserName=it.user(), SSHPublicKeyId=NO_ID),
    ),
]

NO_CREDENTIAL = "ACCA" + "A" * 17


def create_credential(it):
    user = it.user()
    made = it.iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")
    made = made["ServiceSpecificCredential"]
    return made["ServiceUserName"].startswith(f"{user}-at-") and len(made["ServicePassword"]) > 20


def create_three_credentials(it):
    user = it.user()
    for _ in range(3):
        it.service_credential(user)


def credentials(it, user, member="ServiceSpecificCredentialId"):
    found = it.iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    return [credential[member] for credential in found]


def list_credentials(it):
    user = it.user()
    return [it.service_credential(user)] == credentials(it, user)


def update_credential(it):
    user = it.user()
    credential = it.service_credential(user)
    it.iam.update_service_specific_credential(
        UserName=user, ServiceSpecificCredentialId=credential, Status="Inactive"
    )
    return credentials(it, user, "Status") == ["Inactive"]


def reset_credential(it):
    user = it.user()
    credential = it.service_credential(user)
    made = it.iam.reset_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential)
    return len(made["ServiceSpecificCredential"]["ServicePassword"]) > 20


def delete_credential(it):
    user = it.user()
    it.iam.delete_service_specific_credential(
        UserName=user, ServiceSpecificCredentialId=it.service_credential(user)
    )
    return credentials(it, user) == []


SERVICE_SPECIFIC = [
    Row(
        "CreateServiceSpecificCredential",
        create_credential,
        LimitExceeded=create_three_credentials,
        NoSuchEntity=lambda it: it.service_credential(it.user(), "nothing.amazonaws.com"),
    ),
    Row(
        "ListServiceSpecificCredentials",
        list_credentials,
        NoSuchEntity=lambda it: it.iam.list_service_specific_credentials(UserName=NOBODY),
    ),
    Row(
        "UpdateServiceSpecificCredential",
        update_credential,
        NoSuchEntity=lambda it: it.iam.update_service_specific_credential(
            UserName=it.user(), ServiceSpecificCredentialId=NO_CREDENTIAL, Status="Active"
        ),
    ),
    Row(
        "ResetServiceSpecificCredential",
        reset_credential,
        NoSuchEntity=lambda it: it.iam.reset_service_specific_credential(
            UserName=it.user(), ServiceSpecificCredentialId=NO_CREDENTIAL
        ),
    ),
    Row(
        "DeleteServiceSpecificCredential",
        delete_credential,
        NoSuchEntity=lambda it: it.iam.delete_service_specific_credential(
            UserName=it.user(), ServiceSpecificCredentialId=NO_CREDENTIAL
        ),
    ),
]

ROWS = LOGIN + KEYS + CERTIFICATES + SSH_KEYS + SERVICE_SPECIFIC
