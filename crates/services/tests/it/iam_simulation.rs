//! The policy simulator, and the context keys it needs.

use value::{Value, value};

use crate::server::{ACCOUNT, DOCUMENT, Server, each, server, text};

/// The example of AWS's page for the CLI.
const DATABASE: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;

fn first(answer: &Value) -> Value {
    answer.get("EvaluationResults").and_then(Value::as_array).unwrap()[0].clone()
}

fn simulate(server: &Server, input: Value) -> Value {
    server.ok("SimulateCustomPolicy", input)
}

fn backup(at: &str) -> Value {
    value!({"PolicyInputList": [DATABASE], "ActionNames": ["dynamodb:CreateBackup"],
        "ContextEntries": [{"ContextKeyName": "aws:CurrentTime", "ContextKeyValues": [at],
            "ContextKeyType": "date"}]})
}

#[test]
fn the_examples_of_the_documentation_give_their_answers() {
    let server = server();
    assert_eq!(
        first(&simulate(&server, backup("2019-04-25T11:00:00Z"))),
        value!({"EvalActionName": "dynamodb:CreateBackup", "EvalResourceName": "*",
            "EvalDecision": "allowed",
            "MatchedStatements": [{"SourcePolicyId": "PolicyInputList.1",
                "SourcePolicyType": "IAM Policy",
                "StartPosition": {"Line": 1, "Column": 38},
                "EndPosition": {"Line": 1, "Column": 167}}],
            "MissingContextValues": []})
    );
    let early = first(&simulate(&server, backup("2014-04-25T11:00:00Z")));
    assert_eq!(text(&early, &["EvalDecision"]), "implicitDeny");
    assert_eq!(early.get("MatchedStatements"), Some(&value!([])));
    let keyed = DATABASE.replace(
        "\"Resource\":\"*\"",
        "\"Resource\":\"arn:aws:dynamodb:us-west-2:123456789012:table/${aws:username}\"",
    );
    let keys =
        server.ok("GetContextKeysForCustomPolicy", value!({"PolicyInputList": [(keyed.as_str())]}));
    assert_eq!(keys.get("ContextKeyNames"), Some(&value!(["aws:username", "aws:CurrentTime"])));
}

#[test]
fn each_resource_has_a_result_and_the_strictest_speaks_for_all() {
    let server = server();
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:123456789012:${aws:username}"},
        {"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:123456789012:open"},
        {"Effect":"Deny","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:*:closed"}]}"#;
    let queue = |name: &str| format!("arn:aws:sqs:us-east-1:123456789012:{name}");
    let input = value!({"PolicyInputList": [policy], "ActionNames": ["sqs:SendMessage", "sqs:ListQueues"],
        "ResourceArns": [(queue("open")), (queue("closed")), (queue("other"))]});
    let answer = simulate(&server, input.clone());
    let result = first(&answer);
    assert_eq!(text(&result, &["EvalDecision"]), "explicitDeny");
    assert_eq!(
        each(&result, "ResourceSpecificResults", "EvalResourceDecision"),
        ["allowed", "explicitDeny", "implicitDeny"]
    );
    assert_eq!(result.get("MissingContextValues"), Some(&value!(["aws:username"])));
    assert_eq!(result.get("EvalDecisionDetails"), Some(&Value::object()));
    let matched = result.get("MatchedStatements").and_then(Value::as_array).unwrap();
    // Behind the statement before it, as AWS's parser stands there.
    assert_eq!(matched[0].path(&["StartPosition", "Line"]).and_then(Value::as_i64), Some(3));
    assert_eq!(matched[0].path(&["EndPosition", "Line"]).and_then(Value::as_i64), Some(4));
    assert_eq!(each(&answer, "EvaluationResults", "EvalActionName").len(), 2);
    let page = simulate(&server, input.clone().with("MaxItems", 1));
    assert_eq!(page.get("IsTruncated").and_then(Value::as_bool), Some(true));
    let marker = text(&page, &["Marker"]);
    let rest = simulate(&server, input.with("Marker", marker));
    assert_eq!(each(&rest, "EvaluationResults", "EvalActionName"), ["sqs:ListQueues"]);
}

fn principal(server: &Server, source: &str, action: &str) -> Value {
    let arn = format!("arn:aws:iam::{ACCOUNT}:{source}");
    let input = value!({"PolicySourceArn": arn, "ActionNames": [action]});
    first(&server.ok("SimulatePrincipalPolicy", input))
}

#[test]
fn a_user_has_the_policies_of_its_groups_within_its_boundary() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "kim", "Path": "/a/"}));
    server.ok("CreateGroup", value!({"GroupName": "g"}));
    server.ok("AddUserToGroup", value!({"GroupName": "g", "UserName": "kim"}));
    server.ok(
        "PutGroupPolicy",
        value!({"GroupName": "g", "PolicyName": "list", "PolicyDocument": DOCUMENT}),
    );
    let power = "arn:aws:iam::aws:policy/PowerUserAccess";
    server.ok("AttachUserPolicy", value!({"UserName": "kim", "PolicyArn": power}));
    let allowed = principal(&server, "user/a/kim", "s3:ListBucket");
    assert_eq!(text(&allowed, &["EvalDecision"]), "allowed");
    assert_eq!(
        each(&allowed, "MatchedStatements", "SourcePolicyId"),
        ["PowerUserAccess", "group_g_list"]
    );
    assert_eq!(allowed.get("PermissionsBoundaryDecisionDetail"), None);
    assert_eq!(
        text(&principal(&server, "group/g", "s3:PutObject"), &["EvalDecision"]),
        "implicitDeny"
    );
    let boundary = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let input = value!({"UserName": "kim", "PermissionsBoundary": boundary});
    server.ok("PutUserPermissionsBoundary", input);
    let refused = principal(&server, "user/a/kim", "s3:ListBucket");
    assert_eq!(text(&refused, &["EvalDecision"]), "implicitDeny");
    let detail =
        refused.path(&["PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary"]);
    assert_eq!(detail.and_then(Value::as_bool), Some(false));
    let source = format!("arn:aws:iam::{ACCOUNT}:user/a/kim");
    let wide = value!({"PolicySourceArn": (source.as_str()), "ActionNames": ["s3:ListBucket"],
        "PermissionsBoundaryPolicyInputList": [DOCUMENT]});
    let within = first(&server.ok("SimulatePrincipalPolicy", wide));
    assert_eq!(text(&within, &["EvalDecision"]), "allowed");
    let keys = value!({"PolicySourceArn": source, "PolicyInputList": [DATABASE]});
    let keys = server.ok("GetContextKeysForPrincipalPolicy", keys);
    assert_eq!(keys.get("ContextKeyNames"), Some(&value!(["aws:CurrentTime"])));
}

#[test]
fn a_resource_policy_needs_a_user_who_calls() {
    let server = server();
    let queue = "arn:aws:sqs:us-east-1:210987654321:q";
    let grant = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*",
        "Resource":"*","Principal":{"AWS":"arn:aws:iam::123456789012:user/kim"}}}"#;
    let identity = DOCUMENT.replace("s3:ListBucket", "sqs:*");
    let input = value!({"PolicyInputList": [identity], "ActionNames": ["sqs:SendMessage"],
        "ResourceArns": [queue], "ResourcePolicy": grant});
    assert!(
        server
            .refused("SimulateCustomPolicy", input.clone())
            .starts_with("InvalidInput: CallerArn is required")
    );
    let kim = input.clone().with("CallerArn", "arn:aws:iam::123456789012:user/kim");
    let result = first(&simulate(&server, kim));
    assert_eq!(text(&result, &["EvalDecision"]), "allowed");
    let both = value!({"IAM Policy": "allowed", "Resource Policy": "allowed"});
    assert_eq!(result.get("EvalDecisionDetails"), Some(&both));
    let bob = input.with("CallerArn", "arn:aws:iam::123456789012:user/bob");
    let result = first(&simulate(&server, bob));
    assert_eq!(text(&result, &["EvalDecision"]), "implicitDeny");
    let one = value!({"IAM Policy": "allowed", "Resource Policy": "implicitDeny"});
    assert_eq!(result.get("EvalDecisionDetails"), Some(&one));
    let bucket = |owner: &str| {
        let input = value!({"PolicyInputList": [DOCUMENT], "ActionNames": ["s3:ListBucket"],
            "ResourceArns": ["arn:aws:s3:::b"], "ResourceOwner": owner,
            "CallerArn": "arn:aws:iam::123456789012:user/kim"});
        text(&first(&simulate(&server, input)), &["EvalDecision"])
    };
    assert_eq!(bucket("arn:aws:iam::123456789012:root"), "allowed");
    assert_eq!(bucket("210987654321"), "implicitDeny");
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let server = server();
    let good = || value!({"PolicyInputList": [DOCUMENT], "ActionNames": ["s3:ListBucket"]});
    for (member, wrong, message) in [
        ("ActionNames", value!(["ListBucket"]), "Invalid Action: ListBucket"),
        ("ActionNames", value!(["s3:*"]), "Invalid Action: s3:*"),
        ("PolicyInputList", value!(["{"]), "Syntax errors in policy."),
        ("ResourceArns", value!(["b", "*"]), "ResourceNames are not in a valid ARN format: b."),
        ("ResourceOwner", value!("me"), "'me' is not a valid as a Resource Owner."),
        (
            "CallerArn",
            value!("arn:aws:iam::123456789012:role/r"),
            "Invalid Caller Arn: arn:aws:iam::123456789012:role/r is not the ARN of a user",
        ),
        (
            "PermissionsBoundaryPolicyInputList",
            value!([DOCUMENT, DOCUMENT]),
            "Only one permissions boundary policy can be simulated",
        ),
        ("ResourceHandlingOption", value!("EC2-Moon"), "Invalid ResourceHandlingOption: EC2-Moon"),
        (
            "ResourceHandlingOption",
            value!("EC2-VPC-EBS"),
            "ResourceHandlingOption EC2-VPC-EBS needs a resource of the type instance",
        ),
    ] {
        assert_eq!(
            server.refused("SimulateCustomPolicy", good().with(member, wrong)),
            format!("InvalidInput: {message}")
        );
    }
    let of = |arn: &str| {
        let input = value!({"PolicySourceArn": arn, "ActionNames": ["s3:ListBucket"]});
        server.refused("SimulatePrincipalPolicy", input)
    };
    assert_eq!(
        of("arn:aws:iam::123456789012:root"),
        "InvalidInput: Invalid Entity Arn: arn:aws:iam::123456789012:root does not clearly define entity type and name."
    );
    let gone = "NoSuchEntity: The user with name kim cannot be found.";
    assert_eq!(of("arn:aws:iam::123456789012:user/kim"), gone);
    server.ok("CreateUser", value!({"UserName": "kim"}));
    assert_eq!(of("arn:aws:iam::123456789012:user/other/kim"), gone);
}
