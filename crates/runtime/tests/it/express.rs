//! Express executions: bounded, forgotten by a reset, ended by nothing else than themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use execution::{Payload, Started, Status};
use runtime::{
    Answering, AwsEndpoint, Call, Caller, Clock, ClockMode, EXPRESS_UNDER_WAY_MAX, Environment,
    Error, NoPeers, Node, Opened, Runtime, definition_key,
};
use store::{Store, Table};
use value::value;

/// Answers after `pauses`, panics when told to; counts what was asked.
#[derive(Default)]
struct Pausing {
    asked: AtomicUsize,
    answered: AtomicUsize,
    panics: bool,
}

struct Shared(Arc<Pausing>);

impl AwsEndpoint for Shared {
    fn call(&self, call: Call) -> Answering {
        assert_eq!(call.effect_id, None);
        let pausing = self.0.clone();
        Box::pin(async move {
            pausing.asked.fetch_add(1, Ordering::SeqCst);
            assert!(!pausing.panics, "as told");
            tokio::time::sleep(Duration::from_millis(50)).await;
            pausing.answered.fetch_add(1, Ordering::SeqCst);
            Ok(value!({}))
        })
    }

    fn script_environment(&self, _: Caller) -> Environment {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn events_committed(&self) {}

    fn hears(&self, _: &str) -> bool {
        true
    }
}

const WAIT: &str =
    r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 200, "End": true}}}"#;
const TWICE: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:listUsers", "Next": "B"},
    "B": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:listUsers", "End": true}}}"#;

async fn start(clock: ClockMode, panics: bool) -> (Runtime, Arc<Pausing>) {
    let store = Store::memory();
    for text in [WAIT, TWICE] {
        let kept = store
            .write(move |tx| tx.put(Table::Definitions, &definition_key(text), text.as_bytes()));
        kept.await.unwrap().unwrap();
    }
    let opened = Opened::open(store, Clock::new(clock), Node::alone()).unwrap();
    let runtime = opened.handle();
    let pausing = Arc::new(Pausing { panics, ..Pausing::default() });
    opened.start(Arc::new(Shared(pausing.clone())), Arc::new(NoPeers));
    (runtime, pausing)
}

fn started(number: usize) -> Started {
    Started {
        history: execution::HistoryMode::Counted,
        child: None,
        input: Payload::parse("{}").unwrap(),
        execution_arn: format!("arn:aws:states:us-east-1:000000000000:express:m:n:{number}"),
        execution_name: "n".into(),
        role_arn: "arn:aws:iam::000000000000:role/r".into(),
        state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m".into(),
        state_machine_name: "m".into(),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: "us-east-1".into(),
    }
}

#[tokio::test]
async fn as_many_as_may_be_run_and_a_reset_forgets_them() {
    let (runtime, _) = start(ClockMode::Real, false).await;
    let key = definition_key(WAIT);
    for number in 1..EXPRESS_UNDER_WAY_MAX {
        runtime.start_express(&key, started(number), None).unwrap();
    }
    let waiting = tokio::spawn({
        let (runtime, key) = (runtime.clone(), key.clone());
        async move {
            let _busy = runtime.clock().busy();
            runtime.run_express(&key, started(0), None).await
        }
    });
    // The timeout of the execution, and its Wait.
    while runtime.timers_armed() < 2 * EXPRESS_UNDER_WAY_MAX {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refused = runtime.start_express(&key, started(EXPRESS_UNDER_WAY_MAX), None);
    assert!(matches!(refused, Err(Error::ExpressLimit)));
    runtime.reset().await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Err(Error::NotRunning)));
    assert_eq!(runtime.timers_armed(), 0);
    assert!(runtime.clock().is_idle());
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_end_it() {
    let (runtime, pausing) = start(ClockMode::Virtual, false).await;
    let busy = runtime.clock().busy();
    let key = definition_key(TWICE);
    let left = tokio::time::timeout(
        Duration::from_millis(20),
        runtime.run_express(&key, started(0), None),
    );
    assert!(left.await.is_err());
    assert!(!runtime.clock().is_idle());
    drop(busy);
    while pausing.answered.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while !runtime.clock().is_idle() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn virtual_time_stands_still_during_calls() {
    let (runtime, _) = start(ClockMode::Virtual, false).await;
    let _busy = runtime.clock().busy();
    // Its timeout is the only timer, and the clock must not jump there.
    let ended = runtime.run_express(&definition_key(TWICE), started(0), None).await.unwrap();
    assert_eq!(ended.finish.status, Status::Succeeded);
    assert!((100..5_000).contains(&(ended.stop_millis - ended.start_millis)));
    assert_eq!(runtime.timers_armed(), 0);
}

#[tokio::test]
async fn a_panic_in_a_call_is_an_answer() {
    let (runtime, pausing) = start(ClockMode::Virtual, true).await;
    let _busy = runtime.clock().busy();
    let ended = runtime.run_express(&definition_key(TWICE), started(0), None).await.unwrap();
    assert_eq!(ended.finish.error.as_deref(), Some("Iam.IamException"));
    assert_eq!(pausing.asked.load(Ordering::SeqCst), 1);
}
