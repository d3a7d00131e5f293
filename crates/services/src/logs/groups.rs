//! Log groups: CreateLogGroup and its kin.
//!
//! Amazon CloudWatch Logs API reference, "CreateLogGroup" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::{check, error, group_arn, page_of};
use crate::page::cut;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many groups a page has at most (API reference, "DescribeLogGroups").
const PAGE_GROUPS_MAX: usize = 50;
/// For how many days events may be kept (API reference, "PutRetentionPolicy").
const RETENTION_DAYS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateLogGroup", checks: may_create, run: Run::Write(create) },
    Operation { name: "DeleteLogGroup", checks: may_delete, run: Run::Write(delete) },
    Operation { name: "DescribeLogGroups", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "PutRetentionPolicy", checks: may_put, run: Run::Write(put_retention) },
    Operation {
        name: "DeleteRetentionPolicy",
        checks: may_delete_policy,
        run: Run::Write(delete_retention),
    },
];

/// A log group as it is stored, by ARN. One that was deleted stays until its events are gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) arn: String,
    pub(super) name: String,
    class: String,
    pub(super) creation_millis: i64,
    retention_days: Option<i64>,
    pub(super) is_deleted: bool,
}

impl Group {
    pub(super) fn new(arn: &str, name: &str, creation_millis: i64) -> Group {
        Group {
            arn: arn.to_owned(),
            name: name.to_owned(),
            class: "STANDARD".to_owned(),
            creation_millis,
            retention_days: None,
            is_deleted: false,
        }
    }

    /// Returns from when on events are kept: since it was created, and for as long as its policy
    /// says.
    pub(super) fn since_millis(&self, now_millis: i64) -> i64 {
        let days = self.retention_days;
        let kept = days.map_or(i64::MIN, |days| now_millis.saturating_sub(days * DAY_MILLIS));
        kept.max(self.creation_millis)
    }
}

/// Returns a log group that was not deleted.
pub(super) fn find(store: &dyn Read, arn: &str) -> Result<Group, Error> {
    let found: Option<Group> = store.load(Table::LogGroups, arn)?;
    found.filter(|group| !group.is_deleted).ok_or_else(error::no_group)
}

/// Returns whether there is a log group of this ARN, which may end in `:*`.
pub(crate) fn exists(store: &dyn Read, arn: &str) -> Result<bool, Error> {
    let found: Option<Group> =
        store.load(Table::LogGroups, arn.strip_suffix(":*").unwrap_or(arn))?;
    Ok(found.is_some_and(|group| !group.is_deleted))
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "CreateLogGroup", input)
}

fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("logGroupName")?;
    let arn = group_arn(&on.reading(), name);
    let known: Option<Group> = on.store.load(Table::LogGroups, &arn)?;
    if known.is_some_and(|known| !known.is_deleted) {
        return Err(error::group_exists());
    }
    let mut group = Group::new(&arn, name, on.call.now_millis);
    if let Some(class) = input.maybe_text("logGroupClass") {
        class.clone_into(&mut group.class);
    }
    on.store.save(Table::LogGroups, &arn, &group)?;
    Ok(Value::object())
}

fn may_delete(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "DeleteLogGroup", input)
}

/// Hides a group at once; its events go in the background.
fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    change(on, input, |group| group.is_deleted = true)
}

fn change(on: &mut Writing<'_>, input: &Value, change: impl FnOnce(&mut Group)) -> Answer {
    let arn = group_arn(&on.reading(), input.text("logGroupName")?);
    let mut group = find(on.store.as_read(), &arn)?;
    change(&mut group);
    on.store.save(Table::LogGroups, &arn, &group)?;
    Ok(Value::object())
}

fn may_describe(on: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    let arn = on.call.regional_arn("logs", "log-group::log-stream:");
    Ok(vec![Check::new("logs:DescribeLogGroups", arn)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let prefix = group_arn(on, input.maybe_text("logGroupNamePrefix").unwrap_or_default());
    let pattern = input.maybe_text("logGroupNamePattern");
    let (after, limit) = page_of(input, PAGE_GROUPS_MAX)?;
    let (mut found, mut behind) = (Vec::new(), after.clone());
    while found.len() <= limit {
        let scan = Scan::prefix(&prefix).after(behind.as_deref()).limit(limit + 1);
        let rows: Vec<(String, Group)> = on.store.load_all(Table::LogGroups, scan)?;
        let Some((last, _)) = rows.last() else { break };
        behind = Some(last.clone());
        found.extend(rows.into_iter().filter(|(_, group)| {
            !group.is_deleted && pattern.is_none_or(|part| group.name.contains(part))
        }));
    }
    let page = cut(found, after.as_deref(), limit);
    let groups: Value = page.items.iter().map(described).collect();
    Ok(value!({ "logGroups": groups }).with_some("nextToken", page.next))
}

// DIFFERS: nobody counts the bytes of a group.
fn described(group: &Group) -> Value {
    value!({
        "logGroupName": &group.name,
        "creationTime": group.creation_millis,
        "metricFilterCount": 0,
        "arn": format!("{}:*", group.arn),
        "storedBytes": 0,
        "logGroupClass": &group.class,
        "logGroupArn": &group.arn,
    })
    .with_some("retentionInDays", group.retention_days)
}

fn may_put(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "PutRetentionPolicy", input)
}

fn put_retention(on: &mut Writing<'_>, input: &Value) -> Answer {
    let days = input.integer("retentionInDays").filter(|days| RETENTION_DAYS.contains(days));
    let Some(days) = days else {
        let known: Vec<String> = RETENTION_DAYS.iter().map(i64::to_string).collect();
        return Err(error::invalid_parameter(format!(
            "Invalid value for retentionInDays: it must be one of [{}]",
            known.join(", ")
        )));
    };
    change(on, input, |group| group.retention_days = Some(days))
}

fn may_delete_policy(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "DeleteRetentionPolicy", input)
}

fn delete_retention(on: &mut Writing<'_>, input: &Value) -> Answer {
    change(on, input, |group| group.retention_days = None)
}
