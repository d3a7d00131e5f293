//! What users own: passwords, keys, certificates, service passwords.

use services::iam;
use value::{Value, value};

use crate::server::{ACCOUNT, each, server, text};

const SSH_KEY: &str = include_str!("data/ssh.pub");
const SSH_KEY_PEM: &str = include_str!("data/ssh.pem");
const CERTIFICATES: [&str; 3] =
    [include_str!("data/one.pem"), include_str!("data/two.pem"), include_str!("data/three.pem")];

fn with_user() -> crate::server::Server {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    server
}

#[test]
fn a_login_profile_is_made_changed_and_removed() {
    let server = with_user();
    let missing = "NoSuchEntity: Login Profile for User u cannot be found.";
    assert_eq!(server.refused("GetLoginProfile", value!({"UserName": "u"})), missing);
    let weak = value!({"UserName": "u", "Password": "password"});
    assert!(server.refused("CreateLoginProfile", weak).starts_with("PasswordPolicyViolation"));
    let strong =
        value!({"UserName": "u", "Password": "Pass-w0rd-ü", "PasswordResetRequired": true});
    let made = server.ok("CreateLoginProfile", strong.clone());
    assert_eq!(
        made.path(&["LoginProfile", "PasswordResetRequired"]).and_then(Value::as_bool),
        Some(true)
    );
    assert_eq!(
        server.refused("CreateLoginProfile", strong),
        "EntityAlreadyExists: Login Profile for user u already exists."
    );
    let call = server.call_of(server.user("u"));
    let change = |old: &str| value!({"OldPassword": old, "NewPassword": "An0ther-word"});
    assert!(server.run_as(call.clone(), "ChangePassword", change("wrong")).is_err());
    server.run_as(call, "ChangePassword", change("Pass-w0rd-ü")).unwrap();
    let got = server.ok("GetLoginProfile", value!({"UserName": "u"}));
    assert_eq!(
        got.path(&["LoginProfile", "PasswordResetRequired"]).and_then(Value::as_bool),
        Some(false)
    );
    server.ok("DeleteLoginProfile", value!({"UserName": "u"}));
    assert_eq!(server.refused("DeleteLoginProfile", value!({"UserName": "u"})), missing);
}

#[test]
fn a_user_has_two_access_keys_and_they_are_found_by_id() {
    let server = with_user();
    let made = server.ok("CreateAccessKey", value!({"UserName": "u"}));
    let id = text(&made, &["AccessKey", "AccessKeyId"]);
    assert!(id.len() == 20 && id.starts_with("AKIA"), "{id}");
    assert_eq!(text(&made, &["AccessKey", "SecretAccessKey"]).len(), 40);
    server.ok("CreateAccessKey", value!({"UserName": "u"}));
    assert_eq!(
        server.refused("CreateAccessKey", value!({"UserName": "u"})),
        "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2"
    );
    let find = || server.store.read(|store| iam::find_access_key(store, &id)).unwrap();
    assert_eq!(find().unwrap().principal.arn(), format!("arn:aws:iam::{ACCOUNT}:user/u"));
    let key = value!({"UserName": "u", "AccessKeyId": (id.as_str())});
    server.ok("UpdateAccessKey", key.clone().with("Status", "Inactive"));
    assert_eq!(find().unwrap().status, iam::KeyStatus::Inactive);
    let unused = server.ok("GetAccessKeyLastUsed", value!({"AccessKeyId": (id.as_str())}));
    assert_eq!(text(&unused, &["AccessKeyLastUsed", "ServiceName"]), "N/A");
    server.ok("DeleteAccessKey", key.clone());
    assert!(find().is_none());
    assert_eq!(
        server.refused("DeleteAccessKey", key),
        format!("NoSuchEntity: The Access Key with id {id} cannot be found")
    );
}

#[test]
fn the_last_use_of_a_key_is_noted() {
    let server = with_user();
    let made = server.ok("CreateAccessKey", value!({"UserName": "u"}));
    let id = text(&made, &["AccessKey", "AccessKeyId"]);
    let (noted, now) = (id.clone(), *server.now_millis.lock().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let write = server
        .store
        .write(move |store| iam::note_key_use(store, &noted, "iam", "us-east-1", now + 5000));
    runtime.block_on(write).unwrap().unwrap();
    let used = server.ok("GetAccessKeyLastUsed", value!({"AccessKeyId": (id.as_str())}));
    assert_eq!(
        used.get("AccessKeyLastUsed").unwrap().to_string(),
        r#"{"LastUsedDate":1795478405,"ServiceName":"iam","Region":"us-east-1"}"#
    );
}

#[test]
fn a_key_of_another_user_is_not_found() {
    let server = with_user();
    server.ok("CreateUser", value!({"UserName": "v"}));
    let made = server.ok("CreateAccessKey", value!({"UserName": "v"}));
    let id = text(&made, &["AccessKey", "AccessKeyId"]);
    let input = value!({"UserName": "u", "AccessKeyId": (id.as_str())});
    assert!(server.refused("DeleteAccessKey", input).starts_with("NoSuchEntity"));
}

#[test]
fn certificates_are_read_counted_and_belong_to_one_user() {
    let server = with_user();
    let upload = |user: &str, body: &str| value!({"UserName": user, "CertificateBody": body});
    for body in &CERTIFICATES[..2] {
        server.ok("UploadSigningCertificate", upload("u", body));
    }
    assert_eq!(
        server.refused("UploadSigningCertificate", upload("u", CERTIFICATES[2])),
        "LimitExceeded: Cannot exceed quota for CertificatesPerUser: 2"
    );
    server.ok("CreateUser", value!({"UserName": "v"}));
    let double = server.refused("UploadSigningCertificate", upload("v", CERTIFICATES[0]));
    assert!(double.starts_with("DuplicateCertificate"), "{double}");
    let nonsense = "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----";
    for body in ["nonsense", nonsense, SSH_KEY_PEM] {
        let refused = server.refused("UploadSigningCertificate", upload("v", body));
        assert!(refused.contains("Certificate: "), "{refused}");
    }
    let listed = server.ok("ListSigningCertificates", value!({"UserName": "u"}));
    for id in each(&listed, "Certificates", "CertificateId") {
        let input = value!({"UserName": "u", "CertificateId": (id.as_str())});
        server.ok("UpdateSigningCertificate", input.clone().with("Status", "Inactive"));
        server.ok("DeleteSigningCertificate", input);
    }
    server.ok("UploadSigningCertificate", upload("v", CERTIFICATES[0]));
}

#[test]
fn ssh_keys_come_back_in_both_encodings() {
    let server = with_user();
    let upload = |body: &str| value!({"UserName": "u", "SSHPublicKeyBody": body});
    let made = server.ok("UploadSSHPublicKey", upload(SSH_KEY));
    let id = text(&made, &["SSHPublicKey", "SSHPublicKeyId"]);
    assert!(id.len() == 21 && id.starts_with("APKA"), "{id}");
    let fingerprint = "b7:b2:7e:81:e9:b8:15:6d:d4:ab:b4:95:ec:12:bd:61";
    assert_eq!(text(&made, &["SSHPublicKey", "Fingerprint"]), fingerprint);
    let get = |encoding: &str| {
        let input =
            value!({"UserName": "u", "SSHPublicKeyId": (id.as_str()), "Encoding": encoding});
        text(&server.ok("GetSSHPublicKey", input), &["SSHPublicKey", "SSHPublicKeyBody"])
    };
    assert_eq!(get("SSH"), SSH_KEY.trim());
    assert_eq!(get("PEM"), SSH_KEY_PEM);
    for same in [SSH_KEY, SSH_KEY_PEM] {
        assert!(
            server.refused("UploadSSHPublicKey", upload(same)).starts_with("DuplicateSSHPublicKey")
        );
    }
    for bad in ["", "ssh-rsa", "ssh-rsa AAAA", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==", "日本語"]
    {
        let refused = server.refused("UploadSSHPublicKey", upload(bad));
        assert!(refused.starts_with("InvalidPublicKey"), "{bad}: {refused}");
    }
}

#[test]
fn service_credentials_have_the_shape_of_their_service() {
    let server = with_user();
    let create = |service: &str| value!({"UserName": "u", "ServiceName": service});
    let made = server.ok("CreateServiceSpecificCredential", create("codecommit.amazonaws.com"));
    let made = made.get("ServiceSpecificCredential").unwrap();
    assert_eq!(text(made, &["ServiceUserName"]), format!("u-at-{ACCOUNT}"));
    assert!(made.get("ServicePassword").is_some() && made.get("ServiceCredentialSecret").is_none());
    let id = text(made, &["ServiceSpecificCredentialId"]);
    assert!(id.starts_with("ACCA"), "{id}");
    let bedrock = create("bedrock.amazonaws.com").with("CredentialAgeDays", 1);
    let key = server.ok("CreateServiceSpecificCredential", bedrock);
    let key = key.get("ServiceSpecificCredential").unwrap();
    assert!(key.get("ServiceCredentialSecret").is_some() && key.get("ServicePassword").is_none());
    *server.now_millis.lock().unwrap() += 86_400_000;
    let listed = server.ok(
        "ListServiceSpecificCredentials",
        value!({"UserName": "u", "ServiceName": "bedrock.amazonaws.com"}),
    );
    assert_eq!(each(&listed, "ServiceSpecificCredentials", "Status"), ["Expired"]);
    let all = server.ok("ListServiceSpecificCredentials", value!({"UserName": "u"}));
    assert_eq!(all.get("ServiceSpecificCredentials").and_then(Value::as_array).unwrap().len(), 2);
    server.ok("CreateServiceSpecificCredential", create("codecommit.amazonaws.com"));
    let third =
        server.refused("CreateServiceSpecificCredential", create("codecommit.amazonaws.com"));
    assert!(third.starts_with("LimitExceeded"), "{third}");
    assert_eq!(
        server.refused("CreateServiceSpecificCredential", create("x.amazonaws.com")),
        "NoSuchEntity: No such service x.amazonaws.com is supported for Service Specific Credentials"
    );
    let one = value!({"UserName": "u", "ServiceSpecificCredentialId": (id.as_str())});
    let reset = server.ok("ResetServiceSpecificCredential", one.clone());
    let new = text(&reset, &["ServiceSpecificCredential", "ServicePassword"]);
    assert_ne!(new, text(made, &["ServicePassword"]));
    server.ok("DeleteServiceSpecificCredential", one.clone());
    assert_eq!(
        server.refused("DeleteServiceSpecificCredential", one),
        format!("NoSuchEntity: No such credential {id} exists")
    );
}
