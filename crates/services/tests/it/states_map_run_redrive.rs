//! Redrive of map runs through the whole of the services.

use runtime::ClockMode;
use value::{Value, value};

use super::server::text;
use super::states_express::{Whole, whole_on};

/// Each child asks for the user that its item names.
fn asks_for_users(kind: &str) -> String {
    format!(
        r#"{{"StartAt": "Each", "States": {{"Each": {{"Type": "Map", "Label": "all", "End": true,
            "MaxConcurrency": 1, "ItemProcessor": {{
                "ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "{kind}"}},
                "StartAt": "Get", "States": {{"Get": {{"Type": "Task", "End": true,
                    "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
                    "Parameters": {{"UserName.$": "$"}},
                    "ResultSelector": {{"name.$": "$.User.UserName"}}}}}}}}}}}}}}"#
    )
}

/// Each child waits for a year.
const WAITS: &str = r#"{"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true,
    "Label": "all", "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Wait", "States": {
            "Wait": {"Type": "Wait", "Seconds": 31536000, "End": true}}}}}}"#;

async fn ask(whole: &Whole, operation: &str, arn: &str) -> Value {
    whole.ok("stepfunctions", operation, value!({ "executionArn": arn })).await
}

/// Asks until an answer is as it is to become.
async fn becomes<F>(whole: &Whole, operation: &str, input: Value, is_so: F) -> Value
where
    F: Fn(&Value) -> bool,
{
    let mut found = Value::Null;
    for _ in 0..1_000 {
        found = whole.ok("stepfunctions", operation, input.clone()).await;
        if is_so(&found) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{operation} goes on to answer {found}")
}

async fn ended(whole: &Whole, arn: &str) -> Value {
    let input = value!({ "executionArn": arn });
    becomes(whole, "DescribeExecution", input, |it| text(it, &["status"]) != "RUNNING").await
}

async fn map_run_of(whole: &Whole, execution: &str) -> Value {
    let listed = ask(whole, "ListMapRuns", execution).await;
    let runs = listed.get("mapRuns").and_then(Value::as_array).unwrap();
    assert_eq!(runs.len(), 1, "it is the same one");
    let arn = text(&runs[0], &["mapRunArn"]);
    whole.ok("stepfunctions", "DescribeMapRun", value!({ "mapRunArn": arn })).await
}

async fn children(whole: &Whole, map_run: &str, status: Option<&str>) -> Vec<Value> {
    let input = value!({ "mapRunArn": map_run });
    let input = input.with_some("statusFilter", status);
    let listed = whole.ok("stepfunctions", "ListExecutions", input).await;
    listed.get("executions").and_then(Value::as_array).unwrap().to_vec()
}

fn count(map_run: &Value, member: &str) -> i64 {
    map_run.path(&["executionCounts", member]).and_then(Value::as_i64).unwrap()
}

fn types(history: &Value) -> Vec<String> {
    let events = history.get("events").and_then(Value::as_array).unwrap();
    events.iter().map(|event| text(event, &["type"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_children_that_did_not_succeed_run_again() {
    for kind in ["STANDARD", "EXPRESS"] {
        let whole = whole_on(ClockMode::Virtual).await;
        whole.allow(r#"{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}"#).await;
        whole.create("m", "STANDARD", &asks_for_users(kind)).await.unwrap();
        whole.ok("iam", "CreateUser", value!({ "UserName": "early" })).await;
        let input = r#"["early", "late", "last"]"#;
        let arn = text(&whole.start("StartExecution", "m", input).await, &["executionArn"]);
        let failed = ended(&whole, &arn).await;
        assert_eq!(text(&failed, &["redriveStatus"]), "REDRIVABLE");
        let map_run = map_run_of(&whole, &arn).await;
        assert_eq!(text(&map_run, &["status"]), "FAILED");
        assert_eq!(map_run.get("redriveCount"), Some(&value!(0)));
        assert_eq!((count(&map_run, "failed"), count(&map_run, "pending")), (1, 1));
        let map_run_arn = text(&map_run, &["mapRunArn"]);

        whole.ok("iam", "CreateUser", value!({ "UserName": "late" })).await;
        whole.ok("iam", "CreateUser", value!({ "UserName": "last" })).await;
        ask(&whole, "RedriveExecution", &arn).await;
        let done = ended(&whole, &arn).await;
        let wanted = r#"[{"name":"early"},{"name":"late"},{"name":"last"}]"#;
        assert_eq!(text(&done, &["output"]), wanted, "{kind}");
        let map_run = map_run_of(&whole, &arn).await;
        assert_eq!(text(&map_run, &["status"]), "SUCCEEDED");
        assert_eq!(map_run.get("redriveCount"), Some(&value!(1)));
        assert!(map_run.get("redriveDate").is_some());
        assert_eq!((count(&map_run, "succeeded"), count(&map_run, "total")), (3, 3));
        let history = ask(&whole, "GetExecutionHistory", &arn).await;
        let events = history.get("events").and_then(Value::as_array).unwrap();
        let at = types(&history).iter().position(|it| it == "MapRunRedriven").unwrap();
        let details = events[at].get("mapRunRedrivenEventDetails").unwrap();
        assert_eq!(details, &value!({ "mapRunArn": &map_run_arn, "redriveCount": 1 }));

        let mut redrives = Vec::new();
        let found = children(&whole, &map_run_arn, None).await;
        assert_eq!(found.len(), 3, "nobody is listed twice");
        for child in found {
            let arn = text(&child, &["executionArn"]);
            let child = ask(&whole, "DescribeExecution", &arn).await;
            assert_eq!(text(&child, &["status"]), "SUCCEEDED");
            redrives.push(child.get("redriveCount").and_then(Value::as_i64).unwrap());
            if kind == "STANDARD" && redrives.last() == Some(&1) {
                let history = types(&ask(&whole, "GetExecutionHistory", &arn).await);
                assert!(history.contains(&"ExecutionRedriven".to_owned()));
                let entered = history.iter().filter(|it| *it == "TaskStateEntered").count();
                assert_eq!(entered, 1, "it goes on from the state that failed");
            }
        }
        redrives.sort_unstable();
        // Those of express children cannot be told apart, as on AWS.
        assert_eq!(redrives, if kind == "STANDARD" { [0, 0, 1] } else { [0, 0, 0] });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_place_is_pending_until_he_is_redriven() {
    let whole = whole_on(ClockMode::Real).await;
    whole.create("m", "STANDARD", WAITS).await.unwrap();
    let arn = text(&whole.start("StartExecution", "m", "[1, 2]").await, &["executionArn"]);
    let map_run_arn = text(&map_run_of(&whole, &arn).await, &["mapRunArn"]);
    let map_run = value!({ "mapRunArn": &map_run_arn });
    // One place from here on.
    let narrow = map_run.clone().with("maxConcurrency", 1);
    whole.ok("stepfunctions", "UpdateMapRun", narrow).await;
    ask(&whole, "StopExecution", &arn).await;
    let with_status = |status: &str| map_run.clone().with("statusFilter", status);
    let both = |it: &Value| it.get("executions").and_then(Value::as_array).unwrap().len() == 2;
    let found = becomes(&whole, "ListExecutions", with_status("ABORTED"), both).await;
    let aborted = found.get("executions").and_then(Value::as_array).unwrap();
    let child = text(&aborted[0], &["executionArn"]);
    let described = ask(&whole, "DescribeExecution", &child).await;
    assert_eq!(text(&described, &["redriveStatus"]), "REDRIVABLE_BY_MAP_RUN");
    assert_eq!(described.get("redriveStatusReason"), None);
    let asked = value!({ "executionArn": &child });
    let refused = whole.refused("RedriveExecution", asked).await;
    assert!(refused.contains("can only be redriven by its Map Run"), "{refused}");

    ask(&whole, "RedriveExecution", &arn).await;
    let one_by_one = |it: &Value| (count(it, "running"), count(it, "pendingRedrive")) == (1, 1);
    let found = becomes(&whole, "DescribeMapRun", map_run.clone(), one_by_one).await;
    assert_eq!((count(&found, "aborted"), count(&found, "total")), (0, 2));
    let one = |it: &Value| it.get("executions").and_then(Value::as_array).unwrap().len() == 1;
    becomes(&whole, "ListExecutions", with_status("RUNNING"), one).await;
    let pending = children(&whole, &map_run_arn, Some("PENDING_REDRIVE")).await;
    assert_eq!(pending.len(), 1);
    assert_eq!(text(&pending[0], &["status"]), "PENDING_REDRIVE");
    let child = text(&pending[0], &["executionArn"]);
    let described = ask(&whole, "DescribeExecution", &child).await;
    assert_eq!(text(&described, &["status"]), "PENDING_REDRIVE");
    assert!(children(&whole, &map_run_arn, Some("ABORTED")).await.is_empty());

    ask(&whole, "StopExecution", &arn).await;
    let found = whole.ok("stepfunctions", "DescribeMapRun", map_run).await;
    assert_eq!((count(&found, "pendingRedrive"), count(&found, "aborted")), (0, 2));
    let described = ask(&whole, "DescribeExecution", &child).await;
    assert_eq!(text(&described, &["status"]), "ABORTED");
}
