//! Every list of IAM that the model lets be cut into pages is, and its pages make the whole.

use std::collections::BTreeSet;

use value::{Value, value};

use crate::server::{ACCOUNT, DOCUMENT, Server, each, server, text, trust};

const CERTIFICATES: [&str; 2] = [include_str!("data/one.pem"), include_str!("data/two.pem")];
const SSH_KEY: &str = include_str!("data/ssh.pub");

/// Operation, the list it answers, and what it is asked about; each list has two items or more.
fn rows() -> Vec<(&'static str, &'static str, Value)> {
    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:{rest}");
    let (user, group, role) =
        (value!({"UserName": "u0"}), value!({"GroupName": "g0"}), value!({"RoleName": "r0"}));
    let policy = value!({"PolicyArn": (arn("policy/p0"))});
    let profile = value!({"InstanceProfileName": "i0"});
    let oidc = value!({"OpenIDConnectProviderArn": (arn("oidc-provider/e.com"))});
    let saml = value!({"SAMLProviderArn": (arn("saml-provider/s"))});
    let device = value!({"SerialNumber": (arn("mfa/m0"))});
    vec![
        ("GetGroup", "Users", group.clone()),
        ("ListAccessKeys", "AccessKeyMetadata", user.clone()),
        ("ListAttachedGroupPolicies", "AttachedPolicies", group.clone()),
        ("ListAttachedRolePolicies", "AttachedPolicies", role.clone()),
        ("ListAttachedUserPolicies", "AttachedPolicies", user.clone()),
        ("ListEntitiesForPolicy", "PolicyUsers", policy.clone().with("EntityFilter", "User")),
        ("ListGroupPolicies", "PolicyNames", group),
        ("ListGroups", "Groups", value!({})),
        ("ListGroupsForUser", "Groups", user.clone()),
        ("ListInstanceProfileTags", "Tags", profile),
        ("ListInstanceProfiles", "InstanceProfiles", value!({})),
        ("ListInstanceProfilesForRole", "InstanceProfiles", role.clone()),
        ("ListMFADeviceTags", "Tags", device),
        ("ListMFADevices", "MFADevices", user.clone()),
        ("ListOpenIDConnectProviderTags", "Tags", oidc),
        ("ListPolicies", "Policies", value!({"Scope": "Local"})),
        ("ListPolicyTags", "Tags", policy.clone()),
        ("ListPolicyVersions", "Versions", policy),
        ("ListRolePolicies", "PolicyNames", role.clone()),
        ("ListRoleTags", "Tags", role),
        ("ListRoles", "Roles", value!({})),
        ("ListSAMLProviderTags", "Tags", saml),
        ("ListSSHPublicKeys", "SSHPublicKeys", user.clone()),
        ("ListServerCertificateTags", "Tags", value!({"ServerCertificateName": "c0"})),
        ("ListServerCertificates", "ServerCertificateMetadataList", value!({})),
        ("ListServiceSpecificCredentials", "ServiceSpecificCredentials", user.clone()),
        ("ListSigningCertificates", "Certificates", user.clone()),
        ("ListUserPolicies", "PolicyNames", user.clone()),
        ("ListUserTags", "Tags", user),
        ("ListUsers", "Users", value!({})),
        ("ListVirtualMFADevices", "VirtualMFADevices", value!({})),
    ]
}

/// Lists that other tests cut, and such as cannot be.
const ELSEWHERE: &[&str] = &[
    // There is one alias at most.
    "ListAccountAliases",
    // iam_simulation.rs: a result for each action that is asked about.
    "SimulateCustomPolicy",
    "SimulatePrincipalPolicy",
    // It takes no MaxItems.
    "ListPoliciesGrantingServiceAccess",
    // iam_reports.rs: four lists in one.
    "GetAccountAuthorizationDetails",
    // Below.
    "GetServiceLastAccessedDetails",
    // Only who has used a service is in it; iam_reports.rs has one who did.
    "GetServiceLastAccessedDetailsWithEntities",
];

fn tags() -> Value {
    value!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
}

/// Users, groups, roles and policies, and what hangs on the first of each.
fn entities(server: &Server) {
    let trust = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    for n in 0..3 {
        let named = |letter: char| format!("{letter}{n}");
        server.ok("CreateUser", value!({"UserName": (named('u')), "Tags": (tags())}));
        server.ok("CreateGroup", value!({"GroupName": (named('g'))}));
        let role = value!({"RoleName": (named('r')), "AssumeRolePolicyDocument": (trust.as_str())});
        server.ok("CreateRole", role.with("Tags", tags()));
        let policy = value!({"PolicyName": (named('p')), "PolicyDocument": DOCUMENT});
        let made = server.ok("CreatePolicy", policy.with("Tags", tags()));
        let arn = text(&made, &["Policy", "Arn"]);
        for (kind, name) in [("User", "u0"), ("Group", "g0"), ("Role", "r0")] {
            let input = Value::object().with(format!("{kind}Name"), name);
            let attached = input.clone().with("PolicyArn", arn.as_str());
            server.ok(&format!("Attach{kind}Policy"), attached);
            let inline = input.with("PolicyName", named('i')).with("PolicyDocument", DOCUMENT);
            server.ok(&format!("Put{kind}Policy"), inline);
        }
    }
    let first = format!("arn:aws:iam::{ACCOUNT}:policy/p0");
    for n in 0..3 {
        let (user, group) = (format!("u{n}"), format!("g{n}"));
        server.ok("AddUserToGroup", value!({"GroupName": "g0", "UserName": (user.as_str())}));
        server.ok("AddUserToGroup", value!({"GroupName": group, "UserName": "u0"}));
        server.ok("AttachUserPolicy", value!({"UserName": user, "PolicyArn": (first.as_str())}));
    }
    let version = value!({"PolicyArn": first, "PolicyDocument": DOCUMENT});
    server.ok("CreatePolicyVersion", version);
}

/// One of many keys: a modulus that differs in one place is another one.
pub(crate) fn ssh_key(number: usize) -> String {
    let other = ["AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH"][number];
    let mut changed = SSH_KEY.to_owned();
    changed.replace_range(200..202, other);
    changed
}

/// What the first user owns.
fn credentials(server: &Server) {
    for certificate in CERTIFICATES {
        server.ok("CreateAccessKey", value!({"UserName": "u0"}));
        let input = value!({"UserName": "u0", "CertificateBody": certificate});
        server.ok("UploadSigningCertificate", input);
    }
    for service in ["codecommit.amazonaws.com", "cassandra.amazonaws.com"] {
        let input = value!({"UserName": "u0", "ServiceName": service});
        server.ok("CreateServiceSpecificCredential", input);
    }
    for key in [ssh_key(0), ssh_key(1)] {
        server.ok("UploadSSHPublicKey", value!({"UserName": "u0", "SSHPublicKeyBody": key}));
    }
    for serial_number in ["GAHT00000001", "GAHT00000002"] {
        let input = value!({
            "UserName": "u0", "SerialNumber": serial_number,
            "AuthenticationCode1": "123456", "AuthenticationCode2": "654321",
        });
        server.ok("EnableMFADevice", input);
    }
}

/// What an account has besides users, groups, roles and policies.
fn resources(server: &Server) {
    for n in 0..2 {
        let profile = format!("i{n}");
        let input = value!({"InstanceProfileName": (profile.as_str()), "Tags": (tags())});
        server.ok("CreateInstanceProfile", input);
        let input = value!({"InstanceProfileName": profile, "RoleName": "r0"});
        server.ok("AddRoleToInstanceProfile", input);
        let device = value!({"VirtualMFADeviceName": (format!("m{n}")), "Tags": (tags())});
        server.ok("CreateVirtualMFADevice", device);
        let certificate = value!({
            "ServerCertificateName": (format!("c{n}")),
            "CertificateBody": (include_str!("data/server.pem")),
            "PrivateKey": (include_str!("data/server.key")),
            "Tags": (tags()),
        });
        server.ok("UploadServerCertificate", certificate);
    }
    let oidc = value!({"Url": "https://e.com", "Tags": (tags())});
    server.ok("CreateOpenIDConnectProvider", oidc);
    let document = crate::iam_providers::metadata("entityID=\"https://idp\"");
    let saml = value!({"Name": "s", "SAMLMetadataDocument": document, "Tags": (tags())});
    server.ok("CreateSAMLProvider", saml);
}

/// Makes two or more of everything that can be listed; whatever can have tags has three.
pub(crate) fn make_everything(server: &Server) {
    entities(server);
    credentials(server);
    resources(server);
}

/// Cuts a list into pages of one item.
fn pages_make_the_whole(server: &Server, name: &str, member: &str, input: &Value) {
    let items = |page: &Value| page.get(member).and_then(Value::as_array).unwrap().to_vec();
    let whole = server.ok(name, input.clone());
    assert_eq!(whole.get("IsTruncated").and_then(Value::as_bool), Some(false), "{name}");
    assert_eq!(whole.get("Marker"), None, "{name}");
    let whole = items(&whole);
    assert!(whole.len() > 1, "{name} has {} items", whole.len());
    let mut found = Vec::new();
    let mut next = input.clone().with("MaxItems", 1);
    for _ in 0..whole.len() {
        let page = server.ok(name, next);
        assert_eq!(items(&page).len(), 1, "{name}");
        found.extend(items(&page));
        let more = found.len() < whole.len();
        assert_eq!(page.get("IsTruncated").and_then(Value::as_bool), Some(more), "{name}");
        next = input.clone().with("MaxItems", 1).with_some("Marker", page.get("Marker").cloned());
    }
    assert_eq!(next.get("Marker"), None, "{name}");
    assert_eq!(Value::from(found), Value::from(whole), "{name}");

    let wrong =
        |member: &str, value: Value| server.refused(name, input.clone().with(member, value));
    assert_eq!(wrong("Marker", value!("x")), "ValidationError: Invalid Marker.", "{name}");
    for (asked, bound) in [(0, "greater than or equal to 1"), (1001, "less than or equal to 1000")]
    {
        let constraint = format!("Member must have value {bound}");
        assert!(wrong("MaxItems", value!(asked)).ends_with(&constraint), "{name}");
    }
}

#[test]
fn the_pages_of_every_list_make_the_whole() {
    let server = server();
    make_everything(&server);
    for (name, member, input) in rows() {
        pages_make_the_whole(&server, name, member, &input);
    }
}

#[test]
fn the_pages_of_a_report_make_the_whole() {
    let server = server();
    entities(&server);
    let two = DOCUMENT.replace("\"s3:ListBucket\"", "[\"s3:*\", \"iam:*\"]");
    let policy = value!({"UserName": "u0", "PolicyName": "two", "PolicyDocument": two});
    server.ok("PutUserPolicy", policy);
    let user = value!({"Arn": (format!("arn:aws:iam::{ACCOUNT}:user/u0"))});
    let job = server.ok("GenerateServiceLastAccessedDetails", user);
    let (name, member) = ("GetServiceLastAccessedDetails", "ServicesLastAccessed");
    pages_make_the_whole(&server, name, member, &job);
}

#[test]
fn no_list_is_forgotten() {
    let cut: BTreeSet<&str> =
        rows().iter().map(|(name, _, _)| *name).chain(ELSEWHERE.iter().copied()).collect();
    let model = wire::model::service("iam").unwrap();
    let served =
        services::iam::OPERATIONS.iter().flat_map(|list| list.iter()).filter(|operation| {
            let input = model.operation(operation.name).and_then(|operation| operation.input());
            input.is_some_and(|input| input.members().any(|member| member.name() == "Marker"))
        });
    let missing: Vec<&str> =
        served.map(|operation| operation.name).filter(|name| !cut.contains(name)).collect();
    assert_eq!(missing, [""; 0], "add a row for each");
}

#[test]
fn what_lies_elsewhere_is_passed_over_and_pages_stay_full() {
    let server = server();
    for n in 0..12 {
        let path = if n % 5 == 4 { "/here/" } else { "/elsewhere/" };
        server.ok("CreateUser", value!({"UserName": (format!("u{n:02}")), "Path": path}));
    }
    let page = |marker: Option<Value>| {
        let input = value!({"PathPrefix": "/here/", "MaxItems": 1});
        server.ok("ListUsers", input.with_some("Marker", marker))
    };
    let first = page(None);
    assert_eq!(each(&first, "Users", "UserName"), ["u04"]);
    let second = page(first.get("Marker").cloned());
    assert_eq!(each(&second, "Users", "UserName"), ["u09"]);
    assert_eq!(second.get("Marker"), None);
    let none = server.ok("ListUsers", value!({"PathPrefix": "/nowhere/", "MaxItems": 1}));
    assert_eq!(each(&none, "Users", "UserName"), [""; 0]);
}
