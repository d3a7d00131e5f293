//! The answer of `GetAutomationExecution`.

use value::{Value, value};

use crate::actions::EXECUTE_AUTOMATION;
use crate::clock;
use crate::fact::Started;
use crate::failure::Failure;
use crate::interpolate::NO_OUTPUT;
use crate::output;
use crate::rate::{ChildExecution, Fleet, RateControl, Target};
use crate::runbook::{Runbook, Step};
use crate::state::{Phase, State, Status, StepExecution};

/// Returns `AutomationExecution` as the API gives it; timestamps are epoch seconds.
pub fn record(runbook: &Runbook, state: &State) -> Value {
    let started = state.started.clone().unwrap_or_default();
    let steps = match &state.fleet {
        Some(fleet) => child_records(&started, fleet),
        None => step_records(runbook, state),
    };
    let failed = matches!(state.status, Status::Failed | Status::TimedOut);
    let failure = state.failure.as_ref().filter(|_| failed);
    let variables = state.variables.as_object().filter(|variables| !variables.is_empty());
    let current = current_step(runbook, state);
    let rate = started.rate.as_deref();
    let record = Value::object()
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
        .with("Targets", rate.map_or_else(|| value!([]), |rate| list_or_empty(&rate.targets)))
        .with("ResolvedTargets", resolved_targets(rate))
        .with_some("Target", started.target.as_deref())
        .with_some("Variables", variables.map(|_| wire_members(&state.variables)));
    match (rate, &state.fleet) {
        (Some(rate), Some(fleet)) => with_rate(record, rate, fleet),
        (Some(_) | None, _) => record,
    }
}

fn list_or_empty(list: &Value) -> Value {
    list.as_array().map_or_else(|| value!([]), |_| list.clone())
}

/// Returns `ResolvedTargets`; never truncated, for there are at most
/// [`crate::rate::TARGETS_MAX`].
fn resolved_targets(rate: Option<&RateControl>) -> Value {
    let targets = rate.map_or(&[][..], |rate| &rate.resolved);
    let names: Value = targets.iter().map(|target| target.name.as_str()).collect();
    value!({"ParameterValues": names, "Truncated": false})
}

/// Adds what only an execution over many targets has.
fn with_rate(record: Value, rate: &RateControl, fleet: &Fleet) -> Value {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let maps = rate.target_maps.as_array().filter(|maps| !maps.is_empty());
    let locations = rate.target_locations.as_array().filter(|places| !places.is_empty());
    record
        .with_some("TargetLocations", locations.map(|_| rate.target_locations.clone()))
        .with_some("TargetParameterName", rate.target_parameter_name.as_deref())
        .with_some("TargetMaps", maps.map(|_| rate.target_maps.clone()))
        .with("MaxConcurrency", rate.max_concurrency.as_str())
        .with("MaxErrors", rate.max_errors.as_str())
        .with(
            "ProgressCounters",
            value!({
                "TotalSteps": count(rate.resolved.len()),
                "SuccessSteps": count(fleet.count(Status::Success)),
                "FailedSteps": count(fleet.count(Status::Failed)),
                "CancelledSteps": count(fleet.count(Status::Cancelled)),
                "TimedOutSteps": count(fleet.count(Status::TimedOut)),
            }),
        )
}

/// Returns a step for every child that was begun.
// UNVERIFIED: that children show as steps of their parent, and these steps' names and inputs.
fn child_records(started: &Started, fleet: &Fleet) -> Value {
    let targets = started.rate.iter().flat_map(|rate| &rate.resolved);
    let pairs = targets.zip(&fleet.children);
    pairs.map(|(target, child)| child_record(started, target, child)).collect()
}

fn child_record(started: &Started, target: &Target, child: &ChildExecution) -> Value {
    let inputs = value!({
        "DocumentName": json_text(&started.document_name),
        "DocumentVersion": json_text(&started.document_version),
        "RuntimeParameters": output::json_text(&target.parameters),
    });
    let mut outputs = value!({"ExecutionId": [child.execution_id.as_str()]});
    if child.status.is_terminal() {
        outputs.set("Status", value!([child.status.name()]));
    }
    Value::object()
        .with("StepName", target.name.as_str())
        .with("Action", EXECUTE_AUTOMATION)
        .with("ExecutionStartTime", clock::epoch_seconds(child.start_millis))
        .with_some("ExecutionEndTime", child.end_millis.map(clock::epoch_seconds))
        .with("StepStatus", child.status.name())
        .with("Inputs", inputs)
        .with("Outputs", outputs)
        .with_some("FailureMessage", child.failure_message.as_deref())
        .with("StepExecutionId", child.step_id.as_str())
        .with("OverriddenParameters", Value::object())
}

fn json_text(text: &str) -> String {
    output::json_text(&Value::from(text))
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
    if let Phase::Offered(index) = state.phase {
        return runbook.steps.get(index);
    }
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
