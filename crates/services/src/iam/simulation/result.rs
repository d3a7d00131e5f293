//! Results as AWS shows them.

use policy::{Decision, Layer, Matched, Outcome, Position, Reach};
use value::{Value, value};

/// What `MatchedStatements` calls the kind of a policy.
// UNVERIFIED: all but `IAM Policy`, which was recorded on AWS.
fn policy_type(layer: Layer) -> &'static str {
    match layer {
        Layer::Boundary => "Permissions Boundary Policy",
        Layer::Resource | Layer::Trust => "Resource Policy",
        Layer::Identity
        | Layer::Session
        | Layer::ServiceControl
        | Layer::ResourceControl
        | Layer::Endpoint => "IAM Policy",
    }
}

/// Returns the result for an action: each resource with its decision.
pub(super) fn shown(action: &str, decisions: &[(&str, Decision)]) -> Value {
    let strictness = |outcome: Outcome| match outcome {
        Outcome::Allowed => 0,
        Outcome::ImplicitDeny => 1,
        Outcome::ExplicitDeny => 2,
    };
    let strictest = decisions.iter().max_by_key(|(_, decision)| strictness(decision.outcome));
    let Some((first, strictest)) = strictest.map(|(resource, one)| (*resource, one)) else {
        return Value::object();
    };
    let alike = || decisions.iter().filter(|(_, one)| one.outcome == strictest.outcome);
    let matched = distinct(alike().flat_map(|(_, one)| one.matched.iter().map(statement)));
    let missing = distinct(
        decisions.iter().flat_map(|(_, one)| &one.missing_context).map(|key| Value::from(&**key)),
    );
    let specific = decisions.iter().any(|(resource, _)| *resource != "*");
    let single = decisions.len() == 1;
    // UNVERIFIED: what names the resource of a result that speaks of several.
    let result = value!({
        "EvalActionName": action,
        "EvalResourceName": if single { first } else { "*" },
        "EvalDecision": strictest.outcome.as_str(),
        "MatchedStatements": matched,
        "MissingContextValues": missing,
    });
    let result = result.with_some("PermissionsBoundaryDecisionDetail", boundary(strictest));
    if !specific {
        return result;
    }
    let each: Vec<Value> = decisions.iter().map(|(resource, one)| of_one(resource, one)).collect();
    result.with("EvalDecisionDetails", details(strictest)).with("ResourceSpecificResults", each)
}

fn of_one(resource: &str, decision: &Decision) -> Value {
    let matched: Vec<Value> = decision.matched.iter().map(statement).collect();
    let missing: Vec<&str> = decision.missing_context.iter().map(|key| &**key).collect();
    let details = (decision.reach == Reach::CrossAccount).then(|| details(decision));
    value!({
        "EvalResourceName": resource,
        "EvalResourceDecision": decision.outcome.as_str(),
        "MatchedStatements": matched,
        "MissingContextValues": missing,
    })
    .with_some("EvalDecisionDetails", details)
    .with_some("PermissionsBoundaryDecisionDetail", boundary(decision))
}

/// Returns what each kind of policy says; nothing within one account.
fn details(decision: &Decision) -> Value {
    if decision.reach == Reach::SameAccount {
        return Value::object();
    }
    let said = |layer: Layer| decision.layer(layer).unwrap_or(Outcome::ImplicitDeny).as_str();
    value!({"IAM Policy": said(Layer::Identity), "Resource Policy": said(Layer::Resource)})
}

fn boundary(decision: &Decision) -> Option<Value> {
    let outcome = decision.layer(Layer::Boundary)?;
    Some(value!({"AllowedByPermissionsBoundary": outcome == Outcome::Allowed}))
}

fn statement(matched: &Matched) -> Value {
    let place = |at: Position| value!({"Line": at.line, "Column": at.column});
    value!({
        "SourcePolicyId": &*matched.policy,
        "SourcePolicyType": policy_type(matched.layer),
        "StartPosition": place(matched.reported_start),
        "EndPosition": place(matched.span.end),
    })
}

fn distinct(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
