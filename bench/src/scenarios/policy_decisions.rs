//! IAM decisions per second, inside this process: the runbook role of the README's example, and a
//! cautious account's guard with conditions.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use policy::{
    CallFacts, Document, Kind, Policy, PolicySet, Principal, Request, decide, standard_context,
};

use crate::bench::Bench;
use crate::report::Row;
use crate::statistics::Spread;

/// Decisions between two looks at the clock.
const BATCH: u32 = 1_000;

const RUNBOOK: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iam:DeactivateMFADevice", "iam:DeleteAccessKey",
        "iam:DeleteLoginProfile", "iam:DeleteUser", "iam:GetUser", "iam:ListAccessKeys",
        "iam:RemoveUserFromGroup"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["ssm:GetAutomationExecution", "ssm:StartAutomationExecution"],
        "Resource": "*"}]}"#;
const GUARD: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Deny", "Action": "iam:Delete*", "Resource": "arn:aws:iam::*:user/${aws:username}"},
    {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:ResourceTag/DoNotDelete": "true"},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass*"}}}]}"#;

/// Decides for so long; the documents are compiled once, as the services hold them.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let policy = |label: &str, text: &str| -> Result<Policy> {
        Ok(Policy::new(label, Arc::new(Document::parse(text, Kind::Identity)?)))
    };
    let policies = PolicySet {
        identity: vec![policy("Runbook", RUNBOOK)?, policy("Guard", GUARD)?],
        ..PolicySet::default()
    };
    let role =
        Arc::new(Principal::assumed_role("123456789012", "/", "Remediation", "AROA1", "run"));
    let facts = CallFacts { now_millis: 1_795_348_800_000, ..CallFacts::default() };
    let mut rates = Vec::new();
    for _ in 0..bench.sizes.rounds {
        let started = Instant::now();
        let mut decided = 0_u32;
        while started.elapsed().as_secs_f64() < bench.sizes.round_seconds / 3.0 {
            for _ in 0..BATCH {
                let context = standard_context(&role, black_box(&facts));
                let user = "arn:aws:iam::123456789012:user/test8";
                let request = Request::new(role.clone(), "iam:DeleteUser", user, context);
                black_box(decide(&request, &policies));
            }
            decided += BATCH;
        }
        rates.push(f64::from(decided) / started.elapsed().as_secs_f64());
    }
    let rates = Spread::of(rates);
    Ok(vec![
        Row::spread("decisions, context included", rates, "/s"),
        Row::number("one decision", 1e6 / rates.median, "us"),
    ])
}
