//! Task tokens and activities over the lives of a server.

use std::sync::Arc;

use runtime::{
    Answering, AwsEndpoint, Begin, BeginExecution, Call, Callback, Caller, ClockMode, Environment,
    Error, Kind, ProcessId, Report, Worker, definition_key,
};
use store::{Scan, Store, Table};
use value::value;

use super::crash::life;
use super::endpoint::Endpoint;
use super::{ARN, begin, ended, history, record};

const ACTIVITY: &str = "arn:aws:states:us-east-1:000000000000:activity:a";

const MACHINE: &str = r#"{"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": true,
    "Resource": "arn:aws:states:us-east-1:000000000000:activity:a"}}}"#;

async fn start(runtime: &runtime::Runtime) {
    let put = |tx: &mut dyn store::Transaction| {
        tx.put(Table::Definitions, &definition_key(MACHINE), MACHINE.as_bytes())?;
        tx.put(Table::Activities, ACTIVITY, b"{}")
    };
    runtime.store().write(put).await.unwrap().unwrap();
    let Begin::Execution(asked) = begin() else { panic!() };
    let asked = BeginExecution { definition: definition_key(MACHINE), ..asked };
    let id = ProcessId::new(Kind::Execution, ARN);
    runtime.begin(id, Begin::Execution(asked)).await.unwrap();
}

fn queued(store: &Store) -> usize {
    store.read(|tx| tx.scan(Table::ActivityTasks, Scan::prefix(""))).unwrap().len()
}

fn success(token: &str) -> Callback {
    let report = Report::Succeeded { output: value!(1) };
    Callback { token: token.to_owned(), report, answered: None }
}

#[test]
fn a_task_in_a_queue_and_a_token_in_hand_outlive_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let endpoint = Arc::new(Endpoint::default());
    let open = || Store::open(directory.path()).unwrap();
    let store = open();
    life(&store, ClockMode::Real, &endpoint, async |runtime| {
        start(&runtime).await;
        while queued(&store) == 0 {
            tokio::task::yield_now().await;
        }
    });
    drop(store);
    let store = open();
    let task = life(&store, ClockMode::Real, &endpoint, async |runtime| {
        runtime.poll_activity(ACTIVITY, Worker::default()).await.unwrap().unwrap()
    });
    assert_eq!(queued(&store), 0);
    drop(store);
    let store = open();
    let found = life(&store, ClockMode::Real, &endpoint, async |runtime| {
        runtime.call_back(success(&task.token)).await.unwrap();
        let again = runtime.call_back(success(&task.token)).await;
        assert!(matches!(again, Err(Error::NotRunning)));
        ended(&store).await
    });
    assert_eq!(found.get("status"), Some(&value!("SUCCEEDED")));
    let types: Vec<_> = history(&store).iter().map(|event| event.get("type").cloned()).collect();
    assert_eq!(types.len(), 7, "{types:?}");
}

#[test]
fn a_report_of_a_process_is_remembered_with_what_it_changed() {
    let (store, endpoint) = (Store::memory(), Arc::new(Endpoint::default()));
    life(&store, ClockMode::Real, &endpoint, async |runtime| {
        start(&runtime).await;
        let worker = Worker { name: None, effect_id: Some("worker/1".into()) };
        let task = runtime.poll_activity(ACTIVITY, worker).await.unwrap().unwrap();
        let remembered = store.read(|tx| tx.get(Table::Applied, "worker/1")).unwrap().unwrap();
        assert_eq!(value::parse_bytes(&remembered).unwrap(), task.to_value());
    });
}

const PARENT: &str = "arn:aws:states:us-east-1:000000000000:execution:m:parent";

const NESTED: &str = r#"{"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": true,
    "Resource": "arn:aws:states:::states:startExecution.sync",
    "Parameters": {"StateMachineArn": "m", "Name": "e"}}}}"#;

const CHILD: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Wait", "Seconds": 3600, "Next": "B"}, "B": {"Type": "Pass", "End": true}}}"#;

async fn start_of(runtime: &runtime::Runtime, arn: &str, machine: &'static str) {
    let put = |tx: &mut dyn store::Transaction| {
        tx.put(Table::Definitions, &definition_key(machine), machine.as_bytes())
    };
    runtime.store().write(put).await.unwrap().unwrap();
    let Begin::Execution(asked) = begin() else { panic!() };
    let asked = BeginExecution { definition: definition_key(machine), ..asked };
    runtime.begin(ProcessId::new(Kind::Execution, arn), Begin::Execution(asked)).await.unwrap();
}

/// Step Functions with one execution, which has been started already.
struct OneChild(Store);

impl AwsEndpoint for OneChild {
    fn call(&self, call: Call) -> Answering {
        let answer = match &*call.operation {
            "StartExecution" => value!({"executionArn": ARN, "startDate": 1}),
            "DescribeExecution" => record(&self.0),
            other => panic!("{other}"),
        };
        Box::pin(async { Ok(answer) })
    }

    fn script_environment(&self, _: Caller) -> Environment {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn events_committed(&self) {}

    fn hears(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn a_parent_is_told_of_the_end_of_its_child_by_the_next_server_too() {
    let store = Store::memory();
    let endpoint = Arc::new(OneChild(store.clone()));
    let watched = |store: &Store| {
        let rows = store.read(|tx| tx.scan(Table::Snapshots, Scan::prefix(""))).unwrap();
        rows.iter()
            .any(|(_, row)| String::from_utf8_lossy(row).contains("execution:m:parent\",\"task\""))
    };
    life(&store, ClockMode::Real, &endpoint, async |runtime| {
        start_of(&runtime, ARN, CHILD).await;
        start_of(&runtime, PARENT, NESTED).await;
        while !watched(&store) {
            tokio::task::yield_now().await;
        }
    });
    let found = life(&store, ClockMode::Virtual, &endpoint, async |_| {
        loop {
            let found: value::Value =
                store.read(|tx| store::Load::load(tx, Table::Executions, PARENT)).unwrap().unwrap();
            if found.get("status") != Some(&value!("RUNNING")) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(found.get("status"), Some(&value!("SUCCEEDED")));
}
