//! `TestState`: one state by itself.

use asl::{AnyResource, Definition, Options, StateMachineType};
use execution::{Fact, Mock, Payload, Stamp, Test, TestStatus, Tested, test_state};
use value::{Value, value};

use crate::driver::{Driver, started};

const TASK: &str = r#"{"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
    "Parameters": {"UserName.$": "$.name"}, "ResultPath": "$.user", "Next": "After",
    "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 4, "MaxAttempts": 2}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rescue"}]}"#;

fn tried(text: &str, input: &str, mock: Option<Mock>, retries: i64) -> Tested {
    let options = Options { machine_type: StateMachineType::Express, resources: &AnyResource };
    let definition = Definition::parse_state(text, &options).unwrap();
    let Fact::Started(started) = started(input) else { panic!() };
    let test = Test {
        state: definition.start(),
        started: *started,
        context: None,
        variables: Value::object(),
        mock,
        retrier_retry_count: retries,
        map_iteration_failure_count: None,
        map_items: None,
    };
    test_state(&definition, &test, &Stamp { millis: 0, entropy: [0; 32] })
}

fn failure(error: &str) -> Mock {
    Mock::Error { error: Some(error.to_owned()), cause: None }
}

#[test]
fn a_mocked_result_goes_its_whole_way() {
    let mock = Some(Mock::Result(Payload::parse(r#"{"Id": 1}"#).unwrap()));
    let tested = tried(TASK, r#"{"name": "ann"}"#, mock, 0);
    assert_eq!(tested.status, TestStatus::Succeeded);
    assert_eq!(tested.next_state.as_deref(), Some("After"));
    assert_eq!(tested.output.unwrap().text(), r#"{"name":"ann","user":{"Id":1}}"#);
    assert_eq!(
        tested.inspection_data,
        value!({
            "input": "{\"name\": \"ann\"}",
            "afterInputPath": "{\"name\": \"ann\"}",
            "afterParameters": "{\"UserName\":\"ann\"}",
            "result": "{\"Id\": 1}",
            "afterResultSelector": "{\"Id\": 1}",
            "afterResultPath": "{\"name\":\"ann\",\"user\":{\"Id\":1}}"
        })
    );
}

#[test]
fn a_mocked_error_is_retried_until_it_is_caught() {
    let tested = tried(TASK, r#"{"name": "ann"}"#, Some(failure("Busy")), 1);
    assert_eq!(tested.status, TestStatus::Retriable);
    assert_eq!(
        tested.inspection_data.get("errorDetails"),
        Some(&value!({"retryBackoffIntervalSeconds": 8, "retryIndex": 0}))
    );
    let tested = tried(TASK, r#"{"name": "ann"}"#, Some(failure("Busy")), 2);
    assert_eq!(tested.status, TestStatus::CaughtError);
    assert_eq!(tested.next_state.as_deref(), Some("Rescue"));
    assert_eq!(tested.inspection_data.get("errorDetails"), Some(&value!({"catchIndex": 0})));
}

#[test]
fn a_failing_expression_fails_the_test() {
    let text = r#"{"Type": "Pass", "QueryLanguage": "JSONata", "End": true,
        "Output": "{% $states.input.no %}"}"#;
    let tested = tried(text, "{}", None, 0);
    assert_eq!(tested.status, TestStatus::Failed);
    assert_eq!(tested.error.as_deref(), Some("States.QueryEvaluationError"));
}

#[test]
fn map_runs_show_their_start_and_end_only() {
    let text = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "Label": "all", "End": true,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "P",
            "States": {"P": {"Type": "Fail", "Error": "E"}}},
        "ToleratedFailurePercentage": 50}}}"#;
    let mut run = Driver::start(text, "[1, 2]");
    run.run_children();
    assert_eq!(
        run.history()[2..],
        [
            "3<2 MapStateStarted",
            "4<3 MapRunStarted",
            "5<4 MapRunFailed",
            "6<5 MapStateFailed",
            "7<6 ExecutionFailed",
        ]
    );
    let started = run.event(4);
    let arn = started.path(&["mapRunStartedEventDetails", "mapRunArn"]).unwrap();
    let prefix = "arn:aws:states:us-east-1:111111111111:mapRun:m/all:";
    assert!(arn.as_str().unwrap().starts_with(prefix), "{arn}");
}
