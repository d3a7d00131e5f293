//! Rules that run on a schedule.

use events::{Event, ScheduleExpression};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table, Transaction};
use value::Value;

use super::rules::{self, Rule};
use super::{DEFAULT_BUS, pump};
use crate::{Call, Error, ids};

/// How many occurrences of one schedule one round makes up for, when time has jumped.
const OCCURRENCES_PER_ROUND_MAX: usize = 100;

/// When a schedule runs next, by rule key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Next {
    at_millis: i64,
}

/// Plans the next occurrence of a rule that was put, enabled or disabled.
pub(super) fn plan(store: &mut dyn Transaction, rule: &Rule, now_millis: i64) -> Result<(), Error> {
    let key = rules::key(&rule.name);
    let next = match next_after(rule, now_millis) {
        Some(at_millis) if rule.is_enabled() => Next { at_millis },
        Some(_) | None => {
            store.delete(Table::Schedules, &key)?;
            return Ok(());
        }
    };
    Ok(store.save(Table::Schedules, &key, &next)?)
}

fn next_after(rule: &Rule, millis: i64) -> Option<i64> {
    // Stored expressions have been checked when they were put.
    let schedule = ScheduleExpression::parse_for_rule(rule.schedule_expression.as_deref()?).ok()?;
    schedule.next_after(millis, &TimeZone::UTC)
}

/// Returns when the next schedule is due.
pub(super) fn next_due(store: &dyn Read) -> Result<Option<i64>, Error> {
    let rows: Vec<(String, Next)> = store.load_all(Table::Schedules, Scan::prefix(""))?;
    Ok(rows.iter().map(|(_, next)| next.at_millis).min())
}

/// Turns every occurrence that is due into deliveries to the rule's targets.
pub(super) fn run_due(tx: &mut dyn Transaction, call: &Call) -> Result<usize, Error> {
    let rows: Vec<(String, Next)> = tx.load_all(Table::Schedules, Scan::prefix(""))?;
    let mut occurrences = 0;
    for (key, mut next) in rows {
        let name = key.strip_prefix(DEFAULT_BUS).and_then(|rest| rest.strip_prefix('/'));
        let rule = rules::find(tx.as_read(), name.unwrap_or_default())?;
        for _ in 0..OCCURRENCES_PER_ROUND_MAX {
            if next.at_millis > call.now_millis {
                break;
            }
            let event = occurrence(&rule, next.at_millis, call);
            pump::deliver_to_targets(tx, &rule, &event.to_value(), call)?;
            occurrences += 1;
            let Some(at_millis) = next_after(&rule, next.at_millis) else {
                tx.delete(Table::Schedules, &key)?;
                break;
            };
            next = Next { at_millis };
        }
        if tx.get(Table::Schedules, &key)?.is_some() {
            tx.save(Table::Schedules, &key, &next)?;
        }
    }
    Ok(occurrences)
}

/// The event of one occurrence (EventBridge user guide, "Scheduled Event").
fn occurrence(rule: &Rule, at_millis: i64, call: &Call) -> Event {
    Event {
        id: ids::uuid(),
        detail_type: "Scheduled Event".into(),
        source: "aws.events".into(),
        account: call.account().to_owned(),
        time_millis: at_millis,
        region: call.region.clone(),
        resources: vec![rule.arn.clone()],
        detail: Value::object(),
    }
}
