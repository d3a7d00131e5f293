//! RedriveExecution through the whole of the services on a virtual clock.

use runtime::ClockMode;
use services::Retention;
use value::{Value, value};

use super::server::text;
use super::states_express::{Whole, machine_arn, whole_on};

const DAY_MILLIS: i64 = 86_400_000;
/// Fails until the user is there.
const GETS: &str = r#"{"StartAt": "Before", "States": {
    "Before": {"Type": "Pass", "Assign": {"v": "kept"}, "Next": "Get"},
    "Get": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
        "Parameters": {"UserName": "late"}, "ResultSelector": {"v.$": "$v",
        "count.$": "$$.Execution.RedriveCount"}, "End": true}}}"#;

async fn with_machine(definition: &str) -> Whole {
    let whole = whole_on(ClockMode::Virtual).await;
    whole.allow(r#"{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}"#).await;
    whole.create("m", "STANDARD", definition).await.unwrap();
    whole
}

async fn start(whole: &Whole) -> String {
    text(&whole.start("StartExecution", "m", "{}").await, &["executionArn"])
}

async fn ask(whole: &Whole, operation: &str, arn: &str) -> Value {
    whole.ok("stepfunctions", operation, value!({ "executionArn": arn })).await
}

/// Waits until an execution has ended; virtual time jumps over what it waits for.
async fn ended(whole: &Whole, arn: &str) -> Value {
    for _ in 0..1_000 {
        let found = ask(whole, "DescribeExecution", arn).await;
        if text(&found, &["status"]) != "RUNNING" {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{arn} does not end")
}

async fn redrive(whole: &Whole, arn: &str, token: &str) -> Value {
    let asked = value!({ "executionArn": arn, "clientToken": token });
    whole.ok("stepfunctions", "RedriveExecution", asked).await
}

async fn refused(whole: &Whole, arn: &str) -> String {
    whole.refused("RedriveExecution", value!({ "executionArn": arn })).await
}

async fn listed(whole: &Whole, filter: &str) -> usize {
    let asked = value!({ "stateMachineArn": machine_arn("m"), "redriveFilter": filter });
    let found = whole.ok("stepfunctions", "ListExecutions", asked).await;
    found.get("executions").and_then(Value::as_array).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_execution_goes_on_once_its_reason_is_gone() {
    let whole = with_machine(GETS).await;
    let arn = start(&whole).await;
    let failed = ended(&whole, &arn).await;
    assert_eq!(text(&failed, &["status"]), "FAILED");
    assert_eq!(text(&failed, &["redriveStatus"]), "REDRIVABLE");
    assert_eq!(failed.get("redriveCount"), Some(&value!(0)));
    assert_eq!((listed(&whole, "REDRIVEN").await, listed(&whole, "NOT_REDRIVEN").await), (0, 1));

    let first = redrive(&whole, &arn, "one").await;
    assert!(
        first.get("redriveDate").and_then(Value::as_f64)
            >= failed.get("stopDate").unwrap().as_f64()
    );
    assert_eq!(text(&ended(&whole, &arn).await, &["status"]), "FAILED", "nothing has changed");
    let again = redrive(&whole, &arn, "one").await;
    assert_eq!(again, first, "the same request has the same answer, and redrives nothing");

    whole.ok("iam", "CreateUser", value!({ "UserName": "late" })).await;
    let second = redrive(&whole, &arn, "two").await;
    let done = ended(&whole, &arn).await;
    assert_eq!(text(&done, &["status"]), "SUCCEEDED");
    assert_eq!(text(&done, &["output"]), r#"{"v":"kept","count":2}"#);
    assert_eq!(done.get("redriveCount"), Some(&value!(2)));
    assert_eq!(done.get("redriveDate"), second.get("redriveDate"));
    assert_eq!(done.get("startDate"), failed.get("startDate"));
    assert_eq!((listed(&whole, "REDRIVEN").await, listed(&whole, "NOT_REDRIVEN").await), (1, 0));
    assert_eq!(
        refused(&whole, &arn).await,
        "ExecutionNotRedrivable: Execution Not Redrivable: 'Execution is SUCCEEDED and cannot be \
         redriven'"
    );

    let history = ask(&whole, "GetExecutionHistory", &arn).await;
    let events = history.get("events").and_then(Value::as_array).unwrap();
    let types: Vec<String> = events.iter().map(|event| text(event, &["type"])).collect();
    let often = |wanted: &str| types.iter().filter(|found| *found == wanted).count();
    assert_eq!(often("ExecutionRedriven"), 2);
    assert_eq!(often("TaskStateEntered"), 1);
    assert_eq!((often("ExecutionFailed"), often("ExecutionSucceeded")), (2, 1));
    for (at, event) in (1_i64..).zip(events) {
        assert_eq!(event.get("id").and_then(Value::as_i64), Some(at));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_redriven_says_why() {
    let wait =
        r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 31536000, "End": true}}}"#;
    let whole = whole_on(ClockMode::Real).await;
    whole.create("m", "STANDARD", wait).await.unwrap();
    let arn = start(&whole).await;
    let running = "Execution is RUNNING and cannot be redriven";
    assert!(refused(&whole, &arn).await.contains(running));
    let described = ask(&whole, "DescribeExecution", &arn).await;
    assert_eq!(text(&described, &["redriveStatusReason"]), running);

    ask(&whole, "StopExecution", &arn).await;
    redrive(&whole, &arn, "t").await;
    let described = ask(&whole, "DescribeExecution", &arn).await;
    assert_eq!(text(&described, &["status"]), "RUNNING");
    assert_eq!(described.get("stopDate"), None);

    ask(&whole, "StopExecution", &arn).await;
    whole.runtime.clock().advance(14 * DAY_MILLIS);
    assert!(refused(&whole, &arn).await.contains("Execution redrivable period exceeded"));
    let described = ask(&whole, "DescribeExecution", &arn).await;
    assert_eq!(text(&described, &["redriveStatus"]), "NOT_REDRIVABLE");

    let unknown = arn.replace(":m:", ":m:no");
    assert!(refused(&whole, &unknown).await.starts_with("ExecutionDoesNotExist"));
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_of_a_deleted_machine_are_refused() {
    let fails = r#"{"StartAt": "F", "States": {"F": {"Type": "Fail"}}}"#;
    let whole = with_machine(fails).await;
    let arn = start(&whole).await;
    ended(&whole, &arn).await;
    let machine = value!({ "stateMachineArn": machine_arn("m") });
    whole.ok("stepfunctions", "DeleteStateMachine", machine).await;
    assert!(refused(&whole, &arn).await.contains("State machine is in DELETING status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redriven_execution_is_not_removed_while_it_runs() {
    let wait =
        r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 31536000, "End": true}}}"#;
    let whole = whole_on(ClockMode::Real).await;
    whole.services.start(Retention::default());
    whole.create("m", "STANDARD", wait).await.unwrap();
    let (arn, stays) = (start(&whole).await, start(&whole).await);
    for arn in [&arn, &stays] {
        ask(&whole, "StopExecution", arn).await;
    }
    redrive(&whole, &stays, "t").await;
    whole.runtime.clock().advance(91 * DAY_MILLIS);
    for _ in 0..2_000 {
        let asked = value!({ "executionArn": &*arn });
        if whole.run("stepfunctions", "DescribeExecution", asked).await.is_err() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let store = whole.services.store();
    let remains = store.read(|tx| tx.scan(store::Table::Redrives, store::Scan::prefix("")));
    assert_eq!(remains.unwrap().len(), 0, "what remains goes with its execution");
    assert_eq!(text(&ask(&whole, "DescribeExecution", &stays).await, &["status"]), "RUNNING");
}
