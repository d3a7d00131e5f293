//! What is too much is refused, in AWS's words, and what was there before goes on.

use runtime::ClockMode;
use services::Limits;
use store::{Save, Table};
use value::{Value, value};

use super::retention::write;
use super::states_express::{machine_arn, whole_on, whole_with};

const PASS: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#;
const WAIT: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Wait", "Seconds": 100, "End": true}}}"#;

fn start(machine: &str, name: &str, input: &str) -> Value {
    value!({"stateMachineArn": machine_arn(machine), "name": name, "input": input})
}

#[tokio::test]
async fn an_input_of_256_kib_is_taken_and_one_byte_more_is_not() {
    let whole = whole_on(ClockMode::Virtual).await;
    whole.create("m", "STANDARD", PASS).await.unwrap();
    whole.create("x", "EXPRESS", PASS).await.unwrap();
    let input = |bytes: usize| format!("\"{}\"", "é".repeat(bytes / 2 - 1));
    assert_eq!(input(262_144).len(), 262_144);
    for (machine, operation) in [("m", "StartExecution"), ("x", "StartSyncExecution")] {
        whole.ok("stepfunctions", operation, start(machine, "fits", &input(262_144))).await;
        let text = whole.refused(operation, start(machine, "large", &input(262_146))).await;
        let wanted = "InvalidExecutionInput: Invalid State Machine Execution Input: \
            'exceeded the maximum number of characters service limit of 262144'";
        assert_eq!(text, wanted);
    }
}

#[tokio::test]
async fn a_definition_beyond_the_limit_is_refused() {
    let limits = Limits { definition_bytes: PASS.len(), ..Limits::default() };
    let whole = whole_with(ClockMode::Virtual, limits).await;
    whole.create("fits", "STANDARD", PASS).await.unwrap();
    let err = whole.create("large", "STANDARD", &format!("{PASS} ")).await.unwrap_err();
    assert!(err.to_string().starts_with("InvalidDefinition: "), "{err}");
    let err = whole_on(ClockMode::Virtual).await;
    let large = format!("{PASS}{}", " ".repeat(1_048_577 - PASS.len()));
    let err = err.create("large", "STANDARD", &large).await.unwrap_err();
    assert!(err.to_string().contains("1048576"), "{err}");
}

#[tokio::test]
async fn a_further_execution_is_refused_until_one_has_ended() {
    let limits = Limits { open_executions: 3, ..Limits::default() };
    let whole = whole_with(ClockMode::Real, limits).await;
    whole.create("m", "STANDARD", WAIT).await.unwrap();
    let mut open = Vec::new();
    for name in ["a", "b", "c"] {
        let started = whole.ok("stepfunctions", "StartExecution", start("m", name, "{}")).await;
        open.push(started.get("executionArn").cloned().unwrap());
    }
    let refused = whole.refused("StartExecution", start("m", "d", "{}")).await;
    assert!(refused.starts_with("ExecutionLimitExceeded: "), "{refused}");
    // The same request again opens nothing.
    whole.ok("stepfunctions", "StartExecution", start("m", "c", "{}")).await;
    assert_eq!(whole.runtime.executions_open(), 3);
    let stop = value!({"executionArn": &open[0]});
    whole.ok("stepfunctions", "StopExecution", stop).await;
    whole.ok("stepfunctions", "StartExecution", start("m", "d", "{}")).await;
    assert_eq!(whole.runtime.executions_open(), 3);
}

#[tokio::test]
async fn express_executions_have_a_limit_of_their_own() {
    let limits = Limits { express_executions: 2, ..Limits::default() };
    let whole = whole_with(ClockMode::Real, limits).await;
    whole.create("x", "EXPRESS", WAIT).await.unwrap();
    for name in ["a", "b"] {
        whole.ok("stepfunctions", "StartExecution", start("x", name, "{}")).await;
    }
    assert_eq!(whole.runtime.express_under_way(), 2);
    let refused = whole.refused("StartExecution", start("x", "c", "{}")).await;
    let wanted = "ExecutionLimitExceeded: Execution Limit Exceeded: \
        '2 express executions are under way'";
    assert_eq!(refused, wanted);
}

#[tokio::test]
async fn a_page_of_a_rare_status_ends_before_all_have_been_looked_at() {
    let whole = whole_on(ClockMode::Virtual).await;
    whole.create("m", "STANDARD", PASS).await.unwrap();
    write(whole.services.store(), |tx| {
        for at in 0..6_000 {
            let arn = format!("arn:aws:states:us-east-1:000000000000:execution:m:{at:05}");
            let status = if at == 5_900 { "FAILED" } else { "SUCCEEDED" };
            let record = value!({"executionArn": &arn, "name": at.to_string(), "status": status});
            tx.save(Table::Executions, &arn, &record).unwrap();
            let key = format!("{}/{at:05}/{arn}", machine_arn("m"));
            tx.save(Table::ExecutionsByStart, &key, &arn).unwrap();
        }
    })
    .await;
    let mut asked = value!({"stateMachineArn": machine_arn("m"), "statusFilter": "FAILED"});
    let mut pages = Vec::new();
    for _ in 0..4 {
        let page = whole.ok("stepfunctions", "ListExecutions", asked.clone()).await;
        pages.push(page.get("executions").and_then(Value::as_array).unwrap().len());
        let Some(token) = page.get("nextToken").cloned() else { break };
        asked.set("nextToken", token);
    }
    assert_eq!(pages, [0, 1]);
}
