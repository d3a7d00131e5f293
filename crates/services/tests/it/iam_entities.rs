//! Users, groups, roles: names, paths, pages, tags.

use services::Check;
use value::{Value, value};

use crate::server::{ACCOUNT, DOCUMENT, each, server, text, trust};

#[test]
fn a_user_comes_back_as_it_was_made() {
    let server = server();
    let made = server.ok(
        "CreateUser",
        value!({"UserName": "alice", "Path": "/ops/", "Tags": [{"Key": "部署", "Value": "営業 ŠŸ"}]}),
    );
    let id = text(&made, &["User", "UserId"]);
    assert!(id.len() == 21 && id.starts_with("AIDA"), "{id}");
    assert_eq!(text(&made, &["User", "Arn"]), format!("arn:aws:iam::{ACCOUNT}:user/ops/alice"));
    let got = server.ok("GetUser", value!({"UserName": "ALICE"}));
    assert_eq!(got.to_string(), made.to_string());
    assert_eq!(got.path(&["User", "CreateDate"]).and_then(Value::as_i64), Some(1_795_478_400));
    let listed = server.ok("ListUsers", Value::object());
    assert_eq!(listed.path(&["Users"]).unwrap().at(0).unwrap().get("Tags").map(|_| ()), None);
}

#[test]
fn names_are_one_whatever_their_case_and_ids_are_never_reused() {
    let server = server();
    for (create, delete, member, shown) in [
        ("CreateUser", "DeleteUser", "UserName", "User"),
        ("CreateGroup", "DeleteGroup", "GroupName", "Group"),
    ] {
        let first = server.ok(create, Value::object().with(member, "Name"));
        assert_eq!(
            server.refused(create, Value::object().with(member, "nAME")),
            format!("EntityAlreadyExists: {shown} with name nAME already exists.")
        );
        server.ok(delete, Value::object().with(member, "Name"));
        let second = server.ok(create, Value::object().with(member, "Name"));
        let id = format!("{shown}Id");
        assert_ne!(text(&first, &[shown, &id]), text(&second, &[shown, &id]));
    }
}

#[test]
fn malformed_input_is_refused_in_awss_words() {
    let server = server();
    let long = "x".repeat(65);
    let cases = [
        ("CreateUser", value!({"UserName": "a b"}), "ValidationError: The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-".to_owned()),
        ("CreateUser", value!({"UserName": (long.as_str())}), format!("ValidationError: 1 validation error detected: Value '{long}' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64")),
        ("CreateUser", value!({"UserName": "a", "Path": "ops"}), "ValidationError: The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.".to_owned()),
        ("GetUser", value!({"UserName": "nobody"}), "NoSuchEntity: The user with name nobody cannot be found.".to_owned()),
        ("GetRole", value!({"RoleName": "none"}), "NoSuchEntity: The role with name none cannot be found.".to_owned()),
        ("GetGroup", value!({"GroupName": "none"}), "NoSuchEntity: The group with name none cannot be found.".to_owned()),
        ("ListUsers", value!({"Marker": "%%"}), "ValidationError: Invalid Marker.".to_owned()),
        ("ListUsers", value!({"MaxItems": 0}), "ValidationError: 1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned()),
        ("CreateUser", value!({"UserName": "a", "Tags": [{"Key": "T", "Value": ""}, {"Key": "t", "Value": ""}]}), "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned()),
        ("CreateUser", value!({"UserName": "a", "PermissionsBoundary": "arn:aws:iam::123456789012:policy/no"}), "NoSuchEntity: Scope ARN: arn:aws:iam::123456789012:policy/no does not exist or is not attachable.".to_owned()),
        ("CreateRole", value!({"RoleName": "r", "AssumeRolePolicyDocument": "nonsense"}), "MalformedPolicyDocument: This policy contains invalid Json".to_owned()),
        ("ListAccessKeys", Value::object(), "ValidationError: Must specify userName when calling with non-User credentials".to_owned()),
    ];
    for (name, input, expected) in cases {
        assert_eq!(server.refused(name, input), expected, "{name}");
    }
    assert_eq!(
        server.ok("ListUsers", Value::object()).get("Users").unwrap().at(0).map(|_| ()),
        None
    );
}

#[test]
fn lists_come_in_pages_and_under_prefixes() {
    let server = server();
    for number in 0..7 {
        let path = if number % 2 == 0 { "/even/" } else { "/odd/" };
        server.ok("CreateUser", value!({"UserName": (format!("u{number}")), "Path": path}));
    }
    let mut names = Vec::new();
    let mut input = value!({"MaxItems": 3});
    loop {
        let page = server.ok("ListUsers", input.clone());
        names.extend(each(&page, "Users", "UserName"));
        match page.get("Marker") {
            Some(marker) => input.set("Marker", marker.clone()),
            None => break,
        };
        assert_eq!(page.get("IsTruncated").and_then(Value::as_bool), Some(true));
    }
    assert_eq!(names, ["u0", "u1", "u2", "u3", "u4", "u5", "u6"]);
    let odd = server.ok("ListUsers", value!({"PathPrefix": "/odd/"}));
    assert_eq!(each(&odd, "Users", "UserName"), ["u1", "u3", "u5"]);
    assert_eq!(odd.get("IsTruncated").and_then(Value::as_bool), Some(false));
}

#[test]
fn renaming_keeps_everything_that_hangs_on_a_user() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "old"}));
    server.ok("CreateGroup", value!({"GroupName": "g"}));
    server.ok("AddUserToGroup", value!({"GroupName": "g", "UserName": "old"}));
    server.ok("CreateAccessKey", value!({"UserName": "old"}));
    server.ok(
        "PutUserPolicy",
        value!({"UserName": "old", "PolicyName": "p", "PolicyDocument": DOCUMENT}),
    );
    server.ok("UpdateUser", value!({"UserName": "old", "NewUserName": "new", "NewPath": "/n/"}));
    assert!(server.refused("GetUser", value!({"UserName": "old"})).starts_with("NoSuchEntity"));
    assert_eq!(
        each(&server.ok("GetGroup", value!({"GroupName": "g"})), "Users", "UserName"),
        ["new"]
    );
    assert_eq!(
        each(
            &server.ok("ListAccessKeys", value!({"UserName": "new"})),
            "AccessKeyMetadata",
            "UserName"
        ),
        ["new"]
    );
    assert_eq!(
        server
            .ok("ListUserPolicies", value!({"UserName": "new"}))
            .path(&["PolicyNames"])
            .unwrap()
            .to_string(),
        r#"["p"]"#
    );
}

#[test]
fn tags_have_keys_of_any_case_and_a_limit() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "a"}));
    server.ok("TagUser", value!({"UserName": "a", "Tags": [{"Key": "Team", "Value": "Grün"}]}));
    server.ok("TagUser", value!({"UserName": "a", "Tags": [{"Key": "TEAM", "Value": "赤"}]}));
    let tags = server.ok("ListUserTags", value!({"UserName": "a"}));
    assert_eq!(tags.get("Tags").unwrap().to_string(), r#"[{"Key":"TEAM","Value":"赤"}]"#);
    let many: Vec<Value> =
        (0..50).map(|n| value!({"Key": (format!("k{n}")), "Value": ""})).collect();
    let refused = server.refused("TagUser", value!({"UserName": "a", "Tags": (Value::from(many))}));
    assert!(refused.starts_with("LimitExceeded: "), "{refused}");
    server.ok("UntagUser", value!({"UserName": "a", "TagKeys": ["team", "absent"]}));
    assert_eq!(
        server.ok("ListUserTags", value!({"UserName": "a"})).get("Tags").unwrap().to_string(),
        "[]"
    );
    let picture = value!({"UserName": "a", "Tags": [{"Key": "k", "Value": "😀"}]});
    assert!(server.refused("TagUser", picture).contains("regular expression pattern"));
    let reserved = value!({"UserName": "a", "Tags": [{"Key": "aws:x", "Value": ""}]});
    assert!(server.refused("TagUser", reserved).starts_with("InvalidInput"));
}

#[test]
fn roles_show_in_get_and_list_what_aws_shows() {
    let server = server();
    let document = trust(r#"{"Service":"states.amazonaws.com"}"#);
    let made = server.ok(
        "CreateRole",
        value!({"RoleName": "r", "AssumeRolePolicyDocument": (document.as_str()), "Description": "d"}),
    );
    assert_eq!(made.path(&["Role", "MaxSessionDuration"]).map(|_| ()), None);
    assert!(text(&made, &["Role", "AssumeRolePolicyDocument"]).starts_with("%7B%22Version%22%3A"));
    let got = server.ok("GetRole", value!({"RoleName": "r"}));
    assert_eq!(got.path(&["Role", "MaxSessionDuration"]).and_then(Value::as_i64), Some(3600));
    assert_eq!(got.path(&["Role", "RoleLastUsed"]).unwrap().to_string(), "{}");
    server.ok("UpdateRole", value!({"RoleName": "r", "MaxSessionDuration": 7200}));
    let listed = server.ok("ListRoles", Value::object());
    let role = listed.get("Roles").unwrap().at(0).unwrap();
    assert_eq!(role.get("MaxSessionDuration").and_then(Value::as_i64), Some(7200));
    assert_eq!(role.get("RoleLastUsed").map(|_| ()), None);
    server.ok("CreateInstanceProfile", value!({"InstanceProfileName": "i"}));
    server.ok("AddRoleToInstanceProfile", value!({"InstanceProfileName": "i", "RoleName": "r"}));
    assert_eq!(
        server.refused("DeleteRole", value!({"RoleName": "r"})),
        "DeleteConflict: Cannot delete entity, must remove roles from instance profile first."
    );
    server
        .ok("RemoveRoleFromInstanceProfile", value!({"InstanceProfileName": "i", "RoleName": "r"}));
    server.ok("DeleteRole", value!({"RoleName": "r"}));
}

#[test]
fn a_user_deleted_and_made_anew_is_not_trusted() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "bob"}));
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    let document = trust(&format!(r#"{{"AWS":"{arn}"}}"#));
    server.ok(
        "CreateRole",
        value!({"RoleName": "r", "AssumeRolePolicyDocument": (document.as_str())}),
    );
    let shown = |server: &crate::server::Server| {
        text(
            &server.ok("GetRole", value!({"RoleName": "r"})),
            &["Role", "AssumeRolePolicyDocument"],
        )
    };
    assert!(shown(&server).contains("user%2Fbob"));
    server.ok("DeleteUser", value!({"UserName": "bob"}));
    assert!(shown(&server).contains("%22AIDA"));
    server.ok("CreateUser", value!({"UserName": "bob"}));
    assert!(shown(&server).contains("%22AIDA"));
    let stranger = trust(r#"{"AWS":"arn:aws:iam::123456789012:user/nobody"}"#);
    assert_eq!(
        server.refused(
            "CreateRole",
            value!({"RoleName": "s", "AssumeRolePolicyDocument": (stranger.as_str())})
        ),
        r#"MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/nobody""#
    );
}

#[test]
fn checks_name_the_resource_as_the_reference_says() {
    let server = server();
    server.ok(
        "CreateUser",
        value!({"UserName": "bob", "Path": "/ops/", "Tags": [{"Key": "T", "Value": "v"}]}),
    );
    server.ok("CreateGroup", value!({"GroupName": "g"}));
    let iam = |resource: &str| format!("arn:aws:iam::{ACCOUNT}:{resource}");
    let one = |name: &str, input: Value| -> Check {
        server.checks(name, &input).into_iter().next().unwrap()
    };
    let bob = one("GetUser", value!({"UserName": "bob"}));
    assert_eq!((bob.action.as_str(), bob.resource.clone()), ("iam:GetUser", iam("user/ops/bob")));
    assert_eq!(bob.display.as_deref(), Some("user bob"));
    assert!(bob.context.contains(&("aws:ResourceTag/T".into(), vec!["v".into()])));
    assert_eq!(one("GetUser", value!({"UserName": "no"})).resource, iam("user/no"));
    let remove = value!({"GroupName": "g", "UserName": "bob"});
    assert_eq!(one("RemoveUserFromGroup", remove).resource, iam("group/g"));
    let list = one("ListUsers", Value::object());
    assert_eq!((list.resource.as_str(), list.display), ("*", Some(iam("user/"))));
    let mfa = value!({"SerialNumber": (iam("mfa/m"))});
    assert_eq!(one("DeleteVirtualMFADevice", mfa).resource, iam("mfa/m"));
    let attach =
        one("AttachUserPolicy", value!({"UserName": "bob", "PolicyArn": (iam("policy/p"))}));
    assert!(attach.context.contains(&("iam:PolicyARN".into(), vec![iam("policy/p")])));
    let create = value!({"UserName": "x", "Tags": [{"Key": "A", "Value": "b"}]});
    let create = one("CreateUser", create);
    assert_eq!(create.display, None);
    assert!(create.context.contains(&("aws:RequestTag/A".into(), vec!["b".into()])));
    assert!(create.context.contains(&("aws:TagKeys".into(), vec!["A".into()])));
}

#[test]
fn the_summary_tells_which_tokens_the_global_endpoint_gives() {
    let server = server();
    let version = || {
        let summary = server.ok("GetAccountSummary", value!({}));
        summary.path(&["SummaryMap", "GlobalEndpointTokenVersion"]).and_then(Value::as_i64)
    };
    assert_eq!(version(), Some(1));
    let set = |version: &str| value!({"GlobalEndpointTokenVersion": version});
    server.ok("SetSecurityTokenServicePreferences", set("v2Token"));
    assert_eq!(version(), Some(2));
    server.refused("SetSecurityTokenServicePreferences", set("v3Token"));
    assert_eq!(version(), Some(2));
}
