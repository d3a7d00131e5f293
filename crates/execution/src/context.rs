//! The context object: `$states.context` and `$$`.

use asl::format_millis;
use value::Value;

use crate::run::{Run, Subject};
use crate::state::ThreadId;

/// Returns the context object as the visited state sees it.
pub(crate) fn object(run: &Run<'_>, id: ThreadId) -> Value {
    if let Some(context) = &run.context {
        return context.clone();
    }
    let item = run.state.thread(id).and_then(|thread| thread.map_item.clone());
    let base = run.base_context.get_or_init(|| base(run));
    base.clone()
        .with_some("State", state(run, id))
        .with_some("Map", item.map(|item| Value::object().with("Item", item)))
}

/// Returns what all states see of it.
fn base(run: &Run<'_>) -> Value {
    let Some(started) = &run.state.started else { return Value::object() };
    let execution = Value::object()
        .with("Id", started.execution_arn.as_str())
        .with("Input", started.input.value())
        .with("StartTime", format_millis(run.state.started_millis))
        .with("Name", started.execution_name.as_str())
        .with("RoleArn", started.role_arn.as_str());
    // Recorded: express executions have it too, though they cannot be redriven; tests have none.
    let execution = match run.subject {
        Subject::Execution => {
            let redrives = run.state.redrives();
            let time = redrives.map(|redrives| format_millis(redrives.last_millis));
            execution
                .with("RedriveCount", redrives.map_or(0, |redrives| redrives.count))
                .with_some("RedriveTime", time)
        }
        Subject::Test => execution,
    };
    let machine = Value::object()
        .with("Id", started.state_machine_arn.as_str())
        .with("Name", started.state_machine_name.as_str());
    Value::object().with("Execution", execution).with("StateMachine", machine)
}

fn state(run: &Run<'_>, id: ThreadId) -> Option<Value> {
    let visit = run.visit(id)?;
    let name = &*run.visited(id)?.name;
    Some(
        Value::object()
            .with("Name", name)
            .with("EnteredTime", format_millis(visit.entered_millis))
            .with("RetryCount", visit.retry_count()),
    )
}
