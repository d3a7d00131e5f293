//! The process dies and another one goes on with what is durable.

use std::sync::Arc;

use runtime::{AwsEndpoint, Clock, ClockMode, NoPeers, Node, Opened};
use store::{Store, Table};
use value::value;

use super::endpoint::Endpoint;
use super::{begin, ended, history, id, keep_definition};

/// Runs `work` in a life of its own: at its end every task is gone, as after kill -9.
pub(crate) fn life<T>(
    store: &Store,
    clock: ClockMode,
    endpoint: &Arc<impl AwsEndpoint + 'static>,
    work: impl AsyncFnOnce(runtime::Runtime) -> T,
) -> T {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let answer = threads.block_on(async {
        keep_definition(store).await;
        let opened = Opened::open(store.clone(), Clock::new(clock), Node::alone()).unwrap();
        let runtime = opened.handle();
        opened.start(endpoint.clone(), Arc::new(NoPeers));
        work(runtime).await
    });
    threads.shutdown_timeout(std::time::Duration::from_secs(5));
    answer
}

pub(crate) async fn asked(endpoint: &Endpoint, count: usize) {
    while endpoint.asked.lock().unwrap().len() < count {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[test]
fn a_call_in_flight_is_repeated_under_the_same_id() {
    for operation in ["GetUser", "DeleteUser"] {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let first = Arc::new(Endpoint { hangs_at: Some(operation), ..Endpoint::default() });
        let calls = if operation == "GetUser" { 1 } else { 2 };
        life(&store, ClockMode::Virtual, &first, async |runtime| {
            runtime.begin(id(), begin()).await.unwrap();
            asked(&first, calls).await;
        });
        drop(store);
        let store = Store::open(directory.path()).unwrap();
        let second = Arc::new(Endpoint::default());
        let found = life(&store, ClockMode::Virtual, &second, async |_| ended(&store).await);
        assert_eq!(found.get("status"), Some(&value!("SUCCEEDED")), "{operation}");
        let before = first.asked.lock().unwrap().last().unwrap().clone();
        assert_eq!(second.asked.lock().unwrap().first(), Some(&before), "{operation}");
        // Only what was under way is in doubt.
        assert!(!first.in_doubt.lock().unwrap().contains(&true), "{operation}");
        let doubts = second.in_doubt.lock().unwrap().clone();
        assert!(doubts.iter().enumerate().all(|(at, doubt)| *doubt == (at == 0)), "{doubts:?}");
        let events = history(&store);
        let ids: Vec<i64> =
            events.iter().map(|event| event.get("id").unwrap().as_i64().unwrap()).collect();
        assert_eq!(ids, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
    }
}

#[test]
fn a_wait_goes_on_after_a_crash() {
    let store = Store::memory();
    let endpoint = Arc::new(Endpoint::default());
    life(&store, ClockMode::Real, &endpoint, async |runtime| {
        runtime.begin(id(), begin()).await.unwrap();
        while runtime.timers_armed() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    });
    let found = life(&store, ClockMode::Virtual, &endpoint, async |_| ended(&store).await);
    assert_eq!(found.get("status"), Some(&value!("SUCCEEDED")));
    assert_eq!(endpoint.asked.lock().unwrap().len(), 2);
}

#[test]
fn an_orderly_end_leaves_a_checkpoint_that_goes_on() {
    let store = Store::memory();
    let first = Arc::new(Endpoint { hangs_at: Some("GetUser"), ..Endpoint::default() });
    life(&store, ClockMode::Virtual, &first, async |runtime| {
        runtime.begin(id(), begin()).await.unwrap();
        asked(&first, 1).await;
        runtime.stop().await;
    });
    let lines: usize =
        (0..8).map(|shard| store.read(|tx| tx.journal(shard, 0, 10)).unwrap().len()).sum();
    assert_eq!(lines, 0);
    let second = Arc::new(Endpoint::default());
    let found = life(&store, ClockMode::Virtual, &second, async |_| ended(&store).await);
    assert_eq!(found.get("status"), Some(&value!("SUCCEEDED")));
}

#[test]
fn a_name_that_is_free_again_is_not_taken_for_the_one_that_had_it() {
    let store = Store::memory();
    let first = Arc::new(Endpoint::default());
    life(&store, ClockMode::Virtual, &first, async |runtime| {
        runtime.begin(id(), begin()).await.unwrap();
        ended(&store).await;
    });
    // As when it is removed 90 days later; the journal still says that it has ended.
    let removed = store.write(|tx| tx.delete(Table::Executions, super::ARN));
    let threads = tokio::runtime::Builder::new_current_thread().build().unwrap();
    threads.block_on(removed).unwrap().unwrap();
    let hanging = Arc::new(Endpoint { hangs_at: Some("GetUser"), ..Endpoint::default() });
    life(&store, ClockMode::Virtual, &hanging, async |runtime| {
        runtime.begin(id(), begin()).await.unwrap();
        asked(&hanging, 1).await;
    });
    let third = Arc::new(Endpoint::default());
    let found = life(&store, ClockMode::Virtual, &third, async |_| ended(&store).await);
    assert_eq!(found.get("status"), Some(&value!("SUCCEEDED")));
    assert_eq!(third.asked.lock().unwrap().len(), 2);
}
