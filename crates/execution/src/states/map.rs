//! Map: an item processor for every item. AWS pages: "Map workflow state", "Inline mode".

use std::collections::BTreeSet;

use asl::{
    Computed, Failure, Field, Items, Map, MapMode, QueryLanguage, Scalar, Scope, State, error_name,
};
use value::Value;

use crate::history::{Details, IterationEvent, StateType};
use crate::payload::Payload;
use crate::run::{Fault, Run};
use crate::state::{Children, Doing, Iterations, Parent, Shown, Step, Thread, ThreadId};
use crate::states::map_run;

/// `Map.Item.Source` of the context object for items that come from the state's input (developer
/// guide, "Accessing execution data from the Context object", read 2026-11).
pub(crate) const STATE_DATA: &str = "STATE_DATA";

/// How many iterations of an inline Map run at the same time (AWS's bound).
const MAP_CONCURRENCY_MAX: usize = 40;

pub(crate) fn begin(
    run: &mut Run<'_>,
    id: ThreadId,
    definition: &State,
    map: &Map,
) -> Result<(), Failure> {
    let scope = run.scope(id);
    let effective = run.evaluate(&scope, |evaluation| definition.effective_input(evaluation))?;
    let items = match &map.mode {
        MapMode::Distributed(distributed) if distributed.item_reader.is_some() => {
            Vec::<Value>::new().into()
        }
        MapMode::Distributed(_) | MapMode::Inline => items(run, id, definition, map, &effective)?,
    };
    let length = match &items {
        Value::Object(members) => members.len(),
        other => other.as_array().map_or(0, <[Value]>::len),
    };
    run.record(id, || Details::MapStateStarted { length });
    if let MapMode::Distributed(distributed) = &map.mode {
        return map_run::begin(run, id, map, distributed, effective, &items);
    }
    let concurrency_max = concurrency(run, id, map)?;
    let tolerated = tolerated(run, id, map, length)?;
    let iterations = Iterations {
        children: Children { running: BTreeSet::new(), outputs: vec![None; length] },
        items,
        next: 0,
        again: Vec::new(),
        distributed: false,
        last_event_id: None,
        concurrency_max,
        selector_input: effective,
        failed: 0,
        tolerated,
    };
    run.doing(id, Doing::Iterations(Box::new(iterations)));
    go_on(run, id);
    Ok(())
}

fn items(
    run: &mut Run<'_>,
    id: ThreadId,
    definition: &State,
    map: &Map,
    effective: &Value,
) -> Result<Value, Failure> {
    let mut scope = run.scope(id);
    scope.input = effective.clone();
    // AWS: a distributed Map goes through the members of an object, too.
    let takes = |found: &Value| match (found, &map.mode) {
        (Value::Array(_), _) | (Value::Object(_), MapMode::Distributed(_)) => true,
        (_, MapMode::Distributed(_) | MapMode::Inline) => false,
    };
    match &map.items {
        Items::Template(template) => {
            let found = run.evaluate(&scope, |evaluation| {
                template.evaluate(evaluation, Field::Top("Items"))
            })?;
            if takes(&found) {
                return Ok(found);
            }
            Err(template.wrong_type(Field::Top("Items"), "array", &found))
        }
        Items::Path(path) => {
            let found = path.select(&scope)?;
            if takes(&found) {
                return Ok(found);
            }
            // UNVERIFIED: AWS's wording.
            Err(Failure::runtime(format!(
                "Reference path \"{}\" must point to array. But was: {found}",
                path.text()
            )))
        }
        Items::Input => {
            if takes(effective) {
                return Ok(effective.clone());
            }
            let cause = format!("Map state input must be an array but was: {effective}");
            Err(match definition.query_language {
                QueryLanguage::Jsonata => Failure::query(cause, None),
                QueryLanguage::JsonPath => Failure::runtime(cause),
            })
        }
    }
}

fn concurrency(run: &mut Run<'_>, id: ThreadId, map: &Map) -> Result<usize, Failure> {
    let wanted = integer(run, id, map.max_concurrency.as_ref(), "MaxConcurrency")?.unwrap_or(0);
    let wanted = usize::try_from(wanted)
        .map_err(|_negative| Failure::runtime("MaxConcurrency cannot be negative."))?;
    Ok(if wanted == 0 { MAP_CONCURRENCY_MAX } else { wanted.min(MAP_CONCURRENCY_MAX) })
}

/// Returns how many iterations may fail.
fn tolerated(run: &mut Run<'_>, id: ThreadId, map: &Map, length: usize) -> Result<usize, Failure> {
    let count = integer(run, id, map.tolerated_failure_count.as_ref(), "ToleratedFailureCount")?;
    let percentage = percentage(run, id, map)?;
    let count =
        match count {
            Some(count) => Some(usize::try_from(count).map_err(|_negative| {
                Failure::runtime("ToleratedFailureCount cannot be negative.")
            })?),
            None => None,
        };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a length"
    )]
    let share = percentage.map(|percent| (length as f64 * percent / 100.0) as usize);
    // Whichever bound is reached first counts.
    Ok(match (count, share) {
        (Some(count), Some(share)) => count.min(share),
        (Some(bound), None) | (None, Some(bound)) => bound,
        (None, None) => 0,
    })
}

pub(super) fn integer(
    run: &mut Run<'_>,
    id: ThreadId,
    scalar: Option<&Scalar<i64>>,
    field: &str,
) -> Result<Option<i64>, Failure> {
    let scope = run.scope(id);
    integer_in(run, &scope, scalar, field)
}

pub(super) fn integer_in(
    run: &mut Run<'_>,
    scope: &Scope,
    scalar: Option<&Scalar<i64>>,
    field: &str,
) -> Result<Option<i64>, Failure> {
    let Some(scalar) = scalar else { return Ok(None) };
    match run.evaluate(scope, |evaluation| scalar.value(evaluation, field))? {
        Computed::Constant(number) => Ok(Some(number)),
        Computed::Value(found) => {
            // Recorded: a path may lead to a number in a string.
            let number = match &found {
                Value::String(text) => text.parse().ok(),
                other => other.as_i64(),
            };
            number.map(Some).ok_or_else(|| not_a(scalar, field, "integer", &found))
        }
    }
}

pub(super) fn percentage(
    run: &mut Run<'_>,
    id: ThreadId,
    map: &Map,
) -> Result<Option<f64>, Failure> {
    let field = "ToleratedFailurePercentage";
    let Some(scalar) = &map.tolerated_failure_percentage else { return Ok(None) };
    let scope = run.scope(id);
    let percent = match run.evaluate(&scope, |evaluation| scalar.value(evaluation, field))? {
        Computed::Constant(percent) => percent,
        Computed::Value(found) => {
            let number = match &found {
                Value::String(text) => text.parse().ok(),
                other => other.as_f64(),
            };
            number.ok_or_else(|| not_a(scalar, field, "float", &found))?
        }
    };
    if (0.0..=100.0).contains(&percent) {
        return Ok(Some(percent));
    }
    Err(Failure::runtime("ToleratedFailurePercentage must be between 0 and 100."))
}

fn not_a<T: Clone>(scalar: &Scalar<T>, field: &str, wanted: &str, found: &Value) -> Failure {
    match scalar {
        Scalar::Path(path) => {
            let shown = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            Failure::runtime(format!(
                "The {field}Path field refers to value \"{shown}\" which is not a valid \
                 {wanted}: {}",
                path.text()
            ))
        }
        Scalar::Constant(_) | Scalar::Jsonata(_) | Scalar::Intrinsic(_) => {
            scalar.wrong_type(Field::Top(field), wanted, found)
        }
    }
}

/// Starts as many iterations as may run, or completes the state when there are no more.
fn go_on(run: &mut Run<'_>, id: ThreadId) {
    loop {
        let Some(visit) = run.visit(id) else { return };
        let Doing::Iterations(iterations) = &visit.doing else { return };
        let running = iterations.children.running.len();
        let length = iterations.children.outputs.len();
        if iterations.next == length && iterations.again.is_empty() {
            if running == 0 {
                complete(run, id);
            }
            return;
        }
        if running >= iterations.concurrency_max {
            return;
        }
        if let Err(failure) = start(run, id) {
            run.evaluation_failed(id, failure);
            return;
        }
    }
}

/// Starts the next iteration.
fn start(run: &mut Run<'_>, id: ThreadId) -> Result<(), Failure> {
    let Some(definition) = run.visited(id) else { return Ok(()) };
    let asl::StateKind::Map(map) = &definition.kind else { return Ok(()) };
    let Some(visit) = run.visit(id) else { return Ok(()) };
    let Doing::Iterations(iterations) = &visit.doing else { return Ok(()) };
    let index = iterations.again.last().copied().unwrap_or(iterations.next);
    let selector_input = iterations.selector_input.clone();
    let item = iterations.items.at(index).cloned().unwrap_or_default();
    let map_item =
        Value::object().with("Index", index).with("Value", item.clone()).with("Source", STATE_DATA);
    let Some(outer) = run.state.threads.get(&id) else { return Ok(()) };
    let (shown, previous_event_id, variables) = if iterations.distributed {
        (Shown::Nowhere, 1, Value::object())
    } else {
        (outer.shown, outer.previous_event_id, outer.variables.clone())
    };
    let input = match &map.item_selector {
        None => item,
        Some(selector) => {
            let mut scope = run.scope(id);
            scope.input = selector_input;
            let item = Value::object().with("Item", map_item.clone());
            scope.context.set("Map", item);
            run.evaluate(&scope, |evaluation| {
                selector.evaluate(evaluation, Field::Top("ItemSelector"))
            })?
        }
    };
    let iteration = Thread {
        parent: Some(Parent { thread: id, index }),
        shown,
        previous_event_id,
        variables,
        map_item: Some(map_item),
        step: Step::Enter { state: map.processor.0, input: input.into() },
    };
    let thread = run.spawn(iteration);
    let name = definition.name.clone();
    if shown == Shown::InHistory {
        run.record(thread, || Details::MapIteration { what: IterationEvent::Started, name, index });
    }
    if let Some(visit) = run.visit_mut(id)
        && let Doing::Iterations(iterations) = &mut visit.doing
    {
        if iterations.again.pop().is_none() {
            iterations.next += 1;
        }
        iterations.children.running.insert(thread);
    }
    Ok(())
}

/// Goes on with a Map: the iterations in `running` are there already, those that have failed before
/// are started once more.
pub(crate) fn redriven(run: &mut Run<'_>, id: ThreadId, running: &BTreeSet<usize>) {
    let Some(visit) = run.visit_mut(id) else { return };
    let Doing::Iterations(iterations) = &mut visit.doing else { return };
    let begun = iterations.children.outputs.iter().enumerate().take(iterations.next);
    let failed = begun.filter(|(index, output)| output.is_none() && !running.contains(index));
    // The last one is started first.
    iterations.again = failed.map(|(index, _)| index).rev().collect();
    iterations.failed = 0;
    go_on(run, id);
}

/// An iteration came to its end.
pub(crate) fn iteration_arrived(
    run: &mut Run<'_>,
    parent: Parent,
    iteration: ThreadId,
    previous: u64,
    mut output: Payload,
) {
    let id = parent.thread;
    output.forget_print();
    let event = ended(run, parent, iteration, previous, IterationEvent::Succeeded);
    if let Some(visit) = run.visit_mut(id)
        && let Doing::Iterations(iterations) = &mut visit.doing
        && let Some(place) = iterations.children.outputs.get_mut(parent.index)
    {
        *place = Some(output);
        iterations.last_event_id = Some(event);
    }
    go_on(run, id);
}

/// An iteration failed; more than are tolerated fail the state.
pub(crate) fn iteration_failed(
    run: &mut Run<'_>,
    parent: Parent,
    iteration: ThreadId,
    previous: u64,
    fault: Fault,
) {
    let id = parent.thread;
    run.state.threads.remove(&iteration);
    ended(run, parent, iteration, previous, IterationEvent::Failed);
    let Some(visit) = run.visit_mut(id) else { return };
    let Doing::Iterations(iterations) = &mut visit.doing else { return };
    iterations.failed += 1;
    if iterations.failed <= iterations.tolerated {
        run.forget_fallen();
        return go_on(run, id);
    }
    let fault = if iterations.tolerated == 0 {
        fault
    } else {
        Fault {
            error: Some(error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD.to_owned()),
            cause: Some("The specified tolerated failure threshold was exceeded".to_owned()),
            kind: fault.kind,
        }
    };
    let distributed = distributed(run, id);
    run.keep_with(id, iteration);
    run.abandon(id);
    if distributed {
        let (error, cause) = (fault.error.clone(), fault.cause.clone());
        run.record(id, || Details::MapRunFailed { error, cause });
    } else {
        run.follow(id, previous);
    }
    run.fail(id, fault);
}

/// Records the end of an iteration. The next iteration follows this one's last event, not its end.
fn ended(
    run: &mut Run<'_>,
    parent: Parent,
    iteration: ThreadId,
    previous: u64,
    what: IterationEvent,
) -> u64 {
    let id = parent.thread;
    let name = run.visited(id).map(|state| state.name.clone()).unwrap_or_default();
    let event = if distributed(run, id) {
        run.previous(id)
    } else {
        let details = || Details::MapIteration { what, name, index: parent.index };
        let event = run.record_aside(id, previous, details);
        run.follow(id, previous);
        event
    };
    if let Some(visit) = run.visit_mut(id)
        && let Doing::Iterations(iterations) = &mut visit.doing
    {
        iterations.children.running.remove(&iteration);
    }
    event
}

/// Returns whether the visited Map is a map run.
fn distributed(run: &Run<'_>, id: ThreadId) -> bool {
    matches!(
        run.visit(id).map(|visit| &visit.doing),
        Some(Doing::Iterations(iterations)) if iterations.distributed
    )
}

/// Every iteration has ended.
fn complete(run: &mut Run<'_>, id: ThreadId) {
    let Some(visit) = run.visit_mut(id) else { return };
    let Doing::Iterations(iterations) = &mut visit.doing else { return };
    let outputs = std::mem::take(&mut iterations.children.outputs);
    let (distributed, last_event_id) = (iterations.distributed, iterations.last_event_id);
    visit.doing = Doing::Beginning;
    let outputs: Vec<Payload> = outputs.into_iter().flatten().collect();
    let previous = if distributed {
        // DIFFERS: recordings since November 2024 let the exit follow MapRunStarted; most, and the
        // older ones, show this.
        run.record(id, || Details::MapRunSucceeded)
    } else {
        last_event_id.unwrap_or_else(|| run.previous(id))
    };
    run.follow(id, previous);
    // Recorded: the exit follows the end of the last iteration, not this event.
    run.record_aside(id, previous, || Details::StateSucceeded { state_type: StateType::Map });
    if let Err(failure) = run.complete(id, Payload::array(&outputs)) {
        run.evaluation_failed(id, failure);
    }
}
