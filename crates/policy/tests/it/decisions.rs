//! The evaluation corpus: request and policies in, decision out.

use std::sync::Arc;

use policy::{
    Arn, Context, Document, Kind, Malformed, Outcome, Policy, PolicySet, Principal, Request, decide,
};
use value::Value;

use crate::conformance;

#[test]
fn corpus_of_decisions() {
    let Some(cases) = conformance::cases("dev.jsonl") else {
        return;
    };
    let mut failed = Vec::new();
    for case in &cases {
        let id = case.get("id").and_then(Value::as_str).unwrap();
        let expected = match case.get("expected").and_then(Value::as_str).unwrap() {
            "Allowed" => Outcome::Allowed,
            "ImplicitlyDenied" => Outcome::ImplicitDeny,
            "ExplicitlyDenied" => Outcome::ExplicitDeny,
            other => panic!("{id}: {other}"),
        };
        match policies(case).map(|policies| decide(&request(case), &policies)) {
            Ok(decision) if decision.outcome == expected => {}
            other => {
                eprintln!("{id}: expected {expected:?}, got {other:#?}\n{case}");
                failed.push(id.to_owned());
            }
        }
    }
    conformance::hold_score("policy-decisions", cases.len(), failed);
}

fn request(case: &Value) -> Request {
    let text = |key: &str| case.path(&["request", key]).and_then(Value::as_str).unwrap_or_default();
    let wildcard_only = case.path(&["request", "wildcardOnlyAction"]).and_then(Value::as_bool);
    let resource = if wildcard_only == Some(true) { "*" } else { text("resource") };
    let mut context = Context::new();
    for (key, value) in
        case.path(&["request", "context"]).and_then(Value::as_object).unwrap().iter()
    {
        match value.as_array() {
            Some(values) => {
                context.set_list(key, values.iter().map(|value| value.as_str().unwrap()));
            }
            None => context.set(key, value.as_str().unwrap()),
        }
    }
    let principal = principal(case.path(&["request", "principal"]).unwrap());
    let request = Request::new(principal, text("action"), resource, context);
    match text("resourceAccount") {
        "" => request,
        account => request.in_account(account),
    }
}

fn principal(json: &Value) -> Principal {
    let Some(text) = json.as_str() else {
        return Principal::anonymous();
    };
    let Ok(arn) = text.parse::<Arn>() else {
        return Principal::service(text);
    };
    let account = arn.account();
    let (kind, rest) = arn.resource_type_and_id();
    let split_path = |rest: &str| match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name.to_owned()),
        None => ("/".to_owned(), rest.to_owned()),
    };
    match kind {
        "root" => Principal::root(account),
        "user" => {
            let (path, name) = split_path(rest);
            Principal::user(account, &path, &name, "AIDAEXAMPLE")
        }
        "role" => {
            let (path, name) = split_path(rest);
            Principal::assumed_role(account, &path, &name, "AROAEXAMPLE", "session")
        }
        "assumed-role" => {
            let (role, session) = rest.split_once('/').unwrap();
            Principal::assumed_role(account, "/", role, "AROAEXAMPLE", session)
        }
        "federated-user" => Principal::federated_user(account, rest),
        other => panic!("principal of kind {other}"),
    }
}

fn policies(case: &Value) -> Result<PolicySet, Malformed> {
    let layer = |key: &str| case.path(&["policies", key]).filter(|layer| !layer.is_null());
    let list = |key: &str, kind| -> Result<Option<Vec<Policy>>, Malformed> {
        let documents =
            layer(key).map(|list| list.as_array().unwrap_or(std::slice::from_ref(list)));
        documents.map(|documents| compile(documents, kind)).transpose()
    };
    let levels = |key: &str, kind| -> Result<Vec<Vec<Policy>>, Malformed> {
        let levels = layer(key).and_then(Value::as_array).unwrap_or_default();
        levels
            .iter()
            .map(|level| compile(level.get("policies").and_then(Value::as_array).unwrap(), kind))
            .collect()
    };
    let assumes_role =
        case.path(&["request", "action"]).and_then(Value::as_str) == Some("sts:AssumeRole");
    let resource_kind = if assumes_role { Kind::Trust } else { Kind::Resource };
    Ok(PolicySet {
        identity: list("identity", Kind::Identity)?.unwrap_or_default(),
        boundary: list("boundary", Kind::Identity)?,
        session: list("session", Kind::Session)?,
        resource: layer("resource").map(|json| policy(json, resource_kind)).transpose()?,
        scp: levels("scp", Kind::ServiceControl)?,
        rcp: levels("rcp", Kind::ResourceControl)?,
        endpoint: list("endpoint", Kind::Resource)?,
    })
}

fn compile(list: &[Value], kind: Kind) -> Result<Vec<Policy>, Malformed> {
    list.iter().map(|json| policy(json, kind)).collect()
}

fn policy(json: &Value, kind: Kind) -> Result<Policy, Malformed> {
    Ok(Policy::new("corpus", Arc::new(Document::parse(&json.to_string(), kind)?)))
}
