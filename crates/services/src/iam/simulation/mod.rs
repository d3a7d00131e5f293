//! SimulateCustomPolicy and SimulatePrincipalPolicy: what policies would say to calls.
//!
//! IAM API reference, "SimulatePrincipalPolicy", "EvaluationResult", "ResourceSpecificResult" (read
//! 2026-11-25). One result per action, whatever the number of resources; the decision of the result
//! is the strictest of its resources.

mod question;
mod result;
mod scenarios;
mod subject;

use std::sync::Arc;

use policy::{Kind, PolicySet, Principal, Request};
use value::Value;

use super::{error, paging};
use crate::{Answer, Check, Error, Operation, Reading, Run};
use question::Question;

pub(super) use question::policies;
pub(super) use subject::{Subject, check};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "SimulateCustomPolicy",
        checks: |_, _| Ok(vec![Check::any("iam:SimulateCustomPolicy")]),
        run: Run::Read(custom),
    },
    Operation {
        name: "SimulatePrincipalPolicy",
        checks: |on, input| Ok(vec![check(on, "SimulatePrincipalPolicy", input)?]),
        run: Run::Read(principal),
    },
];

fn custom(on: &Reading<'_>, input: &Value) -> Answer {
    let question = Question::read(input)?;
    let identity = policies(input, "PolicyInputList", Kind::Identity)?;
    let caller = caller(&question, None, on.call.account())?;
    let boundary = question.boundary.clone();
    simulate(input, &question, caller, PolicySet { identity, boundary, ..PolicySet::default() })
}

fn principal(on: &Reading<'_>, input: &Value) -> Answer {
    let question = Question::read(input)?;
    let subject = Subject::read(on, input)?;
    let caller = caller(&question, Some(&subject), on.call.account())?;
    let mut identity = subject.identity;
    identity.extend(policies(input, "PolicyInputList", Kind::Identity)?);
    // A boundary that is given takes the place of the one that is set.
    let boundary = question.boundary.clone().or(subject.boundary);
    simulate(input, &question, caller, PolicySet { identity, boundary, ..PolicySet::default() })
}

/// Returns who is taken to call: `CallerArn`, else whose policies they are, else a user whom no
/// policy names.
fn caller(
    question: &Question,
    subject: Option<&Subject>,
    account: &str,
) -> Result<Principal, Error> {
    if let Some(caller) = &question.caller {
        return Ok(caller.clone());
    }
    let subject = subject.and_then(|subject| subject.principal.as_ref());
    let is_user = subject.is_some_and(|one| matches!(one.kind, policy::PrincipalKind::User { .. }));
    if question.resource_policy.is_some() && !is_user {
        // UNVERIFIED: AWS's text for a resource policy without a user who calls.
        return Err(error::invalid_input(
            "CallerArn is required when ResourcePolicy is given and no user's policies are \
             simulated",
        ));
    }
    Ok(subject.cloned().unwrap_or_else(|| Principal::user(account, "/", "", "")))
}

/// Decides every action on every resource.
fn simulate(input: &Value, question: &Question, caller: Principal, policies: PolicySet) -> Answer {
    let policies = PolicySet { resource: question.resource_policy.clone(), ..policies };
    let caller = Arc::new(caller);
    let decide = |action: &str, resource: &str| {
        let context = question.context.clone();
        let request = Request::new(caller.clone(), action, resource, context);
        policy::decide(&question.owned(request, resource), &policies)
    };
    let rows = question.actions.iter().enumerate().map(|(at, action)| {
        let decisions: Vec<_> = question
            .resources
            .iter()
            .map(|resource| (resource.as_str(), decide(action, resource)))
            .collect();
        (format!("{at:04}"), result::shown(action, &decisions))
    });
    paging::page(input, "EvaluationResults", rows)
}
