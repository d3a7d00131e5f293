//! Children whose shards are another node's, which cannot begin them and never will.

use std::sync::Arc;

use automation::rate::{RateControl, Target};
use runtime::{
    Begin, Clock, ClockMode, Error, Forward, Forwarded, Forwarding, Kind, Node, Opened, Peers,
    ProcessId, Runtime, definition_key,
};
use store::{Claim, Load, SHARDS, Store, Table};
use value::{Value, value};

use super::endpoint::Endpoint;

const WHY: &str = "the definition `d` cannot be used: it is of a later version";
/// So many that some of their shards are elsewhere, whatever their names.
const CHILDREN: usize = 40;
const RUNBOOK: &str = "
schemaVersion: '0.3'
parameters: {Name: {type: String}}
mainSteps:
  - {name: rest, action: 'aws:sleep', inputs: {Duration: PT0.01S}}
";
const MACHINE: &str = r#"{
    "StartAt": "Spread",
    "States": {
        "Spread": {
            "Type": "Map",
            "ItemsPath": "$",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Pass",
                "States": {"Pass": {"Type": "Pass", "End": true}}
            },
            "End": true
        }
    }
}"#;

/// The other node, to which every message is hopeless.
struct Refusing;

impl Peers for Refusing {
    fn forward(&self, _: &str, _: &Forwarded) -> Forwarding {
        let refused =
            Error::Definition { key: "d".into(), what: "it is of a later version".into() };
        Box::pin(async { Forward::of(Err(refused)) })
    }
}

/// Runs a process that begins on this node to its end; returns its record.
fn run(text: &str, table: Table, begin: impl Fn(usize) -> (ProcessId, Begin)) -> Value {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = Store::memory();
    threads.block_on(async {
        let (key, bytes) = (definition_key(text), text.as_bytes().to_vec());
        let kept = store.write(move |tx| tx.put(Table::Definitions, &key, &bytes));
        kept.await.unwrap().unwrap();
        let runtime = with_half_of_the_shards(&store).await;
        let id = begun_here(&runtime, begin).await;
        loop {
            let record: Value = store.read(|tx| tx.load(table, id.name())).unwrap().unwrap();
            let status = record.get("status").or(record.get("AutomationExecutionStatus"));
            if !matches!(status.and_then(Value::as_str), Some("RUNNING" | "InProgress")) {
                return record;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
}

async fn with_half_of_the_shards(store: &Store) -> Runtime {
    let claim = |released| Claim {
        node: "other".into(),
        address: "http://other".into(),
        released,
        leaving: false,
    };
    store.lease(&claim(Vec::new())).unwrap();
    let node = Node { id: "this".into(), address: "http://this".into() };
    let opened = Opened::open(store.clone(), Clock::new(ClockMode::Real), node).unwrap();
    let runtime = opened.handle();
    opened.start_without_keeper(Arc::new(Endpoint::default()), Arc::new(Refusing));
    store.lease(&claim((0..SHARDS / 2).collect())).unwrap();
    runtime.lease_turn().await;
    runtime
}

async fn begun_here(runtime: &Runtime, begin: impl Fn(usize) -> (ProcessId, Begin)) -> ProcessId {
    for number in 0..100 {
        let (id, begin) = begin(number);
        match runtime.begin(id.clone(), begin).await {
            Ok(_) => return id,
            Err(err) => assert!(matches!(&err, Error::Refused(what) if what == WHY), "{err:?}"),
        }
    }
    panic!("no shard of this node takes anything");
}

#[test]
fn a_target_that_can_never_begin_fails_and_says_why() {
    let targets = (0..CHILDREN).map(|number| Target {
        name: format!("u{number}"),
        parameters: value!({"Name": [format!("u{number}")]}),
    });
    let rate = RateControl {
        target_parameter_name: Some("Name".into()),
        max_concurrency: CHILDREN.to_string(),
        max_errors: "0".into(),
        resolved: targets.collect(),
        ..RateControl::default()
    };
    let record = run(RUNBOOK, Table::Automations, |number| {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let begin = super::fleet::begin_over(RUNBOOK, &id, rate.clone());
        (ProcessId::new(Kind::Automation, &id), begin)
    });
    assert_eq!(record.get("AutomationExecutionStatus"), Some(&value!("Failed")), "{record}");
    let message = record.get("FailureMessage").and_then(Value::as_str).unwrap();
    assert!(message.contains(WHY), "{message}");
}

#[test]
fn a_child_of_a_map_run_that_can_never_begin_fails() {
    let record = run(MACHINE, Table::Executions, |number| {
        let items: Vec<i64> = (0..40).collect();
        let arn = format!("{}{number}", super::ARN);
        let Begin::Execution(like) = super::begin() else { panic!("it is an execution") };
        let begin = runtime::BeginExecution {
            name: format!("e{number}"),
            definition: definition_key(MACHINE),
            input: value!(items).to_string(),
            ..like
        };
        (ProcessId::new(Kind::Execution, &arn), Begin::Execution(begin))
    });
    assert_eq!(record.get("status"), Some(&value!("FAILED")), "{record}");
    let error = record.get("error").and_then(Value::as_str);
    assert_eq!(error, Some("States.ExceedToleratedFailureThreshold"), "{record}");
}
