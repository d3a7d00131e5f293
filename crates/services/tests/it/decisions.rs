//! What was decided: found by id, by process and as the last, with the line to add.

use std::sync::Arc;

use policy::Principal;
use runtime::ClockMode;
use services::{AuthMode, Http, Reset, Services};
use store::{Table, Transaction};
use value::{Value, value};
use wire::{Handler, Request};

use super::server::{ACCOUNT, each, text, trust};
use super::states_express::{Whole, whole, whole_on};

const CALLS_IAM: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:iam:getUser", "Parameters": {"UserName": "bob"},
    "End": true}}}"#;

pub(crate) async fn ask(services: &Arc<Services>, page: &str, question: Value) -> Value {
    let request = Request {
        method: "POST".into(),
        path: format!("/_stepwell/{page}"),
        body: question.to_string().into_bytes(),
        peer: "127.0.0.1".into(),
        ..Request::default()
    };
    let answer = services.clone().handle(request).await;
    let body = value::parse_bytes(&answer.body).unwrap();
    assert_eq!(answer.status, 200, "{body}");
    body
}

pub(crate) async fn last(whole: &Whole, which: &str) -> Value {
    let found = ask(&whole.services, "calls", value!({ "last": which })).await;
    found.path(&["calls"]).and_then(|calls| calls.as_array()?.first().cloned()).unwrap()
}

pub(crate) fn check(call: &Value, index: usize) -> &Value {
    call.get("checks").and_then(|checks| checks.as_array()?.get(index)).unwrap()
}

/// Creates a user; returns them as a caller.
pub(crate) async fn user(whole: &Whole, name: &str) -> Principal {
    whole.ok("iam", "CreateUser", value!({ "UserName": name })).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({ "UserName": name })).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let found = whole.services.store().read(|store| services::iam::find_access_key(store, &id));
    found.unwrap().unwrap().principal
}

pub(crate) async fn put_user_policy(whole: &Whole, user: &str, statement: &str) {
    let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
    let policy = value!({ "UserName": user, "PolicyName": "p", "PolicyDocument": document });
    whole.ok("iam", "PutUserPolicy", policy).await;
}

#[tokio::test]
async fn the_line_to_add_is_the_one_that_was_lacking() {
    let whole = whole().await;
    let alice = user(&whole, "alice").await;
    let get = || value!({ "UserName": "alice" });
    whole.run_as(alice.clone(), "iam", "GetUser", get()).await.unwrap_err();
    let refused = last(&whole, "refusal").await;
    assert_eq!(text(&refused, &["error"]), "AccessDenied");
    let add = check(&refused, 0).get("add").and_then(|add| add.as_array()?.first()).unwrap();
    assert_eq!(text(add, &["layer"]), "identity");
    put_user_policy(&whole, "alice", &add.get("statement").unwrap().to_string()).await;
    whole.run_as(alice, "iam", "GetUser", get()).await.unwrap();
    let allowed = last(&whole, "call").await;
    let matched = check(&allowed, 0).get("matched").unwrap();
    let by = matched.as_array().unwrap().first().unwrap();
    assert_eq!((text(by, &["policy"]), text(by, &["effect"])), ("p".into(), "Allow".into()));
    assert_eq!(by.get("column").and_then(Value::as_i64), Some(41));
}

#[tokio::test]
async fn a_refusing_statement_is_named_and_missing_condition_keys_are() {
    let whole = whole().await;
    let alice = user(&whole, "alice").await;
    let deny = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "Mfa", "Effect": "Deny", "Action": "iam:*", "Resource": "*",
         "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}"#;
    put_user_policy(&whole, "alice", deny).await;
    whole.run_as(alice, "iam", "ListUsers", value!({})).await.unwrap_err();
    let refused = last(&whole, "refusal").await;
    let check = check(&refused, 0);
    assert_eq!(text(check, &["outcome"]), "explicitDeny");
    let by = check.get("matched").and_then(|all| all.as_array()?.first()).unwrap();
    assert_eq!(
        (text(by, &["sid"]), by.get("statement").unwrap().as_i64()),
        ("Mfa".into(), Some(1))
    );
    assert_eq!(
        check.get("missingContext").unwrap().to_string(),
        r#"["aws:MultiFactorAuthPresent"]"#
    );
    assert!(check.get("add").is_none());
}

#[tokio::test]
async fn what_the_store_does_not_take_is_counted() {
    let whole = whole().await;
    let bob = user(&whole, "bob").await;
    for _ in 0..3 {
        whole.run_as(bob.clone(), "iam", "GetUser", value!({})).await.unwrap_err();
    }
    let damage = |tx: &mut dyn Transaction| tx.put(Table::Decisions, "count", b"no number");
    whole.services.store().write(damage).await.unwrap().unwrap();
    whole.services.write_decisions().await.unwrap_err();
    let page =
        Request { method: "GET".into(), path: "/_stepwell/metrics".into(), ..Request::default() };
    let page = whole.services.clone().handle(page).await;
    let page = String::from_utf8(page.body).unwrap();
    let counted = page.lines().find(|line| line.starts_with("stepwell_decisions_unwritten_total"));
    assert_eq!(counted, Some("stepwell_decisions_unwritten_total 3"));
}

#[tokio::test]
async fn refusals_and_calls_of_processes_outlive_the_process_of_the_server() {
    let whole = whole().await;
    let bob = user(&whole, "bob").await;
    whole.allow(r#"{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}"#).await;
    let started = whole.sync(CALLS_IAM, "{}").await;
    assert_eq!(text(&started, &["status"]), "SUCCEEDED");
    whole.run_as(bob, "iam", "GetUser", value!({})).await.unwrap_err();
    whole.services.write_decisions().await.unwrap();

    let http = Http { auth: AuthMode::Loopback, reset: Reset::Refused };
    let settings = (**whole.services.settings()).clone();
    let heir = Services::new(settings, whole.runtime.clone(), http);
    let execution = text(&started, &["executionArn"]);
    let found = ask(&heir, "calls", value!({ "execution": &execution })).await;
    let calls = found.get("calls").and_then(Value::as_array).unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(text(&calls[0], &["process"]), format!("execution/{execution}"));
    assert_eq!(text(check(&calls[0], 0), &["action"]), "iam:GetUser");
    let id = text(&calls[0], &["requestId"]);
    let found = ask(&heir, "calls", value!({ "requestId": &id })).await;
    assert_eq!(each(&found, "calls", "requestId"), [id]);
    // The refusal is the last one; what root did is forgotten.
    let found = ask(&heir, "calls", value!({ "last": "call" })).await;
    assert_eq!(each(&found, "calls", "outcome"), ["implicitDeny"]);
    assert_eq!(each(&found, "calls", "operation"), ["GetUser"]);
    // After a reset nobody knows anything.
    let reset = Request {
        method: "POST".into(),
        path: "/_stepwell/reset".into(),
        peer: "127.0.0.1".into(),
        ..Request::default()
    };
    assert_eq!(whole.services.clone().handle(reset).await.status, 200);
    let found = ask(&whole.services, "calls", value!({ "last": "call" })).await;
    assert_eq!(found.to_string(), r#"{"calls":[]}"#);
}

#[tokio::test]
async fn a_role_that_does_not_trust_the_service_lacks_a_statement_of_its_trust_policy() {
    let whole = whole().await;
    user(&whole, "bob").await;
    whole.allow(r#"{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}"#).await;
    whole.create("m", "EXPRESS", CALLS_IAM).await.unwrap();
    let other = trust(r#"{"Service": "ssm.amazonaws.com"}"#);
    let update = value!({ "RoleName": "r", "PolicyDocument": other });
    whole.ok("iam", "UpdateAssumeRolePolicy", update).await;
    let ended = whole.start("StartSyncExecution", "m", "{}").await;
    assert_eq!(text(&ended, &["status"]), "FAILED");
    let refused = last(&whole, "refusal").await;
    assert_eq!(text(&refused, &["caller"]), "states.amazonaws.com");
    let add = check(&refused, 0).get("add").and_then(|add| add.as_array()?.first()).unwrap();
    assert_eq!(
        add.to_string(),
        concat!(
            r#"{"layer":"trust","statement":{"Effect":"Allow","#,
            r#""Principal":{"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole"}}"#,
        )
    );
}

#[tokio::test]
async fn a_passed_role_is_a_permission_and_no_call() {
    let whole = whole().await;
    let alice = user(&whole, "alice").await;
    let allow = r#"{"Effect": "Allow", "Action": "states:*", "Resource": "*"}"#;
    put_user_policy(&whole, "alice", allow).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/r");
    let machine = value!({ "name": "m", "definition": CALLS_IAM, "roleArn": role });
    whole.run_as(alice, "stepfunctions", "CreateStateMachine", machine).await.unwrap_err();
    let refused = last(&whole, "refusal").await;
    let is_call = |index| check(&refused, index).get("isCall").and_then(Value::as_bool);
    assert_eq!((is_call(0), is_call(1)), (Some(true), Some(false)));
    assert_eq!(text(check(&refused, 0), &["outcome"]), "allowed");
    let passing = check(&refused, 1);
    assert_eq!(text(passing, &["action"]), "iam:PassRole");
    assert_eq!(text(passing, &["passedTo"]), "states.amazonaws.com");
}

#[tokio::test]
async fn an_external_id_stands_in_no_record() {
    let whole = whole().await;
    let alice = user(&whole, "alice").await;
    let wish = value!({
        "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/r"),
        "RoleSessionName": "alice",
        "ExternalId": "between-us-two",
        "Tags": [{ "Key": "k", "Value": "not-for-all" }],
    });
    whole.run_as(alice, "sts", "AssumeRole", wish).await.unwrap_err();
    let refused = last(&whole, "refusal").await.to_string();
    assert!(refused.contains("sts:AssumeRole"), "{refused}");
    assert!(!refused.contains("between-us-two") && !refused.contains("not-for-all"), "{refused}");
}

#[tokio::test]
async fn a_role_knows_when_it_was_used_last() {
    let whole = whole_on(ClockMode::Real).await;
    let get = || whole.ok("iam", "GetRole", value!({ "RoleName": "r" }));
    assert_eq!(get().await.path(&["Role", "RoleLastUsed"]).unwrap().to_string(), "{}");
    // It may not, but it tried.
    whole.sync(CALLS_IAM, "{}").await;
    whole.services.write_decisions().await.unwrap();
    let used = get().await;
    assert_eq!(text(&used, &["Role", "RoleLastUsed", "Region"]), "us-east-1");
    let now_seconds = whole.runtime.clock().now_millis() / 1000;
    let used = used.path(&["Role", "RoleLastUsed", "LastUsedDate"]).and_then(Value::as_i64);
    assert!((now_seconds - 60..=now_seconds).contains(&used.unwrap()));
    let listed = whole.ok("iam", "ListRoles", value!({})).await;
    assert!(!listed.to_string().contains("RoleLastUsed"));
    // A role of the same name begins anew.
    let again = super::server::trust(r#"{"Service": "states.amazonaws.com"}"#);
    whole.ok("iam", "DeleteRole", value!({ "RoleName": "r" })).await;
    let create = value!({ "RoleName": "r", "AssumeRolePolicyDocument": again });
    whole.ok("iam", "CreateRole", create).await;
    assert_eq!(get().await.path(&["Role", "RoleLastUsed"]).unwrap().to_string(), "{}");
}

#[tokio::test]
async fn the_pages_are_for_this_machine_only() {
    let whole = whole().await;
    for page in ["calls", "least-privilege"] {
        let request = Request {
            method: "POST".into(),
            path: format!("/_stepwell/{page}"),
            peer: "10.0.0.9".into(),
            ..Request::default()
        };
        assert_eq!(whole.services.clone().handle(request).await.status, 403);
    }
}

#[tokio::test]
async fn the_pages_are_not_for_pages_of_others_in_a_browser() {
    let whole = whole().await;
    let ask = async |method: &str, page: &str, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let request = Request {
            method: method.into(),
            path: format!("/_stepwell/{page}"),
            body: br#"{"last": "call"}"#.to_vec(),
            peer: "127.0.0.1".into(),
            headers: headers.collect(),
            ..Request::default()
        };
        whole.services.clone().handle(request).await.status
    };
    let host = |name| ("host", name);
    for (method, page) in [("POST", "calls"), ("POST", "reset"), ("GET", "metrics")] {
        // DNS rebinding, a cross-site request, and both.
        assert_eq!(ask(method, page, &[host("rebound.example:4566")]).await, 403, "{page}");
        let foreign = ("origin", "https://foreign.example");
        assert_eq!(ask(method, page, &[host("127.0.0.1:4566"), foreign]).await, 403, "{page}");
        let rebound = [host("rebound.example"), ("origin", "http://rebound.example")];
        assert_eq!(ask(method, page, &rebound).await, 403, "{page}");
    }
    for name in ["localhost:4566", "127.0.0.1:4566", "[::1]:4566"] {
        assert_eq!(ask("POST", "calls", &[host(name)]).await, 200, "{name}");
        let own = format!("http://{name}");
        assert_eq!(ask("POST", "calls", &[host(name), ("origin", &own)]).await, 200, "{name}");
    }
}
