//! What has ended is removed when its time has come, and nothing else.

use std::time::Duration;

use runtime::{ClockMode, newest_first};
use services::{Limits, Purge, Retention};
use store::{Save, Scan, Store, Table, Transaction};
use value::{Value, value};

use super::server::text;
use super::states_express::{Whole, machine_arn, whole_of, whole_on};

const DAY_MILLIS: i64 = 86_400_000;
const PASS: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#;
const WAIT: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Wait", "Seconds": 31536000, "End": true}}}"#;

fn count(store: &Store, table: Table) -> usize {
    store.read(|tx| tx.scan(table, Scan::prefix("")).unwrap().len())
}

/// Waits for something that happens in the background.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} does not come");
}

/// Lets several rounds go by.
async fn rounds(whole: &Whole) {
    for _ in 0..2 {
        whole.runtime.clock().advance(700_000);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

pub(crate) async fn write(store: &Store, work: impl FnOnce(&mut dyn Transaction) + Send + 'static) {
    let written = store.write(move |tx| -> Result<(), ()> {
        work(tx);
        Ok(())
    });
    written.await.unwrap().unwrap();
}

#[tokio::test]
async fn executions_go_90_days_after_their_end_and_running_ones_stay() {
    let whole = whole_on(ClockMode::Real).await;
    whole.services.start(Retention::default());
    let store = whole.services.store().clone();
    for (name, definition) in [("m", PASS), ("m-2", PASS), ("gone", PASS), ("waits", WAIT)] {
        whole.create(name, "STANDARD", definition).await.unwrap();
    }
    let running = whole.start("StartExecution", "waits", "{}").await;
    let mut old = Vec::new();
    for _ in 0..3 {
        for machine in ["m", "m-2", "gone"] {
            let started = whole.start("StartExecution", machine, "{}").await;
            old.push(text(&started, &["executionArn"]));
        }
    }
    let gone = value!({"stateMachineArn": machine_arn("gone")});
    whole.ok("stepfunctions", "DeleteStateMachine", gone).await;
    until("the end", || {
        let records = store.read(|tx| tx.scan(Table::Executions, Scan::prefix("")).unwrap());
        let ended = records
            .iter()
            .filter(|(_, record)| value::parse_bytes(record).unwrap().get("stopDate").is_some());
        ended.count() == 9
    })
    .await;
    // More than one transaction removes.
    let long = old[4].clone();
    write(&store, move |tx| {
        for at in 100..2_600 {
            tx.put(Table::History, &format!("{long}/{at:08}"), b"[]").unwrap();
        }
        // The answer to a call that was called off before it came.
        tx.put(Table::Applied, &format!("{long}/7"), b"{}").unwrap();
    })
    .await;
    whole.runtime.clock().advance(89 * DAY_MILLIS);
    let young = whole.start("StartExecution", "m", "{}").await;
    rounds(&whole).await;
    assert_eq!(count(&store, Table::Executions), 11, "too early");
    whole.runtime.clock().advance(2 * DAY_MILLIS);
    until("the purge", || count(&store, Table::Executions) == 2).await;
    rounds(&whole).await;
    let kept = [text(&running, &["executionArn"]), text(&young, &["executionArn"])];
    let rows = |table| store.read(|tx| tx.scan(table, Scan::prefix("")).unwrap());
    for (key, _) in [rows(Table::Executions), rows(Table::History)].concat() {
        assert!(kept.iter().any(|arn| key.starts_with(arn.as_str())), "{key} is left");
    }
    assert_eq!(count(&store, Table::ExecutionsByStart), 2);
    assert_eq!(count(&store, Table::Applied), 0);
    let input = value!({"stateMachineArn": machine_arn("m")});
    let list = whole.ok("stepfunctions", "ListExecutions", input).await;
    assert_eq!(list.get("executions").and_then(Value::as_array).unwrap().len(), 1);
    // The one that ran all the time is still itself.
    let stop = value!({"executionArn": &kept[0]});
    whole.ok("stepfunctions", "StopExecution", stop).await;
}

#[tokio::test]
async fn runbook_executions_go_after_30_days() {
    let whole = whole_on(ClockMode::Real).await;
    let store = whole.services.store().clone();
    let now = whole.runtime.clock().now_millis();
    write(&store, move |tx| {
        for at in 0..250_i64 {
            let (id, start) = (format!("id-{at:03}"), now - at);
            let mut record = value!({"AutomationExecutionId": &id});
            if at != 7 {
                record.set("ExecutionEndTime", (start + 1) as f64 / 1000.0);
            }
            tx.save(Table::Automations, &id, &record).unwrap();
            let key = format!("{}/{id}", newest_first(start));
            tx.save(Table::AutomationsByStart, &key, &id).unwrap();
        }
    })
    .await;
    whole.services.start(Retention::default());
    rounds(&whole).await;
    assert_eq!(count(&store, Table::Automations), 250);
    whole.runtime.clock().advance(30 * DAY_MILLIS + 1_000);
    until("the purge", || count(&store, Table::Automations) == 1).await;
    assert!(store.read(|tx| tx.get(Table::Automations, "id-007").unwrap()).is_some());
    assert_eq!(count(&store, Table::AutomationsByStart), 1);
}

#[tokio::test]
async fn deleted_stacks_go_after_90_days_and_leave_their_names_free() {
    let whole = whole_on(ClockMode::Real).await;
    whole.services.start(Retention::default());
    let store = whole.services.store().clone();
    let template = r#"{"Resources": {"G": {"Type": "AWS::IAM::Group"}}}"#;
    let create = |name: &str| {
        value!({
            "StackName": name, "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"],
        })
    };
    let mut ids = Vec::new();
    for name in ["stays", "goes"] {
        let made = whole.ok("cloudformation", "CreateStack", create(name)).await;
        ids.push(text(&made, &["StackId"]));
    }
    let status = |id: &str| -> String {
        let row = store.read(|tx| tx.get(Table::Stacks, id).unwrap()).unwrap_or_default();
        String::from_utf8_lossy(&row).into_owned()
    };
    until("creation", || count(&store, Table::Groups) == 2).await;
    until("creation", || status(&ids[1]).contains("CREATE_COMPLETE")).await;
    whole.ok("cloudformation", "DeleteStack", value!({"StackName": "goes"})).await;
    until("deletion", || count(&store, Table::Groups) == 1).await;
    until("deletion", || status(&ids[1]).contains("DELETE_COMPLETE")).await;
    whole.runtime.clock().advance(91 * DAY_MILLIS);
    until("the purge", || count(&store, Table::Stacks) == 1).await;
    assert!(!status(&ids[0]).is_empty());
    for table in [Table::StackEvents, Table::StackOperations, Table::StacksByName] {
        let rows = store.read(|tx| tx.scan(table, Scan::prefix("")).unwrap());
        let left = rows.iter().filter(|(key, _)| key.contains("goes")).count();
        assert!(!rows.is_empty() && left == 0, "{table:?}");
    }
    let again = whole.ok("cloudformation", "CreateStack", create("goes")).await;
    assert_ne!(text(&again, &["StackId"]), ids[1]);
}

#[tokio::test]
async fn what_is_to_be_kept_for_ever_is() {
    let whole = whole_on(ClockMode::Real).await;
    let never = Purge::Never;
    whole.services.start(Retention { executions: never, automations: never, stacks: never });
    whole.create("m", "STANDARD", PASS).await.unwrap();
    whole.start("StartExecution", "m", "{}").await;
    whole.runtime.clock().advance(1_000 * DAY_MILLIS);
    rounds(&whole).await;
    assert_eq!(count(whole.services.store(), Table::Executions), 1);
}

async fn define(whole: &Whole, machine: &str, definition: &str) {
    let input = value!({"stateMachineArn": machine_arn(machine), "definition": definition});
    whole.ok("stepfunctions", "UpdateStateMachine", input).await;
}

fn is_kept(store: &Store, definition: &str) -> bool {
    let key = runtime::definition_key(definition);
    store.read(|tx| tx.get(Table::Definitions, &key)).unwrap().is_some()
}

#[tokio::test]
async fn definitions_go_when_no_machine_version_or_execution_uses_them() {
    let other = |n: usize| PASS.replace("\"A\"", &format!("\"B{n}\""));
    let directory = tempfile::tempdir().unwrap();
    for store in [Store::memory(), Store::open(directory.path()).unwrap()] {
        let whole = whole_of(store.clone(), ClockMode::Real, Limits::default()).await;
        // Something else has the content of one, or it is of before uses were kept.
        let foreign = other(9);
        let key = runtime::definition_key(&foreign);
        let content = foreign.clone();
        write(&store, move |tx| {
            tx.put(Table::Definitions, &key, content.as_bytes()).unwrap();
        })
        .await;
        for (name, definition) in [("a", PASS), ("b", PASS), ("w", WAIT), ("f", &foreign)] {
            whole.create(name, "STANDARD", definition).await.unwrap();
        }
        whole.start("StartExecution", "a", "{}").await;
        let running = whole.start("StartExecution", "w", "{}").await;
        define(&whole, "a", &other(1)).await;
        let version = value!({"stateMachineArn": machine_arn("a")});
        let version = whole.ok("stepfunctions", "PublishStateMachineVersion", version).await;
        for (machine, definition) in [("a", other(2)), ("w", other(3)), ("f", other(4))] {
            define(&whole, machine, &definition).await;
        }
        for machine in ["b", "f"] {
            let input = value!({"stateMachineArn": machine_arn(machine)});
            whole.ok("stepfunctions", "DeleteStateMachine", input).await;
        }
        whole.services.start(Retention::default());
        rounds(&whole).await;
        assert!(is_kept(&store, PASS) && is_kept(&store, &other(4)), "not yet");
        whole.runtime.clock().advance(91 * DAY_MILLIS);
        until("the end of what two machines had", || {
            !is_kept(&store, PASS) && !is_kept(&store, &other(4))
        })
        .await;
        rounds(&whole).await;
        for stays in [WAIT, &foreign, &other(1), &other(2), &other(3)] {
            assert!(is_kept(&store, stays), "{stays}");
        }

        // Used again before its time has come: it stays as long as that one does.
        let arn = text(&version, &["stateMachineVersionArn"]);
        let version = value!({"stateMachineVersionArn": arn});
        whole.ok("stepfunctions", "DeleteStateMachineVersion", version).await;
        whole.create("c", "STANDARD", &other(1)).await.unwrap();
        let stopped = value!({"executionArn": text(&running, &["executionArn"])});
        whole.ok("stepfunctions", "StopExecution", stopped).await;
        whole.runtime.clock().advance(91 * DAY_MILLIS);
        until("the end of what the last execution had", || !is_kept(&store, WAIT)).await;
        rounds(&whole).await;
        assert!(is_kept(&store, &other(1)));
        let input = value!({"stateMachineArn": machine_arn("c")});
        whole.ok("stepfunctions", "DeleteStateMachine", input).await;
        whole.runtime.clock().advance(91 * DAY_MILLIS);
        until("the end of the last use", || !is_kept(&store, &other(1))).await;
        for stays in [&foreign, &other(2), &other(3)] {
            assert!(is_kept(&store, stays), "{stays}");
        }
    }
}
