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
const BATCH: u32 = 1_000;

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
    report("parse and compile the runbook's policy", || {
        black_box(Document::parse(black_box(RUNBOOK), Kind::Identity).is_ok());
    });
}

fn report(what: &str, mut work: impl FnMut()) {
    let start = Instant::now();
    let mut done = 0_u32;
    while start.elapsed() < MEASURED {
        (0..BATCH).for_each(|_| work());
        done += BATCH;
    }
    let each = start.elapsed() / done;
    println!("{what}: {:.0} per second, {each:?} each", 1.0 / each.as_secs_f64());
}
