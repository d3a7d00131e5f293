//! `events:putEvents`.
//!
//! Step Functions developer guide, "Add EventBridge events with Step Functions" (read 2026-11);
//! answers and texts as recorded on AWS (conformance/states).

use asl::{Integration, IntegrationPattern};
use value::Value;

use super::plain::{Plain, TOKEN};
use super::{Acting, Integrated, Optimized, TaskFailure, as_text, sdk1};
use crate::endpoint::CallError;

/// `events:`.
pub(super) struct Events;

const API: Plain = Plain {
    service: "events",
    prefix: "EventBridge",
    class: "AmazonEventBridge",
    actions: &[("putEvents", TOKEN)],
    headers: &[],
};

impl Optimized for Events {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        API.patterns(action)
    }

    fn request(
        &self,
        integration: &Integration,
        arguments: &Value,
        acting: &Acting<'_>,
    ) -> Integrated {
        let entries = arguments.get("Entries").and_then(Value::as_array).unwrap_or_default();
        let entries: Value = entries.iter().map(|entry| sent(entry, acting)).collect();
        let arguments = match arguments.get("Entries") {
            Some(Value::Array(_)) => arguments.clone().with("Entries", entries),
            Some(_) | None => arguments.clone(),
        };
        API.call(&integration.action, &arguments)
    }

    /// Recorded: one entry that is refused fails the Task, and how the answer came is not shown.
    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        let shown = API.shown(&integration.action, &sdk1::plain(&output));
        let failed = shown.get("FailedEntryCount").and_then(Value::as_i64).unwrap_or_default();
        if 0 < failed {
            let error = "EventBridge.FailedEntry".to_owned();
            return Err(TaskFailure { error, cause: shown.to_json() });
        }
        Ok(shown)
    }

    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        API.failure(integration, err)
    }
}

/// A detail is sent as text; machine and execution are added to the resources, in this order as
/// recorded.
fn sent(entry: &Value, acting: &Acting<'_>) -> Value {
    let given = entry.get("Resources").and_then(Value::as_array).unwrap_or_default();
    let mut resources = given.to_vec();
    resources.extend([acting.state_machine.into(), acting.execution.into()]);
    as_text(entry, "Detail").with("Resources", Value::from(resources))
}
