//! One execution from beginning to end.

use std::sync::Arc;

use runtime::{Clock, ClockMode, Error, Fact, NoPeers, Node, Opened, Started};
use store::Store;
use value::{Value, value};

use super::endpoint::Endpoint;
use super::{begin, ended, history, id, keep_definition, record};

async fn start(endpoint: Endpoint) -> (Store, runtime::Runtime, Arc<Endpoint>) {
    let store = Store::memory();
    keep_definition(&store).await;
    let opened =
        Opened::open(store.clone(), Clock::new(ClockMode::Virtual), Node::alone()).unwrap();
    let runtime = opened.handle();
    let endpoint = Arc::new(endpoint);
    opened.start(endpoint.clone(), Arc::new(NoPeers));
    (store, runtime, endpoint)
}

#[tokio::test]
async fn an_execution_runs_to_its_end_and_virtual_time_skips_the_wait() {
    let (store, runtime, endpoint) = start(Endpoint::default()).await;
    assert!(matches!(runtime.begin(id(), begin()).await.unwrap(), Started::New { .. }));
    let found = ended(&store).await;
    assert_eq!(found.get("status"), Some(&value!("SUCCEEDED")), "{found}");
    assert_eq!(found.get("output"), Some(&value!("\"AIDA1\"")));
    let seconds = |key: &str| found.get(key).and_then(Value::as_f64).unwrap();
    assert!(seconds("stopDate") - seconds("startDate") >= 15.0);
    let events = history(&store);
    let ids: Vec<i64> =
        events.iter().map(|event| event.get("id").unwrap().as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
    let asked = endpoint.asked.lock().unwrap();
    let operations: Vec<&str> = asked.iter().map(|(_, operation)| operation.as_str()).collect();
    assert_eq!(operations, ["GetUser", "DeleteUser"]);
}

#[tokio::test]
async fn a_refusal_reads_as_on_aws() {
    let refusing = Endpoint { refuses: Some("GetUser"), ..Endpoint::default() };
    let (store, runtime, _) = start(refusing).await;
    runtime.begin(id(), begin()).await.unwrap();
    let found = ended(&store).await;
    assert_eq!(found.get("error"), Some(&value!("Iam.NoSuchEntityException")));
    let cause = "The user with name 日本 cannot be found. (Service: Iam, Status Code: 404, Request ID: r-1) (SDK Attempt Count: 1)";
    assert!(found.get("cause").unwrap().as_str().unwrap().starts_with(cause));
}

#[tokio::test]
async fn beginning_twice_is_known_and_stopping_ends_it() {
    let hanging = Endpoint { hangs_at: Some("GetUser"), ..Endpoint::default() };
    let (store, runtime, _) = start(hanging).await;
    runtime.begin(id(), begin()).await.unwrap();
    assert_eq!(runtime.begin(id(), begin()).await.unwrap(), Started::AlreadyKnown);
    let stop = || Fact::Execution(execution::Fact::StopRequested { error: None, cause: None });
    runtime.request(id(), stop()).await.unwrap();
    assert_eq!(record(&store).get("status"), Some(&value!("ABORTED")));
    assert!(matches!(runtime.request(id(), stop()).await, Err(Error::NotRunning)));
    assert_eq!(runtime.begin(id(), begin()).await.unwrap(), Started::AlreadyKnown);
}

#[tokio::test]
async fn reset_forgets_everything_and_the_server_goes_on() {
    let hanging = Endpoint { hangs_at: Some("GetUser"), ..Endpoint::default() };
    let (store, runtime, _) = start(hanging).await;
    runtime.begin(id(), begin()).await.unwrap();
    runtime.reset().await.unwrap();
    assert!(history(&store).is_empty());
    assert_eq!(runtime.timers_armed(), 0);
    keep_definition(&store).await;
    assert!(matches!(runtime.begin(id(), begin()).await.unwrap(), Started::New { .. }));
}

#[tokio::test]
async fn a_missing_definition_refuses_and_leaves_no_trace() {
    let (store, runtime, _) = start(Endpoint::default()).await;
    store.reset().unwrap();
    assert!(matches!(runtime.begin(id(), begin()).await, Err(Error::Definition { .. })));
    keep_definition(&store).await;
    assert!(matches!(runtime.begin(id(), begin()).await.unwrap(), Started::New { .. }));
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_made_again_under_the_same_id() {
    let losing = Endpoint { loses_answer_of: Some("DeleteUser"), ..Endpoint::default() };
    let (store, runtime, endpoint) = start(losing).await;
    runtime.begin(id(), begin()).await.unwrap();
    assert_eq!(ended(&store).await.get("status"), Some(&value!("SUCCEEDED")));
    let asked = endpoint.asked.lock().unwrap();
    let ids: Vec<&str> = asked.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids.len(), ids[1]), (3, ids[2]));
}
