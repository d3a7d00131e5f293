//! The words of AccessDenied, against the forms of the reference.

use policy::{
    Context, Decision, Document, Kind, Policy, PolicySet, Principal, Request, access_denied_text,
    decide,
};

use crate::shorthand::{
    BOB, OTHER_ACCOUNT, QUEUE, alice, allow_all, ask, document, granted_to, identity, resource,
    statement, trust,
};

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
const MANAGED: &str = "arn:aws:iam::123456789012:policy/Guard";

/// Returns what follows the resource.
fn reason(decision: &Decision, action: &str) -> String {
    let text = access_denied_text(ALICE, action, Some("R"), decision);
    let head = format!("User: {ALICE} is not authorized to perform: {action} on resource: R");
    text.strip_prefix(&head).unwrap().to_owned()
}

fn labelled(label: &str, policy: &Policy) -> Policy {
    Policy::new(label, policy.document.clone())
}

#[test]
fn the_resource_is_shown_as_the_service_says_it() {
    let decision = ask(alice(), "iam:GetUser", BOB, &PolicySet::default());
    let shown = |resource| access_denied_text(ALICE, "iam:GetUser", resource, &decision);
    assert_eq!(
        shown(Some("user bob")),
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:GetUser \
         on resource: user bob because no identity-based policy allows the iam:GetUser action"
    );
    assert_eq!(
        shown(None),
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:GetUser \
         because no identity-based policy allows the iam:GetUser action"
    );
}

#[test]
fn silent_layers_are_named() {
    let narrow = || identity(&statement("Allow", "iam:GetRole", "*"));
    let control = |kind, statements: &str| vec![vec![Policy::new("c", document(kind, statements))]];
    let everyone = r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#;
    let all = || PolicySet { identity: vec![allow_all()], ..PolicySet::default() };
    for (policies, expected) in [
        (PolicySet { boundary: Some(vec![narrow()]), ..all() }, "permissions boundary"),
        (PolicySet { session: Some(vec![narrow()]), ..all() }, "session policy"),
        (
            PolicySet {
                scp: control(Kind::ServiceControl, &statement("Allow", "s3:*", "*")),
                ..all()
            },
            "service control policy",
        ),
        (
            PolicySet { rcp: control(Kind::ResourceControl, everyone), ..all() },
            "resource control policy",
        ),
        (PolicySet { endpoint: Some(vec![resource(everyone)]), ..all() }, "VPC endpoint policy"),
    ] {
        let decision = ask(alice(), "iam:GetUser", BOB, &policies);
        let expected = format!(" because no {expected} allows the iam:GetUser action");
        assert_eq!(reason(&decision, "iam:GetUser"), expected);
    }
    let events = Principal::service("events.amazonaws.com");
    let decision = ask(events, "sqs:SendMessage", QUEUE, &all());
    assert_eq!(
        reason(&decision, "sqs:SendMessage"),
        " because no resource-based policy allows the sqs:SendMessage action"
    );
}

#[test]
fn refusing_policies_are_named_with_their_arn_if_they_have_one() {
    let deny = || identity(&statement("Deny", "iam:*", "*"));
    let all = || PolicySet { identity: vec![allow_all()], ..PolicySet::default() };
    let scp_arn = "arn:aws:organizations::111111111111:policy/o-a/service_control_policy/p-b";
    let scp =
        Policy::new(scp_arn, document(Kind::ServiceControl, &statement("Deny", "iam:*", "*")));
    let refused = r#"{"Effect": "Deny", "Principal": "*", "Action": "iam:*"}"#;
    for (policies, expected) in [
        (PolicySet { identity: vec![deny()], ..all() }, "an identity-based policy".to_owned()),
        (
            PolicySet { identity: vec![labelled(MANAGED, &deny())], ..all() },
            format!("an identity-based policy: {MANAGED}"),
        ),
        (
            PolicySet { boundary: Some(vec![labelled(MANAGED, &deny())]), ..all() },
            format!("a permissions boundary: {MANAGED}"),
        ),
        (PolicySet { session: Some(vec![deny()]), ..all() }, "a session policy".to_owned()),
        (
            PolicySet { scp: vec![vec![scp]], ..all() },
            format!("a service control policy: {scp_arn}"),
        ),
        (
            PolicySet { resource: Some(labelled(MANAGED, &resource(refused))), ..all() },
            "a resource-based policy".to_owned(),
        ),
    ] {
        let decision = ask(alice(), "iam:GetUser", BOB, &policies);
        let expected = format!(" with an explicit deny in {expected}");
        assert_eq!(reason(&decision, "iam:GetUser"), expected);
    }
}

#[test]
fn trust_policies_have_words_of_their_own() {
    let role = "arn:aws:iam::123456789012:role/Deleter";
    let with_trust = |statements: &str| PolicySet {
        identity: vec![allow_all()],
        resource: Some(trust(statements)),
        ..PolicySet::default()
    };
    let states = granted_to(r#"{"Service": "states.amazonaws.com"}"#, "sts:AssumeRole");
    let decision = ask(alice(), "sts:AssumeRole", role, &with_trust(&states));
    assert_eq!(
        reason(&decision, "sts:AssumeRole"),
        " because no role trust policy allows the sts:AssumeRole action"
    );
    let refused = r#"{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}"#;
    let decision = ask(alice(), "sts:AssumeRole", role, &with_trust(refused));
    assert_eq!(
        reason(&decision, "sts:AssumeRole"),
        " with an explicit deny in the role trust policy"
    );
}

#[test]
fn strangers_do_not_learn_what_the_other_account_says() {
    let role = "arn:aws:iam::210987654321:role/Deleter";
    let mut policies = PolicySet { identity: vec![allow_all()], ..PolicySet::default() };
    let assume = |policies: &PolicySet| {
        let request = Request::new(alice(), "sts:AssumeRole", role, Context::new());
        decide(&request.in_account(OTHER_ACCOUNT), policies)
    };
    assert_eq!(reason(&assume(&policies), "sts:AssumeRole"), "");
    policies.identity.clear();
    assert_eq!(
        reason(&assume(&policies), "sts:AssumeRole"),
        " because no identity-based policy allows the sts:AssumeRole action"
    );
}

#[test]
fn inline_policies_never_pass_for_arns() {
    let text = r#"{"Statement": {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}}"#;
    let document = Document::parse(text, Kind::Identity).unwrap();
    let policies =
        PolicySet { identity: vec![Policy::new("arn", document.into())], ..PolicySet::default() };
    let decision = ask(alice(), "iam:GetUser", BOB, &policies);
    assert_eq!(
        reason(&decision, "iam:GetUser"),
        " with an explicit deny in an identity-based policy"
    );
}
