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
