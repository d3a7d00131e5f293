//! The recorded cases of `TestState` that end in an answer.

use asl::{AnyResource, Definition, Options, StateMachineType};
use execution::{Mock, Payload, Stamp, Started, Test, Tested, test_state};
use value::{Value, value};

use super::replay::{Replay, START_MILLIS};

/// Returns whether the engine alone can answer the case.
pub(crate) fn answerable(case: &Value) -> bool {
    let needs = case.get("needs").and_then(Value::as_array).unwrap_or_default();
    let expected = case.get("expected").map(Value::to_string).unwrap_or_default();
    case.get("kind").and_then(Value::as_str) == Some("test_state")
        && needs.is_empty()
        && !expected.contains("ValidationException")
        && !expected.contains("ParamValidationError")
        && !expected.contains("InvalidDefinition")
}

/// Answers one call of `TestState`.
pub(crate) fn call(params: &Value) -> Result<Value, String> {
    let text = |name: &str| params.get(name).and_then(Value::as_str);
    let options = Options { machine_type: StateMachineType::Express, resources: &AnyResource };
    let definition = Definition::parse_state(text("definition").unwrap(), &options)
        .map_err(|problems| problems.to_string())?;
    let state = match text("stateName") {
        Some(name) => definition.find(name).ok_or("no such state")?,
        None => definition.start(),
    };
    let configuration = params.get("stateConfiguration");
    let configured = |name: &str| configuration.and_then(|found| found.get(name)?.as_i64());
    let test = Test {
        state,
        started: started(text("input").unwrap_or("{}"), text("roleArn").unwrap_or_default())?,
        context: text("context").map(|text| value::parse(text).unwrap()),
        variables: text("variables").map_or_else(Value::object, |text| value::parse(text).unwrap()),
        mock: params.get("mock").map(mock).transpose()?,
        retrier_retry_count: configured("retrierRetryCount").unwrap_or(0),
        map_iteration_failure_count: configured("mapIterationFailureCount"),
        // Reading them is the runtime's.
        map_items: None,
    };
    let stamp = Stamp { millis: START_MILLIS, entropy: [1; 32] };
    Ok(shown(&test_state(&definition, &test, &stamp), text("inspectionLevel")))
}

fn started(input: &str, role_arn: &str) -> Result<Started, String> {
    let arn = |kind: &str| format!("arn:aws:states:us-east-1:123456789012:{kind}");
    Ok(Started {
        input: Payload::parse(input).map_err(|err| err.to_string())?,
        execution_arn: arn("express:m:e"),
        execution_name: "e".into(),
        role_arn: role_arn.into(),
        state_machine_arn: arn("stateMachine:m"),
        state_machine_name: "m".into(),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: "us-east-1".into(),
        history: execution::HistoryMode::Recorded,
        child: None,
    })
}

fn mock(given: &Value) -> Result<Mock, String> {
    if let Some(result) = given.get("result").and_then(Value::as_str) {
        return Payload::parse(result).map(Mock::Result).map_err(|err| err.to_string());
    }
    let text = |name: &str| given.path(&["errorOutput", name]).and_then(Value::as_str);
    let owned = |name: &str| text(name).map(str::to_owned);
    Ok(Mock::Error { error: owned("error"), cause: owned("cause") })
}

fn shown(tested: &Tested, level: Option<&str>) -> Value {
    let detailed = matches!(level, Some("DEBUG" | "TRACE"));
    value!({
        "status": (tested.status.as_str()),
        "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}
    })
    .with_some("output", tested.output.as_ref().map(Payload::text))
    .with_some("error", tested.error.as_ref())
    .with_some("cause", tested.cause.as_ref())
    .with_some("nextState", tested.next_state.as_ref())
    .with_some("inspectionData", detailed.then(|| tested.inspection_data.clone()))
}

/// Replays a case and returns where it differs from the recording.
pub(crate) fn run(case: &Value) -> Vec<String> {
    Replay::of(case).run(case)
}
