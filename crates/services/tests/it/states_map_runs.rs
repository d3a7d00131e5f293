//! Map runs and their child executions, through the whole of the services on a virtual clock.

use runtime::ClockMode;
use value::{Value, value};

use super::states_express::{Whole, machine_arn, whole_on};

/// Sleeps, then hands its item on, or fails where the item is a text.
fn definition(execution_type: &str, fields: &str) -> String {
    format!(
        r#"{{"StartAt": "Each", "States": {{"Each": {{"Type": "Map", "Label": "all", {fields}
            "End": true, "ItemProcessor": {{
                "ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "{execution_type}"}},
                "StartAt": "Rest", "States": {{
                    "Rest": {{"Type": "Wait", "Seconds": 60, "Next": "Which"}},
                    "Which": {{"Type": "Choice", "Default": "Good", "Choices": [
                        {{"Variable": "$", "IsString": true, "Next": "Bad"}}]}},
                    "Good": {{"Type": "Succeed"}},
                    "Bad": {{"Type": "Fail", "Error": "E", "Cause": "c"}}}}}}}}}}}}"#
    )
}

fn text<'v>(value: &'v Value, path: &[&str]) -> &'v str {
    value.path(path).and_then(Value::as_str).unwrap()
}

/// Creates a machine and starts it; returns the execution's ARN.
async fn start(whole: &Whole, definition: &str, input: &str) -> String {
    let role = format!("arn:aws:iam::{}:role/r", super::server::ACCOUNT);
    let machine = value!({"name": "m", "definition": definition, "roleArn": role});
    whole.ok("stepfunctions", "CreateStateMachine", machine).await;
    let input = value!({"stateMachineArn": machine_arn("m"), "name": "e", "input": input});
    let started = whole.ok("stepfunctions", "StartExecution", input).await;
    text(&started, &["executionArn"]).to_owned()
}

async fn describe(whole: &Whole, arn: &str) -> Value {
    whole.ok("stepfunctions", "DescribeExecution", value!({"executionArn": arn})).await
}

/// Waits until an execution has ended; virtual time jumps over what it waits for.
async fn ended(whole: &Whole, arn: &str) -> Value {
    for _ in 0..1_000 {
        let found = describe(whole, arn).await;
        if found.get("status") != Some(&value!("RUNNING")) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{arn} does not end")
}

async fn map_run_of(whole: &Whole, execution: &str) -> Value {
    let listed = value!({"executionArn": execution});
    let listed = whole.ok("stepfunctions", "ListMapRuns", listed).await;
    let runs = listed.get("mapRuns").and_then(Value::as_array).unwrap();
    assert_eq!(runs.len(), 1);
    let arn = text(&runs[0], &["mapRunArn"]).to_owned();
    whole.ok("stepfunctions", "DescribeMapRun", value!({"mapRunArn": arn})).await
}

async fn children_of(whole: &Whole, map_run: &str) -> Vec<Value> {
    let listed = whole
        .ok("stepfunctions", "ListExecutions", value!({"mapRunArn": map_run, "maxResults": 9}))
        .await;
    listed.get("executions").and_then(Value::as_array).unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn children_have_arns_records_and_histories_of_their_own() {
    let whole = whole_on(ClockMode::Virtual).await;
    let fields = r#""ToleratedFailureCount": 1, "MaxConcurrency": 1,"#;
    let parent = start(&whole, &definition("STANDARD", fields), r#"[1, "x"]"#).await;
    let done = ended(&whole, &parent).await;
    assert_eq!(text(&done, &["output"]), "[1]");
    let map_run = map_run_of(&whole, &parent).await;
    let map_run_arn = text(&map_run, &["mapRunArn"]);
    assert!(map_run_arn.contains(":mapRun:m/all:"), "{map_run_arn}");
    assert_eq!(text(&map_run, &["status"]), "SUCCEEDED");
    for counts in ["itemCounts", "executionCounts"] {
        let counts = map_run.get(counts).unwrap();
        let of = |member: &str| counts.get(member).and_then(Value::as_i64).unwrap();
        assert_eq!((of("succeeded"), of("failed"), of("total"), of("pending")), (1, 1, 2, 0));
    }
    let children = children_of(&whole, map_run_arn).await;
    assert_eq!(children.len(), 2);
    for child in &children {
        let arn = text(child, &["executionArn"]);
        assert!(arn.contains(":execution:m/all:"), "{arn}");
        assert!(text(child, &["stateMachineArn"]).ends_with(":stateMachine:m/all"));
        let described = describe(&whole, arn).await;
        assert_eq!(text(&described, &["mapRunArn"]), map_run_arn);
        let history = value!({"executionArn": arn});
        let history = whole.ok("stepfunctions", "GetExecutionHistory", history).await;
        let events = history.get("events").and_then(Value::as_array).unwrap();
        assert_eq!(text(&events[0], &["type"]), "ExecutionStarted");
        assert_eq!(text(&events[1], &["stateEnteredEventDetails", "name"]), "Rest");
        let machine = value!({"executionArn": arn});
        let machine = whole.ok("stepfunctions", "DescribeStateMachineForExecution", machine).await;
        assert_eq!(text(&machine, &["label"]), "all");
        assert_eq!(text(&machine, &["name"]), "m/all");
        assert!(text(&machine, &["definition"]).contains("\"StartAt\":\"Rest\""));
    }
    // The machine's own executions do not include them.
    let own = value!({"stateMachineArn": machine_arn("m")});
    let own = whole.ok("stepfunctions", "ListExecutions", own).await;
    assert_eq!(own.get("executions").and_then(Value::as_array).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn express_children_leave_a_record() {
    let whole = whole_on(ClockMode::Virtual).await;
    let fields = r#""ToleratedFailurePercentage": 50,"#;
    let parent = start(&whole, &definition("EXPRESS", fields), r#"[1, "x"]"#).await;
    assert_eq!(text(&ended(&whole, &parent).await, &["output"]), "[1]");
    let map_run = map_run_of(&whole, &parent).await;
    let children = children_of(&whole, text(&map_run, &["mapRunArn"])).await;
    let mut statuses: Vec<&str> = children.iter().map(|child| text(child, &["status"])).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["FAILED", "SUCCEEDED"]);
    let arn = text(&children[0], &["executionArn"]);
    assert!(arn.contains(":express:m/all:"), "{arn}");
    describe(&whole, arn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_the_parent_stops_its_children() {
    for execution_type in ["STANDARD", "EXPRESS"] {
        let whole = whole_on(ClockMode::Real).await;
        let parent = start(&whole, &definition(execution_type, ""), "[1, 2]").await;
        let running = map_run_of(&whole, &parent).await;
        assert_eq!(text(&running, &["status"]), "RUNNING");
        let stop = value!({"executionArn": &parent});
        whole.ok("stepfunctions", "StopExecution", stop).await;
        let map_run = map_run_of(&whole, &parent).await;
        assert_eq!(text(&map_run, &["status"]), "ABORTED");
        let mut statuses = Vec::new();
        for _ in 0..1_000 {
            statuses.clear();
            for child in children_of(&whole, text(&map_run, &["mapRunArn"])).await {
                statuses.push(text(&child, &["status"]).to_owned());
            }
            if statuses == ["ABORTED", "ABORTED"] {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(statuses, ["ABORTED", "ABORTED"], "{execution_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_the_bounds_of_a_running_map_run_only() {
    let whole = whole_on(ClockMode::Real).await;
    let fields = r#""MaxConcurrency": 1,"#;
    let parent = start(&whole, &definition("STANDARD", fields), "[1, 2, 3]").await;
    let map_run = map_run_of(&whole, &parent).await;
    let arn = text(&map_run, &["mapRunArn"]);
    let running = |map_run: &Value| {
        map_run.path(&["executionCounts", "running"]).and_then(Value::as_i64).unwrap()
    };
    assert_eq!(running(&map_run), 1);
    let wider = value!({"mapRunArn": arn, "maxConcurrency": 2});
    whole.ok("stepfunctions", "UpdateMapRun", wider.clone()).await;
    let map_run = map_run_of(&whole, &parent).await;
    assert_eq!(running(&map_run), 2);
    assert_eq!(map_run.get("maxConcurrency"), Some(&value!(2)));
    whole.ok("stepfunctions", "StopExecution", value!({"executionArn": &parent})).await;
    let mut refused = None;
    for _ in 0..1_000 {
        refused = whole.run("stepfunctions", "UpdateMapRun", wider.clone()).await.err();
        if refused.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(refused.unwrap().code, "ValidationException");
    let unknown = value!({"mapRunArn": arn.replace("all", "none")});
    let refused = whole.run("stepfunctions", "DescribeMapRun", unknown).await.err().unwrap();
    assert_eq!(refused.code, "ResourceNotFound");
}
