//! What a decision says of its reasons.

use policy::{Context, Effect, Kind, Layer, Outcome, Policy, PolicySet, Request, decide};

use crate::shorthand::{
    BOB, QUEUE, alice, allow_all, ask, document, identity, resource, statement,
};

#[test]
fn a_refusal_names_the_statement_and_where_it_stands() {
    let text = r#"{"Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*"},
  {"Sid": "Keep", "Effect": "Deny", "Action": "iam:*", "Resource": "*"}]}"#;
    let document = policy::Document::parse(text, Kind::Managed).unwrap();
    let label = "arn:aws:iam::123456789012:policy/Guard";
    let guard = Policy::new(label, document.into());
    let policies = PolicySet { identity: vec![guard], ..PolicySet::default() };
    let decision = ask(alice(), "iam:DeleteUser", BOB, &policies);
    assert_eq!(decision.blocked_by, Some(Layer::Identity));
    let [matched] = decision.matched.as_slice() else {
        panic!("{decision:?}");
    };
    assert_eq!((matched.sid.as_deref(), matched.index), (Some("Keep"), 1));
    assert_eq!((matched.effect, matched.policy_arn()), (Effect::Deny, Some(label)));
    assert_eq!((matched.span.start.line, matched.span.start.column), (4, 4));
    assert_eq!(matched.span.end.line, 4);
}

#[test]
fn each_layer_says_its_own_word() {
    let policies = PolicySet {
        identity: vec![allow_all()],
        boundary: Some(vec![identity(&statement("Allow", "sqs:*", "*"))]),
        ..PolicySet::default()
    };
    let decision = ask(alice(), "iam:GetUser", BOB, &policies);
    assert_eq!(decision.layer(Layer::Identity), Some(Outcome::Allowed));
    assert_eq!(decision.layer(Layer::Boundary), Some(Outcome::ImplicitDeny));
    assert_eq!(decision.layer(Layer::Session), None);
    // What grants in vain is told as well.
    assert_eq!(decision.matched.len(), 1);
}

#[test]
fn missing_keys_are_those_that_relevant_statements_ask_for() {
    let statements = r#"
        {"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::*:user/${aws:username}"},
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {
            "StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"},
            "Null": {"aws:MultiFactorAuthAge": "true"},
            "Bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
         "Condition": {"StringEquals": {"s3:prefix": "x"}}}"#;
    let policies = PolicySet { identity: vec![identity(statements)], ..PolicySet::default() };
    let context = Context::new().with("aws:SecureTransport", "true");
    let decision = decide(&Request::new(alice(), "iam:GetUser", BOB, context), &policies);
    let missing: Vec<&str> = decision.missing_context.iter().map(|key| &**key).collect();
    assert_eq!(
        missing,
        ["aws:username", "aws:ResourceTag/Team", "aws:PrincipalTag/Team", "aws:MultiFactorAuthAge"]
    );
    assert_eq!(policies.identity[0].document.context_keys().len(), 6);
}

#[test]
fn allowed_across_layers_lists_every_grant() {
    let grant = r#"{"Sid": "Q", "Effect": "Allow", "Principal": "*", "Action": "sqs:*"}"#;
    let policies = PolicySet {
        identity: vec![allow_all()],
        resource: Some(resource(grant)),
        ..PolicySet::default()
    };
    let decision = ask(alice(), "sqs:SendMessage", QUEUE, &policies);
    let layers: Vec<Layer> = decision.matched.iter().map(|matched| matched.layer).collect();
    assert_eq!(layers, [Layer::Resource, Layer::Identity]);
    assert!(decision.is_allowed() && decision.blocked_by.is_none());
}

#[test]
fn documents_are_shared_not_copied() {
    let shared = document(Kind::Identity, &statement("Allow", "*", "*"));
    let policies = PolicySet {
        identity: vec![Policy::new("a", shared.clone()), Policy::new("b", shared.clone())],
        ..PolicySet::default()
    };
    assert!(ask(alice(), "iam:GetUser", BOB, &policies).is_allowed());
    assert_eq!(std::sync::Arc::strong_count(&shared), 3);
}
