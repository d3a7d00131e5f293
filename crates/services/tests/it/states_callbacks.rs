//! Activities and task tokens, through the whole of the services.

use std::sync::Arc;

use runtime::ClockMode;
use store::{Read, Scan, Table};
use value::{Value, value};

use super::server::{ACCOUNT, text};
use super::states_express::{Whole, machine_arn, whole_on};

/// Starts a server with an activity `a` and a machine `m` that has one task of it.
async fn with_activity(mode: ClockMode, fields: &str) -> Whole {
    let whole = whole_on(mode).await;
    whole.ok("stepfunctions", "CreateActivity", value!({"name": "a"})).await;
    let definition = format!(
        r#"{{"StartAt": "Do", "States": {{"Do": {{"Type": "Task", "End": true, {fields}
            "Resource": "{}"}}}}}}"#,
        activity_arn()
    );
    whole.create("m", "STANDARD", &definition).await.unwrap();
    whole
}

fn activity_arn() -> String {
    format!("arn:aws:states:us-east-1:{ACCOUNT}:activity:a")
}

async fn poll(whole: &Whole) -> Value {
    let input = value!({"activityArn": activity_arn(), "workerName": "w"});
    whole.ok("stepfunctions", "GetActivityTask", input).await
}

async fn described(whole: &Whole, arn: &str) -> Value {
    whole.ok("stepfunctions", "DescribeExecution", value!({"executionArn": arn})).await
}

async fn history(whole: &Whole, arn: &str) -> Vec<String> {
    let answer =
        whole.ok("stepfunctions", "GetExecutionHistory", value!({"executionArn": arn})).await;
    let events = answer.get("events").and_then(Value::as_array).unwrap();
    events.iter().map(|event| text(event, &["type"])).collect()
}

fn rows(whole: &Whole, table: Table) -> usize {
    let read = |tx: &dyn Read| tx.scan(table, Scan::prefix(""));
    whole.services.store().read(read).unwrap().len()
}

#[tokio::test]
async fn a_worker_takes_a_task_and_ends_it() {
    let whole = with_activity(ClockMode::Real, "").await;
    let arn = text(&whole.start("StartExecution", "m", r#"{"n": 1}"#).await, &["executionArn"]);
    let task = poll(&whole).await;
    assert_eq!(text(&task, &["input"]), r#"{"n":1}"#);
    assert_eq!(rows(&whole, Table::ActivityTasks), 0, "it left the queue as it was taken");
    let token = text(&task, &["taskToken"]);
    let beat = value!({"taskToken": token.as_str()});
    whole.ok("stepfunctions", "SendTaskHeartbeat", beat).await;
    let bad = value!({"taskToken": token.as_str(), "output": "{"});
    assert!(whole.refused("SendTaskSuccess", bad).await.starts_with("InvalidOutput: "));
    let success = || value!({"taskToken": token.as_str(), "output": "[2]"});
    whole.ok("stepfunctions", "SendTaskSuccess", success()).await;
    let found = described(&whole, &arn).await;
    assert_eq!(
        (text(&found, &["status"]), text(&found, &["output"])),
        ("SUCCEEDED".into(), "[2]".into())
    );
    assert_eq!(
        history(&whole, &arn).await[2..5],
        ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    );
    assert_eq!(
        whole.refused("SendTaskSuccess", success()).await,
        "TaskTimedOut: Task Timed Out: 'Provided task does not exist anymore'"
    );
}

#[tokio::test]
async fn a_task_goes_to_one_of_many_workers() {
    let whole = Arc::new(with_activity(ClockMode::Real, "").await);
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let whole = whole.clone();
            tokio::spawn(async move { poll(&whole).await })
        })
        .collect();
    for n in 0..3 {
        whole.start("StartExecution", "m", &n.to_string()).await;
    }
    while workers.iter().filter(|worker| worker.is_finished()).count() < 3 {
        tokio::task::yield_now().await;
    }
    whole.runtime.dismiss_workers();
    let mut inputs = Vec::new();
    for worker in workers {
        let task = worker.await.unwrap();
        inputs.extend(task.get("input").and_then(Value::as_str).map(str::to_owned));
    }
    inputs.sort();
    assert_eq!(inputs, ["0", "1", "2"], "each once; the other workers went home with nothing");
}

#[tokio::test]
async fn tasks_are_handed_out_in_the_order_they_were_asked() {
    let whole = with_activity(ClockMode::Simulated, "").await;
    for n in 0..4 {
        whole.start("StartExecution", "m", &n.to_string()).await;
        while rows(&whole, Table::ActivityTasks) <= n {
            tokio::task::yield_now().await;
        }
        whole.runtime.clock().advance(1);
    }
    for n in 0..4 {
        assert_eq!(text(&poll(&whole).await, &["input"]), n.to_string());
    }
}

#[tokio::test]
async fn a_task_that_is_over_leaves_the_queue() {
    let whole = with_activity(ClockMode::Real, "").await;
    let arn = text(&whole.start("StartExecution", "m", "{}").await, &["executionArn"]);
    while rows(&whole, Table::ActivityTasks) == 0 {
        tokio::task::yield_now().await;
    }
    whole.ok("stepfunctions", "StopExecution", value!({"executionArn": arn.as_str()})).await;
    assert_eq!(rows(&whole, Table::ActivityTasks), 0);
    assert_eq!(text(&described(&whole, &arn).await, &["status"]), "ABORTED");
}

#[tokio::test]
async fn a_leftover_in_the_queue_is_cleared_away_by_whoever_finds_it() {
    let whole = with_activity(ClockMode::Real, "").await;
    let key = format!("{}/0000000000000/x", activity_arn());
    let row = br#"{"token": "nobody's", "input": "{}"}"#;
    let kept = whole.services.store().write(move |tx| tx.put(Table::ActivityTasks, &key, row));
    kept.await.unwrap().unwrap();
    whole.start("StartExecution", "m", "7").await;
    assert_eq!(text(&poll(&whole).await, &["input"]), "7");
    assert_eq!(rows(&whole, Table::ActivityTasks), 0);
}

#[tokio::test]
async fn a_task_without_heartbeats_times_out_once_a_worker_has_it() {
    let whole = with_activity(ClockMode::Virtual, r#""HeartbeatSeconds": 30,"#).await;
    let arn = text(&whole.start("StartExecution", "m", "{}").await, &["executionArn"]);
    poll(&whole).await;
    let found = loop {
        let found = described(&whole, &arn).await;
        if text(&found, &["status"]) != "RUNNING" {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(text(&found, &["error"]), "States.Timeout");
    assert_eq!(history(&whole, &arn).await[4], "ActivityTimedOut");
}

#[tokio::test]
async fn a_machine_that_waits_for_a_task_in_vain_is_answered_after_a_minute() {
    let whole = with_activity(ClockMode::Virtual, "").await;
    whole
        .allow(r#"{"Effect": "Allow", "Action": "states:GetActivityTask", "Resource": "*"}"#)
        .await;
    let definition = format!(
        r#"{{"StartAt": "Poll", "States": {{"Poll": {{"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::aws-sdk:sfn:getActivityTask",
            "Parameters": {{"ActivityArn": "{}"}}}}}}}}"#,
        activity_arn()
    );
    whole.create("worker", "STANDARD", &definition).await.unwrap();
    let arn = text(&whole.start("StartExecution", "worker", "{}").await, &["executionArn"]);
    let found = loop {
        let found = described(&whole, &arn).await;
        if text(&found, &["status"]) != "RUNNING" {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(text(&found, &["output"]), "{}");
    let at = |member: &str| found.get(member).and_then(Value::as_f64).unwrap();
    let took = at("stopDate") - at("startDate");
    assert!((60.0..62.0).contains(&took), "{took}");
}

#[tokio::test]
async fn what_is_no_token_or_leads_nowhere_is_refused() {
    let whole = with_activity(ClockMode::Real, "").await;
    for operation in ["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"] {
        let input = value!({"taskToken": "NoSuchTaskToken", "output": "1"});
        let refusal = whole.refused(operation, input).await;
        assert_eq!(refusal, "InvalidToken: Invalid Token: 'Invalid token'", "{operation}");
    }
    whole.start("StartExecution", "m", "{}").await;
    let token = text(&poll(&whole).await, &["taskToken"]);
    whole.runtime.reset().await.unwrap();
    let input = value!({"taskToken": token.as_str()});
    let refusal = whole.refused("SendTaskHeartbeat", input).await;
    assert!(refusal.starts_with("TaskDoesNotExist: "), "{refusal}");
}

#[tokio::test]
async fn creating_again_is_the_same_request_unless_the_encryption_differs() {
    let whole = with_activity(ClockMode::Real, "").await;
    let tag = value!({"key": "k", "value": "v"});
    let again = value!({"name": "a", "tags": [(tag)]});
    whole.ok("stepfunctions", "CreateActivity", again).await;
    let asked = value!({"resourceArn": activity_arn()});
    let tags = whole.ok("stepfunctions", "ListTagsForResource", asked).await;
    assert_eq!(tags, value!({"tags": []}), "the tags of the first request stay");
    let other = value!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k"});
    let differs = value!({"name": "a", "encryptionConfiguration": (other)});
    let refusal = whole.refused("CreateActivity", differs).await;
    assert!(refusal.starts_with("ActivityAlreadyExists: "), "{refusal}");
    let keyless = value!({"type": "CUSTOMER_MANAGED_KMS_KEY"});
    let keyless = value!({"name": "b", "encryptionConfiguration": (keyless)});
    let refusal = whole.refused("CreateActivity", keyless).await;
    assert!(refusal.starts_with("InvalidEncryptionConfiguration: "), "{refusal}");
}

/// Starts a server whose role may do everything, with a machine `child` and one `parent` that
/// starts it and waits for its end.
async fn with_child(mode: ClockMode, pattern: &str, child: &str) -> Whole {
    let whole = with_activity(mode, "").await;
    whole.allow(r#"{"Effect": "Allow", "Action": "states:*", "Resource": "*"}"#).await;
    whole.create("child", "STANDARD", child).await.unwrap();
    let parent = format!(
        r#"{{"StartAt": "Start", "States": {{"Start": {{"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::states:startExecution{pattern}",
            "Parameters": {{"StateMachineArn": "{}", "Name": "c", "Input.$": "$"}}}}}}}}"#,
        machine_arn("child")
    );
    whole.create("parent", "STANDARD", &parent).await.unwrap();
    whole
}

const CHILD: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Wait", "Seconds": 86400, "Next": "B"},
    "B": {"Type": "Pass", "Result": {"b": 1}, "End": true}}}"#;

fn child_arn() -> String {
    format!("arn:aws:states:us-east-1:{ACCOUNT}:execution:child:c")
}

pub(crate) async fn ended(whole: &Whole, arn: &str) -> Value {
    loop {
        let found = described(whole, arn).await;
        if text(&found, &["status"]) != "RUNNING" {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_parent_hears_of_the_end_of_its_child_without_looking_for_it() {
    for (pattern, wanted) in [(".sync", value!(r#"{"b":1}"#)), (".sync:2", value!({"b": 1}))] {
        let whole = with_child(ClockMode::Virtual, pattern, CHILD).await;
        let started = whole.start("StartExecution", "parent", r#"{"n": 1}"#).await;
        let found = ended(&whole, &text(&started, &["executionArn"])).await;
        let output = value::parse(&text(&found, &["output"])).unwrap();
        assert_eq!(output.get("Output"), Some(&wanted));
        let events = history(&whole, &text(&started, &["executionArn"])).await;
        assert_eq!(
            events[2..6],
            ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
        );
        // Parent: started, submitted, seen running, told, seen ended; child: started, watched,
        // woken, told.
        let facts = whole.runtime.figures().facts;
        assert!(facts <= 12, "{facts} facts: somebody looks for it again and again");
    }
}

#[tokio::test]
async fn a_child_that_fails_fails_its_task() {
    let child =
        r#"{"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E", "Cause": "c"}}}"#;
    let whole = with_child(ClockMode::Virtual, ".sync", child).await;
    let started = whole.start("StartExecution", "parent", "{}").await;
    let found = ended(&whole, &text(&started, &["executionArn"])).await;
    assert_eq!(text(&found, &["error"]), "States.TaskFailed");
    let cause = value::parse(&text(&found, &["cause"])).unwrap();
    assert_eq!(text(&cause, &["Error"]), "E");
    assert_eq!(text(&cause, &["Status"]), "FAILED");
}

#[tokio::test]
async fn a_child_is_stopped_when_its_parent_is() {
    let whole = with_child(ClockMode::Real, ".sync", CHILD).await;
    let started = whole.start("StartExecution", "parent", "{}").await;
    let arn = text(&started, &["executionArn"]);
    while !history(&whole, &arn).await.contains(&"TaskSubmitted".to_owned()) {
        tokio::task::yield_now().await;
    }
    whole.ok("stepfunctions", "StopExecution", value!({"executionArn": arn.as_str()})).await;
    assert_eq!(text(&ended(&whole, &child_arn()).await, &["status"]), "ABORTED");
}

#[tokio::test]
async fn a_child_that_is_just_being_started_is_stopped_too() {
    let whole = with_child(ClockMode::Real, ".sync", CHILD).await;
    let started = whole.start("StartExecution", "parent", "{}").await;
    let arn = text(&started, &["executionArn"]);
    whole.ok("stepfunctions", "StopExecution", value!({"executionArn": arn.as_str()})).await;
    while whole
        .services
        .store()
        .read(|tx| tx.get(Table::Executions, &child_arn()))
        .unwrap()
        .is_none()
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(text(&ended(&whole, &child_arn()).await, &["status"]), "ABORTED");
}

#[tokio::test]
async fn a_child_that_is_not_there_reads_as_on_aws() {
    let whole = with_child(ClockMode::Virtual, ".sync", CHILD).await;
    let gone = value!({"stateMachineArn": machine_arn("child")});
    whole.ok("stepfunctions", "DeleteStateMachine", gone).await;
    let started = whole.start("StartExecution", "parent", "{}").await;
    let found = ended(&whole, &text(&started, &["executionArn"])).await;
    assert_eq!(text(&found, &["error"]), "StepFunctions.StateMachineDoesNotExistException");
    let cause = text(&found, &["cause"]);
    let wanted = "(Service: AWSStepFunctions; Status Code: 400; Error Code: \
        StateMachineDoesNotExist; Request ID: ";
    assert!(cause.contains(wanted) && cause.ends_with("; Proxy: null)"), "{cause}");
}

#[tokio::test]
async fn a_machine_hands_its_token_on_and_is_called_back() {
    let whole = with_activity(ClockMode::Real, "").await;
    whole.allow(r#"{"Effect": "Allow", "Action": "states:*", "Resource": "*"}"#).await;
    let parent = format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {{"Ask": {{
            "Type": "Task", "End": true,
            "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken",
            "Arguments": {{"StateMachineArn": "{}",
                "Input": {{"token": "{{% $states.context.Task.Token %}}"}}}}}}}}}}"#,
        machine_arn("m")
    );
    whole.create("parent", "STANDARD", &parent).await.unwrap();
    let started = whole.start("StartExecution", "parent", "{}").await;
    let task = poll(&whole).await;
    let input = value::parse(&text(&task, &["input"])).unwrap();
    let report = value!({
        "taskToken": text(&input, &["token"]), "error": "Refused", "cause": "by hand",
    });
    whole.ok("stepfunctions", "SendTaskFailure", report).await;
    let found = ended(&whole, &text(&started, &["executionArn"])).await;
    assert_eq!(
        (text(&found, &["error"]), text(&found, &["cause"])),
        ("Refused".into(), "by hand".into())
    );
}
