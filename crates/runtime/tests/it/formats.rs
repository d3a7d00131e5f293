//! Directories that older versions wrote are read, and go on.

use std::sync::Arc;

use runtime::{Clock, ClockMode, NoPeers, Node, Opened};
use store::{Load, Store, Table};
use value::{Value, value};

use super::endpoint::Endpoint;

/// Written by format 1: three executions waiting in snapshots, one more in the journal only, a
/// runbook asleep, two executions that have ended.
const FORMAT_1: &str = include_str!("../fixtures/format-1.sql");

fn directory_of(dump: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let raw = rusqlite::Connection::open(directory.path().join("stepwell.sqlite")).unwrap();
    raw.execute_batch(dump).unwrap();
    directory
}

fn status(store: &Store, execution: &str) -> Value {
    let arn = format!("arn:aws:states:us-east-1:000000000000:execution:{execution}");
    let record: Value = store.read(|tx| tx.load(Table::Executions, &arn)).unwrap().unwrap();
    record.get("status").cloned().unwrap()
}

#[test]
fn format_1_goes_on() {
    let directory = directory_of(FORMAT_1);
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let store = Store::open(directory.path()).unwrap();
        let clock = Clock::new(ClockMode::Virtual);
        let opened = Opened::open(store.clone(), clock, Node::alone()).unwrap();
        let runtime = opened.handle();
        // The fixture's processes wait for an hour; virtual time jumps over it.
        let endpoint = Arc::new(Endpoint::default());
        opened.start(endpoint.clone(), Arc::new(NoPeers));
        for execution in ["waits:w0", "waits:w1", "waits:w2", "waits:w3", "passes:p0"] {
            for _ in 0..1_000 {
                if status(&store, execution) != value!("RUNNING") {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            assert_eq!(status(&store, execution), value!("SUCCEEDED"), "{execution}");
        }
        // The runbook's call is the fifth.
        super::crash::asked(&endpoint, 5).await;
        runtime.stop().await;
    });
}

#[test]
fn a_newer_format_is_refused() {
    let directory = directory_of("PRAGMA user_version = 5;");
    let refused = Store::open(directory.path()).err().unwrap();
    assert!(matches!(refused, store::Error::Format { found: 5, known: 4 }), "{refused}");
}
