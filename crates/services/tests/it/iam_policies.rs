//! Inline and managed policies, versions, attachments, boundaries.

use policy::Principal;
use services::iam;
use store::Table;
use value::{Value, value};

use crate::server::{ACCOUNT, DOCUMENT, each, server, text};

#[test]
fn inline_policies_come_back_percent_encoded() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    server.ok("CreateGroup", value!({"GroupName": "g"}));
    let document = DOCUMENT.replace("\"*\"", "\"arn:aws:s3:::日本%3A*\"");
    for (kind, name) in [("User", "u"), ("Group", "g")] {
        let input = Value::object().with(format!("{kind}Name"), name).with("PolicyName", "p");
        let put = input.clone().with("PolicyDocument", &*document);
        server.ok(&format!("Put{kind}Policy"), put);
        let got = server.ok(&format!("Get{kind}Policy"), input.clone());
        let got = text(&got, &["PolicyDocument"]);
        assert!(got.contains("%E6%97%A5%E6%9C%AC%253A%2A"), "{got}");
        server.ok(&format!("Delete{kind}Policy"), input.clone());
        assert_eq!(
            server.refused(&format!("Get{kind}Policy"), input),
            format!(
                "NoSuchEntity: The {} policy with name p cannot be found.",
                kind.to_lowercase()
            )
        );
    }
}

#[test]
fn inline_policies_have_a_size_together() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let long = DOCUMENT.replace("s3:ListBucket", &format!("s3:{}", "A".repeat(1200)));
    let put = |name: &str| value!({"UserName": "u", "PolicyName": name, "PolicyDocument": (long.as_str())});
    server.ok("PutUserPolicy", put("one"));
    assert_eq!(
        server.refused("PutUserPolicy", put("two")),
        "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user u"
    );
    server.ok("PutUserPolicy", put("one"));
    let broken = value!({"UserName": "u", "PolicyName": "x", "PolicyDocument": "{"});
    assert!(server.refused("PutUserPolicy", broken).starts_with("MalformedPolicyDocument: "));
}

#[test]
fn a_policy_has_five_versions_and_one_default() {
    let server = server();
    let made = server.ok("CreatePolicy", value!({"PolicyName": "p", "PolicyDocument": DOCUMENT}));
    let arn = text(&made, &["Policy", "Arn"]);
    assert_eq!(
        server.refused(
            "CreatePolicy",
            value!({"PolicyName": "P", "Path": "/x/", "PolicyDocument": DOCUMENT})
        ),
        "EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed."
    );
    let new =
        value!({"PolicyArn": (arn.as_str()), "PolicyDocument": DOCUMENT, "SetAsDefault": true});
    for _ in 0..4 {
        server.ok("CreatePolicyVersion", new.clone());
    }
    assert_eq!(
        server.refused("CreatePolicyVersion", new.clone()),
        "LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
    );
    let listed = server.ok("ListPolicyVersions", value!({"PolicyArn": (arn.as_str())}));
    assert_eq!(each(&listed, "Versions", "VersionId"), ["v5", "v4", "v3", "v2", "v1"]);
    let version = |id: &str| value!({"PolicyArn": (arn.as_str()), "VersionId": id});
    assert_eq!(
        server.refused("DeletePolicyVersion", version("v5")),
        "DeleteConflict: Cannot delete the default version of a policy."
    );
    server.ok("SetDefaultPolicyVersion", version("v1"));
    for id in ["v2", "v3", "v4", "v5"] {
        server.ok("DeletePolicyVersion", version(id));
    }
    let next = server.ok("CreatePolicyVersion", new);
    assert_eq!(text(&next, &["PolicyVersion", "VersionId"]), "v6");
    assert_eq!(
        server.refused("GetPolicyVersion", version("v9")),
        format!("NoSuchEntity: Policy {arn} version v9 does not exist or is not attachable.")
    );
}

#[test]
fn attachments_are_counted_listed_and_limited() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let mut arns = Vec::new();
    for number in 0..11 {
        let input = value!({"PolicyName": (format!("p{number:02}")), "PolicyDocument": DOCUMENT});
        arns.push(text(&server.ok("CreatePolicy", input), &["Policy", "Arn"]));
    }
    let on = |arn: &str| value!({"UserName": "u", "PolicyArn": arn});
    for arn in &arns[..10] {
        server.ok("AttachUserPolicy", on(arn));
    }
    server.ok("AttachUserPolicy", on(&arns[0]));
    assert_eq!(
        server.refused("AttachUserPolicy", on(&arns[10])),
        "LimitExceeded: Cannot exceed quota for PoliciesPerUser: 10"
    );
    let policy = server.ok("GetPolicy", value!({"PolicyArn": (arns[0].as_str())}));
    assert_eq!(policy.path(&["Policy", "AttachmentCount"]).and_then(Value::as_i64), Some(1));
    let users = server.ok("ListEntitiesForPolicy", value!({"PolicyArn": (arns[0].as_str())}));
    assert_eq!(each(&users, "PolicyUsers", "UserName"), ["u"]);
    let first = server.ok("ListAttachedUserPolicies", value!({"UserName": "u", "MaxItems": 9}));
    assert_eq!(first.get("IsTruncated").and_then(Value::as_bool), Some(true));
    server.ok("DetachUserPolicy", on(&arns[0]));
    let gone = format!("NoSuchEntity: Policy {} was not found.", arns[0]);
    assert_eq!(server.refused("DetachUserPolicy", on(&arns[0])), gone);
    let invalid = "ValidationError: Invalid ARN:  Could not be parsed!";
    assert_eq!(server.refused("AttachUserPolicy", on("nonsense-nonsense-nonsense")), invalid);
    let unknown = "arn:aws:iam::aws:policy/Unknown";
    assert_eq!(
        server.refused("AttachUserPolicy", on(unknown)),
        format!("NoSuchEntity: Policy {unknown} does not exist or is not attachable.")
    );
}

#[test]
fn a_principal_has_the_policies_of_itself_and_its_groups() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    server.ok("CreateGroup", value!({"GroupName": "g"}));
    server.ok("AddUserToGroup", value!({"GroupName": "g", "UserName": "u"}));
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    server.ok("AttachGroupPolicy", value!({"GroupName": "g", "PolicyArn": administrator}));
    server.ok(
        "PutUserPolicy",
        value!({"UserName": "u", "PolicyName": "mine", "PolicyDocument": DOCUMENT}),
    );
    let input =
        value!({"UserName": "u", "PermissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess"});
    server.ok("PutUserPermissionsBoundary", input);
    let user = server.user("u");
    let policies = |principal: &Principal| {
        server.store.read(|store| iam::policies_of_principal(store, principal)).unwrap()
    };
    let found = policies(&user);
    let labels: Vec<&str> = found.identity.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["mine", administrator]);
    assert!(found.boundary.unwrap().0.ends_with("PowerUserAccess"));
    let impostor = Principal::user(ACCOUNT, "/", "u", "AIDAOTHER");
    assert_eq!(policies(&impostor), iam::IdentityPolicies::default());
    assert_eq!(policies(&Principal::root(ACCOUNT)), iam::IdentityPolicies::default());
}

#[test]
fn a_policy_that_is_attached_and_gone_is_an_error_and_no_silence() {
    for (at, attach) in [
        ("UserName", "AttachUserPolicy"),
        ("GroupName", "AttachGroupPolicy"),
        ("UserName", "PutUserPermissionsBoundary"),
    ] {
        let server = server();
        server.ok("CreateUser", value!({"UserName": "u"}));
        server.ok("CreateGroup", value!({"GroupName": "u"}));
        server.ok("AddUserToGroup", value!({"GroupName": "u", "UserName": "u"}));
        let deny = DOCUMENT.replace("Allow", "Deny");
        let made = server.ok("CreatePolicy", value!({"PolicyName": "p", "PolicyDocument": deny}));
        let arn = text(&made, &["Policy", "Arn"]);
        let with = Value::object().with(at, "u").with("PolicyArn", &*arn);
        server.ok(attach, with.with("PermissionsBoundary", &*arn));
        let user = server.user("u");
        let found = || server.store.read(|store| iam::policies_of_principal(store, &user));
        assert!(found().is_ok(), "{attach}");
        server.rewrite(Table::Policies, &arn, |policy| {
            policy.insert("defaultVersion", "v9");
        });
        assert_eq!(found().unwrap_err().code, "InternalFailure", "{attach}");
    }
}

#[test]
fn policies_of_aws_are_listed_in_pages_and_can_be_read() {
    let server = server();
    let (mut names, mut marker) = (Vec::new(), None);
    loop {
        let input = value!({"Scope": "AWS", "MaxItems": 1000}).with_some("Marker", marker);
        let page = server.ok("ListPolicies", input);
        names.extend(each(&page, "Policies", "PolicyName"));
        marker = page.get("Marker").and_then(Value::as_str).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 1_582);
    let jobs = server.ok("ListPolicies", value!({"Scope": "AWS", "PathPrefix": "/job-function/"}));
    assert_eq!(each(&jobs, "Policies", "PolicyName").len(), 15);
    let used = value!({"OnlyAttached": true});
    assert_eq!(each(&server.ok("ListPolicies", used.clone()), "Policies", "Arn"), [""; 0]);
    server.ok("CreateUser", value!({"UserName": "u"}));
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    server.ok("AttachUserPolicy", value!({"UserName": "u", "PolicyArn": arn}));
    assert_eq!(each(&server.ok("ListPolicies", used), "Policies", "Arn"), [arn]);
    let got = server.ok("GetPolicy", value!({"PolicyArn": arn}));
    let version = text(&got, &["Policy", "DefaultVersionId"]);
    let input = value!({"PolicyArn": arn, "VersionId": version});
    let document = server.ok("GetPolicyVersion", input);
    assert!(text(&document, &["PolicyVersion", "Document"]).contains("states%3ADescribe"));
}
