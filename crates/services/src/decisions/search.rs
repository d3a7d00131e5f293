//! Finding calls: in memory, and on the pages of the store.

use std::collections::{BTreeMap, BTreeSet};

use policy::Outcome;
use store::{Read, Scan, Table};
use value::Value;

use super::Record;
use super::keep::PAGES;
use crate::{Error, Input, Services};

/// How many pages are read at a time.
const PAGES_PER_READ: usize = 16;
/// How many processes are followed from one that was asked for.
const PROCESSES_MAX: usize = 10_000;
/// How many rows of children are read at a time.
const CHILDREN_PER_READ: usize = 1_000;

/// Which calls are asked for.
pub(super) enum Wanted {
    /// The one with this id.
    Request(String),
    /// Those made for one of these processes.
    Processes(BTreeSet<String>),
    /// The last one.
    Last,
    /// The last one that was refused.
    LastRefused,
}

impl Wanted {
    fn is_met_by(&self, record: &Record) -> bool {
        match self {
            Wanted::Request(id) => record.request_id == *id,
            Wanted::Processes(some) => {
                record.process.as_ref().is_some_and(|process| some.contains(&**process))
            }
            Wanted::Last => true,
            Wanted::LastRefused => record.outcome() != Outcome::Allowed,
        }
    }

    fn is_met_by_stored(&self, call: &Value) -> bool {
        match self {
            Wanted::Request(id) => call.maybe_text("requestId") == Some(id),
            Wanted::Processes(some) => {
                call.maybe_text("process").is_some_and(|process| some.contains(process))
            }
            Wanted::Last => true,
            Wanted::LastRefused => call.maybe_text("outcome") != Some(Outcome::Allowed.as_str()),
        }
    }

    /// Says whether it is worth reading a page.
    fn may_be_on(&self, page: &[u8]) -> bool {
        let Ok(page) = std::str::from_utf8(page) else { return false };
        match self {
            Wanted::Request(id) => page.contains(id),
            Wanted::Processes(some) => some.iter().any(|process| page.contains(process)),
            Wanted::Last | Wanted::LastRefused => true,
        }
    }
}

impl Services {
    /// Returns calls, oldest first. Blocks for as long as reading the pages takes.
    pub(super) fn find_calls(&self, wanted: &Wanted) -> Result<Vec<Value>, Error> {
        let in_memory = self.decisions.latest();
        let met = in_memory.iter().filter(|record| wanted.is_met_by(record));
        let is_last = matches!(wanted, Wanted::Last | Wanted::LastRefused);
        if is_last && let Some(last) = met.clone().next_back() {
            return Ok(vec![last.shown()]);
        }
        // One that is in memory may be in the store too.
        let mut found: BTreeMap<(i64, String), Value> = BTreeMap::new();
        let mut add = |call: Value| {
            let id = call.maybe_text("requestId").unwrap_or_default().to_owned();
            let seconds = call.get("time").and_then(Value::as_f64).unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
            found.insert(((seconds * 1000.0).round() as i64, id), call);
        };
        met.for_each(|record| add(record.shown()));
        let mut behind: Option<String> = None;
        loop {
            let scan = Scan::prefix(PAGES).after(behind.as_deref()).limit(PAGES_PER_READ);
            let pages = self.store().read(|store| store.scan(Table::Decisions, scan))?;
            for (_, page) in &pages {
                if wanted.may_be_on(page) {
                    stored_calls(page)
                        .into_iter()
                        .filter(|call| wanted.is_met_by_stored(call))
                        .for_each(&mut add);
                }
            }
            match pages.into_iter().next_back() {
                Some((last, _)) => behind = Some(last),
                None => break,
            }
        }
        let mut found: Vec<Value> = found.into_values().collect();
        if is_last && 1 < found.len() {
            found.drain(..found.len() - 1);
        }
        Ok(found)
    }

    /// Returns the calls of a process and of all that it began, oldest first, and those processes.
    pub(super) fn calls_of(
        &self,
        process: String,
    ) -> Result<(Vec<Value>, BTreeSet<String>), Error> {
        let mut processes = BTreeSet::from([process]);
        loop {
            let known = processes.len();
            for process in processes.clone() {
                self.store().read(|store| children_of(store, &process, &mut processes))?;
            }
            let wanted = Wanted::Processes(processes.clone());
            let calls = self.find_calls(&wanted)?;
            processes.extend(
                calls.iter().filter_map(|call| call.maybe_text("began").map(str::to_owned)),
            );
            if processes.len() == known || PROCESSES_MAX <= processes.len() {
                return Ok((calls, processes));
            }
        }
    }
}

fn stored_calls(page: &[u8]) -> Vec<Value> {
    let page = value::parse_bytes(page).unwrap_or_default();
    page.list("calls").to_vec()
}

/// Adds the children that the map runs of an execution have begun.
fn children_of(
    store: &dyn Read,
    process: &str,
    processes: &mut BTreeSet<String>,
) -> Result<(), Error> {
    let Some(execution) = process.strip_prefix("execution/") else { return Ok(()) };
    for (_, map_run) in texts(store, Table::MapRunsByExecution, &format!("{execution}/"), None)? {
        let (prefix, mut behind) = (format!("{map_run}/"), None::<String>);
        loop {
            let rows = texts(store, Table::ExecutionsByStart, &prefix, behind.as_deref())?;
            let Some((last, _)) = rows.last().filter(|_| processes.len() < PROCESSES_MAX) else {
                break;
            };
            behind = Some(last.clone());
            processes.extend(rows.iter().map(|(_, child)| format!("execution/{child}")));
        }
    }
    Ok(())
}

fn texts(
    store: &dyn Read,
    table: Table,
    prefix: &str,
    behind: Option<&str>,
) -> Result<Vec<(String, String)>, Error> {
    use store::Load;
    let scan = Scan::prefix(prefix).after(behind).limit(CHILDREN_PER_READ);
    Ok(store.load_all(table, scan)?)
}
