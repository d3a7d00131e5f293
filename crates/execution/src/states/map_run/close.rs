//! A map run that fails or is given up and writes its results all the same: once its children have
//! stopped it lists those that never began, and has everything written. AWS page: "ResultWriter
//! (Map)" (read 2026-11).
//!
//! One that fails has its state wait for that, so that whoever catches the failure finds the files.
//! One that is given up with its execution, or with what is around it, does it behind their back.

use asl::error_name;
use serde::{Deserialize, Serialize};

use super::supply::Supply;
use super::{MapRun, batch, children, fail, redrive, results, supply};
use crate::effect::Effect;
use crate::run::Run;
use crate::state::{Thread, ThreadId};

/// What is left to do of a map run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Closing {
    /// The error and the cause that the state then fails with; none if that has happened.
    fault: Option<(String, String)>,
    /// Where a redrive goes on: what never began is listed now, and started then.
    supply: Supply,
    partial: Option<batch::Batch>,
    /// How many rows of those are kept.
    rows: u32,
}

impl MapRun {
    /// Leaves a map run as it was before it listed what never began; returns what it fails with,
    /// and how many rows it has kept.
    pub(super) fn forget_closing(&mut self) -> Option<(Option<(String, String)>, u32)> {
        let Closing { fault, supply, partial, rows } = *self.closing.take()?;
        (self.supply, self.partial) = (supply, partial);
        Some((fault, rows))
    }
}

/// Lets a map run stop its children, write its results and then fail.
pub(super) fn begin(run: &mut Run<'_>, id: ThreadId, fault: Option<(String, String)>) {
    children::stop_open(run, id);
    run.reports.insert(id);
    let Some(map_run) = run.map_run_mut(id) else { return };
    let (supply, partial) = (map_run.supply.clone(), map_run.partial.clone());
    map_run.closing = Some(Box::new(Closing { fault, supply, partial, rows: 0 }));
    go_on(run, id);
}

/// Lets a map run that was given up write its results, whatever becomes of its state.
pub(super) fn behind(run: &mut Run<'_>, id: ThreadId) {
    let Some(thread) = run.state.threads.get(&id) else { return };
    let thread = Thread { parent: None, ..thread.clone() };
    let behind = ThreadId(run.number());
    run.state.closing.insert(behind, thread);
    if let Some(map_run) = run.map_run_mut(behind) {
        map_run.forget_closing();
    }
    begin(run, behind, None);
}

/// Returns whether an attempt of the same map run before this one still writes its results.
pub(super) fn is_behind(run: &Run<'_>, id: ThreadId) -> bool {
    let Some(map_run) = run.map_run(id) else { return false };
    let mut others = run.state.closing.keys().filter_map(|other| run.map_run(*other));
    others.any(|other| other.arn == map_run.arn && other.redrives < map_run.redrives)
}

/// Does what comes next, unless something is waited for.
pub(super) fn go_on(run: &mut Run<'_>, id: ThreadId) {
    if redrive::are_stopping(run, id) || is_behind(run, id) || !list(run, id) {
        return;
    }
    if let Err(failure) = results::write(run, id) {
        done(run, id, Some(failure.cause));
    }
}

/// Lists the children that never began; false while there are more to come.
fn list(run: &mut Run<'_>, id: ThreadId) -> bool {
    let mut inputs = Vec::new();
    let is_all = loop {
        let Some(map_run) = run.map_run(id) else { break false };
        if map_run.supply.next().is_none() {
            if map_run.supply.has_more() {
                supply::want_more(run, id);
                break false;
            }
            if map_run.partial.is_none() {
                break true;
            }
        }
        match children::next_input(run, id) {
            Ok(input) => inputs.extend(input.map(|(_, input, _)| input.text())),
            // Of what cannot be filled in there is nothing to tell.
            Err(_) => children::advance(run, id),
        }
    };
    if inputs.is_empty() {
        return is_all;
    }
    if let Some(map_run) = run.map_run_mut(id)
        && let Some(closing) = &mut map_run.closing
    {
        let (map_run_arn, row) = (map_run.arn.clone(), closing.rows);
        closing.rows += 1;
        run.effect(Effect::Pending { map_run_arn, row, inputs: Some(inputs) });
    }
    is_all
}

/// The results were written, or cannot be.
pub(super) fn done(run: &mut Run<'_>, id: ThreadId, unwritten: Option<String>) {
    let Some(map_run) = run.map_run_mut(id) else { return };
    let (arn, redrives) = (map_run.arn.clone(), map_run.redrives);
    let Some((fault, rows)) = map_run.forget_closing() else { return };
    for row in 0..rows {
        let map_run_arn = arn.clone();
        run.effect(Effect::Pending { map_run_arn, row, inputs: None });
    }
    match (fault, unwritten) {
        // UNVERIFIED: which of the two failures is told.
        (Some(_), Some(cause)) => fail(run, id, error_name::RESULT_WRITER_FAILED.into(), cause),
        (Some((error, cause)), None) => fail(run, id, error, cause),
        (None, _) => {
            // Once it is redriven, that attempt tells where it stands.
            if !redrive::has_later(run, &arn, redrives) {
                run.report(id);
            }
            run.state.closing.remove(&id);
            redrive::resume(run, &arn);
        }
    }
}
