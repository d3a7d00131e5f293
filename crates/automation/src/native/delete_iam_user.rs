//! The six scripts of `AWSConfigRemediation-DeleteIAMUser`.
//!
//! Each function below is the script of the same name in `data/runbooks`, line by line; a test runs
//! both against the same answers.

use value::{Value, value};

use super::{Aws, NativeScript, Stop, texts};
use crate::fact::CallError;

const fn native(
    sha256: &'static str,
    body: fn(&Value, &mut Aws<'_>) -> Result<Value, Stop>,
) -> NativeScript {
    NativeScript { sha256, service: "iam", body, error_classes: ERROR_CLASSES }
}

/// Step 1.
pub(super) static GET_USERNAME: NativeScript =
    native("eabb727d05a1f1f97bccd536fbb355b794e218bc61a2cb73849e4c77d8e5f746", get_username);
/// Step 2.
pub(super) static LIST_CREDENTIALS: NativeScript =
    native("360c6c120274d5ffb4e44ec1eded25dda613c496b60e8b17599699ed43fbf1ac", list_credentials);
/// Step 3.
pub(super) static LIST_PERMISSIONS: NativeScript =
    native("836a3e8497a6b11645c3721cf9a5a7ec71026b433a6f30844e2357ca7c650445", list_permissions);
/// Step 4.
pub(super) static DELETE_CREDENTIALS: NativeScript =
    native("b7b3f25864c77a8060f9591dbd32e518121cf199f459fff8478c471b01251959", |payload, aws| {
        delete_credentials(payload, aws, |device| device.contains(VIRTUAL))
    });
/// Step 4 as AWS publishes it: every device is taken for a virtual one.
pub(super) static DELETE_CREDENTIALS_AS_PUBLISHED: NativeScript =
    native("dd68707aa7c520fba606c3f0cdce6a2fe8657be3f37986e40e5ed49b42060785", |payload, aws| {
        delete_credentials(payload, aws, |_| true)
    });
/// Step 5.
pub(super) static DELETE_PERMISSIONS: NativeScript =
    native("530a21c5649817b3f6b040dd65de93b5614e81ff57dd65d531543d350927f55d", delete_permissions);
/// Step 6.
pub(super) static DELETE_USER: NativeScript =
    native("d0799c931f65ca99a2fb27dea6838cddd482b75616f190ab0ff20891dd83f728", delete_user);

/// What the serial number of a virtual device holds, `arn:aws:iam::111122223333:mfa/name`; those of
/// hardware tokens are no ARNs, those of passkeys hold `:u2f/`.
const VIRTUAL: &str = ":mfa/";

const NO_SUCH_ENTITY: &str = "NoSuchEntity";

fn get_username(payload: &Value, aws: &mut Aws<'_>) -> Result<Value, Stop> {
    const LIST: &str = "for page in iam.get_paginator(\"list_users\")";
    let wanted = payload.get("IAMUserId").and_then(Value::as_str).unwrap_or_default();
    let mut request = Value::object();
    loop {
        let page = aws.call(&[("get_username", LIST)], "ListUsers", request)?;
        let users = page.get("Users").and_then(Value::as_array).unwrap_or_default();
        let named = |user: &&Value| user.get("UserId").and_then(Value::as_str) == Some(wanted);
        if let Some(user) = users.iter().find(named) {
            return Ok(value!({"UserName": user.get("UserName").cloned()}));
        }
        match super::next_marker(&page) {
            Some(marker) => request = value!({"Marker": marker}),
            None => break,
        }
    }
    let text = format!("no IAM user has the ID {wanted}");
    Err(aws.raise(&[("get_username", "raise LookupError(")], "LookupError", &text))
}

fn list_credentials(payload: &Value, aws: &mut Aws<'_>) -> Result<Value, Stop> {
    const HANDLER: &str = "list_credentials";
    const LOOP: &str = "for page in iam.get_paginator(operation)";
    let user = user(payload);
    let mut ids = |line, operation, member, key: &str| {
        let items = aws.pages(&[(HANDLER, line), ("ids", LOOP)], operation, &user, member)?;
        Ok(keys(&items, key))
    };
    let access_keys =
        ids("access_keys = ids(", "ListAccessKeys", "AccessKeyMetadata", "AccessKeyId")?;
    let ssh_public_keys =
        ids("ssh_public_keys = ids(", "ListSSHPublicKeys", "SSHPublicKeys", "SSHPublicKeyId")?;
    let certificates =
        ids("certificates = ids(", "ListSigningCertificates", "Certificates", "CertificateId")?;
    let mfa_devices = ids("mfa_devices = ids(", "ListMFADevices", "MFADevices", "SerialNumber")?;
    let frame = (HANDLER, "services = iam.list_service_specific_credentials(");
    let services = aws.call(&[frame], "ListServiceSpecificCredentials", user.clone())?;
    let services = services.get("ServiceSpecificCredentials").and_then(Value::as_array);
    Ok(value!({
        "AccessKeys": access_keys,
        "SSHPublicKeys": ssh_public_keys,
        "SigningCertificates": certificates,
        "MFADevices": mfa_devices,
        "ServiceSpecificCredentials":
            keys(services.unwrap_or_default(), "ServiceSpecificCredentialId"),
    }))
}

fn list_permissions(payload: &Value, aws: &mut Aws<'_>) -> Result<Value, Stop> {
    const LOOP: &str = "for page in iam.get_paginator(operation)";
    let user = user(payload);
    let mut pages = |line, operation, member| {
        aws.pages(&[("list_permissions", line), ("pages", LOOP)], operation, &user, member)
    };
    let groups = pages("groups = pages(", "ListGroupsForUser", "Groups")?;
    let inline = pages("inline = pages(", "ListUserPolicies", "PolicyNames")?;
    let attached = pages("attached = pages(", "ListAttachedUserPolicies", "AttachedPolicies")?;
    Ok(value!({
        "Groups": keys(&groups, "GroupName"),
        "UserPolicies": inline,
        "AttachedUserPolicies": keys(&attached, "PolicyArn"),
    }))
}

fn delete_credentials(
    payload: &Value,
    aws: &mut Aws<'_>,
    is_left_over: fn(&str) -> bool,
) -> Result<Value, Stop> {
    const HANDLER: &str = "delete_credentials";
    let user = user(payload);
    if let Err(err) = aws.try_call("DeleteLoginProfile", user.clone())?
        && err.code != NO_SUCH_ENTITY
    {
        let frame = (HANDLER, "iam.delete_login_profile(");
        return Err(aws.raise_client_error(&[frame], "DeleteLoginProfile", &err));
    }
    let mut each = |list, line, operation, member: &'static str| {
        texts(payload, list).try_for_each(|id| {
            let request = value!({(member): id}).with("UserName", user.get("UserName").cloned());
            aws.call(&[(HANDLER, line)], operation, request).map(|_| ())
        })
    };
    each("AccessKeys", "iam.delete_access_key(", "DeleteAccessKey", "AccessKeyId")?;
    each("SSHPublicKeys", "iam.delete_ssh_public_key(", "DeleteSSHPublicKey", "SSHPublicKeyId")?;
    each(
        "SigningCertificates",
        "iam.delete_signing_certificate(",
        "DeleteSigningCertificate",
        "CertificateId",
    )?;
    each("MFADevices", "iam.deactivate_mfa_device(", "DeactivateMFADevice", "SerialNumber")?;
    for device in texts(payload, "MFADevices").filter(|device| is_left_over(device)) {
        let frame = (HANDLER, "iam.delete_virtual_mfa_device(");
        aws.call(&[frame], "DeleteVirtualMFADevice", value!({"SerialNumber": device}))?;
    }
    for credential in texts(payload, "ServiceSpecificCredentials") {
        let frame = (HANDLER, "iam.delete_service_specific_credential(");
        let request = value!({"ServiceSpecificCredentialId": credential})
            .with("UserName", user.get("UserName").cloned());
        aws.call(&[frame], "DeleteServiceSpecificCredential", request)?;
    }
    Ok(Value::from("Deleted the password, keys, certificates, MFA devices and credentials."))
}

fn delete_permissions(payload: &Value, aws: &mut Aws<'_>) -> Result<Value, Stop> {
    let user = user(payload);
    let mut each = |list, line, operation, member: &'static str| {
        texts(payload, list).try_for_each(|name| {
            let request = value!({(member): name}).with("UserName", user.get("UserName").cloned());
            aws.call(&[("delete_permissions", line)], operation, request).map(|_| ())
        })
    };
    each("Groups", "iam.remove_user_from_group(", "RemoveUserFromGroup", "GroupName")?;
    each("UserPolicies", "iam.delete_user_policy(", "DeleteUserPolicy", "PolicyName")?;
    each("AttachedUserPolicies", "iam.detach_user_policy(", "DetachUserPolicy", "PolicyArn")?;
    Ok(Value::from("Removed the user from its groups and deleted or detached its policies."))
}

fn delete_user(payload: &Value, aws: &mut Aws<'_>) -> Result<Value, Stop> {
    const HANDLER: &str = "delete_user";
    let user = user(payload);
    let frame = (HANDLER, "response = iam.delete_user(");
    let response = aws.call(&[frame], "DeleteUser", user.clone())?;
    match aws.try_call("GetUser", user)? {
        Err(CallError { code, .. }) if code == NO_SUCH_ENTITY => Ok(value!({
            "output": "The IAM user is deleted.",
            "DeleteUserResponse": response,
        })),
        Err(err) => Err(aws.raise_client_error(&[(HANDLER, "iam.get_user(")], "GetUser", &err)),
        Ok(_) => {
            let text = "the IAM user is still there after its deletion";
            Err(aws.raise(&[(HANDLER, "raise RuntimeError(")], "RuntimeError", text))
        }
    }
}

/// The request that names the user and nothing else.
fn user(payload: &Value) -> Value {
    value!({"UserName": payload.get("UserName").cloned()})
}

fn keys(items: &[Value], key: &str) -> Vec<Value> {
    items.iter().filter_map(|item| item.get(key).cloned()).collect()
}

/// The exception classes that boto3 makes for IAM's error codes; other codes raise `ClientError`.
const ERROR_CLASSES: &[(&str, &str)] = &[
    (NO_SUCH_ENTITY, "NoSuchEntityException"),
    ("ConcurrentModification", "ConcurrentModificationException"),
    ("DeleteConflict", "DeleteConflictException"),
    ("EntityAlreadyExists", "EntityAlreadyExistsException"),
    ("EntityTemporarilyUnmodifiable", "EntityTemporarilyUnmodifiableException"),
    ("InvalidInput", "InvalidInputException"),
    ("InvalidUserType", "InvalidUserTypeException"),
    ("LimitExceeded", "LimitExceededException"),
    ("NotSupportedService", "ServiceNotSupportedException"),
    ("PolicyNotAttachable", "PolicyNotAttachableException"),
    ("ServiceFailure", "ServiceFailureException"),
    ("UnmodifiableEntity", "UnmodifiableEntityException"),
];
