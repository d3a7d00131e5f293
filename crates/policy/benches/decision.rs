//! Decisions per second, with documents compiled once, as the services hold them.
//!
//! Run with `cargo bench -p policy`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::{
    CallFacts, Document, Kind, Policy, PolicySet, Principal, Request, decide, standard_context,
};

const MEASURED: Duration = Duration::from_secs(1);
const BATCH: u32 = 100;
/// More than AWS lets hang on a principal: the worst that can be asked of one decision.
const POLICIES: u32 = 2_000;

/// The policy of the seed's runbook role, and what a cautious account adds to it.
const RUNBOOK: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iam:DeactivateMFADevice", "iam:DeleteAccessKey",
        "iam:DeleteLoginProfile", "iam:DeleteServiceSpecificCredential",
        "iam:DeleteSigningCertificate", "iam:DeleteSSHPublicKey", "iam:DeleteVirtualMFADevice",
        "iam:DeleteUser", "iam:DeleteUserPolicy", "iam:DetachUserPolicy", "iam:GetUser",
        "iam:ListAttachedUserPolicies", "iam:ListAccessKeys", "iam:ListGroupsForUser",
        "iam:ListMFADevices", "iam:ListServiceSpecificCredentials",
        "iam:ListSigningCertificates", "iam:ListSSHPublicKeys", "iam:ListUserPolicies",
        "iam:ListUsers", "iam:RemoveUserFromGroup"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["ssm:GetAutomationExecution", "ssm:StartAutomationExecution"],
        "Resource": "*"}]}"#;
const GUARD: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Deny", "Action": "iam:Delete*", "Resource": "arn:aws:iam::*:user/${aws:username}"},
    {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:ResourceTag/DoNotDelete": "true"},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass*"}}}]}"#;

fn main() {
    let policy = |label: &str, text: &str| match Document::parse(text, Kind::Identity) {
        Ok(document) => Policy::new(label, Arc::new(document)),
        Err(fault) => unreachable!("the text above is a policy: {fault}"),
    };
    let policies = PolicySet {
        identity: vec![policy("Runbook", RUNBOOK), policy("Guard", GUARD)],
        ..PolicySet::default()
    };
    let role =
        Arc::new(Principal::assumed_role("123456789012", "/", "Remediation", "AROA1", "run"));
    let user = "arn:aws:iam::123456789012:user/test8";
    let facts = CallFacts { now_millis: 1_795_348_800_000, ..CallFacts::default() };
    let context = standard_context(&role, &facts);
    let request = Request::new(role.clone(), "iam:DeleteUser", user, context.clone());

    report("decide", || {
        black_box(decide(black_box(&request), &policies));
    });
    report("build the context, then decide", || {
        let context = standard_context(&role, black_box(&facts));
        let request = Request::new(role.clone(), "iam:DeleteUser", user, context);
        black_box(decide(&request, &policies));
    });
    let many = many(&policy);
    report("decide among 2,000 policies", || {
        black_box(decide(black_box(&request), black_box(&many)));
    });
    report("parse and compile the runbook's policy", || {
        black_box(Document::parse(black_box(RUNBOOK), Kind::Identity).is_ok());
    });
}

/// As many policies as an account may have, each of another team, all of them on one principal.
fn many(policy: &impl Fn(&str, &str) -> Policy) -> PolicySet {
    let team = |number: u32| {
        let text = RUNBOOK
            .replace("iam:", "sqs:")
            .replace('*', &format!("arn:aws:sqs:*:*:team-{number}-*"));
        policy(&format!("Team{number}"), &text)
    };
    PolicySet { identity: (0..POLICIES).map(team).collect(), ..PolicySet::default() }
}

/// Prints the fastest batch: what others do on the machine makes some slower, none faster.
fn report(what: &str, mut work: impl FnMut()) {
    let start = Instant::now();
    let mut fastest = Duration::MAX;
    while start.elapsed() < MEASURED {
        let batch = Instant::now();
        (0..BATCH).for_each(|_| work());
        fastest = fastest.min(batch.elapsed() / BATCH);
    }
    println!("{what}: {:.0} per second, {fastest:?} each", 1.0 / fastest.as_secs_f64());
}
