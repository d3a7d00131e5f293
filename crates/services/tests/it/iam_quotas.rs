//! The quotas of IAM: how many there can be of everything, and AWS's words for one too many.
//!
//! IAM user guide, "IAM and AWS STS quotas"; texts as `Cannot exceed quota for
//! AccessKeysPerUser: 2`, which public issues show.

use store::Table;
use value::{Value, value};

use crate::server::{ACCOUNT, DOCUMENT, Server, server, text, trust};

const CERTIFICATES: [&str; 3] =
    [include_str!("data/one.pem"), include_str!("data/two.pem"), include_str!("data/three.pem")];

/// Answers the operation that is one too many.
fn refused(server: &Server, name: &str, input: Value) -> String {
    let refusal = server.refused(name, input);
    refusal.strip_prefix("LimitExceeded: ").unwrap_or_else(|| panic!("{refusal}")).to_owned()
}

fn quota(name: &str, max: usize) -> String {
    format!("Cannot exceed quota for {name}: {max}")
}

fn named(kind: &str) -> Value {
    Value::object().with(format!("{kind}Name"), "x")
}

#[test]
fn an_account_has_so_many_of_everything() {
    let trust = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    let role = named("Role").with("AssumeRolePolicyDocument", trust);
    let policy = named("Policy").with("PolicyDocument", DOCUMENT);
    let certificate = named("ServerCertificate")
        .with("CertificateBody", include_str!("data/server.pem"))
        .with("PrivateKey", include_str!("data/server.key"));
    let document = crate::iam_providers::metadata("entityID=\"https://idp\"");
    let (own, settings) = (format!("{ACCOUNT}/"), Table::IamSettings);
    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:{rest}");
    let of = |kind: &str| format!("{kind}/{ACCOUNT}/");
    let saml = value!({"Name": "x", "SAMLMetadataDocument": document});
    let table = [
        ("CreateUser", named("User"), Table::Users, own.clone(), "UsersPerAccount", 5000),
        ("CreateGroup", named("Group"), Table::Groups, own.clone(), "GroupsPerAccount", 300),
        ("CreateRole", role, Table::Roles, own, "RolesPerAccount", 1000),
        (
            "CreatePolicy",
            policy,
            Table::Relations,
            of("policy-of-name"),
            "PoliciesPerAccount",
            1500,
        ),
        (
            "CreateInstanceProfile",
            named("InstanceProfile"),
            settings,
            of("instance-profile"),
            "InstanceProfilesPerAccount",
            1000,
        ),
        (
            "UploadServerCertificate",
            certificate,
            settings,
            of("server-certificate"),
            "ServerCertificatesPerAccount",
            20,
        ),
        (
            "CreateOpenIDConnectProvider",
            value!({"Url": "https://e.com"}),
            settings,
            of("oidc-provider"),
            "OpenIdConnectProvidersPerAccount",
            100,
        ),
        ("CreateSAMLProvider", saml, settings, of("saml-provider"), "SAMLProvidersPerAccount", 100),
        (
            "CreateVirtualMFADevice",
            named("VirtualMFADevice"),
            Table::MfaDevices,
            arn("mfa/"),
            "VirtualMFADevicesPerAccount",
            5000,
        ),
    ];
    for (name, input, stored_in, prefix, quota_name, max) in table {
        let server = server();
        server.fill(stored_in, &prefix, max - 1);
        server.ok(name, input.clone());
        // Now there is another in the place of the one that was made.
        server.fill(stored_in, &prefix, max);
        let input = input.to_string().replace("\"x\"", "\"y\"").replace("e.com", "f.com");
        let input = value::parse(&input).unwrap();
        assert_eq!(refused(&server, name, input), quota(quota_name, max), "{name}");
    }
}

/// Makes the input for the first, the second and so on.
type Inputs<'a> = &'a dyn Fn(usize) -> Value;

#[test]
fn a_user_has_so_many_of_everything() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let user = |more: Value| {
        let more = more.as_object().unwrap().clone();
        more.iter().fold(value!({"UserName": "u"}), |input, (key, value)| {
            input.with(key.to_string(), value.clone())
        })
    };
    let device = |n: usize| {
        user(value!({
            "SerialNumber": (format!("GAHT{n:08}")),
            "AuthenticationCode1": "123456",
            "AuthenticationCode2": "654321",
        }))
    };
    let group = |n: usize| {
        server.ok("CreateGroup", value!({"GroupName": (format!("g{n}"))}));
        user(value!({"GroupName": (format!("g{n}"))}))
    };
    let service = user(value!({"ServiceName": "codecommit.amazonaws.com"}));
    let certificate = |n: usize| user(value!({"CertificateBody": (CERTIFICATES[n])}));
    let ssh_key = |n: usize| user(value!({"SSHPublicKeyBody": (crate::iam_pages::ssh_key(n))}));
    let table: [(&str, Inputs<'_>, &str, usize); 6] = [
        ("CreateAccessKey", &|_| user(value!({})), "AccessKeysPerUser", 2),
        ("UploadSigningCertificate", &certificate, "CertificatesPerUser", 2),
        ("UploadSSHPublicKey", &ssh_key, "SSHPublicKeysPerUser", 5),
        (
            "CreateServiceSpecificCredential",
            &|_| service.clone(),
            "ServiceSpecificCredentialsPerUser",
            2,
        ),
        ("EnableMFADevice", &device, "MFADevicesPerUser", 8),
        ("AddUserToGroup", &group, "GroupsPerUser", 10),
    ];
    for (name, input, quota_name, max) in table {
        for n in 0..max {
            server.ok(name, input(n));
        }
        assert_eq!(refused(&server, name, input(max)), quota(quota_name, max), "{name}");
    }
}

#[test]
fn an_entity_has_ten_managed_policies() {
    let server = server();
    let trust = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    server.ok("CreateUser", named("User"));
    server.ok("CreateGroup", named("Group"));
    server.ok("CreateRole", named("Role").with("AssumeRolePolicyDocument", trust));
    for n in 0..=10 {
        let input = value!({"PolicyName": (format!("p{n}")), "PolicyDocument": DOCUMENT});
        let arn = text(&server.ok("CreatePolicy", input), &["Policy", "Arn"]);
        for kind in ["User", "Group", "Role"] {
            let (name, input) =
                (format!("Attach{kind}Policy"), named(kind).with("PolicyArn", arn.as_str()));
            if n < 10 {
                server.ok(&name, input.clone());
                // What is attached already is no other.
                server.ok(&name, input);
            } else {
                let quota_name = format!("PoliciesPer{kind}");
                assert_eq!(refused(&server, &name, input), quota(&quota_name, 10));
            }
        }
    }
}

/// A policy of so many characters that are not white space.
fn policy_of(characters: usize) -> String {
    let empty = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Sid":""}]}"#;
    let filler = "x".repeat(characters - empty.len());
    // White space does not count.
    empty.replace(r#""Sid":"""#, &format!("\n  \"Sid\":  \"{filler}\""))
}

#[test]
fn policies_are_so_long() {
    let server = server();
    let ec2 = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    server.ok("CreateUser", named("User"));
    server.ok("CreateGroup", named("Group"));
    server.ok("CreateRole", named("Role").with("AssumeRolePolicyDocument", ec2.as_str()));
    let managed = |length| value!({"PolicyName": "p", "PolicyDocument": (policy_of(length))});
    assert_eq!(refused(&server, "CreatePolicy", managed(6145)), quota("PolicySize", 6144));
    server.ok("CreatePolicy", managed(6144));
    for (kind, max) in [("User", 2048), ("Group", 5120), ("Role", 10_240)] {
        let inline =
            |length| named(kind).with("PolicyName", "i").with("PolicyDocument", policy_of(length));
        let name = format!("Put{kind}Policy");
        server.ok(&name, inline(max));
        let word = kind.to_lowercase();
        assert_eq!(
            refused(&server, &name, inline(max + 1)),
            format!("Maximum policy size of {max} bytes exceeded for {word} x")
        );
    }
    let padding = "x".repeat(2048);
    let long = ec2.replace(r#""Effect""#, &format!(r#""Sid":"{padding}","Effect""#));
    let input = value!({"RoleName": "x", "PolicyDocument": long});
    assert_eq!(refused(&server, "UpdateAssumeRolePolicy", input), quota("ACLSizePerRole", 2048));
}

#[test]
fn a_policy_has_five_versions_and_a_profile_one_role() {
    let server = server();
    let input = value!({"PolicyName": "p", "PolicyDocument": DOCUMENT});
    let arn = text(&server.ok("CreatePolicy", input), &["Policy", "Arn"]);
    let version = value!({"PolicyArn": arn, "PolicyDocument": DOCUMENT});
    for _ in 1..5 {
        server.ok("CreatePolicyVersion", version.clone());
    }
    assert_eq!(
        refused(&server, "CreatePolicyVersion", version),
        "A managed policy can have up to 5 versions. Before you create a new version, you must \
         delete an existing version."
    );
    let ec2 = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    server.ok("CreateRole", named("Role").with("AssumeRolePolicyDocument", ec2));
    server.ok("CreateInstanceProfile", named("InstanceProfile"));
    let add = named("InstanceProfile").with("RoleName", "x");
    server.ok("AddRoleToInstanceProfile", add.clone());
    assert_eq!(
        refused(&server, "AddRoleToInstanceProfile", add),
        quota("InstanceSessionsPerInstanceProfile", 1)
    );
}

#[test]
fn everything_that_carries_tags_carries_fifty() {
    let server = server();
    crate::iam_pages::make_everything(&server);
    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:{rest}");
    let table = [
        ("TagUser", value!({"UserName": "u0"})),
        ("TagRole", value!({"RoleName": "r0"})),
        ("TagPolicy", value!({"PolicyArn": (arn("policy/p0"))})),
        ("TagInstanceProfile", value!({"InstanceProfileName": "i0"})),
        ("TagMFADevice", value!({"SerialNumber": (arn("mfa/m0"))})),
        ("TagServerCertificate", value!({"ServerCertificateName": "c0"})),
        (
            "TagOpenIDConnectProvider",
            value!({"OpenIDConnectProviderArn": (arn("oidc-provider/e.com"))}),
        ),
        ("TagSAMLProvider", value!({"SAMLProviderArn": (arn("saml-provider/s"))})),
    ];
    for (name, input) in table {
        // Three are there.
        let tags = |from: usize, to: usize| {
            let tag = |n: usize| value!({"Key": (format!("key-{n}")), "Value": ""});
            input.clone().with("Tags", (from..to).map(tag).collect::<Vec<Value>>())
        };
        server.ok(name, tags(0, 47));
        server.ok(name, tags(0, 47));
        assert_eq!(
            refused(&server, name, tags(47, 48)),
            "The number of tags has reached the maximum limit: 50",
            "{name}"
        );
    }
}
