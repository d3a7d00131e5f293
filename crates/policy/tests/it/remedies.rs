//! What is said to be lacking is what was lacking: no more, no less.

use policy::{
    CallFacts, Context, Decision, IdentityProvider, Kind, Layer, Outcome, Policy, PolicySet,
    Principal, Remedy, Request, decide, remedies, standard_context,
};

use crate::shorthand::{
    ACCOUNT, BOB, OTHER_ACCOUNT, QUEUE, alice, allow_all, document, granted_to, identity, resource,
    run_of_deleter, statement, trust,
};

const ROLE: &str = "arn:aws:iam::123456789012:role/ops/Deleter";

/// Puts a statement where it was lacking.
fn cure(policies: &mut PolicySet, remedy: &Remedy) {
    let cured = |kind| Policy::new("cure", document(kind, &remedy.statement.to_string()));
    match remedy.layer {
        Layer::Identity => policies.identity.push(cured(Kind::Identity)),
        Layer::Boundary => policies.boundary.get_or_insert_default().push(cured(Kind::Boundary)),
        Layer::Session => policies.session.get_or_insert_default().push(cured(Kind::Session)),
        Layer::Resource => policies.resource = Some(cured(Kind::Resource)),
        Layer::Trust => policies.resource = Some(cured(Kind::Trust)),
        Layer::ResourceControl | Layer::ServiceControl | Layer::Endpoint => {
            panic!("{remedy:?} in a test without an organisation")
        }
    }
}

fn ask(principal: &Principal, action: &str, resource: &str, policies: &PolicySet) -> Decision {
    decide(&Request::new(principal.clone(), action, resource, Context::new()), policies)
}

#[test]
fn the_statements_cure_and_none_is_superfluous() {
    let elsewhere = |arn: &str| arn.replace(ACCOUNT, OTHER_ACCOUNT);
    let nothing = PolicySet::default;
    let read_only = || vec![identity(&statement("Allow", "s3:Get*", "*"))];
    let states = r#"{"Service": "states.amazonaws.com"}"#;
    let starts = [
        nothing(),
        PolicySet { boundary: Some(read_only()), ..nothing() },
        PolicySet { boundary: Some(read_only()), session: Some(read_only()), ..nothing() },
        PolicySet { session: Some(read_only()), identity: vec![allow_all()], ..nothing() },
        PolicySet { resource: Some(trust(&granted_to(states, "sts:AssumeRole"))), ..nothing() },
        PolicySet { resource: Some(resource(&granted_to(states, "s3:GetObject"))), ..nothing() },
    ];
    let (mut cured, mut most) = (0, 0);
    for principal in [alice(), run_of_deleter(), Principal::service("events.amazonaws.com")] {
        for (action, resource) in [
            ("iam:GetUser", BOB.to_owned()),
            ("iam:ListUsers", "*".to_owned()),
            ("sqs:SendMessage", QUEUE.to_owned()),
            ("sqs:SendMessage", elsewhere(QUEUE)),
            ("sts:AssumeRole", ROLE.to_owned()),
            ("sts:AssumeRole", elsewhere(ROLE)),
        ] {
            // A role has a trust policy, everything else has none.
            let fits = |start: &&PolicySet| match &start.resource {
                None => true,
                Some(of) => (of.document.kind() == Kind::Trust) == (action == "sts:AssumeRole"),
            };
            for start in starts.iter().filter(fits) {
                let decision = ask(&principal, action, &resource, start);
                let lacking = remedies(&principal, action, None, &decision);
                if decision.is_allowed() {
                    assert_eq!(lacking, []);
                    continue;
                }
                let cure_all_but = |left_out: usize| {
                    let mut policies = start.clone();
                    for (index, remedy) in lacking.iter().enumerate() {
                        if index != left_out {
                            cure(&mut policies, remedy);
                        }
                    }
                    ask(&principal, action, &resource, &policies).outcome
                };
                let case = format!("{action} on {resource} by {}: {lacking:?}", principal.arn());
                assert_eq!(cure_all_but(usize::MAX), Outcome::Allowed, "{case}");
                for index in 0..lacking.len() {
                    assert_eq!(cure_all_but(index), Outcome::ImplicitDeny, "{case}");
                }
                (cured, most) = (cured + 1, most.max(lacking.len()));
            }
        }
    }
    assert_eq!((cured, most), (90, 4));
}

#[test]
fn a_role_is_passed_to_the_service_that_asked_for_it_only() {
    let decision = ask(&alice(), "iam:PassRole", ROLE, &PolicySet::default());
    let lacking = remedies(&alice(), "iam:PassRole", Some("ssm.amazonaws.com"), &decision);
    assert_eq!(
        lacking[0].statement.to_string(),
        concat!(
            r#"{"Effect":"Allow","Action":"iam:PassRole","#,
            r#""Resource":"arn:aws:iam::123456789012:role/ops/Deleter","#,
            r#""Condition":{"StringEquals":{"iam:PassedToService":"ssm.amazonaws.com"}}}"#,
        )
    );
}

#[test]
fn whom_a_provider_vouches_for_comes_in_alone() {
    let vouched = |subject: &str| {
        let key = |name: &str, value: &str| (format!("host:{name}"), vec![value.to_owned()]);
        let keys = [key("sub", subject), key("aud", "app"), key("amr", "x")];
        Principal::vouched_for(IdentityProvider {
            arn: format!("arn:aws:iam::{ACCOUNT}:oidc-provider/host"),
            keys: keys.into_iter().collect(),
        })
    };
    let action = "sts:AssumeRoleWithWebIdentity";
    let ask = |subject: &str, policies: &PolicySet| {
        let principal = vouched(subject);
        let context = standard_context(&principal, &CallFacts::default());
        decide(&Request::new(principal, action, ROLE, context).in_account(ACCOUNT), policies)
    };
    let closed = granted_to(r#"{"Service": "states.amazonaws.com"}"#, "sts:AssumeRole");
    let mut policies = PolicySet { resource: Some(trust(&closed)), ..PolicySet::default() };
    let lacking = remedies(&vouched("alice"), action, None, &ask("alice", &policies));
    assert_eq!(
        lacking[0].statement.to_string(),
        concat!(
            r#"{"Effect":"Allow","Principal":"#,
            r#"{"Federated":"arn:aws:iam::123456789012:oidc-provider/host"},"#,
            r#""Action":"sts:AssumeRoleWithWebIdentity","#,
            r#""Condition":{"StringEquals":{"host:aud":"app","host:sub":"alice"}}}"#,
        )
    );
    for remedy in &lacking {
        cure(&mut policies, remedy);
    }
    assert_eq!(ask("alice", &policies).outcome, Outcome::Allowed);
    assert_eq!(ask("mallory", &policies).outcome, Outcome::ImplicitDeny);
}

#[test]
fn against_a_refusal_nothing_is_to_be_added() {
    let refusing = vec![allow_all(), identity(&statement("Deny", "iam:*", "*"))];
    let policies = PolicySet { identity: refusing, ..PolicySet::default() };
    let decision = ask(&alice(), "iam:GetUser", BOB, &policies);
    assert_eq!(decision.outcome, Outcome::ExplicitDeny);
    assert_eq!(remedies(&alice(), "iam:GetUser", None, &decision), []);
}
