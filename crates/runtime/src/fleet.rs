//! Child executions of a runbook that runs over many targets: begun, followed to their end, and
//! stopped.
//!
//! As with the children of map runs, whatever happens to the node the parent asks again. A child
//! that has begun is not begun a second time, for its id is its own; that it has ended is read from
//! its record, so nothing is lost between the two.

use std::sync::Arc;

use automation::{ChildWish, Fact as AutomationFact, Status, StopType};
use store::{Load, SHARDS, Table};
use tokio::task::AbortHandle;
use value::{Value, value};

use crate::children::{LOOK_ELSEWHERE_MILLIS, LOOK_HERE_MILLIS, TRY_AGAIN_MILLIS};
use crate::node::Place;
use crate::process::{Begin, Fact};
use crate::processes::BeginAutomation;
use crate::shard::Message;
use crate::{Error, ProcessId, Runtime, Shared};

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
        let end = match begin(&shared, &child).await {
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

/// Begins a child, unless it has begun. One that is to be stopped is begun too: then whoever was
/// about to begin it finds that it has been.
///
/// # Errors
/// Why it can never begin.
async fn begin(shared: &Arc<Shared>, child: &FleetChild) -> Result<(), Error> {
    let runtime = Runtime { shared: shared.clone() };
    loop {
        let begin = Begin::Automation(child.begin.clone());
        match runtime.begin(child.id.clone(), begin).await {
            Ok(_) => return Ok(()),
            Err(err @ Error::Definition { .. }) => return Err(err),
            // The store is away, or the shard is changing hands: neither lasts.
            Err(_) => shared.clock.sleep(TRY_AGAIN_MILLIS).await,
        }
    }
}

async fn stop(shared: &Arc<Shared>, id: &ProcessId) {
    let runtime = Runtime { shared: shared.clone() };
    loop {
        let fact = Fact::Automation(AutomationFact::StopRequested(StopType::Cancel));
        match runtime.request(id.clone(), fact).await {
            Ok(()) | Err(Error::NotRunning) => return,
            Err(_) => shared.clock.sleep(TRY_AGAIN_MILLIS).await,
        }
    }
}

/// Returns how a child has ended, once it has.
async fn follow(shared: &Arc<Shared>, id: &ProcessId, busy: crate::Busy) -> Value {
    let mut busy = Some(busy);
    loop {
        let told = shared.followers.wait(id);
        // It has begun, so that one without a record is the store's failure: it is read again.
        let record = shared.store.read(|tx| tx.load(Table::Automations, id.name()));
        if let Some(end) = record.ok().flatten().and_then(|record| ended(&record)) {
            drop(told);
            shared.followers.forget(id);
            return end;
        }
        drop(busy.take());
        let millis = match shared.node.place(id.shard(SHARDS)) {
            Place::Here => LOOK_HERE_MILLIS,
            Place::There(_) | Place::Nowhere => LOOK_ELSEWHERE_MILLIS,
        };
        tokio::select! {
            biased;
            told = told => busy = told.ok(),
            () = shared.clock.sleep(millis) => {}
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
