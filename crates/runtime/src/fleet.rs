//! Child executions of a runbook that runs over many targets: begun, followed to their end, and
//! stopped ([`followers`]).

use std::sync::Arc;

use automation::{ChildWish, Fact as AutomationFact, Status, StopType};
use store::Table;
use tokio::task::AbortHandle;
use value::{Value, value};

use crate::followers::{self, Following};
use crate::process::{Begin, Fact};
use crate::processes::BeginAutomation;
use crate::shard::Message;
use crate::{Busy, Error, ProcessId, Shared};

/// A child, and what is to become of it.
pub(crate) struct FleetChild {
    pub(crate) id: ProcessId,
    pub(crate) begin: BeginAutomation,
    pub(crate) wish: ChildWish,
}

/// Sees to a child in a task of its own, and tells its parent how it has ended.
pub(crate) fn see_to(
    shared: &Arc<Shared>,
    life: u64,
    parent: ProcessId,
    number: u64,
    child: FleetChild,
) -> AbortHandle {
    let shared = shared.clone();
    let (busy, epoch) = (shared.clock.busy(), shared.epoch());
    let task = tokio::spawn(async move {
        // One that is to be stopped is begun too: then whoever was about to begin it finds that it
        // has been.
        let begin = Begin::Automation(child.begin);
        let end = match followers::begin(&shared, &child.id, &begin).await {
            Ok(()) => {
                if child.wish == ChildWish::Stop {
                    stop(&shared, &child.id).await;
                }
                follow(&shared, &child.id, busy).await
            }
            Err(err) => value!({"status": Status::Failed.name(), "message": err.to_string()}),
        };
        let busy = shared.clock.busy();
        let message = Message::Answered { life, id: parent, call: number, answer: Ok(end) };
        shared.send(message, epoch, busy).await;
    });
    task.abort_handle()
}

async fn stop(shared: &Arc<Shared>, id: &ProcessId) {
    let fact = Fact::Automation(AutomationFact::StopRequested(StopType::Cancel));
    match followers::request(shared, id, &fact).await {
        Ok(()) | Err(Error::NotRunning) => {}
        // It goes on to its end, which shows in its record.
        Err(err) => tracing::warn!(process = %id, error = %err, "a child cannot be stopped"),
    }
}

/// Returns how a child has ended, once it has.
async fn follow(shared: &Arc<Shared>, id: &ProcessId, busy: Busy) -> Value {
    let mut following = Following::new(shared, (Table::Automations, id), busy);
    loop {
        if let Some(end) = ended(&following.record().await) {
            return end;
        }
    }
}

/// Returns how a child ended, by its record.
fn ended(record: &Value) -> Option<Value> {
    let text = |member: &str| record.get(member).and_then(Value::as_str);
    let status = text("AutomationExecutionStatus").and_then(Status::parse)?;
    let end = value!({"status": status.name()}).with_some("message", text("FailureMessage"));
    status.is_terminal().then_some(end)
}

/// Returns the end that [`see_to`] has told of.
pub(crate) fn end_of(told: &Value) -> automation::ChildEnd {
    let text = |member: &str| told.get(member).and_then(Value::as_str);
    automation::ChildEnd {
        // What has no known status cannot be told of.
        status: text("status").and_then(Status::parse).unwrap_or(Status::Failed),
        failure_message: text("message").map(str::to_owned),
    }
}
