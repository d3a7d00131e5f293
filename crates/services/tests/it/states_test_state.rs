//! TestState: mocks, contexts, and Tasks that are carried out.

use services::Limits;
use value::{Value, value};

use super::states_express::{Whole, whole_with};
use runtime::ClockMode;

const GET_USER: &str = "arn:aws:states:::aws-sdk:iam:getUser";

async fn server() -> Whole {
    whole_with(ClockMode::Virtual, Limits::default()).await
}

fn task(resource: &str) -> Value {
    value!({ "Type": "Task", "Resource": resource, "End": true })
}

fn asked(state: &Value) -> Value {
    Value::object().with("definition", state.to_string())
}

fn role() -> String {
    format!("arn:aws:iam::{}:role/r", super::server::ACCOUNT)
}

async fn refused(whole: &Whole, input: Value) -> String {
    whole.run("stepfunctions", "TestState", input).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_task_without_a_mock_is_carried_out_as_the_role() {
    let whole = server().await;
    whole.ok("iam", "CreateUser", value!({ "UserName": "bob" })).await;
    let state = task(GET_USER).with("Parameters", value!({ "UserName.$": "$.who" }));
    let input = asked(&state).with("roleArn", role()).with("input", r#"{"who": "bob"}"#);
    let denied = whole.ok("stepfunctions", "TestState", input.clone()).await;
    assert_eq!(denied.path(&["status"]).unwrap().as_str(), Some("FAILED"));
    assert_eq!(denied.path(&["error"]).unwrap().as_str(), Some("Iam.IamException"));
    assert!(denied.path(&["cause"]).unwrap().to_string().contains("is not authorized"));
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}"#;
    let grant = value!({ "RoleName": "r", "PolicyName": "p", "PolicyDocument": policy });
    whole.ok("iam", "PutRolePolicy", grant).await;
    let answer = whole.ok("stepfunctions", "TestState", input).await;
    assert_eq!(answer.path(&["status"]).unwrap().as_str(), Some("SUCCEEDED"));
    let output = value::parse(answer.path(&["output"]).unwrap().as_str().unwrap()).unwrap();
    assert_eq!(output.path(&["User", "UserName"]).unwrap().as_str(), Some("bob"));
    assert_eq!(answer.get("inspectionData"), None);
}

#[tokio::test]
async fn what_cannot_be_carried_out_is_refused() {
    let whole = server().await;
    let text = refused(&whole, asked(&task(GET_USER))).await;
    assert_eq!(text, "ValidationException: RoleArn must be specified when testing a Task state");
    let waits = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken");
    let text = refused(&whole, asked(&waits).with("roleArn", role())).await;
    assert!(text.starts_with("InvalidDefinition: TestState API does not support"), "{text}");
    let unknown = task("arn:aws:states:::aws-sdk:iam:makeCoffee");
    let text = refused(&whole, asked(&unknown).with("roleArn", role())).await;
    assert!(text.contains("is not recognized"), "{text}");
}

#[tokio::test]
async fn the_token_of_a_task_that_waits_may_be_given() {
    let whole = server().await;
    let waits = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken")
        .with("Parameters", value!({ "MessageBody.$": "$$.Task.Token" }));
    let input = asked(&waits)
        .with("context", r#"{"Task":{"Token":"abc"}}"#)
        .with("mock", value!({ "result": "7", "fieldValidationMode": "NONE" }))
        .with("inspectionLevel", "DEBUG");
    let answer = whole.ok("stepfunctions", "TestState", input.clone()).await;
    assert_eq!(answer.path(&["output"]).unwrap().as_str(), Some("7"));
    let plain = input.with("definition", task(GET_USER).to_string());
    let text = refused(&whole, plain).await;
    assert!(text.contains("Context object contains 'Task' when state is not"), "{text}");
}

#[tokio::test]
async fn mocks_are_held_against_the_model_as_strictly_as_asked() {
    let whole = server().await;
    let mocked = |result: &str, mode: &str| {
        let mock = value!({ "result": result, "fieldValidationMode": mode });
        asked(&task(GET_USER)).with("mock", mock)
    };
    let fault = "ValidationException: Mock result schema validation error: ";
    for (result, mode, expected) in [
        ("{}", "STRICT", Some("Required field 'User' is missing")),
        ("{}", "PRESENT", None),
        (r#"{"User":[]}"#, "PRESENT", Some("Field 'User' must be an object")),
        (r#"{"User":{"Tags":{}}}"#, "PRESENT", Some("Field 'Tags' must be an array")),
        (r#"{"User":[]}"#, "NONE", None),
    ] {
        let answered = whole.run("stepfunctions", "TestState", mocked(result, mode)).await;
        let text = answered.err().map(|err| err.to_string());
        assert_eq!(text, expected.map(|what| format!("{fault}{what}")), "{result} {mode}");
    }
}

#[tokio::test]
async fn what_a_reader_has_read_shows_in_the_iterations() {
    let whole = server().await;
    let map = value!({
        "Type": "Map", "End": true,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/list"},
            "Parameters": {"Bucket": "b", "Key.$": "$.key"},
        },
        "ItemSelector": {"v.$": "$$.Map.Item.Value", "s.$": "$$.Map.Item.Source", "k.$": "$.key"},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$.key"}},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}},
        },
    });
    let read = |data: &str| {
        asked(&map)
            .with("input", r#"{"key":"k"}"#)
            .with("mock", value!({ "result": "[1]" }))
            .with("stateConfiguration", value!({ "mapItemReaderData": data }))
            .with("inspectionLevel", "DEBUG")
    };
    let input = read(r#"{"list":[7,8,9]}"#);
    let answer = whole.ok("stepfunctions", "TestState", input).await;
    let shown = |member: &str| answer.path(&["inspectionData", member]).and_then(Value::as_str);
    assert_eq!(shown("afterItemsPointer"), Some("[7,8,9]"));
    let [seven, eight, nine] =
        [7, 8, 9].map(|item| format!(r#"{{"v":{item},"s":"S3://b/k","k":"k"}}"#));
    assert_eq!(shown("afterItemSelector"), Some(&*format!("[{seven},{eight},{nine}]")));
    let batch = |items: String| format!(r#"{{"BatchInput":{{"k":"k"}},"Items":[{items}]}}"#);
    let batches = format!("[{},{}]", batch(format!("{seven},{eight}")), batch(nine));
    assert_eq!(shown("afterItemBatcher"), Some(&*batches));
    let text = refused(&whole, read("[1]")).await;
    assert!(text.contains("Attempting to map over non-iterable node."), "{text}");
}
