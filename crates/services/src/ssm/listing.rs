//! DescribeAutomationExecutions: which executions there are, newest first.
//!
//! AWS Systems Manager API reference, "AutomationExecutionFilter" (read 2026-11): all filters hold,
//! and of each filter one of its values.

use runtime::newest_first;
use store::{Load, Read, Scan, Table};
use value::{Value, value};

use super::automations::{after, check_status, filter_millis, limit, maybe, millis, values};
use super::{error, tags};
use crate::page::marker;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many executions one page looks at; a page may hold fewer than it could, and none.
const LOOKED_AT_MAX: usize = 1_000;
/// How many rows are read at a time.
const ROWS_PER_READ: usize = 100;

/// Members of a record that a list does not show.
const NOT_LISTED: [&str; 6] = [
    "StepExecutions",
    "StepExecutionsTruncated",
    "Parameters",
    "Variables",
    "ProgressCounters",
    "TargetLocations",
];

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "DescribeAutomationExecutions",
    checks: may_describe,
    run: Run::Read(describe),
}];

fn may_describe(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("ssm:DescribeAutomationExecutions")])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let filters = Filters::read(input)?;
    let (behind, limit) = (after(input)?, limit(input));
    let mut rows = Rows::new(on.store, &filters, behind.as_deref())?;
    let mut items = Vec::new();
    let mut looked_at = 0;
    let mut last = None;
    while let Some((key, id)) = rows.next(on.store)? {
        if items.len() == limit || looked_at == LOOKED_AT_MAX {
            return Ok(page(items).with_some("NextToken", last.as_deref().map(marker)));
        }
        looked_at += 1;
        last = Some(key);
        // A record may be removed between its row and itself.
        let Some(record) = maybe(on.store, &id)? else { continue };
        if filters.started_too_early(&record) {
            break;
        }
        if filters.hold(on, &record)? {
            items.push(metadata(record));
        }
    }
    Ok(page(items))
}

fn page(items: Vec<Value>) -> Value {
    value!({ "AutomationExecutionMetadataList": items })
}

/// Returns the part of a record that lists show.
fn metadata(mut record: Value) -> Value {
    record.object_mut().retain(|key, _| !NOT_LISTED.contains(&&**key));
    record.with("AutomationType", "Local").with("LogFile", "")
}

/// The filters of a request: what they say, and what of it narrows down where to look.
struct Filters<'a> {
    all: &'a [Value],
    ids: Option<Vec<&'a str>>,
    parents: Option<Vec<&'a str>>,
    before_millis: Option<i64>,
    after_millis: Option<i64>,
}

impl<'a> Filters<'a> {
    fn read(input: &'a Value) -> Result<Filters<'a>, Error> {
        let all = input.list("Filters");
        let mut filters =
            Filters { all, ids: None, parents: None, before_millis: None, after_millis: None };
        for filter in all {
            let list: Vec<&str> = values(filter).collect();
            match filter.maybe_text("Key").unwrap_or_default() {
                "ExecutionId" => filters.ids = Some(list),
                "ParentExecutionId" => filters.parents = Some(list),
                "StartTimeBefore" => filters.before_millis = Some(bound(&list, i64::max)?),
                "StartTimeAfter" => filters.after_millis = Some(bound(&list, i64::min)?),
                "ExecutionStatus" => list.into_iter().try_for_each(check_status)?,
                "AutomationType" => list.into_iter().try_for_each(check_type)?,
                "DocumentNamePrefix"
                | "CurrentAction"
                | "TagKey"
                | "TargetResourceGroup"
                | "AutomationSubtype"
                | "OpsItemId" => {}
                other => return Err(error::invalid_filter_key(other)),
            }
        }
        Ok(filters)
    }

    /// Whether this and everything behind it started before what is looked for.
    fn started_too_early(&self, record: &Value) -> bool {
        let started = millis(record, "ExecutionStartTime");
        matches!((started, self.after_millis), (Some(started), Some(after)) if started < after)
    }

    fn hold(&self, on: &Reading<'_>, record: &Value) -> Result<bool, Error> {
        for filter in self.all {
            if !holds(on, record, filter)? {
                return Ok(false);
            }
        }
        let started = millis(record, "ExecutionStartTime").unwrap_or_default();
        Ok(self.before_millis.is_none_or(|before| started <= before))
    }
}

/// Returns the widest bound that times give.
fn bound(times: &[&str], wider: fn(i64, i64) -> i64) -> Result<i64, Error> {
    let mut found = None;
    for time in times {
        let millis = filter_millis(time)?;
        found = Some(found.map_or(millis, |known| wider(known, millis)));
    }
    found.ok_or_else(|| error::invalid_filter_value(""))
}

fn check_type(kind: &str) -> Result<(), Error> {
    let known = ["CrossAccount", "Local"].contains(&kind);
    if known { Ok(()) } else { Err(error::invalid_filter_value(kind)) }
}

/// Whether a record passes one filter; times are looked at elsewhere.
fn holds(on: &Reading<'_>, record: &Value, filter: &Value) -> Result<bool, Error> {
    let text = |member: &str| record.maybe_text(member).unwrap_or_default();
    let mut values = values(filter);
    Ok(match filter.maybe_text("Key").unwrap_or_default() {
        "DocumentNamePrefix" => values.any(|value| text("DocumentName").starts_with(value)),
        "ExecutionStatus" => values.any(|value| text("AutomationExecutionStatus") == value),
        "ExecutionId" => values.any(|value| text("AutomationExecutionId") == value),
        "ParentExecutionId" => values.any(|value| text("ParentAutomationExecutionId") == value),
        "CurrentAction" => values.any(|value| text("CurrentAction") == value),
        "AutomationType" => values.any(|value| value == "Local"),
        "TargetResourceGroup" => values.any(|value| names_group(record, value)),
        "TagKey" => {
            let tags = tags::of_execution(on.store, text("AutomationExecutionId"))?;
            values.any(|key| tags.contains_key(key))
        }
        // Only change requests have these, and there are none here.
        "AutomationSubtype" | "OpsItemId" => false,
        _times => true,
    })
}

fn names_group(record: &Value, group: &str) -> bool {
    record.list("Targets").iter().any(|target| {
        target.maybe_text("Key") == Some("ResourceGroup")
            && values(target).any(|value| value == group)
    })
}

/// Where executions are looked for, newest first: by key and id.
enum Rows {
    /// These, known beforehand, in reverse.
    Known(Vec<(String, String)>),
    /// All of the index, page by page.
    Index { read: Vec<(String, String)>, behind: String, exhausted: bool },
}

impl Rows {
    fn new(store: &dyn Read, filters: &Filters<'_>, behind: Option<&str>) -> Result<Rows, Error> {
        let mut known = match (&filters.ids, &filters.parents) {
            (Some(ids), _) => by_id(store, ids)?,
            (None, Some(parents)) => by_parent(store, parents)?,
            (None, None) => {
                let newest = filters.before_millis.map(newest_first).unwrap_or_default();
                let behind = behind.unwrap_or_default().max(&newest).to_owned();
                return Ok(Rows::Index { read: Vec::new(), behind, exhausted: false });
            }
        };
        known.retain(|(key, _)| behind.is_none_or(|behind| behind < &**key));
        known.sort_by(|one, other| other.cmp(one));
        known.dedup();
        Ok(Rows::Known(known))
    }

    fn next(&mut self, store: &dyn Read) -> Result<Option<(String, String)>, Error> {
        match self {
            Rows::Known(known) => Ok(known.pop()),
            Rows::Index { read, behind, exhausted } => {
                if read.is_empty() && !*exhausted {
                    let scan = Scan::prefix("").after(Some(behind)).limit(ROWS_PER_READ);
                    *read = store.load_all(Table::AutomationsByStart, scan)?;
                    *exhausted = read.len() < ROWS_PER_READ;
                    if let Some((last, _)) = read.last() {
                        behind.clone_from(last);
                    }
                    read.reverse();
                }
                Ok(read.pop())
            }
        }
    }
}

/// Returns the rows of executions that are named.
fn by_id(store: &dyn Read, ids: &[&str]) -> Result<Vec<(String, String)>, Error> {
    let mut rows = Vec::new();
    for id in ids {
        let record = maybe(store, id)?;
        if let Some(started) = record.and_then(|record| millis(&record, "ExecutionStartTime")) {
            rows.push((format!("{}/{id}", newest_first(started)), (*id).to_owned()));
        }
    }
    Ok(rows)
}

/// Returns the rows of all children; a parent has few, for its targets and its steps are limited.
fn by_parent(store: &dyn Read, parents: &[&str]) -> Result<Vec<(String, String)>, Error> {
    let mut rows = Vec::new();
    for parent in parents {
        let prefix = format!("{parent}/");
        let children: Vec<(String, String)> =
            store.load_all(Table::AutomationsByParent, Scan::prefix(&prefix))?;
        rows.extend(children.into_iter().map(|(key, id)| {
            let row = key.strip_prefix(&*prefix).unwrap_or(&key).to_owned();
            (row, id)
        }));
    }
    Ok(rows)
}
