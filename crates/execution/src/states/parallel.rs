//! Parallel: branches side by side. AWS page: "Parallel workflow state".

use std::collections::BTreeSet;

use asl::{Failure, Parallel, State};

use crate::history::{Details, StateType};
use crate::payload::Payload;
use crate::run::{Fault, Run};
use crate::state::{Children, Doing, Parent, Step, Thread, ThreadId};

pub(crate) fn begin(
    run: &mut Run<'_>,
    id: ThreadId,
    definition: &State,
    parallel: &Parallel,
) -> Result<(), Failure> {
    let input = run.effective(id, definition)?;
    run.record(id, || Details::ParallelStateStarted);
    let Some(outer) = run.state.threads.get(&id) else { return Ok(()) };
    let (shown, previous_event_id) = (outer.shown, outer.previous_event_id);
    let (variables, map_item) = (outer.variables.clone(), outer.map_item.clone());
    let mut children =
        Children { running: BTreeSet::new(), outputs: vec![None; parallel.branches.len()] };
    for (index, start) in parallel.branches.iter().enumerate() {
        let step = Step::Enter { state: start.0, input: input.clone() };
        let parent = Some(Parent { thread: id, index });
        let branch = Thread {
            parent,
            shown,
            previous_event_id,
            variables: variables.clone(),
            map_item: map_item.clone(),
            step,
        };
        children.running.insert(run.spawn(branch));
    }
    run.doing(id, Doing::Branches(children));
    Ok(())
}

/// A branch came to its end.
pub(crate) fn branch_arrived(
    run: &mut Run<'_>,
    parent: Parent,
    branch: ThreadId,
    previous: u64,
    mut output: Payload,
) {
    let id = parent.thread;
    output.forget_print();
    run.follow(id, previous);
    let Some(visit) = run.visit_mut(id) else { return };
    let Doing::Branches(children) = &mut visit.doing else { return };
    children.running.remove(&branch);
    if let Some(place) = children.outputs.get_mut(parent.index) {
        *place = Some(output);
    }
    if !children.running.is_empty() {
        return;
    }
    let outputs: Vec<Payload> =
        std::mem::take(&mut children.outputs).into_iter().flatten().collect();
    visit.doing = Doing::Beginning;
    // Recorded: the exit follows the last branch, not this event.
    run.record_aside(id, previous, || Details::StateSucceeded { state_type: StateType::Parallel });
    let outcome = run.complete(id, Payload::array(&outputs));
    if let Err(failure) = outcome {
        run.evaluation_failed(id, failure);
    }
}

/// A branch failed, and the whole state with it.
pub(crate) fn branch_failed(
    run: &mut Run<'_>,
    parent: Parent,
    branch: ThreadId,
    mut previous: u64,
    fault: Fault,
) {
    run.keep(parent.thread);
    // Recorded: a Task that fails its branch is also said to be aborted.
    if matches!(run.visited(branch).map(|state| &state.kind), Some(asl::StateKind::Task(_))) {
        let aborted = || Details::StateAborted { state_type: StateType::Task };
        previous = run.record_aside(branch, previous, aborted);
    }
    run.state.threads.remove(&branch);
    let id = parent.thread;
    if let Some(visit) = run.visit_mut(id)
        && let Doing::Branches(children) = &mut visit.doing
    {
        children.running.remove(&branch);
    }
    run.abandon(id);
    run.follow(id, previous);
    run.fail(id, fault);
}
