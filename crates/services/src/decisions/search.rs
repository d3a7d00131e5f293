//! Finding calls: in memory, and on the pages of the store.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use policy::Outcome;
use store::{Load, Read, Scan, Table};
use value::Value;

use super::Record;
use super::keep::PAGES;
use crate::{Error, Input, Services};

/// How many pages are read at a time.
const PAGES_PER_READ: usize = 8;
/// With how many calls an answer is long enough; those of its last page come on top.
pub(super) const CALLS_ANSWERED_MIN: usize = 1_000;
/// How many processes are followed from one that was asked for.
pub(super) const PROCESSES_MAX: usize = 10_000;
/// How often the pages are gone through for processes that others began: once, and again as long as
/// a call stands before the one that began its process.
const PASSES_MAX: usize = 8;
/// How many rows of children are read at a time.
const CHILDREN_PER_READ: usize = 1_000;
/// Before the name of a call's process on a page. Names have nothing that JSON escapes.
const PROCESS: &str = "\"process\":\"";

/// Which calls are asked for.
pub(super) enum Wanted {
    /// The one with this id.
    Request(String),
    /// The last one.
    Last,
    /// The last one that was refused.
    LastRefused,
}

impl Wanted {
    fn is_met_by(&self, record: &Record) -> bool {
        match self {
            Wanted::Request(id) => record.request_id == *id,
            Wanted::Last => true,
            Wanted::LastRefused => record.outcome() != Outcome::Allowed,
        }
    }

    fn is_met_by_stored(&self, call: &Value) -> bool {
        match self {
            Wanted::Request(id) => call.maybe_text("requestId") == Some(id),
            Wanted::Last => true,
            Wanted::LastRefused => call.maybe_text("outcome") != Some(Outcome::Allowed.as_str()),
        }
    }

    /// Says whether it is worth reading a page.
    fn may_be_on(&self, page: &str) -> bool {
        match self {
            Wanted::Request(id) => page.contains(id),
            Wanted::Last | Wanted::LastRefused => true,
        }
    }
}

/// A process and all that it began.
pub(super) struct Processes {
    pub(super) all: BTreeSet<String>,
    /// Whether these are all; else there were too many.
    pub(super) is_whole: bool,
}

impl Processes {
    fn has(&self, process: Option<&str>) -> bool {
        process.is_some_and(|process| self.all.contains(process))
    }

    /// Says whether calls of these are on a page.
    fn may_be_on(&self, page: &str) -> bool {
        let mut named = page.split(PROCESS).skip(1).map(|rest| rest.split('"').next());
        named.any(|process| self.has(process))
    }

    /// Adds a process, with the children of its map runs and theirs.
    fn add(&mut self, store: &dyn Read, process: &str) -> Result<(), Error> {
        let mut pending = vec![process.to_owned()];
        while let Some(process) = pending.pop() {
            if self.all.contains(&process) {
                continue;
            }
            if PROCESSES_MAX <= self.all.len() {
                self.is_whole = false;
                return Ok(());
            }
            let execution = process.strip_prefix("execution/").map(str::to_owned);
            self.all.insert(process);
            let Some(execution) = execution else { continue };
            each_text(store, Table::MapRunsByExecution, &format!("{execution}/"), |map_run| {
                each_text(store, Table::ExecutionsByStart, &format!("{map_run}/"), |child| {
                    pending.push(format!("execution/{child}"));
                    Ok(pending.len() <= PROCESSES_MAX)
                })?;
                Ok(pending.len() <= PROCESSES_MAX)
            })?;
        }
        Ok(())
    }
}

/// Some of the calls of processes.
pub(super) struct Answered {
    /// In the order in which they were made.
    pub(super) calls: Vec<Value>,
    /// Behind what others are; none when there are no others.
    pub(super) next: Option<String>,
}

impl Services {
    /// Returns one call, or none. Blocks for as long as reading the pages takes.
    pub(super) fn find_call(&self, wanted: &Wanted) -> Result<Option<Value>, Error> {
        let in_memory = self.decisions.latest();
        if let Some(last) = in_memory.iter().rfind(|record| wanted.is_met_by(record)) {
            return Ok(Some(last.shown()));
        }
        let mut found = None;
        self.each_page(None, |_, page| {
            if wanted.may_be_on(page) {
                let mut calls = stored_calls(page).into_iter();
                found = calls.rfind(|call| wanted.is_met_by_stored(call)).or(found.take());
            }
            let is_enough = found.is_some() && matches!(wanted, Wanted::Request(_));
            Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(found)
    }

    /// Returns a process and all that it began. Blocks for as long as reading the pages takes.
    pub(super) fn processes_of(&self, process: &str) -> Result<Processes, Error> {
        let mut processes = Processes { all: BTreeSet::new(), is_whole: true };
        self.store().read(|store| processes.add(store, process))?;
        for _ in 0..PASSES_MAX {
            let known = processes.all.len();
            let mut began = Vec::new();
            self.each_page(None, |_, page| {
                if processes.may_be_on(page) {
                    began.extend(stored_calls(page).iter().filter_map(|call| {
                        let is_of = processes.has(call.maybe_text("process"));
                        call.maybe_text("began").filter(|_| is_of).map(str::to_owned)
                    }));
                }
                self.store().read(|store| {
                    began.drain(..).try_for_each(|began| processes.add(store, &began))
                })?;
                Ok(ControlFlow::Continue(()))
            })?;
            for record in self.decisions.unwritten_calls() {
                if let Some(began) = &record.began
                    && processes.has(record.process.as_deref())
                {
                    self.store().read(|store| processes.add(store, began))?;
                }
            }
            if processes.all.len() == known || !processes.is_whole {
                break;
            }
        }
        Ok(processes)
    }

    /// Returns calls of processes, those behind `after`: as many as an answer has, or all that are
    /// left. Blocks for as long as reading the pages takes.
    pub(super) fn calls_of(
        &self,
        processes: &Processes,
        after: Option<&str>,
    ) -> Result<Answered, Error> {
        let (mut calls, mut next) = (Vec::new(), None);
        self.each_page(after, |key, page| {
            calls.extend(calls_on(page, processes));
            if calls.len() < CALLS_ANSWERED_MIN {
                return Ok(ControlFlow::Continue(()));
            }
            next = Some(key.to_owned());
            Ok(ControlFlow::Break(()))
        })?;
        if next.is_none() {
            calls.extend(self.unwritten_of(processes));
        }
        let millis = |call: &Value| {
            let seconds = call.get("time").and_then(Value::as_f64).unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
            let millis = (seconds * 1000.0).round() as i64;
            millis
        };
        calls.sort_by_key(millis);
        Ok(Answered { calls, next })
    }

    /// Visits every call of processes. Blocks for as long as reading the pages takes.
    pub(super) fn each_call_of(
        &self,
        processes: &Processes,
        mut visit: impl FnMut(&Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.each_page(None, |_, page| {
            calls_on(page, processes).iter().try_for_each(&mut visit)?;
            Ok(ControlFlow::Continue(()))
        })?;
        self.unwritten_of(processes).iter().try_for_each(visit)
    }

    /// Visits the pages behind one, oldest first, until somebody has seen enough.
    fn each_page(
        &self,
        after: Option<&str>,
        mut visit: impl FnMut(&str, &str) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let mut behind = after.map(str::to_owned);
        loop {
            let scan = Scan::prefix(PAGES).after(behind.as_deref()).limit(PAGES_PER_READ);
            let pages = self.store().read(|store| store.scan(Table::Decisions, scan))?;
            for (key, page) in &pages {
                if visit(key, std::str::from_utf8(page).unwrap_or_default())?.is_break() {
                    return Ok(());
                }
            }
            match pages.into_iter().next_back() {
                Some((last, _)) => behind = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// Returns the calls of processes that are in memory only.
    fn unwritten_of(&self, processes: &Processes) -> Vec<Value> {
        let unwritten = self.decisions.unwritten_calls().into_iter();
        let of = unwritten.filter(|record| processes.has(record.process.as_deref()));
        of.map(|record| record.shown()).collect()
    }
}

fn calls_on(page: &str, processes: &Processes) -> Vec<Value> {
    if !processes.may_be_on(page) {
        return Vec::new();
    }
    let mut calls = stored_calls(page);
    calls.retain(|call| processes.has(call.maybe_text("process")));
    calls
}

fn stored_calls(page: &str) -> Vec<Value> {
    let page = value::parse(page).unwrap_or_default();
    page.list("calls").to_vec()
}

/// Visits the texts of a table's rows until one says that it is enough.
fn each_text(
    store: &dyn Read,
    table: Table,
    prefix: &str,
    mut visit: impl FnMut(String) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut behind = None::<String>;
    loop {
        let scan = Scan::prefix(prefix).after(behind.as_deref()).limit(CHILDREN_PER_READ);
        let rows: Vec<(String, String)> = store.load_all(table, scan)?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        behind = Some(last.clone());
        for (_, text) in rows {
            if !visit(text)? {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
