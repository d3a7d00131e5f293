//! The runtime's promises: durable before visible, repeated under the same id, resumed where it was.
#![cfg(test)]

mod callbacks;
mod crash;
mod elsewhere;
mod endpoint;
mod express;
mod fleet;
mod flow;
mod formats;
mod powershell;
mod scripts;

use runtime::{Begin, BeginExecution, Kind, ProcessId, definition_key};
use store::{Load, Store, Table};
use value::{Value, value};

/// A machine that waits, calls, waits again and ends.
const MACHINE: &str = r#"{
    "QueryLanguage": "JSONata",
    "StartAt": "Look",
    "States": {
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
            "Arguments": {"UserName": "{% $states.input.username %}"},
            "Assign": {"id": "{% $states.result.User.UserId %}"},
            "Output": "{% $states.input %}",
            "Next": "Pause"
        },
        "Pause": {"Type": "Wait", "Seconds": 15, "Next": "Delete"},
        "Delete": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:iam:deleteUser",
            "Arguments": {"UserName": "{% $states.input.username %}"},
            "Output": "{% $id %}",
            "End": true
        }
    }
}"#;

const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:m:e";

fn id() -> ProcessId {
    ProcessId::new(Kind::Execution, ARN)
}

fn begin() -> Begin {
    Begin::Execution(BeginExecution {
        name: "e".into(),
        state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
        state_machine_name: "m".into(),
        definition: definition_key(MACHINE),
        role_arn: "arn:aws:iam::000000000000:role/r".into(),
        region: "us-east-1".into(),
        input: r#"{"username": "日本"}"#.into(),
        machine: Value::Null,
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        child: None,
        trace: None,
    })
}

async fn keep_definition(store: &Store) {
    let kept =
        store.write(|tx| tx.put(Table::Definitions, &definition_key(MACHINE), MACHINE.as_bytes()));
    kept.await.unwrap().unwrap();
}

fn record(store: &Store) -> Value {
    store.read(|tx| tx.load(Table::Executions, ARN)).unwrap().unwrap()
}

fn history(store: &Store) -> Vec<Value> {
    let prefix = format!("{ARN}/");
    let rows: Vec<(String, Value)> =
        store.read(|tx| tx.load_all(Table::History, store::Scan::prefix(&prefix))).unwrap();
    rows.iter().flat_map(|(_, events)| events.as_array().unwrap().to_vec()).collect()
}

/// Waits until the execution has ended, for at most ten seconds.
async fn ended(store: &Store) -> Value {
    for _ in 0..1_000 {
        let found = record(store);
        if found.get("status") != Some(&value!("RUNNING")) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("still running: {:?}", history(store));
}
