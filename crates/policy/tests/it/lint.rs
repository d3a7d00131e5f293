//! What is allowed in a policy and probably not meant.

use policy::{Kind, lint};

/// Returns `CODE place` of everything found in a policy of these statements.
fn found(kind: Kind, statements: &str) -> Vec<String> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let document = value::parse(&text).unwrap_or_else(|err| panic!("{err}: {text}"));
    let findings = lint::lint(&document, kind).into_iter();
    findings.map(|one| format!("{} {}", one.code, one.place)).collect()
}

/// Holds the codes of single statements of identity policies.
fn hold(cases: &[(&str, &[&str])]) {
    for (statement, expected) in cases {
        let statement = format!(r#"{{"Effect": "Allow", {statement}}}"#);
        let codes = found(Kind::Managed, &statement);
        let short = codes.iter().map(|code| code.replace("/Statement/0", ""));
        assert_eq!(short.collect::<Vec<_>>(), *expected, "{statement}");
    }
}

#[test]
fn actions_exist() {
    hold(&[
        (r#""Action": ["s3:GetObject", "S3:putobject"], "Resource": "arn:aws:s3:::b/*""#, &[]),
        (r#""Action": "s3:GetObjects", "Resource": "*""#, &["UNKNOWN_ACTION /Action"]),
        (r#""Action": ["dynamo:GetItem"], "Resource": "*""#, &["UNKNOWN_SERVICE /Action/0"]),
        (r#""Action": "iam:Fetch*", "Resource": "*""#, &["NO_SUCH_ACTIONS /Action"]),
        (r#""Action": "*:Fetch*Quickly", "Resource": "*""#, &["NO_SUCH_ACTIONS /Action"]),
        (
            r#""NotAction": ["iam:GetUsr", "sts:*"], "Resource": "arn:aws:sqs:*:*:q""#,
            &["UNKNOWN_ACTION /NotAction/0"],
        ),
    ]);
}

#[test]
fn actions_work_on_their_resources() {
    hold(&[
        (
            r#""Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b/*""#,
            &["ACTION_NOT_ON_RESOURCE /Action", "RESOURCE_NOT_OF_ACTIONS /Resource"],
        ),
        (
            r#""Action": ["s3:ListBucket", "s3:GetObject"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]"#,
            &[],
        ),
        (
            r#""Action": "sqs:SendMessage", "Resource": ["arn:aws:sqs:*:*:${aws:username}", "arn:aws:sns:*:*:t"]"#,
            &["RESOURCE_NOT_OF_ACTIONS /Resource/1"],
        ),
        (
            r#""Action": ["states:ListStateMachines", "states:DescribeStateMachine"],
               "Resource": "arn:aws:states:*:*:stateMachine:x""#,
            &["ACTION_NEEDS_ALL_RESOURCES /Action/0"],
        ),
        (r#""Action": "s3:*", "Resource": "arn:aws:s3:::b""#, &[]),
        (r#""Action": "ec2:Describe*", "Resource": "*""#, &[]),
    ]);
}

#[test]
fn condition_keys_exist_and_belong_to_the_actions() {
    let with = |condition: &str| {
        format!(r#""Action": "s3:GetObject", "Resource": "*", "Condition": {{{condition}}}"#)
    };
    for (condition, expected) in [
        (r#""StringEquals": {"aws:PrincipalTag/Team": "a", "AWS:username": "b"}"#, vec![]),
        (
            r#""StringEquals": {"aws:PrincipleTag/Team": "a"}"#,
            vec!["UNKNOWN_CONDITION_KEY /Condition/StringEquals/aws:PrincipleTag/Team"],
        ),
        (
            r#""StringLike": {"s3:prefix": "a"}"#,
            vec!["CONDITION_KEY_NOT_OF_ACTION /Condition/StringLike/s3:prefix"],
        ),
        (r#""StringLikeIfExists": {"s3:prefix": "a"}"#, vec![]),
        (
            r#""StringLike": {"s3:prefixes": "a"}"#,
            vec!["UNKNOWN_CONDITION_KEY /Condition/StringLike/s3:prefixes"],
        ),
        (
            r#""StringEquals": {"username": "a"}"#,
            vec!["UNKNOWN_CONDITION_KEY /Condition/StringEquals/username"],
        ),
        (r#""StringEquals": {"token.actions.githubusercontent.com:aud": "a"}"#, vec![]),
        (
            r#""StringEqual": {"aws:username": "a"}"#,
            vec!["UNKNOWN_CONDITION_OPERATOR /Condition/StringEqual"],
        ),
    ] {
        hold(&[(&with(condition), &expected)]);
    }
}

#[test]
fn values_fit_their_operators() {
    let with = |condition: &str| {
        format!(r#""Action": "s3:GetObject", "Resource": "*", "Condition": {{{condition}}}"#)
    };
    for (condition, expected) in [
        (
            r#""StringEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}"#,
            vec!["WILDCARD_IS_LITERAL /Condition/StringEquals/aws:PrincipalArn"],
        ),
        (
            r#""IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "10.0.0/8"]}"#,
            vec!["VALUE_NEVER_MATCHES /Condition/IpAddress/aws:SourceIp/1"],
        ),
        (
            r#""StringEquals": {"aws:SourceIp": "10.0.0.1"}"#,
            vec!["OPERATOR_NOT_FOR_KEY /Condition/StringEquals"],
        ),
        (
            r#""Bool": {"aws:SecureTransport": "yes"}"#,
            vec!["VALUE_NEVER_MATCHES /Condition/Bool/aws:SecureTransport"],
        ),
        (
            r#""Null": {"aws:username": "no"}"#,
            vec!["VALUE_NEVER_MATCHES /Condition/Null/aws:username"],
        ),
        (
            r#""NumericLessThan": {"aws:MultiFactorAuthAge": "1h"}"#,
            vec!["VALUE_NEVER_MATCHES /Condition/NumericLessThan/aws:MultiFactorAuthAge"],
        ),
        (
            r#""ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}"#,
            vec!["VALUE_NEVER_MATCHES /Condition/ArnLike/aws:SourceArn"],
        ),
        (r#""DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}"#, vec![]),
    ] {
        hold(&[(&with(condition), &expected)]);
    }
}

#[test]
fn set_operators_suit_the_number_of_values() {
    let with = |condition: &str| {
        format!(r#""Action": "iam:TagUser", "Resource": "*", "Condition": {{{condition}}}"#)
    };
    for (condition, expected) in [
        (
            r#""ForAllValues:StringEquals": {"aws:username": "a"}"#,
            vec!["FOR_ALL_VALUES_OF_ONE /Condition/ForAllValues:StringEquals"],
        ),
        (
            r#""ForAnyValue:StringEquals": {"aws:username": "a"}"#,
            vec!["FOR_ANY_VALUE_OF_ONE /Condition/ForAnyValue:StringEquals"],
        ),
        (
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}"#,
            vec!["FOR_ALL_VALUES_WHEN_ABSENT /Condition/ForAllValues:StringEquals"],
        ),
        (
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}"#,
            vec![],
        ),
        (
            r#""StringEquals": {"aws:TagKeys": "a"}"#,
            vec!["SET_OPERATOR_MISSING /Condition/StringEquals"],
        ),
    ] {
        hold(&[(&with(condition), &expected)]);
    }
    let deny = r#"{"Effect": "Deny", "Action": "iam:TagUser", "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}}"#;
    assert_eq!(found(Kind::Managed, deny), [""; 0]);
}

#[test]
fn variables_exist_and_need_the_newer_language() {
    hold(&[(
        r#""Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:${aws:usrname}""#,
        &["UNKNOWN_VARIABLE /Resource"],
    )]);
    let text = r#"{"Statement": {"Effect": "Allow", "Action": "sqs:*",
        "Resource": "arn:aws:sqs:*:*:${aws:username}"}}"#;
    let found = lint::lint(&value::parse(text).unwrap(), Kind::Identity);
    assert_eq!((found.len(), found[0].code), (1, "VARIABLE_IS_LITERAL"));
    assert_eq!(found[0].place.to_string(), "/Statement/Resource");
}

#[test]
fn principals_are_meant_as_they_stand() {
    let trust = |statement: &str| found(Kind::Trust, statement);
    assert_eq!(
        trust(
            r#"{"Effect": "Allow", "Principal": {"Service": ["states.amazonaws.com", "lambda.amazon.com"]}, "Action": "sts:AssumeRole"}"#
        ),
        ["SERVICE_PRINCIPAL /Statement/0/Principal/Service/1"]
    );
    assert_eq!(
        trust(
            r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::1:saml-provider/x"}, "Action": "sts:AssumeRole"}"#
        ),
        ["ACTION_NOT_OF_PRINCIPAL /Statement/0/Action"]
    );
    assert_eq!(
        trust(r#"{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}"#),
        ["EVERYONE /Statement/0/Principal/AWS"]
    );
    let resource = |statement: &str| found(Kind::Resource, statement);
    assert_eq!(
        resource(
            r#"{"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": "s3:*", "Resource": "arn:aws:s3:::b"}"#
        ),
        ["DENY_NOT_PRINCIPAL /Statement/0/NotPrincipal"]
    );
    assert_eq!(
        resource(
            r#"{"Effect": "Allow", "NotPrincipal": {"AWS": "123456789012"}, "Action": "sqs:*"}"#
        ),
        ["ALLOW_NOT_PRINCIPAL /Statement/0/NotPrincipal"]
    );
    let conditional = r#"{"Effect": "Allow", "Principal": "*", "Action": "sqs:*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}}"#;
    assert_eq!(resource(conditional), [""; 0]);
}

#[test]
fn what_gives_more_than_it_seems_is_told() {
    hold(&[
        (r#""Action": ["iam:PassRole"], "Resource": "*""#, &["PASS_ANY_ROLE /Action/0"]),
        (
            r#""Action": "iam:PassRole", "Resource": "*",
               "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}"#,
            &[],
        ),
        (r#""NotAction": "iam:*", "Resource": "*""#, &["ALLOW_NOT_ACTION /NotAction"]),
    ]);
    assert_eq!(
        found(Kind::Boundary, r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#),
        [""; 0]
    );
}

#[test]
fn what_is_said_twice_is_told_once() {
    hold(&[
        (
            r#""Action": ["sqs:SendMessage", "sqs:Send*", "SQS:sendmessage"], "Resource": "*""#,
            &["REDUNDANT_ACTION /Action/0", "REDUNDANT_ACTION /Action/2"],
        ),
        (
            r#""Action": "sqs:SendMessage", "Resource": ["arn:aws:sqs:*:*:a", "*"]"#,
            &["REDUNDANT_RESOURCE /Resource/0"],
        ),
    ]);
    let allow = r#"{"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:a*"}"#;
    let narrow = r#"{"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": "arn:aws:sqs:*:*:ab",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}}}"#;
    let deny = r#"{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:sqs:*"}"#;
    let both = |one: &str, other: &str| found(Kind::Managed, &format!("{one}, {other}"));
    assert_eq!(both(narrow, allow), ["REDUNDANT_STATEMENT /Statement/0"]);
    assert_eq!(both(allow, allow), ["REDUNDANT_STATEMENT /Statement/1"]);
    assert_eq!(both(allow, deny), ["SHADOWED_STATEMENT /Statement/0"]);
    let spared = deny.replace("\"*\"", "\"sqs:Delete*\"");
    assert_eq!(both(allow, &spared), [""; 0]);
}

#[test]
fn kinds_have_rules_of_their_own() {
    let rcp =
        r#"{"Effect": "Allow", "Principal": {"AWS": "*"}, "NotAction": "s3:*", "Resource": "*"}"#;
    assert_eq!(
        found(Kind::ResourceControl, rcp),
        [
            "RESOURCE_CONTROL_POLICY /Statement/0/Effect",
            "RESOURCE_CONTROL_POLICY /Statement/0/Principal",
            "RESOURCE_CONTROL_POLICY /Statement/0/NotAction",
        ]
    );
    let long = format!(
        r#"{{"Sid": "{}", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}}"#,
        "x".repeat(2_048)
    );
    assert_eq!(found(Kind::Session, &long), ["TOO_LARGE /"]);
    assert_eq!(found(Kind::Managed, &long), [""; 0]);
}

#[test]
fn what_is_no_policy_has_no_findings() {
    for text in ["null", "[]", "{\"Statement\": [1, {\"Effect\": 2}, {}]}"] {
        assert_eq!(lint::lint(&value::parse(text).unwrap(), Kind::Managed), []);
    }
}
