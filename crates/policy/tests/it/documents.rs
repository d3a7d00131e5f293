//! The grammar, kind by kind.

use policy::{Document, Kind, Position, PrincipalPattern, Version};

fn message(text: &str, kind: Kind) -> String {
    Document::parse(text, kind).err().map(|fault| fault.message).unwrap_or_default()
}

fn with_statement(statement: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#)
}

#[test]
fn trust_policies_have_a_principal_and_no_resource() {
    for (statement, expected) in [
        (
            r#"{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}"#,
            "",
        ),
        (
            r#"{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}"#,
            "Has prohibited field Resource",
        ),
        (r#"{"Effect": "Allow", "Action": "sts:AssumeRole"}"#, "Missing required field Principal"),
        (
            r#"{"Effect": "Allow", "Principal": "*", "Action": "iam:GetUser"}"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            r#"{"Effect": "Allow", "Principal": {"AWS": []}, "Action": "sts:AssumeRole"}"#,
            "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: \
             The passed in policy has a statement with no principals!",
        ),
    ] {
        assert_eq!(message(&with_statement(statement), Kind::Trust), expected, "{statement}");
    }
    assert_eq!(message("{\"Version\": ", Kind::Trust), "This policy contains invalid Json");
}

#[test]
fn identity_policies_name_no_principal() {
    let text = with_statement(
        r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#,
    );
    for kind in [Kind::Identity, Kind::Managed, Kind::Session, Kind::ServiceControl] {
        assert_eq!(message(&text, kind), "Policy document should not specify a principal.");
    }
    assert_eq!(message(&text, Kind::Resource), "");
}

#[test]
fn only_managed_policies_must_say_their_version() {
    let text = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
    let document = Document::parse(text, Kind::Identity).unwrap();
    assert_eq!(document.version(), Version::V2008);
    let expected = "Policy document must be version 2012-10-17 or greater.";
    assert_eq!(message(text, Kind::Managed), expected);
    assert_eq!(message(text, Kind::Boundary), expected);
}

#[test]
fn faults_know_their_place() {
    let position = |text: &str| Document::parse(text, Kind::Identity).unwrap_err().position;
    let at = |line, column| Some(Position { line, column });
    assert_eq!(position("{\n  \"Version\": 1x}"), at(2, 15));
    let second = r#"{"Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {"Effect": "Allow"}]}"#;
    assert_eq!(position(second), at(3, 5));
    assert_eq!(position("{\"Version\": \"2012-10-17\"}"), None);
}

#[test]
fn principals_are_told_apart() {
    let text = with_statement(
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
            "AWS": ["123456789012", "arn:aws:iam::123456789012:root", "AROAGONE",
                    "arn:aws:iam::123456789012:user/x"],
            "Service": "ssm.amazonaws.com", "Federated": "accounts.google.com"}}"#,
    );
    let document = Document::parse(&text, Kind::Trust).unwrap();
    let principals: Vec<_> = document.principals().cloned().collect();
    assert_eq!(
        principals,
        [
            PrincipalPattern::Account("123456789012".into()),
            PrincipalPattern::Account("123456789012".into()),
            PrincipalPattern::UniqueId("AROAGONE".into()),
            PrincipalPattern::Arn("arn:aws:iam::123456789012:user/x".into()),
            PrincipalPattern::Service("ssm.amazonaws.com".into()),
            PrincipalPattern::Federated("accounts.google.com".into()),
        ]
    );
}

#[test]
fn deep_and_huge_texts_are_refused_not_followed() {
    let deep = "[".repeat(100_000);
    assert_eq!(message(&deep, Kind::Identity), "Syntax errors in policy.");
    let huge = " ".repeat(policy::POLICY_BYTES_MAX + 1);
    assert_eq!(message(&huge, Kind::Identity), "Syntax errors in policy.");
}
