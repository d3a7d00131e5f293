//! What stands in the way of deleting: the nine refusals of DeleteUser.

use value::{Value, value};

use crate::iam_mfa::enable;
use crate::server::{ACCOUNT, DOCUMENT, Server, server, text};

const CERTIFICATE: &str = include_str!("data/one.pem");
const SSH_KEY: &str = include_str!("data/ssh.pub");

fn with_user() -> Server {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    server
}

/// Deletes the user, which is refused, takes the obstacle away and deletes it for good.
fn refuses(server: &Server, message: &str, clear: &[(&str, Value)]) {
    assert_eq!(
        server.refused("DeleteUser", value!({"UserName": "u"})),
        format!("DeleteConflict: Cannot delete entity, must {message}")
    );
    for (name, input) in clear {
        server.ok(name, input.clone());
    }
    server.ok("DeleteUser", value!({"UserName": "u"}));
}

#[test]
fn a_login_profile_stands_in_the_way() {
    let server = with_user();
    server.ok("CreateLoginProfile", value!({"UserName": "u", "Password": "Passw0rd!xyzzy"}));
    let clear = [("DeleteLoginProfile", value!({"UserName": "u"}))];
    refuses(&server, "delete login profile first.", &clear);
}

#[test]
fn an_access_key_stands_in_the_way() {
    let server = with_user();
    let key = server.ok("CreateAccessKey", value!({"UserName": "u"}));
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let clear = [("DeleteAccessKey", value!({"UserName": "u", "AccessKeyId": (id.as_str())}))];
    refuses(&server, "delete access keys first.", &clear);
}

#[test]
fn a_signing_certificate_stands_in_the_way() {
    let server = with_user();
    let made = server
        .ok("UploadSigningCertificate", value!({"UserName": "u", "CertificateBody": CERTIFICATE}));
    let id = text(&made, &["Certificate", "CertificateId"]);
    let input = value!({"UserName": "u", "CertificateId": (id.as_str())});
    refuses(&server, "delete certificates first.", &[("DeleteSigningCertificate", input)]);
}

#[test]
fn an_ssh_public_key_stands_in_the_way() {
    let server = with_user();
    let made =
        server.ok("UploadSSHPublicKey", value!({"UserName": "u", "SSHPublicKeyBody": SSH_KEY}));
    let id = text(&made, &["SSHPublicKey", "SSHPublicKeyId"]);
    let input = value!({"UserName": "u", "SSHPublicKeyId": (id.as_str())});
    refuses(&server, "remove referenced objects first.", &[("DeleteSSHPublicKey", input)]);
}

#[test]
fn a_service_specific_credential_stands_in_the_way() {
    let server = with_user();
    let made = server.ok(
        "CreateServiceSpecificCredential",
        value!({"UserName": "u", "ServiceName": "codecommit.amazonaws.com"}),
    );
    let id = text(&made, &["ServiceSpecificCredential", "ServiceSpecificCredentialId"]);
    let input = value!({"UserName": "u", "ServiceSpecificCredentialId": (id.as_str())});
    let clear = [("DeleteServiceSpecificCredential", input)];
    refuses(&server, "remove referenced objects first.", &clear);
}

#[test]
fn an_mfa_device_stands_in_the_way() {
    let server = with_user();
    let serial_number = enable(&server, "u", "m");
    let input = value!({"UserName": "u", "SerialNumber": (serial_number.as_str())});
    refuses(&server, "delete MFA device first.", &[("DeactivateMFADevice", input)]);
}

#[test]
fn an_inline_policy_stands_in_the_way() {
    let server = with_user();
    let input = value!({"UserName": "u", "PolicyName": "p", "PolicyDocument": DOCUMENT});
    server.ok("PutUserPolicy", input);
    let clear = [("DeleteUserPolicy", value!({"UserName": "u", "PolicyName": "p"}))];
    refuses(&server, "delete policies first.", &clear);
}

#[test]
fn an_attached_policy_stands_in_the_way() {
    let server = with_user();
    let input =
        value!({"UserName": "u", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    server.ok("AttachUserPolicy", input.clone());
    refuses(&server, "detach all policies first.", &[("DetachUserPolicy", input)]);
}

#[test]
fn a_group_stands_in_the_way_of_its_users_and_they_in_its() {
    let server = with_user();
    server.ok("CreateGroup", value!({"GroupName": "g"}));
    let input = value!({"UserName": "u", "GroupName": "g"});
    server.ok("AddUserToGroup", input.clone());
    let refusal = "DeleteConflict: Cannot delete entity, must remove users from group first.";
    assert_eq!(server.refused("DeleteGroup", value!({"GroupName": "g"})), refusal);
    refuses(&server, "remove users from group first.", &[("RemoveUserFromGroup", input)]);
    server.ok("DeleteGroup", value!({"GroupName": "g"}));
}

#[test]
fn boundary_and_tags_stand_in_no_way() {
    let server = with_user();
    server.ok("CreatePolicy", value!({"PolicyName": "b", "PolicyDocument": DOCUMENT}));
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/b");
    let input = value!({"UserName": "u", "PermissionsBoundary": (arn.as_str())});
    server.ok("PutUserPermissionsBoundary", input);
    server.ok("TagUser", value!({"UserName": "u", "Tags": [{"Key": "k", "Value": "v"}]}));
    let refusal = "DeleteConflict: Cannot delete a policy attached to entities.";
    assert_eq!(server.refused("DeletePolicy", value!({"PolicyArn": (arn.as_str())})), refusal);
    server.ok("DeleteUser", value!({"UserName": "u"}));
    let policy = server.ok("GetPolicy", value!({"PolicyArn": (arn.as_str())}));
    let count = policy.path(&["Policy", "PermissionsBoundaryUsageCount"]).and_then(Value::as_i64);
    assert_eq!(count, Some(0));
}
