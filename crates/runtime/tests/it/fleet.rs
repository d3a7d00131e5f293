//! A runbook over many targets, whose node dies again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use automation::rate::{RateControl, Target};
use runtime::{Begin, BeginAutomation, Caller, ClockMode, Kind, ProcessId, definition_key};
use store::{Load, Scan, Store, Table};
use value::{Value, value};

use super::crash::{asked, life};
use super::endpoint::Endpoint;

const RUNBOOK: &str = "
schemaVersion: '0.3'
parameters: {Name: {type: String}}
mainSteps:
  - {name: look, action: 'aws:executeAwsApi', inputs: {Service: iam, Api: GetUser, UserName: '{{ Name }}'}}
  - {name: rest, action: 'aws:sleep', inputs: {Duration: PT0.02S}}
  - {name: delete, action: 'aws:executeAwsApi', inputs: {Service: iam, Api: DeleteUser, UserName: '{{ Name }}'}}
";
const PARENT: &str = "00000000-0000-4000-8000-000000000001";
const TARGETS: usize = 7;

fn begin() -> Begin {
    let target = |number: usize| {
        let name = format!("u{number}");
        Target { parameters: value!({"Name": [&*name]}), name }
    };
    let rate = RateControl {
        target_parameter_name: Some("Name".into()),
        max_concurrency: "4".into(),
        max_errors: "0".into(),
        resolved: (0..TARGETS).map(target).collect(),
        ..RateControl::default()
    };
    begin_over(RUNBOOK, PARENT, rate)
}

/// Returns how a runbook over many targets begins.
pub(crate) fn begin_over(runbook: &str, id: &str, rate: RateControl) -> Begin {
    Begin::Automation(BeginAutomation {
        definition: definition_key(runbook),
        started: automation::Started {
            execution_id: id.into(),
            document_name: "Look".into(),
            document_version: "1".into(),
            parameters: value!({}),
            rate: Some(Box::new(rate)),
            ..automation::Started::default()
        },
        caller: Caller::Role {
            role_arn: "arn:aws:iam::000000000000:role/r".into(),
            service: "ssm.amazonaws.com".into(),
            session_name: id.into(),
            source_arn: format!("arn:aws:ssm:us-east-1:000000000000:automation-execution/{id}"),
        },
        format: "YAML".into(),
        request: Value::Null,
        starter: None,
        depth: 0,
        attachments: BTreeMap::new(),
        tags: BTreeMap::new(),
    })
}

fn record(store: &Store, id: &str) -> Option<Value> {
    store.read(|tx| tx.load(Table::Automations, id)).unwrap()
}

fn status(store: &Store) -> String {
    let record = record(store, PARENT).unwrap();
    record.get("AutomationExecutionStatus").unwrap().as_str().unwrap().to_owned()
}

fn children(store: &Store) -> Vec<Value> {
    let prefix = format!("{PARENT}/");
    let rows: Vec<(String, String)> =
        store.read(|tx| tx.load_all(Table::AutomationsByParent, Scan::prefix(&prefix))).unwrap();
    rows.into_iter().map(|(_, id)| record(store, &id).unwrap()).collect()
}

async fn keep_definition(store: &Store) {
    let key = definition_key(RUNBOOK);
    store
        .write(move |tx| tx.put(Table::Definitions, &key, RUNBOOK.as_bytes()))
        .await
        .unwrap()
        .unwrap();
}

#[test]
fn every_target_runs_once_however_often_the_node_dies() {
    let directory = tempfile::tempdir().unwrap();
    let mut all = BTreeSet::new();
    for turn in 0.. {
        let store = Store::open(directory.path()).unwrap();
        // Each life lets one more call through than the one before has made, and dies in it.
        let endpoint = Arc::new(Endpoint::default());
        let over = life(&store, ClockMode::Real, &endpoint, async |runtime| {
            if turn == 0 {
                keep_definition(&store).await;
                let id = ProcessId::new(Kind::Automation, PARENT);
                runtime.begin(id, begin()).await.unwrap();
            }
            let over = async {
                while status(&store) == "InProgress" {
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
            };
            tokio::select! {
                () = asked(&endpoint, 1 + turn % 3) => {}
                () = over => {}
            }
            status(&store) != "InProgress"
        });
        all.extend(endpoint.done.lock().unwrap().clone());
        if over {
            break;
        }
        assert!(turn < 200, "it does not come to an end");
    }
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(status(&store), "Success", "{}", record(&store, PARENT).unwrap());
    let children = children(&store);
    let target = |child: &Value| child.get("Target").unwrap().as_str().unwrap().to_owned();
    let targets: BTreeSet<String> = children.iter().map(target).collect();
    assert_eq!((children.len(), targets.len()), (TARGETS, TARGETS));
    assert!(
        children.iter().all(|it| it.get("AutomationExecutionStatus") == Some(&value!("Success")))
    );
    // Each child has made its two calls, each under one id.
    assert_eq!(all.len(), 2 * TARGETS);
}
