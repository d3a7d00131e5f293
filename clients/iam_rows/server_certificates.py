"""Server certificates."""

from .row import Row
from .world import NOBODY, TWICE, data


def upload(it, name=None, **more):
    given = {"CertificateBody": data("curve.pem"), "PrivateKey": data("curve.key"), **more}
    return it.iam.upload_server_certificate(ServerCertificateName=name or it.name(), **given)


def get(it, name):
    return it.iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]


def uploaded(it):
    made = upload(it, Path="/cloudfront/")["ServerCertificateMetadata"]
    remove(it, made["ServerCertificateName"])
    return made["ServerCertificateId"].startswith("ASCA") and made["Path"] == "/cloudfront/"


def remove(it, *names):
    """Twenty is all that an account can have."""
    for name in names:
        it.iam.delete_server_certificate(ServerCertificateName=name)


def names(it):
    listed = it.iam.list_server_certificates(MaxItems=1000)["ServerCertificateMetadataList"]
    return [certificate["ServerCertificateName"] for certificate in listed]


def twenty_one(it):
    made = []
    try:
        while True:
            made.append(it.server_certificate())
    finally:
        remove(it, *made)


def with_certificate(it, run):
    name = it.server_certificate()
    try:
        return run(name)
    finally:
        remove(it, *[left for left in names(it) if left == name])


def renamed(it):
    old, new = it.server_certificate(), it.name("certificate")
    it.iam.update_server_certificate(ServerCertificateName=old, NewServerCertificateName=new)
    found = names(it)
    remove(it, new)
    return new in found and old not in found


def rename_to_taken(it, other):
    def run(name):
        it.iam.update_server_certificate(ServerCertificateName=name, NewServerCertificateName=other)

    return with_certificate(it, run)


def deleted(it):
    name = it.server_certificate()
    remove(it, name)
    return name not in names(it)


ROWS = [
    Row(
        "UploadServerCertificate",
        uploaded,
        LimitExceeded=twenty_one,
        InvalidInput=lambda it: upload(it, Tags=TWICE),
        EntityAlreadyExists=lambda it: with_certificate(it, lambda name: upload(it, name)),
        MalformedCertificate=lambda it: upload(it, CertificateBody="x"),
        KeyPairMismatch=lambda it: upload(it, PrivateKey=data("server.key")),
    ),
    Row(
        "GetServerCertificate",
        lambda it: with_certificate(it, lambda name: get(it, name)["CertificateBody"] == data("server.pem")),
        NoSuchEntity=lambda it: get(it, NOBODY),
    ),
    Row("ListServerCertificates", lambda it: with_certificate(it, lambda name: name in names(it))),
    Row(
        "UpdateServerCertificate",
        renamed,
        NoSuchEntity=lambda it: it.iam.update_server_certificate(ServerCertificateName=NOBODY, NewPath="/"),
        EntityAlreadyExists=lambda it: with_certificate(it, lambda other: rename_to_taken(it, other)),
    ),
    Row(
        "DeleteServerCertificate",
        deleted,
        NoSuchEntity=lambda it: it.iam.delete_server_certificate(ServerCertificateName=NOBODY),
    ),
]
