//! Which layers must grant, and for whom.

use policy::{
    Context, Decision, Layer, Outcome, Policy, PolicySet, Principal, Request, decide, decide_any,
};

use crate::shorthand::{
    ACCOUNT, BOB, OTHER_ACCOUNT, QUEUE, alice, allow_all, ask, document, granted_to, identity,
    resource, run_of_deleter, statement, trust,
};

const ROLE: &str = "arn:aws:iam::123456789012:role/ops/Deleter";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";

fn blocked(decision: &Decision) -> (Outcome, Option<Layer>) {
    (decision.outcome, decision.blocked_by)
}

fn implicit(layer: Layer) -> (Outcome, Option<Layer>) {
    (Outcome::ImplicitDeny, Some(layer))
}

const ALLOWED: (Outcome, Option<Layer>) = (Outcome::Allowed, None);

#[test]
fn root_needs_no_policy_but_obeys_the_organisation_and_explicit_denies() {
    let root = || Principal::root(ACCOUNT);
    assert_eq!(blocked(&ask(root(), "iam:DeleteUser", BOB, &PolicySet::default())), ALLOWED);
    let scp = |statements: &str| {
        let control = document(policy::Kind::ServiceControl, statements);
        PolicySet { scp: vec![vec![Policy::new("scp", control)]], ..PolicySet::default() }
    };
    let silent = scp(&statement("Allow", "sqs:*", "*"));
    let decision = ask(root(), "iam:DeleteUser", BOB, &silent);
    assert_eq!(blocked(&decision), implicit(Layer::ServiceControl));
    let refusing = scp(&statement("Deny", "iam:*", "*"));
    assert_eq!(ask(root(), "iam:DeleteUser", BOB, &refusing).outcome, Outcome::ExplicitDeny);
    let linked =
        Principal::assumed_role(ACCOUNT, "/aws-service-role/x.amazonaws.com/", "R", "AROA1", "s");
    let with_identity = PolicySet { identity: vec![allow_all()], ..silent };
    assert_eq!(blocked(&ask(linked, "iam:DeleteUser", BOB, &with_identity)), ALLOWED);
    let denied = r#"{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}"#;
    let policies = PolicySet { resource: Some(resource(denied)), ..PolicySet::default() };
    assert_eq!(ask(root(), "sqs:SendMessage", QUEUE, &policies).outcome, Outcome::ExplicitDeny);
}

#[test]
fn kms_keys_and_roles_grant_nothing_their_own_policy_does_not() {
    let mut policies = PolicySet { identity: vec![allow_all()], ..PolicySet::default() };
    let decision = ask(alice(), "kms:Decrypt", KEY, &policies);
    assert_eq!(blocked(&decision), implicit(Layer::Resource));
    assert_eq!(blocked(&ask(alice(), "kms:ListKeys", "*", &policies)), ALLOWED);
    assert_eq!(blocked(&ask(alice(), "sts:AssumeRole", ROLE, &policies)), implicit(Layer::Trust));
    assert_eq!(
        blocked(&ask(Principal::root(ACCOUNT), "kms:Decrypt", KEY, &policies)),
        implicit(Layer::Resource)
    );
    policies.resource = Some(resource(&granted_to(r#"{"AWS": "123456789012"}"#, "kms:*")));
    assert_eq!(blocked(&ask(alice(), "kms:Decrypt", KEY, &policies)), ALLOWED);
}

#[test]
fn trust_that_names_the_caller_needs_no_identity_policy() {
    for (principal, expected) in [
        (r#"{"AWS": "arn:aws:iam::123456789012:user/alice"}"#, ALLOWED),
        (r#"{"AWS": "AIDAALICE"}"#, ALLOWED),
        (r#"{"AWS": "arn:aws:iam::123456789012:root"}"#, implicit(Layer::Identity)),
        (r#"{"AWS": "AIDASOMEONEGONE"}"#, implicit(Layer::Trust)),
        (r#"{"AWS": ["arn:aws:iam::123456789012:user/Alice"]}"#, implicit(Layer::Trust)),
        (r#"{"Service": "states.amazonaws.com"}"#, implicit(Layer::Trust)),
    ] {
        let policies = PolicySet {
            resource: Some(trust(&granted_to(principal, "sts:AssumeRole"))),
            ..PolicySet::default()
        };
        let decision = ask(alice(), "sts:AssumeRole", ROLE, &policies);
        assert_eq!(blocked(&decision), expected, "{principal}");
    }
}

#[test]
fn a_session_is_granted_as_its_role_within_boundary_and_session_policy() {
    let grant = granted_to(r#"{"AWS": "arn:aws:iam::123456789012:role/ops/Deleter"}"#, "sqs:*");
    let mut policies = PolicySet { resource: Some(resource(&grant)), ..PolicySet::default() };
    let send = |policies: &PolicySet| ask(run_of_deleter(), "sqs:SendMessage", QUEUE, policies);
    assert_eq!(blocked(&send(&policies)), ALLOWED);
    policies.session = Some(vec![identity(&statement("Allow", "iam:*", "*"))]);
    assert_eq!(blocked(&send(&policies)), implicit(Layer::Session));
    policies.session = None;
    policies.boundary = Some(Vec::new());
    assert_eq!(blocked(&send(&policies)), implicit(Layer::Boundary));
    let unique_id = granted_to(r#"{"AWS": "AROADELETER"}"#, "sqs:*");
    policies = PolicySet { resource: Some(resource(&unique_id)), ..PolicySet::default() };
    assert_eq!(blocked(&send(&policies)), ALLOWED);
}

#[test]
fn a_federated_user_without_session_policies_may_do_nothing() {
    let federated = || Principal::federated_user(ACCOUNT, "bob");
    let mut policies = PolicySet {
        identity: vec![allow_all()],
        session: Some(Vec::new()),
        ..PolicySet::default()
    };
    let decision = ask(federated(), "iam:GetUser", BOB, &policies);
    assert_eq!(blocked(&decision), implicit(Layer::Session));
    let arn = r#"{"AWS": "arn:aws:sts::123456789012:federated-user/bob"}"#;
    policies.resource = Some(resource(&granted_to(arn, "sqs:*")));
    assert_eq!(blocked(&ask(federated(), "sqs:SendMessage", QUEUE, &policies)), ALLOWED);
}

#[test]
fn across_accounts_both_sides_must_grant() {
    let queue = "arn:aws:sqs:us-east-1:210987654321:q";
    let send = |policies: &PolicySet| {
        let request = Request::new(alice(), "sqs:SendMessage", queue, Context::new());
        let told = decide(&request.clone().in_account(OTHER_ACCOUNT), policies);
        // The ARN says as much.
        assert_eq!(decide(&request, policies), told);
        told
    };
    let mut policies = PolicySet { identity: vec![allow_all()], ..PolicySet::default() };
    let bucket = Request::new(alice(), "s3:GetObject", "arn:aws:s3:::b/k", Context::new());
    assert_eq!(blocked(&decide(&bucket, &policies)), ALLOWED);
    let theirs = decide(&bucket.in_account(OTHER_ACCOUNT), &policies);
    assert_eq!(blocked(&theirs), implicit(Layer::Resource));
    let managed = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    assert_eq!(blocked(&ask(alice(), "iam:GetPolicy", managed, &policies)), ALLOWED);
    assert_eq!(blocked(&send(&policies)), implicit(Layer::Resource));
    let names_alice = r#"{"AWS": "arn:aws:iam::123456789012:user/alice"}"#;
    policies.resource = Some(resource(&granted_to(names_alice, "sqs:*")));
    assert_eq!(blocked(&send(&policies)), ALLOWED);
    policies.boundary = Some(Vec::new());
    assert_eq!(blocked(&send(&policies)), implicit(Layer::Boundary));
    policies.identity.clear();
    assert_eq!(blocked(&send(&policies)), implicit(Layer::Identity));
}

#[test]
fn services_and_strangers_have_only_the_resource_policy() {
    let mut policies = PolicySet { identity: vec![allow_all()], ..PolicySet::default() };
    let events = || Principal::service("events.amazonaws.com");
    let decision = ask(events(), "sqs:SendMessage", QUEUE, &policies);
    assert_eq!(blocked(&decision), implicit(Layer::Resource));
    policies.resource = Some(resource(&granted_to(r#""*""#, "sqs:*")));
    for principal in [events(), Principal::anonymous()] {
        assert_eq!(blocked(&ask(principal, "sqs:SendMessage", QUEUE, &policies)), ALLOWED);
    }
    // No policy can name them by another kind of name.
    policies.resource = Some(resource(&granted_to(r#"{"AWS": "anonymous"}"#, "sqs:*")));
    let decision = ask(Principal::anonymous(), "sqs:SendMessage", QUEUE, &policies);
    assert_eq!(blocked(&decision), implicit(Layer::Resource));
}

#[test]
fn resource_control_policies_and_endpoints_must_grant_to_everyone() {
    let everything = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
    let control =
        |statements: &str| Policy::new("rcp", document(policy::Kind::ResourceControl, statements));
    let guard = r#"{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}"#;
    let mut policies = PolicySet { identity: vec![allow_all()], ..PolicySet::default() };
    policies.rcp = vec![vec![control(everything)], vec![control(everything), control(guard)]];
    let decision = ask(alice(), "sqs:SendMessage", QUEUE, &policies);
    assert_eq!(blocked(&decision), (Outcome::ExplicitDeny, Some(Layer::ResourceControl)));
    assert_eq!(blocked(&ask(alice(), "iam:GetUser", BOB, &policies)), ALLOWED);
    policies.rcp.clear();
    let only_sqs = granted_to(r#""*""#, "sqs:*");
    policies.endpoint = Some(vec![resource(&only_sqs)]);
    assert_eq!(blocked(&ask(alice(), "sqs:SendMessage", QUEUE, &policies)), ALLOWED);
    let decision = ask(alice(), "iam:GetUser", BOB, &policies);
    assert_eq!(blocked(&decision), implicit(Layer::Endpoint));
}

#[test]
fn not_principal_spares_only_whom_it_lists_whole() {
    let denied = |listed: &str| {
        let deny = format!(
            r#"{{"Effect": "Deny", "NotPrincipal": {{"AWS": [{listed}]}}, "Action": "*"}}"#
        );
        PolicySet {
            identity: vec![allow_all()],
            resource: Some(resource(&deny)),
            ..PolicySet::default()
        }
    };
    let outcome = |principal, policies: &PolicySet| {
        ask(principal, "sqs:SendMessage", QUEUE, policies).outcome
    };
    let (account, user) = (r#""123456789012""#, r#""arn:aws:iam::123456789012:user/alice""#);
    let role = r#""arn:aws:iam::123456789012:role/ops/Deleter""#;
    let session = r#""arn:aws:sts::123456789012:assumed-role/Deleter/run-1""#;
    let both = denied(&format!("{account}, {user}"));
    assert_eq!(outcome(alice(), &both), Outcome::Allowed);
    assert_eq!(outcome(run_of_deleter(), &both), Outcome::ExplicitDeny);
    assert_eq!(outcome(alice(), &denied(user)), Outcome::ExplicitDeny);
    assert_eq!(outcome(alice(), &denied(account)), Outcome::ExplicitDeny);
    let two = denied(&format!("{account}, {role}"));
    assert_eq!(outcome(run_of_deleter(), &two), Outcome::ExplicitDeny);
    let three = denied(&format!("{account}, {role}, {session}"));
    assert_eq!(outcome(run_of_deleter(), &three), Outcome::Allowed);
    let bounded = PolicySet { boundary: Some(vec![allow_all()]), ..both };
    assert_eq!(outcome(alice(), &bounded), Outcome::ExplicitDeny);
}

#[test]
fn nothing_refuses_get_caller_identity() {
    let deny = statement("Deny", "*", "*");
    let policies = PolicySet { identity: vec![identity(&deny)], ..PolicySet::default() };
    assert_eq!(blocked(&ask(alice(), "sts:GetCallerIdentity", "*", &policies)), ALLOWED);
}

#[test]
fn several_resources_must_all_be_allowed_or_any() {
    let definition = "arn:aws:ssm:us-east-1::automation-definition/AWS-X:1";
    let policies = PolicySet {
        identity: vec![identity(&statement("Allow", "ssm:*", "arn:aws:ssm:*:*:document/AWS-X"))],
        ..PolicySet::default()
    };
    let mut request =
        Request::new(alice(), "ssm:StartAutomationExecution", definition, Context::new());
    request.resources.push("arn:aws:ssm:us-east-1::document/AWS-X".to_owned());
    let all = decide(&request, &policies);
    assert_eq!((blocked(&all), &*all.resource), (implicit(Layer::Identity), definition));
    assert_eq!(blocked(&decide_any(&request, &policies)), ALLOWED);

    let deny = statement("Deny", "ssm:*", "arn:aws:ssm:*:*:automation-definition/*");
    let policies =
        PolicySet { identity: vec![allow_all(), identity(&deny)], ..PolicySet::default() };
    assert_eq!(decide_any(&request, &policies).outcome, Outcome::ExplicitDeny);
    request.resources.reverse();
    assert_eq!(decide_any(&request, &policies).outcome, Outcome::ExplicitDeny);
    assert_eq!(decide(&request, &policies).outcome, Outcome::ExplicitDeny);
    request.resources.clear();
    assert_eq!(decide(&request, &policies).resource, "*");
}
