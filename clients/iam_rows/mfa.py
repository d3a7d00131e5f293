"""MFA devices."""

from .row import Row
from .world import NOBODY, TWICE, arn, codes

NO_DEVICE = arn("mfa/nothing-of-this-name")
WRONG = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}


def create(it):
    made = it.iam.create_virtual_mfa_device(VirtualMFADeviceName=it.name("device"))["VirtualMFADevice"]
    return len(made["Base32StringSeed"]) == 64 and made["QRCodePNG"].startswith(b"\x89PNG")


def create_again(it):
    serial, _ = it.virtual_device()
    it.iam.create_virtual_mfa_device(VirtualMFADeviceName=serial.rsplit("/", 1)[1])


def delete(it):
    serial, _ = it.virtual_device()
    it.iam.delete_virtual_mfa_device(SerialNumber=serial)
    return serial not in virtual(it)


def delete_enabled(it):
    serial, _ = it.enabled_device(it.user())
    it.iam.delete_virtual_mfa_device(SerialNumber=serial)


def virtual(it, **more):
    return [device["SerialNumber"] for device in it.iam.list_virtual_mfa_devices(**more)["VirtualMFADevices"]]


def list_virtual(it):
    serial, _ = it.virtual_device()
    return serial in virtual(it, AssignmentStatus="Unassigned", MaxItems=1000)


def devices(it, user):
    return [device["SerialNumber"] for device in it.iam.list_mfa_devices(UserName=user)["MFADevices"]]


def enable(it):
    user = it.user()
    serial, seed = it.virtual_device()
    it.iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes(seed))
    return devices(it, user) == [serial]


def enable_again(it):
    serial, seed = it.enabled_device(it.user())
    it.iam.enable_mfa_device(UserName=it.user(), SerialNumber=serial, **codes(seed))


def enable_wrongly(it):
    serial, _ = it.virtual_device()
    it.iam.enable_mfa_device(UserName=it.user(), SerialNumber=serial, **WRONG)


def resync(it):
    user = it.user()
    serial, seed = it.enabled_device(user)
    it.iam.resync_mfa_device(UserName=user, SerialNumber=serial, **codes(seed))
    return devices(it, user) == [serial]


def resync_wrongly(it):
    user = it.user()
    it.iam.resync_mfa_device(UserName=user, SerialNumber=it.enabled_device(user)[0], **WRONG)


def deactivate(it):
    user = it.user()
    serial, _ = it.enabled_device(user)
    it.iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
    return devices(it, user) == []


def listed(it):
    user = it.user()
    return [it.hardware_token(user)] == devices(it, user)


def get(it):
    user = it.user()
    serial = it.hardware_token(user)
    return it.iam.get_mfa_device(UserName=user, SerialNumber=serial)["SerialNumber"] == serial


ROWS = [
    Row(
        "CreateVirtualMFADevice",
        create,
        InvalidInput=lambda it: it.virtual_device(Tags=TWICE),
        EntityAlreadyExists=create_again,
    ),
    Row(
        "DeleteVirtualMFADevice",
        delete,
        NoSuchEntity=lambda it: it.iam.delete_virtual_mfa_device(SerialNumber=NO_DEVICE),
        DeleteConflict=delete_enabled,
    ),
    Row("ListVirtualMFADevices", list_virtual),
    Row(
        "EnableMFADevice",
        enable,
        EntityAlreadyExists=enable_again,
        InvalidAuthenticationCode=enable_wrongly,
    ),
    Row(
        "ResyncMFADevice",
        resync,
        InvalidAuthenticationCode=resync_wrongly,
        NoSuchEntity=lambda it: it.iam.resync_mfa_device(UserName=it.user(), SerialNumber=NO_DEVICE, **WRONG),
    ),
    Row(
        "DeactivateMFADevice",
        deactivate,
        NoSuchEntity=lambda it: it.iam.deactivate_mfa_device(UserName=it.user(), SerialNumber=NO_DEVICE),
    ),
    Row("ListMFADevices", listed, NoSuchEntity=lambda it: it.iam.list_mfa_devices(UserName=NOBODY)),
    Row(
        "GetMFADevice",
        get,
        NoSuchEntity=lambda it: it.iam.get_mfa_device(UserName=it.user(), SerialNumber=NO_DEVICE),
    ),
]
