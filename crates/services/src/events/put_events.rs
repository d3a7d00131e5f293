//! PutEvents: an accepted event is in the outbox before the answer leaves.
//!
//! Amazon EventBridge API reference, "PutEvents" (read 2026-11).

use events::Event;
use store::{Save, Table};
use value::{Value, value};

use super::{DEFAULT_BUS, buses};
use crate::{Answer, Check, Error, Input, Notice, Operation, Reading, Run, Writing, ids};

/// The largest entry, in bytes of its members' text (EventBridge quotas: 256 KB).
const ENTRY_BYTES_MAX: usize = 256 * 1024;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "PutEvents", checks: may_put, run: Run::Write(put) }];

fn may_put(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = on.call.regional_arn("events", "event-bus/default");
    let entries = input.list("Entries").iter();
    Ok(entries
        .map(|entry| {
            let text = |member: &str| vec![entry.maybe_text(member).unwrap_or_default().to_owned()];
            Check::new("events:PutEvents", &*arn)
                .with("events:source", text("Source"))
                .with("events:detail-type", text("DetailType"))
        })
        .collect())
}

fn put(on: &mut Writing<'_>, input: &Value) -> Answer {
    let mut failed = 0;
    let mut results = Vec::new();
    for entry in input.list("Entries") {
        match accept(on, entry) {
            Ok(event) => {
                on.store.save(Table::EventOutbox, &event.id, &event.to_value())?;
                results.push(value!({ "EventId": event.id }));
            }
            Err((code, message)) => {
                failed += 1;
                results.push(value!({ "ErrorCode": code, "ErrorMessage": message }));
            }
        }
    }
    on.notify(Notice::Events);
    Ok(value!({ "FailedEntryCount": failed, "Entries": results }))
}

/// Returns the event that an entry stands for, or why it is none: a code and a text.
fn accept(on: &Writing<'_>, entry: &Value) -> Result<Event, (&'static str, String)> {
    let required = |member: &str| {
        entry.maybe_text(member).filter(|text| !text.is_empty()).ok_or_else(|| {
            let reason = format!(
                "Parameter {member} is not valid. Reason: {member} is a required argument."
            );
            ("InvalidArgument", reason)
        })
    };
    let (source, detail_type) = (required("Source")?, required("DetailType")?);
    let detail = required("Detail")?;
    if source.starts_with("aws.") {
        let reason = "Not authorized for the source.".to_owned();
        return Err(("NotAuthorizedForSourceException", reason));
    }
    let bus = entry.maybe_text("EventBusName").unwrap_or(DEFAULT_BUS);
    if !buses::is_default(bus) {
        return Err(("ResourceNotFoundException", format!("Event bus {bus} does not exist.")));
    }
    let bytes = source.len() + detail_type.len() + detail.len();
    if bytes > ENTRY_BYTES_MAX {
        return Err(("InvalidArgument", "Total size of the entry is over the limit.".to_owned()));
    }
    let parsed = value::parse(detail).ok().filter(|parsed| parsed.as_object().is_some());
    let detail = parsed.ok_or_else(|| ("MalformedDetail", "Detail is malformed.".to_owned()))?;
    let time = entry.get("Time").and_then(Value::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let time_millis = time.map_or(on.call.now_millis, |seconds| (seconds * 1000.0) as i64);
    Ok(Event {
        id: ids::uuid(),
        detail_type: detail_type.to_owned(),
        source: source.to_owned(),
        account: on.call.account().to_owned(),
        time_millis,
        region: on.call.region.clone(),
        resources: entry
            .list("Resources")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        detail,
    })
}
