//! The rules of the language, one by one: what matches, and what does not.

use policy::{Context, Document, Kind, Outcome, Policy, PolicySet, Request, decide};

use crate::shorthand::{ACCOUNT, alice, identity, resource};

const ALLOW: Outcome = Outcome::Allowed;
const SILENT: Outcome = Outcome::ImplicitDeny;

/// Decides one call of alice by one statement, its effect left out.
fn allowed(statement: &str, action: &str, on: &str, context: Context) -> Outcome {
    let statement = format!(r#"{{"Effect": "Allow", {statement}}}"#);
    let policies = PolicySet { identity: vec![identity(&statement)], ..PolicySet::default() };
    decide(&Request::new(alice(), action, on, context), &policies).outcome
}

#[test]
fn actions_match_without_regard_to_case_and_with_wildcards_anywhere() {
    for (written, asked, expected) in [
        (r#""iam:GetUser""#, "iam:GetUser", ALLOW),
        (r#""IAM:getuser""#, "iam:GetUser", ALLOW),
        (r#""iam:GetUser""#, "IAM:GETUSER", ALLOW),
        (r#""*""#, "iam:GetUser", ALLOW),
        (r#""iam:*""#, "iam:GetUser", ALLOW),
        (r#""iam:*User""#, "iam:GetUser", ALLOW),
        (r#""iam:?etUser""#, "iam:GetUser", ALLOW),
        (r#""i*:GetUser""#, "iam:GetUser", ALLOW),
        (r#""iam:Get""#, "iam:GetUser", SILENT),
        (r#""iam:GetUser?""#, "iam:GetUser", SILENT),
        (r#"["s3:*", "iam:Get*"]"#, "iam:GetUser", ALLOW),
    ] {
        let statement = format!(r#""Action": {written}, "Resource": "*""#);
        let found = allowed(&statement, asked, "arn:aws:iam::123456789012:user/x", Context::new());
        assert_eq!(found, expected, "{written} on {asked}");
    }
}

#[test]
fn resources_match_by_case_and_stars_cross_slashes_and_colons() {
    for (written, asked, expected) in [
        ("arn:aws:s3:::b/k", "arn:aws:s3:::b/k", ALLOW),
        ("arn:aws:s3:::b/K", "arn:aws:s3:::b/k", SILENT),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b", ALLOW),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", SILENT),
        ("arn:aws:s3:::b*", "arn:aws:s3:::b", ALLOW),
        ("arn:aws:states:*:*:stateMachine:*", "arn:aws:states:us-east-1:1:stateMachine:a:1", ALLOW),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/日", ALLOW),
        // An action without resource-level permissions asks for `*` itself.
        ("*", "*", ALLOW),
        ("arn:aws:s3:::b", "*", SILENT),
    ] {
        let statement = format!(r#""Action": "*", "Resource": "{written}""#);
        let found = allowed(&statement, "s3:GetObject", asked, Context::new());
        assert_eq!(found, expected, "{written} on {asked}");
    }
}

#[test]
fn not_elements_match_when_nothing_listed_does() {
    for (statement, expected) in [
        (r#""NotAction": "iam:*", "Resource": "*""#, ALLOW),
        (r#""NotAction": ["iam:*", "s3:Get*"], "Resource": "*""#, SILENT),
        (r#""Action": "*", "NotResource": "arn:aws:s3:::c/*""#, ALLOW),
        (r#""Action": "*", "NotResource": ["arn:aws:s3:::c/*", "arn:aws:s3:::b/*"]"#, SILENT),
        (r#""NotAction": "iam:*", "NotResource": "arn:aws:s3:::c/*""#, ALLOW),
        // An unresolved variable matches nothing, so all but it is everything.
        (r#""Action": "*", "NotResource": "arn:aws:s3:::${aws:username}/*""#, ALLOW),
    ] {
        let found = allowed(statement, "s3:GetObject", "arn:aws:s3:::b/k", Context::new());
        assert_eq!(found, expected, "{statement}");
    }
}

/// Every operator with a value that matches, one that does not, and without the key.
const OPERATORS: &[(&str, &str, &str, &str, bool)] = &[
    // operator, policy value, request value that satisfies, one that does not, holds when absent
    ("StringEquals", "Kim", "Kim", "kim", false),
    ("StringNotEquals", "Kim", "kim", "Kim", true),
    ("StringEqualsIgnoreCase", "Kim", "kIM", "kin", false),
    ("StringNotEqualsIgnoreCase", "Kim", "kin", "KIM", true),
    ("StringLike", "K?m*", "Kimmy", "kim", false),
    ("StringNotLike", "K?m*", "kim", "Kam", true),
    ("NumericEquals", "10", "10.0", "11", false),
    ("NumericNotEquals", "10", "11", "1e1", true),
    ("NumericLessThan", "10", "9.99", "10", false),
    ("NumericLessThanEquals", "10", "10", "10.01", false),
    ("NumericGreaterThan", "-1", "0", "-1", false),
    ("NumericGreaterThanEquals", "-1", "-1", "-2", false),
    ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", "1767225601", false),
    ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01", true),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31", "2026-01-01", false),
    ("DateLessThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", "2026-01-02", false),
    (
        "DateGreaterThan",
        "2026-01-01",
        "2026-01-01T09:00:01+09:00",
        "2026-01-01T09:00:00+09:00",
        false,
    ),
    ("DateGreaterThanEquals", "2026-01-01", "2026-01-01", "2025-12-31T23:59:59Z", false),
    ("Bool", "true", "TRUE", "false", false),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", "QmluYXJ6", false),
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", "203.0.114.7", false),
    ("NotIpAddress", "2001:db8::/32", "2001:db9::1", "2001:db8::1", true),
    (
        "ArnEquals",
        "arn:aws:sns:*:1:t?",
        "arn:aws:sns:us-east-1:1:t1",
        "arn:aws:sns:us-east-1:1:t",
        false,
    ),
    ("ArnLike", "arn:aws:sns:*:1:t*", "arn:aws:sns:us-east-1:1:t:x", "arn:aws:sns:a:b:1:t", false),
    ("ArnNotEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:a:1:u", "arn:aws:sns:a:1:t", true),
    ("ArnNotLike", "arn:aws:sns:*:1:t", "arn:aws:sns:a:2:t", "arn:aws:sns::1:t", true),
];

fn under(condition: &str, context: Context) -> bool {
    let statement = format!(r#""Action": "*", "Resource": "*", "Condition": {condition}"#);
    allowed(&statement, "s3:GetObject", "arn:aws:s3:::b/k", context) == ALLOW
}

#[test]
fn every_operator_holds_for_what_it_says() {
    for (operator, wanted, yes, no, absent) in OPERATORS {
        let with = |operator: &str| format!(r#"{{"{operator}": {{"x:Key": "{wanted}"}}}}"#);
        let one = |value: &str| Context::new().with("X:key", value);
        let condition = with(operator);
        assert!(under(&condition, one(yes)), "{operator} {yes}");
        assert!(!under(&condition, one(no)), "{operator} {no}");
        assert_eq!(under(&condition, Context::new()), *absent, "{operator} absent");
        // An empty list counts as absent.
        let empty = || Context::new().with_list("x:key", [""; 0]);
        assert_eq!(under(&condition, empty()), *absent, "{operator} empty");
        let if_exists = with(&format!("{operator}IfExists"));
        assert!(under(&if_exists, one(yes)) && !under(&if_exists, one(no)), "{operator}IfExists");
        assert!(under(&if_exists, Context::new()), "{operator}IfExists absent");
        let list = |values: &[&str]| Context::new().with_list("x:key", values.to_vec());
        let all = with(&format!("ForAllValues:{operator}"));
        assert!(under(&all, list(&[yes, yes])) && under(&all, list(&[])), "{operator} all");
        assert!(!under(&all, list(&[yes, no])), "{operator} all");
        let any = with(&format!("ForAnyValue:{operator}"));
        assert!(under(&any, list(&[no, yes])), "{operator} any");
        assert!(!under(&any, list(&[no])) && !under(&any, list(&[])), "{operator} any");
    }
}

#[test]
fn values_of_another_type_match_nothing_and_satisfy_no_negation() {
    for (operator, wanted, value) in [
        ("NumericEquals", "ten", "10"),
        ("NumericNotEquals", "10", "ten"),
        ("DateLessThan", "2030-01-01", "soon"),
        ("DateNotEquals", "2030-01-01", "soon"),
        ("Bool", "true", "yes"),
        ("IpAddress", "10.0.0.0/8", "here"),
        ("NotIpAddress", "10.0.0.0/33", "11.0.0.1"),
        ("ArnLike", "arn:aws:sns:*:*:*", "t"),
        ("ArnNotEquals", "arn:aws:sns:a:1:t", "t"),
    ] {
        let condition = format!(r#"{{"{operator}": {{"x:key": "{wanted}"}}}}"#);
        assert!(!under(&condition, Context::new().with("x:key", value)), "{operator} {value}");
    }
}

#[test]
fn operators_and_keys_are_joined_by_and_values_by_or() {
    let context = || Context::new().with("a:one", "1").with("a:two", "2");
    for (condition, expected) in [
        (r#"{"StringEquals": {"a:one": ["x", "1"], "a:two": "2"}}"#, true),
        (r#"{"StringEquals": {"a:one": "1", "a:two": "x"}}"#, false),
        (r#"{"StringEquals": {"a:one": "1"}, "NumericEquals": {"a:two": 3}}"#, false),
        (r#"{"StringEquals": {"a:one": "1"}, "NumericEquals": {"a:two": 2}}"#, true),
        // Negated: none of the values.
        (r#"{"StringNotEquals": {"a:one": ["x", "1"]}}"#, false),
        (r#"{"StringNotEquals": {"a:one": ["x", "y"]}}"#, true),
        (r#"{"StringEquals": {}}"#, true),
        (r#"{"StringEquals": {"a:one": []}}"#, false),
    ] {
        assert_eq!(under(condition, context()), expected, "{condition}");
    }
}

#[test]
fn null_asks_whether_a_key_is_there() {
    for (wanted, there, expected) in [
        ("true", false, true),
        ("true", true, false),
        ("false", false, false),
        ("false", true, true),
    ] {
        let condition = format!(r#"{{"Null": {{"x:key": {wanted}}}}}"#);
        let context = if there { Context::new().with("x:key", "") } else { Context::new() };
        assert_eq!(under(&condition, context), expected, "{wanted} {there}");
    }
}

#[test]
fn values_may_be_numbers_and_booleans_without_quotes() {
    let context = || Context::new().with("x:n", "5").with("x:b", "true");
    assert!(under(r#"{"NumericEquals": {"x:n": 5}, "Bool": {"x:b": true}}"#, context()));
    assert!(!under(r#"{"NumericEquals": {"x:n": [4, 6]}}"#, context()));
}

#[test]
fn tags_of_a_principal_are_keys_whose_names_have_no_case_and_whose_values_do() {
    let context = || Context::new().with("aws:PrincipalTag/Team", "Blue");
    assert!(under(r#"{"StringEquals": {"AWS:principaltag/TEAM": "Blue"}}"#, context()));
    assert!(!under(r#"{"StringEquals": {"aws:PrincipalTag/Team": "blue"}}"#, context()));
}

fn variable(version: &str, written: &str, on: &str, context: &Context) -> bool {
    let text = format!(
        r#"{{{version}"Statement": {{"Effect": "Allow", "Action": "*", "Resource": "{written}"}}}}"#
    );
    let document = Document::parse(&text, Kind::Identity).unwrap();
    let policies =
        PolicySet { identity: vec![Policy::new("p", document.into())], ..PolicySet::default() };
    decide(&Request::new(alice(), "s3:GetObject", on, context.clone()), &policies).is_allowed()
}

#[test]
fn variables_are_of_the_newer_language_and_stand_for_plain_text() {
    let new = r#""Version": "2012-10-17", "#;
    let old = r#""Version": "2008-10-17", "#;
    let kim = Context::new().with("aws:username", "kim");
    let star = Context::new().with("aws:username", "*");
    let two = Context::new().with_list("aws:username", ["a", "b"]);
    for (version, written, on, context, expected) in [
        (new, "arn:aws:s3:::${aws:username}", "arn:aws:s3:::kim", &kim, true),
        (new, "arn:aws:s3:::${AWS:UserName}", "arn:aws:s3:::kim", &kim, true),
        (new, "arn:aws:s3:::${aws:username}", "arn:aws:s3:::${aws:username}", &kim, false),
        (old, "arn:aws:s3:::${aws:username}", "arn:aws:s3:::${aws:username}", &kim, true),
        (old, "arn:aws:s3:::${aws:username}", "arn:aws:s3:::kim", &kim, false),
        ("", "arn:aws:s3:::${aws:username}", "arn:aws:s3:::kim", &kim, false),
        (new, "arn:aws:s3:::${aws:username}", "arn:aws:s3:::x", &star, false),
        (new, "arn:aws:s3:::${aws:username}", "arn:aws:s3:::*", &star, true),
        (new, "arn:aws:s3:::${aws:username}", "arn:aws:s3:::a", &two, false),
        (new, "arn:aws:s3:::${a:b, 'c'}", "arn:aws:s3:::c", &kim, true),
        (new, "arn:aws:s3:::${aws:username, 'c'}", "arn:aws:s3:::c", &kim, false),
        (new, "arn:aws:s3:::${a:b, '*'}", "arn:aws:s3:::x", &kim, false),
        (new, "arn:aws:s3:::a${*}", "arn:aws:s3:::ab", &kim, false),
        (new, "arn:aws:s3:::a${?}", "arn:aws:s3:::a?", &kim, true),
        (new, "arn:aws:s3:::a${$}{b}", "arn:aws:s3:::a${b}", &kim, true),
    ] {
        assert_eq!(variable(version, written, on, context), expected, "{written} on {on}");
    }
    for (operator, expected) in [("StringEquals", true), ("StringLike", true), ("ArnLike", false)] {
        let condition = format!(r#"{{"{operator}": {{"x:key": "${{aws:username}}"}}}}"#);
        let context = Context::new().with("aws:username", "*").with("x:key", "*");
        assert_eq!(under(&condition, context), expected, "{operator}");
        let context = Context::new().with("aws:username", "*").with("x:key", "other");
        assert!(!under(&condition, context), "{operator}");
        // What has no value matches nothing, and satisfies a negation of text.
        let unresolved = Context::new().with("x:key", "a");
        assert!(!under(&condition, unresolved), "{operator}");
    }
}

#[test]
fn principals_are_named_in_every_form() {
    for (principal, expected) in [
        (r#""*""#, ALLOW),
        (r#"{"AWS": "*"}"#, ALLOW),
        (r#"{"AWS": ["x", "*"]}"#, ALLOW),
        (r#"{"AWS": "arn:aws:iam::123456789012:user/alice"}"#, ALLOW),
        (r#"{"AWS": "AIDAALICE"}"#, ALLOW),
        // The account delegates to identity policies, of which there are none.
        (r#"{"AWS": "123456789012"}"#, SILENT),
        (r#"{"AWS": "arn:aws:iam::123456789012:root"}"#, SILENT),
        // No wildcards, and names have case.
        (r#"{"AWS": "arn:aws:iam::123456789012:user/*"}"#, SILENT),
        (r#"{"AWS": "arn:aws:iam::123456789012:user/Alice"}"#, SILENT),
        (r#"{"Service": "*"}"#, SILENT),
        (r#"{"Federated": "*"}"#, SILENT),
        (r#"{"CanonicalUser": "*"}"#, SILENT),
    ] {
        let grant =
            format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sqs:*"}}"#);
        let policies = PolicySet { resource: Some(resource(&grant)), ..PolicySet::default() };
        let queue = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q");
        let request = Request::new(alice(), "sqs:SendMessage", &queue, Context::new());
        assert_eq!(decide(&request, &policies).outcome, expected, "{principal}");
    }
}

#[test]
fn documents_are_checked_element_by_element() {
    let refused = |text: &str, kind: Kind| Document::parse(text, kind).err().map(|f| f.message);
    let syntax = Some("Syntax errors in policy.".to_owned());
    let legacy = Some("The policy failed legacy parsing".to_owned());
    let allow = r#""Effect": "Allow", "Action": "s3:*", "Resource": "*""#;
    for (text, expected) in [
        (format!(r#"{{"Statement": {{{allow}}}}}"#), None),
        (format!(r#"{{"Version": "2008-10-17", "Id": "x", "Statement": [{{{allow}}}]}}"#), None),
        (format!(r#"{{"Version": "2012-10-18", "Statement": {{{allow}}}}}"#), syntax.clone()),
        (format!(r#"{{"version": "2012-10-17", "Statement": {{{allow}}}}}"#), syntax.clone()),
        (format!(r#"{{"Statement": {{{allow}, "NotAction": "a:b"}}}}"#), syntax.clone()),
        (format!(r#"{{"Statement": {{{allow}, "NotResource": "*"}}}}"#), syntax.clone()),
        (format!(r#"{{"Statement": {{{allow}, "resource": "*"}}}}"#), syntax.clone()),
        (format!(r#"{{"Statement": {{{}}}}}"#, allow.replace("Allow", "ALLOW")), legacy),
        (format!(r#"{{"Statement": {{{}}}}}"#, allow.replace("Allow", "Permit")), syntax.clone()),
        (format!(r#"{{"Statement": {{{allow}, "Condition": []}}}}"#), syntax.clone()),
        (
            format!(r#"{{"Statement": {{{allow}, "Condition": {{"Like": {{"a:b": 1}}}}}}}}"#),
            syntax.clone(),
        ),
        (
            format!(
                r#"{{"Statement": {{{allow}, "Condition": {{"NullIfExists": {{"a:b": true}}}}}}}}"#
            ),
            syntax,
        ),
        (format!(r#"{{"Statement": [{{"Sid": "", {allow}}}, {{"Sid": "", {allow}}}]}}"#), None),
        (
            format!(r#"{{"Statement": [{{"Sid": "a", {allow}}}, {{"Sid": "a", {allow}}}]}}"#),
            Some("Statement IDs (SID) in a single policy must be unique.".to_owned()),
        ),
    ] {
        assert_eq!(refused(&text, Kind::Identity), expected, "{text}");
    }
    let principal = r#"{"Statement": {"Effect": "Deny", "NotPrincipal": "*", "Action": "s3:*"}}"#;
    assert_eq!(refused(principal, Kind::Resource), None);
    assert!(
        refused(principal, Kind::Trust).is_some() && refused(principal, Kind::Session).is_some()
    );
}
