//! ValidateStateMachineDefinition.

use runtime::ClockMode;
use services::Limits;
use value::{Value, value};

use super::server::text;
use super::states_express::whole_with;

#[tokio::test]
async fn warnings_are_told_when_asked_for_and_refuse_nothing() {
    let whole = whole_with(ClockMode::Virtual, Limits::default()).await;
    let state = value!({ "Type": "Pass", "Result": ["$.x"], "End": true });
    let definition = value!({ "StartAt": "P", "States": { "P": state } }).to_string();
    let input = value!({ "definition": definition });
    let silent = whole.ok("stepfunctions", "ValidateStateMachineDefinition", input.clone()).await;
    assert_eq!(silent, value!({ "result": "OK", "diagnostics": [], "truncated": false }));
    let input = input.with("severity", "WARNING");
    let told = whole.ok("stepfunctions", "ValidateStateMachineDefinition", input).await;
    assert_eq!(text(&told, &["result"]), "OK");
    let diagnostics = told.get("diagnostics").and_then(Value::as_array).unwrap();
    assert_eq!(diagnostics.len(), 1, "{told}");
    assert_eq!(text(&diagnostics[0], &["severity"]), "WARNING");
    assert_eq!(text(&diagnostics[0], &["code"]), "PASS_RESULT_IS_STATIC");
    assert_eq!(text(&diagnostics[0], &["location"]), "/States/P/Result[0]");
}

#[tokio::test]
async fn an_input_that_is_no_json_is_refused_in_the_words_of_a_definition() {
    let whole = whole_with(ClockMode::Virtual, Limits::default()).await;
    let definition = r#"{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}"#;
    let made = whole.create("m", "STANDARD", definition).await.unwrap();
    let arn = text(&made, &["stateMachineArn"]);
    let input = value!({ "stateMachineArn": arn, "input": "nope" });
    assert_eq!(
        whole.refused("StartExecution", input).await,
        "InvalidExecutionInput: Invalid State Machine Execution Input: 'Unrecognized token \
         'nope': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
         'false')\n at [Source: (String)\"nope\"; line: 1, column: 5]'"
    );
}
