//! Reading histories: pages either way, and what is missing is never passed over.

use runtime::ClockMode;
use services::Input;
use store::{Scan, Table};
use value::{Value, value};

use super::retention::write;
use super::server::text;
use super::states_express::{Whole, whole_on};

/// Each Wait ends a turn, so that the history is stored in several pieces.
const WAITS: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Wait", "Seconds": 1, "Next": "B"},
    "B": {"Type": "Wait", "Seconds": 1, "Next": "C"},
    "C": {"Type": "Pass", "Result": "é", "End": true}}}"#;

/// Runs the machine to its end; returns the ARN of the execution and the keys of its pieces.
async fn finished(whole: &Whole) -> (String, Vec<String>) {
    whole.create("m", "STANDARD", WAITS).await.unwrap();
    let arn = text(&whole.start("StartExecution", "m", "{}").await, &["executionArn"]);
    let asked = value!({ "executionArn": &arn });
    while whole
        .ok("stepfunctions", "DescribeExecution", asked.clone())
        .await
        .get("stopDate")
        .is_none()
    {
        tokio::task::yield_now().await;
    }
    let rows = whole.services.store().read(|tx| tx.scan(Table::History, Scan::prefix(&arn)));
    (arn, rows.unwrap().into_iter().map(|(key, _)| key).collect())
}

/// Reads a history in pages of this size.
async fn pages(whole: &Whole, arn: &str, size: i64, reverse: bool) -> Result<Vec<Value>, String> {
    let mut asked = value!({"executionArn": arn, "maxResults": size, "reverseOrder": reverse});
    let mut events = Vec::new();
    loop {
        let answer = whole.run("stepfunctions", "GetExecutionHistory", asked.clone()).await;
        let answer = answer.map_err(|err| err.to_string())?;
        let page = answer.get("events").and_then(Value::as_array).unwrap();
        assert!(!page.is_empty() && page.len() <= usize::try_from(size).unwrap());
        events.extend_from_slice(page);
        let Some(token) = answer.get("nextToken").cloned() else { return Ok(events) };
        asked.set("nextToken", token);
    }
}

#[tokio::test]
async fn pages_of_any_size_are_the_whole_history_either_way() {
    let whole = whole_on(ClockMode::Virtual).await;
    let (arn, pieces) = finished(&whole).await;
    assert!(3 <= pieces.len(), "{pieces:?}");
    let all = pages(&whole, &arn, 1000, false).await.unwrap();
    let ids: Vec<i64> = all.iter().map(|event| event.integer("id").unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8]);
    for size in 1..=9 {
        assert_eq!(pages(&whole, &arn, size, false).await.unwrap(), all);
        let mut backward = pages(&whole, &arn, size, true).await.unwrap();
        backward.reverse();
        assert_eq!(backward, all);
    }
    let asked = value!({"executionArn": &arn, "nextToken": services::page::marker("00000005")});
    assert!(whole.refused("GetExecutionHistory", asked).await.starts_with("InvalidToken"));
}

#[tokio::test]
async fn a_piece_that_is_gone_is_an_error_and_not_a_shorter_history() {
    let whole = whole_on(ClockMode::Virtual).await;
    let (arn, pieces) = finished(&whole).await;
    let store = whole.services.store();
    for gone in pieces {
        let kept = store.read(|tx| tx.get(Table::History, &gone)).unwrap().unwrap();
        let key = gone.clone();
        write(store, move |tx| assert!(tx.delete(Table::History, &key).unwrap())).await;
        for reverse in [false, true] {
            for size in [1, 3, 1000] {
                let err = pages(&whole, &arn, size, reverse).await.unwrap_err();
                assert!(err.starts_with("InternalFailure"), "{gone}: {err}");
            }
        }
        write(store, move |tx| tx.put(Table::History, &gone, &kept).unwrap()).await;
    }
    assert_eq!(pages(&whole, &arn, 1000, true).await.unwrap().len(), 8);
}
