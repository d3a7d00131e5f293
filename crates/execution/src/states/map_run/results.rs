//! ResultWriter: what children have handed on, as the state's output or in objects of S3.

use asl::{Failure, Field, ResultWriter, Transformation, error_name};
use value::Value;

use super::{close, complete_with, definition, fail};
use crate::effect::Effect;
use crate::map_run::WriteResults;
use crate::payload::Payload;
use crate::run::Run;
use crate::state::{TaskId, ThreadId};

/// Returns the ResultWriter of the visited Map.
pub(super) fn writer<'d>(run: &Run<'d>, id: ThreadId) -> Option<&'d ResultWriter> {
    run.visited(id).and_then(definition)?.1.result_writer.as_ref()
}

/// Returns whether the results are written elsewhere.
pub(super) fn are_exported(run: &Run<'_>, id: ThreadId) -> bool {
    writer(run, id).is_some_and(|writer| writer.arguments.is_some())
}

/// Asks for the results to be written; nothing when that is asked for.
pub(super) fn write(run: &mut Run<'_>, id: ThreadId) -> Result<(), Failure> {
    let Some(template) = writer(run, id).and_then(|writer| writer.arguments.as_ref()) else {
        return Ok(());
    };
    let Some(map_run) = run.map_run(id).filter(|map_run| map_run.writing.is_none()) else {
        return Ok(());
    };
    let mut scope = run.scope(id);
    scope.input = map_run.selector_input.clone();
    let field = Field::Top("ResultWriter/Arguments");
    let arguments = run.evaluate(&scope, |evaluation| template.evaluate(evaluation, field))?;
    let state = run.visit(id).map(|visit| visit.state).unwrap_or_default();
    let task = TaskId(run.number());
    let Some(map_run) = run.map_run_mut(id) else { return Ok(()) };
    map_run.writing = Some((task, WriteResults { state, arguments }));
    let effect = outstanding(&map_run.arn, map_run.writing.as_ref());
    run.state.children.insert(task, id);
    if let Some(effect) = effect {
        run.effect(effect);
    }
    Ok(())
}

pub(super) fn outstanding(
    map_run_arn: &str,
    writing: Option<&(TaskId, WriteResults)>,
) -> Option<Effect> {
    let (task, wanted) = writing?.clone();
    Some(Effect::Results { task, map_run_arn: map_run_arn.to_owned(), wanted })
}

/// Takes note that the results were written, or cannot be; false when that is not waited for.
pub(super) fn came(run: &mut Run<'_>, id: ThreadId, task: TaskId) -> bool {
    let Some(map_run) = run.map_run_mut(id) else { return false };
    if map_run.writing.as_ref().is_none_or(|(open, _)| *open != task) {
        return false;
    }
    map_run.writing = None;
    run.state.children.remove(&task);
    true
}

/// The results lie where the writer was told.
pub(super) fn written(run: &mut Run<'_>, id: ThreadId, bucket: &str, key: &str) {
    let Some(map_run) = run.map_run_mut(id) else { return };
    map_run.item_counts.results_written = map_run.item_counts.ended();
    map_run.execution_counts.results_written = map_run.execution_counts.ended();
    if map_run.closing.is_some() {
        return close::done(run, id, None);
    }
    let output = Value::object()
        .with("MapRunArn", map_run.arn.as_str())
        .with("ResultWriterDetails", Value::object().with("Bucket", bucket).with("Key", key));
    complete_with(run, id, output.into());
}

/// The results cannot be written.
pub(super) fn not_written(run: &mut Run<'_>, id: ThreadId, cause: String) {
    if run.map_run(id).is_some_and(|map_run| map_run.closing.is_some()) {
        return close::done(run, id, Some(cause));
    }
    fail(run, id, error_name::RESULT_WRITER_FAILED.to_owned(), cause);
}

/// Returns the output of a state whose results are not written elsewhere.
pub(super) fn transformed(run: &Run<'_>, id: ThreadId, outputs: &[Payload]) -> Payload {
    match writer(run, id).and_then(|writer| writer.transformation) {
        Some(Transformation::Flatten) => {
            let flat = outputs.iter().flat_map(|output| match output.value() {
                Value::Array(items) => items.iter().cloned().map(Payload::from).collect(),
                _ => vec![output.clone()],
            });
            Payload::array(&flat.collect::<Vec<_>>())
        }
        // The definition's check refuses `None` here.
        Some(Transformation::Compact | Transformation::None) | None => Payload::array(outputs),
    }
}
