//! The answer of `GetAutomationExecution`.

use value::{Value, value};

use crate::clock;
use crate::failure::Failure;
use crate::interpolate::NO_OUTPUT;
use crate::output;
use crate::runbook::{Runbook, Step};
use crate::state::{State, Status, StepExecution};

/// Returns `AutomationExecution` as the API gives it; timestamps are epoch seconds.
pub fn record(runbook: &Runbook, state: &State) -> Value {
    let started = state.started.clone().unwrap_or_default();
    let steps = step_records(runbook, state);
    let failed = matches!(state.status, Status::Failed | Status::TimedOut);
    let failure = state.failure.as_ref().filter(|_| failed);
    let variables = state.variables.as_object().filter(|variables| !variables.is_empty());
    let current = current_step(runbook, state);
    Value::object()
        .with("AutomationExecutionId", started.execution_id)
        .with("DocumentName", started.document_name)
        .with("DocumentVersion", started.document_version)
        .with("ExecutionStartTime", clock::epoch_seconds(state.start_millis))
        .with_some("ExecutionEndTime", state.end_millis.map(clock::epoch_seconds))
        .with("AutomationExecutionStatus", state.status.name())
        .with("StepExecutions", steps)
        .with("StepExecutionsTruncated", false)
        .with("Parameters", wire_members(&state.parameters))
        .with(
            "Outputs",
            if state.outputs.is_null() { Value::object() } else { state.outputs.clone() },
        )
        .with_some("FailureMessage", failure.map(|failure| failure.message.as_str()))
        .with("Mode", started.mode.name())
        .with_some("ParentAutomationExecutionId", started.parent_execution_id)
        .with("ExecutedBy", started.executed_by)
        .with_some("CurrentStepName", current.map(|step| step.name.as_str()))
        .with_some("CurrentAction", current.map(|step| step.action.name))
        .with("Targets", Vec::<Value>::new())
        .with("ResolvedTargets", value!({"ParameterValues": [], "Truncated": false}))
        .with_some("Variables", variables.map(|_| wire_members(&state.variables)))
}

/// Returns all `StepExecutions`: the steps of the document in its order, whether they were reached
/// or not, and behind each loop what ran in its iterations.
fn step_records(runbook: &Runbook, state: &State) -> Value {
    let mut records = Vec::new();
    let numbered = runbook.steps.iter().zip(&state.steps).enumerate();
    for (index, (step, execution)) in numbered.filter(|(_, (step, _))| step.parent.is_none()) {
        records.push(step_record(step, execution));
        push_iterations(runbook, state, index, &mut records);
    }
    Value::from(records)
}

/// Appends what ran inside the loop at `index`, iteration by iteration.
fn push_iterations(runbook: &Runbook, state: &State, index: usize, records: &mut Vec<Value>) {
    let current = state.steps.iter().enumerate().filter(|(_, it)| it.status != Status::Pending);
    let earlier = state.earlier.iter().map(|(at, execution)| (*at, execution));
    let inside = |at: usize| runbook.with_loops(at).skip(1).any(|around| around == index);
    let mut runs: Vec<_> = earlier.chain(current).filter(|(at, _)| inside(*at)).collect();
    // Steps that run at the same moment keep the order of the document.
    let number = |it: &StepExecution| it.iteration.as_ref().map_or(0, |turn| turn.number);
    runs.sort_by_key(|(at, execution)| (execution.start_millis, number(execution), *at));
    for (at, execution) in runs {
        if let Some(step) = runbook.steps.get(at) {
            let parent =
                step.parent.map(|parent| parent_details(runbook, state, parent, execution));
            records.push(step_record(step, execution).with_some("ParentStepDetails", parent));
        }
    }
}

fn parent_details(
    runbook: &Runbook,
    state: &State,
    parent: usize,
    execution: &StepExecution,
) -> Value {
    let iteration = execution.iteration.clone().unwrap_or_default();
    let step = runbook.steps.get(parent);
    value!({
        "StepExecutionId": state.steps.get(parent).map(|it| it.id.as_str()),
        "StepName": step.map(|step| step.name.as_str()),
        "Action": step.map(|step| step.action.name),
        "Iteration": iteration.number.cast_signed(),
    })
    .with_some("IteratorValue", iteration.value.as_ref().map(output::json_text))
}

/// Returns one `StepExecution`.
fn step_record(step: &Step, execution: &StepExecution) -> Value {
    let mut inputs = Value::object();
    for (name, value) in execution.inputs.as_object().into_iter().flat_map(value::Map::iter) {
        inputs.set(name.clone(), output::json_text(value));
    }
    let failure = execution.failure.as_ref();
    let max_attempts = Some(step.max_attempts).filter(|attempts| *attempts > 1);
    let timeout = step.timeout_seconds.map(|seconds| Value::from(seconds.cast_signed()));
    Value::object()
        .with("StepName", step.name.as_str())
        .with("Action", step.action.name)
        .with_some("TimeoutSeconds", timeout)
        .with_some("OnFailure", step.on_failure.as_ref().map(ToString::to_string))
        .with_some("MaxAttempts", max_attempts.map(u64::cast_signed))
        .with_some("ExecutionStartTime", execution.start_millis.map(clock::epoch_seconds))
        .with_some("ExecutionEndTime", execution.end_millis.map(clock::epoch_seconds))
        .with("StepStatus", execution.status.name())
        .with("Inputs", inputs)
        .with("Outputs", wire_members(&execution.outputs))
        .with_some("FailureMessage", failure.map(|failure| failure.message.as_str()))
        .with_some("FailureDetails", failure.map(failure_details))
        .with("StepExecutionId", execution.id.as_str())
        .with("OverriddenParameters", Value::object())
        .with_some("IsEnd", step.is_end.then_some(true))
        .with_some("NextStep", step.next_step.as_deref())
        .with_some("IsCritical", step.is_critical)
}

fn failure_details(failure: &Failure) -> Value {
    value!({
        "FailureStage": format!("{:?}", failure.stage),
        "FailureType": format!("{:?}", failure.kind),
        "Details": {},
    })
}

fn current_step<'a>(runbook: &'a Runbook, state: &State) -> Option<&'a Step> {
    let busy = |execution: &StepExecution| {
        matches!(execution.status, Status::InProgress | Status::Waiting)
    };
    // Of a loop and the step that runs inside it, the step is the current one.
    let index = state.steps.iter().rposition(busy)?;
    runbook.steps.get(index)
}

/// Returns a map of values as the API's map of lists of texts.
fn wire_members(values: &Value) -> Value {
    let mut members = Value::object();
    for (name, value) in values.as_object().into_iter().flat_map(value::Map::iter) {
        members.set(name.clone(), output::wire(value));
    }
    members
}

/// Returns the document's outputs once the execution is over.
pub(crate) fn outputs_of(runbook: &Runbook, state: &State) -> Value {
    let mut outputs = Value::object();
    for name in &runbook.outputs {
        let (step, output) = name.split_once('.').unwrap_or((name, ""));
        let value = runbook
            .step_index(step)
            .and_then(|index| state.steps.get(index))
            .and_then(|execution| execution.outputs.get(output));
        let wired = value.map_or_else(|| Value::from(vec![NO_OUTPUT]), output::wire);
        outputs.set(name.as_str(), wired);
    }
    outputs
}
