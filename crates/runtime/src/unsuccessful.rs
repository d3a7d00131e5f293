//! The children of a map run that ended badly, as a redrive of it asks for them: found by their
//! records, some at a time.

use std::sync::Arc;

use execution::{
    ChildKind, MapRunFact, OPEN_MILLIS_MAX, Payload, REDRIVABLE_MILLIS, Status, Unsuccessful,
};
use store::{Load, Read, Scan, Table};
use value::Value;

use crate::Shared;
use crate::followers::TRY_AGAIN_MILLIS;

/// How many children are looked at in one read.
const PAGE_CHILDREN: usize = 500;
/// About how many bytes the inputs have of those that are found at a time.
const FOUND_BYTES: usize = 128 * 1024;

/// Children that were found, and behind which key there may be more.
type Found = (Vec<Unsuccessful>, Option<String>);

/// Finds children behind a key.
pub(crate) async fn find(
    shared: &Arc<Shared>,
    map_run_arn: &str,
    kind: ChildKind,
    mut behind: Option<String>,
) -> MapRunFact {
    let prefix = format!("{map_run_arn}/");
    loop {
        let now_millis = shared.clock.now_millis();
        let after = behind.clone();
        let found = shared.store.read(|tx| page(tx, &prefix, after.as_deref(), kind, now_millis));
        match found {
            Ok((children, next)) => {
                behind = next;
                if !children.is_empty() || behind.is_none() {
                    return MapRunFact::ChildrenFound { children, behind };
                }
                // Many have succeeded: others take their turn.
                tokio::task::yield_now().await;
            }
            // The store is away; that does not last.
            Err(_) => shared.clock.sleep(TRY_AGAIN_MILLIS).await,
        }
    }
}

fn page(
    tx: &dyn Read,
    prefix: &str,
    after: Option<&str>,
    kind: ChildKind,
    now_millis: i64,
) -> Result<Found, store::Error> {
    let scan = Scan::prefix(prefix).after(after).limit(PAGE_CHILDREN);
    let rows: Vec<(String, String)> = tx.load_all(Table::ExecutionsByStart, scan)?;
    let is_last = rows.len() < PAGE_CHILDREN;
    let (mut children, mut bytes) = (Vec::new(), 0);
    let mut behind = None;
    for (key, arn) in rows {
        if FOUND_BYTES <= bytes {
            return Ok((children, behind));
        }
        behind = Some(key);
        let record: Option<Value> = tx.load(Table::Executions, &arn)?;
        if let Some(child) = record.and_then(|record| read(&record, kind, now_millis)) {
            bytes += child.input.as_ref().map_or(0, |input| input.value().json_bytes());
            children.push(child);
        }
    }
    Ok((children, behind.filter(|_| !is_last)))
}

/// Returns the child of a record; none if it has not ended badly.
fn read(record: &Value, kind: ChildKind, now_millis: i64) -> Option<Unsuccessful> {
    let text = |member: &str| record.get(member).and_then(Value::as_str);
    let status = match text("status")? {
        "FAILED" => Status::Failed,
        "TIMED_OUT" => Status::TimedOut,
        "ABORTED" => Status::Aborted,
        _running_or_succeeded => return None,
    };
    let natural = |member: &str| {
        record.get(member).and_then(Value::as_i64).and_then(|found| u64::try_from(found).ok())
    };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let millis = |member: &str| {
        let seconds = record.get(member).and_then(Value::as_f64).unwrap_or_default();
        (seconds * 1000.0).round() as i64
    };
    let (start_millis, stop_millis) = (millis("startDate"), millis("stopDate"));
    let is_kept = record.get("isRedrivable").and_then(Value::as_bool) == Some(true);
    let is_redrivable = is_kept
        && now_millis - stop_millis < REDRIVABLE_MILLIS
        && now_millis - start_millis < OPEN_MILLIS_MAX;
    let again = kind == ChildKind::Express;
    Some(Unsuccessful {
        name: text("name")?.to_owned(),
        number: natural("childNumber"),
        items: natural("itemCount").unwrap_or(1),
        status,
        is_redrivable,
        start_millis,
        input: text("input").filter(|_| again).and_then(|text| Payload::parse(text).ok()),
        map_item: record.get("mapItem").filter(|_| again).cloned(),
    })
}
