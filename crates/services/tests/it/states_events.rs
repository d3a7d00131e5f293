//! What state machines tell EventBridge.

use runtime::ClockMode;
use services::{Limits, Retention};
use value::{Value, value};

use super::server::{ACCOUNT, text};
use super::states_express::{Whole, machine_arn, whole_with};

const FAILS: &str = r#"{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"Boom","Cause":"c"}}}"#;
const PASSES: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
/// How often a test looks again before it gives up.
const LOOKS_MAX: usize = 20_000;

/// A server with a machine that fails, one that passes, and a rule that starts `passes` when an
/// execution of `fails` has the given status.
async fn listening(status: &str) -> Whole {
    listening_for(value!({ "status": [status] })).await
}

/// The same for executions of `fails` of which an event says this.
async fn listening_for(detail: Value) -> Whole {
    let whole = whole_with(ClockMode::Virtual, Limits::default()).await;
    whole.create("fails", "STANDARD", FAILS).await.unwrap();
    whole.create("passes", "STANDARD", PASSES).await.unwrap();
    let trust = super::server::trust(r#"{"Service": "events.amazonaws.com"}"#);
    let role = value!({ "RoleName": "e", "AssumeRolePolicyDocument": trust });
    whole.ok("iam", "CreateRole", role).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"states:StartExecution","Resource":"*"}]}"#;
    let grant = value!({ "RoleName": "e", "PolicyName": "p", "PolicyDocument": policy });
    whole.ok("iam", "PutRolePolicy", grant).await;
    let pattern = value!({
        "source": ["aws.states"],
        "detail": detail.with("stateMachineArn", value!([machine_arn("fails")])),
    });
    let rule = value!({ "Name": "r", "EventPattern": pattern.to_string() });
    whole.ok("events", "PutRule", rule).await;
    let target = value!({
        "Id": "t", "Arn": machine_arn("passes"), "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/e"),
    });
    let targets = value!({ "Rule": "r", "Targets": [target] });
    whole.ok("events", "PutTargets", targets).await;
    whole.services.start(Retention::default());
    whole
}

/// Waits for an execution of `passes` and returns what it was given.
async fn given(whole: &Whole) -> Value {
    let of = value!({ "stateMachineArn": machine_arn("passes"), "statusFilter": "SUCCEEDED" });
    for _ in 0..LOOKS_MAX {
        let listed = whole.ok("stepfunctions", "ListExecutions", of.clone()).await;
        let found = listed.get("executions").and_then(Value::as_array).unwrap_or_default();
        if let Some(one) = found.first() {
            let asked = value!({ "executionArn": text(one, &["executionArn"]) });
            let described = whole.ok("stepfunctions", "DescribeExecution", asked).await;
            return value::parse(&text(&described, &["input"])).unwrap();
        }
        tokio::task::yield_now().await;
    }
    panic!("the rule started nothing");
}

#[tokio::test]
async fn a_failure_starts_another_machine() {
    let whole = listening("FAILED").await;
    whole.start("StartExecution", "fails", r#"{"n": 1}"#).await;
    let event = given(&whole).await;
    assert_eq!(text(&event, &["detail-type"]), "Step Functions Execution Status Change");
    let detail = event.get("detail").unwrap();
    assert_eq!(text(detail, &["status"]), "FAILED");
    assert_eq!(text(detail, &["input"]), r#"{"n": 1}"#);
    assert_eq!((text(detail, &["error"]), text(detail, &["cause"])), ("Boom".into(), "c".into()));
    assert_eq!(text(detail, &["redriveStatus"]), "REDRIVABLE");
    assert_eq!(detail.get("output"), Some(&Value::Null));
    assert_eq!(detail.get("outputDetails"), Some(&Value::Null));
    assert_eq!(detail.path(&["inputDetails", "included"]), Some(&value!(true)));
    assert!(
        detail.get("stopDate").and_then(Value::as_i64) >= detail.get("startDate").unwrap().as_i64()
    );
}

#[tokio::test]
async fn a_begin_is_told_too() {
    let whole = listening("RUNNING").await;
    whole.start("StartExecution", "fails", "{}").await;
    let event = given(&whole).await;
    assert_eq!(text(&event, &["detail", "status"]), "RUNNING");
    assert_eq!(event.path(&["detail", "stopDate"]), Some(&Value::Null));
    let reason = text(&event, &["detail", "redriveStatusReason"]);
    assert_eq!(reason, "Execution is RUNNING and cannot be redriven");
}

#[tokio::test]
async fn a_redrive_is_told_as_another_begin() {
    let whole = listening_for(value!({ "status": ["RUNNING"], "redriveCount": [1] })).await;
    let started = whole.start("StartExecution", "fails", "{}").await;
    let asked = value!({ "executionArn": started.get("executionArn") });
    let redriven = whole.ok("stepfunctions", "RedriveExecution", asked).await;
    let event = given(&whole).await;
    let detail = event.get("detail").unwrap();
    assert_eq!(detail.get("stopDate"), Some(&Value::Null));
    assert_eq!(text(detail, &["redriveStatus"]), "NOT_REDRIVABLE");
    let millis = detail.get("redriveDate").and_then(Value::as_i64).unwrap();
    assert_eq!(redriven.get("redriveDate"), Some(&value!(millis as f64 / 1000.0)));
}
