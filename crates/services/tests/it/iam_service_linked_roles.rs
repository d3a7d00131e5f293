//! Service-linked roles: who may change them, and how they go.

use value::{Value, value};

use crate::server::{ACCOUNT, DOCUMENT, Server, each, server, text, trust};

const ROLE: &str = "AWSServiceRoleForAutoScaling";

fn with_role() -> Server {
    let server = server();
    let input = value!({"AWSServiceName": "autoscaling.amazonaws.com"});
    let made = server.ok("CreateServiceLinkedRole", input);
    assert_eq!(
        text(&made, &["Role", "Arn"]),
        format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/{ROLE}")
    );
    server
}

#[test]
fn a_service_has_one_role_or_several_with_suffixes() {
    let server = with_role();
    let create = |input: Value| server.run("CreateServiceLinkedRole", input);
    let taken = create(value!({"AWSServiceName": "autoscaling.amazonaws.com"})).unwrap_err();
    assert_eq!(
        taken.to_string(),
        "InvalidInput: Service role name AWSServiceRoleForAutoScaling has been taken in this \
         account, please try a different suffix."
    );
    let suffixed = value!({"AWSServiceName": "autoscaling.amazonaws.com", "CustomSuffix": "x"});
    let made = create(suffixed).unwrap();
    assert_eq!(text(&made, &["Role", "RoleName"]), "AWSServiceRoleForAutoScaling_x");
    let unsuffixed = value!({"AWSServiceName": "es.amazonaws.com", "CustomSuffix": "x"});
    assert_eq!(
        create(unsuffixed).unwrap_err().to_string(),
        "InvalidInput: Custom suffix is not allowed for es.amazonaws.com"
    );
    let unknown = create(value!({"AWSServiceName": "nobody.amazonaws.com"})).unwrap_err();
    assert_eq!(unknown.code, "InvalidInput");
}

#[test]
fn nobody_but_its_service_changes_it() {
    let server = with_role();
    server.ok("CreateInstanceProfile", value!({"InstanceProfileName": "p"}));
    let made = server.ok("CreatePolicy", value!({"PolicyName": "p", "PolicyDocument": DOCUMENT}));
    let policy = text(&made, &["Policy", "Arn"]);
    let policy = policy.as_str();
    let trust = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    let table = [
        ("AttachRolePolicy", value!({"RoleName": ROLE, "PolicyArn": policy})),
        ("DetachRolePolicy", value!({"RoleName": ROLE, "PolicyArn": policy})),
        (
            "PutRolePolicy",
            value!({"RoleName": ROLE, "PolicyName": "p", "PolicyDocument": DOCUMENT}),
        ),
        ("DeleteRolePolicy", value!({"RoleName": ROLE, "PolicyName": "p"})),
        ("PutRolePermissionsBoundary", value!({"RoleName": ROLE, "PermissionsBoundary": policy})),
        ("DeleteRolePermissionsBoundary", value!({"RoleName": ROLE})),
        ("UpdateAssumeRolePolicy", value!({"RoleName": ROLE, "PolicyDocument": trust})),
        ("UpdateRole", value!({"RoleName": ROLE, "MaxSessionDuration": 7200})),
        ("DeleteRole", value!({"RoleName": ROLE})),
        ("AddRoleToInstanceProfile", value!({"RoleName": ROLE, "InstanceProfileName": "p"})),
        ("RemoveRoleFromInstanceProfile", value!({"RoleName": ROLE, "InstanceProfileName": "p"})),
    ];
    for (name, input) in table {
        assert_eq!(
            server.refused(name, input),
            format!(
                "UnmodifiableEntity: Cannot perform the operation on the protected role '{ROLE}' - \
                 this role is only modifiable by AWS"
            ),
            "{name}"
        );
    }
    // Its description and its tags are the account's.
    server.ok("UpdateRole", value!({"RoleName": ROLE, "Description": "d"}));
    server.ok("UpdateRoleDescription", value!({"RoleName": ROLE, "Description": "e"}));
    let tags = value!([{"Key": "a", "Value": "b"}]);
    server.ok("TagRole", value!({"RoleName": ROLE, "Tags": tags}));
}

#[test]
fn its_policy_is_amazons_and_hangs_on_nothing_else() {
    let server = with_role();
    let attached = server.ok("ListAttachedRolePolicies", value!({"RoleName": ROLE}));
    let policy = "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy";
    assert_eq!(each(&attached, "AttachedPolicies", "PolicyArn"), [policy]);
    server.ok("CreateUser", value!({"UserName": "u"}));
    let trust = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    server.ok("CreateRole", value!({"RoleName": "r", "AssumeRolePolicyDocument": trust}));
    assert_eq!(
        server.refused("AttachRolePolicy", value!({"RoleName": "r", "PolicyArn": policy})),
        "PolicyNotAttachable: Cannot attach a Service Role Policy to a Customer Role."
    );
    let refused = [
        ("AttachUserPolicy", value!({"UserName": "u", "PolicyArn": policy})),
        ("PutUserPermissionsBoundary", value!({"UserName": "u", "PermissionsBoundary": policy})),
        ("PutRolePermissionsBoundary", value!({"RoleName": "r", "PermissionsBoundary": policy})),
    ];
    for (name, input) in refused {
        assert!(server.refused(name, input).starts_with("PolicyNotAttachable: "), "{name}");
    }
}

#[test]
fn its_deletion_is_a_task_that_can_be_asked_about() {
    let server = with_role();
    let deleted = server.ok("DeleteServiceLinkedRole", value!({"RoleName": ROLE}));
    let task = text(&deleted, &["DeletionTaskId"]);
    let start = format!("task/aws-service-role/autoscaling.amazonaws.com/{ROLE}/");
    assert!(task.starts_with(&start), "{task}");
    let status = |task: &str| {
        server.run("GetServiceLinkedRoleDeletionStatus", value!({"DeletionTaskId": task}))
    };
    assert_eq!(text(&status(&task).unwrap(), &["Status"]), "SUCCEEDED");
    assert_eq!(status(&format!("{start}none")).unwrap_err().code, "NoSuchEntity");
    assert_eq!(status("none").unwrap_err().code, "InvalidInput");
    let gone = server.refused("DeleteServiceLinkedRole", value!({"RoleName": ROLE}));
    assert!(gone.starts_with("NoSuchEntity: The role with name"));
    // An ordinary role is deleted by other means.
    let trust = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    server.ok("CreateRole", value!({"RoleName": "r", "AssumeRolePolicyDocument": trust}));
    let ordinary = server.refused("DeleteServiceLinkedRole", value!({"RoleName": "r"}));
    assert!(ordinary.starts_with("NoSuchEntity: "));
}
