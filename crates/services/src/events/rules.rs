//! Rules: a pattern or a schedule, and whether it is enabled.
//!
//! Amazon EventBridge API reference, "PutRule" (read 2026-11).

use events::{EventPattern, ScheduleExpression};
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::{DEFAULT_BUS, buses, error, schedules};
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Notice, Operation, Reading, Run, Writing};

/// How many rules a bus may have (EventBridge quotas).
const RULES_MAX: usize = 300;
/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "PutRule", checks: may_put, run: Run::Write(put) },
    Operation { name: "DescribeRule", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListRules", checks: may_list, run: Run::Read(list) },
    Operation { name: "DeleteRule", checks: may_delete, run: Run::Write(delete) },
    Operation { name: "EnableRule", checks: may_enable, run: Run::Write(enable) },
    Operation { name: "DisableRule", checks: may_disable, run: Run::Write(disable) },
    Operation { name: "TestEventPattern", checks: may_test, run: Run::Read(test_pattern) },
];

/// A rule as it is stored, by bus and name; the members are those of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) event_pattern: Option<String>,
    pub(super) schedule_expression: Option<String>,
    pub(super) state: String,
    pub(super) description: Option<String>,
    pub(super) role_arn: Option<String>,
}

impl Rule {
    pub(super) fn is_enabled(&self) -> bool {
        self.state != "DISABLED"
    }

    /// Returns whether events of a source might match; false is certain. Only a list of other names
    /// rules that out.
    pub(super) fn might_match_source(&self, source: &str) -> bool {
        let Some(pattern) = self.event_pattern.as_deref().filter(|_| self.is_enabled()) else {
            return false;
        };
        let Ok(pattern) = value::parse(pattern) else { return true };
        let Some(sources) = pattern.get("source").and_then(Value::as_array) else { return true };
        sources.iter().any(|known| known.as_str().is_none_or(|known| known == source))
    }
}

pub(super) fn key(name: &str) -> String {
    format!("{DEFAULT_BUS}/{name}")
}

pub(super) fn find(store: &dyn Read, name: &str) -> Result<Rule, Error> {
    store.load(Table::Rules, &key(name))?.ok_or_else(|| error::rule_not_found(name, DEFAULT_BUS))
}

/// Returns every rule of the bus.
pub(super) fn all(store: &dyn Read) -> Result<Vec<Rule>, Error> {
    let prefix = key("");
    let rows = store.load_all(Table::Rules, Scan::prefix(&prefix))?;
    Ok(rows.into_iter().map(|(_, rule)| rule).collect())
}

pub(super) fn check(
    on: &Reading<'_>,
    action: &str,
    member: &str,
    input: &Value,
) -> Result<Check, Error> {
    let arn = on.call.regional_arn("events", &format!("rule/{}", input.text(member)?));
    Ok(Check::new(format!("events:{action}"), arn))
}

fn may_put(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = vec![check(on, "PutRule", "Name", input)?];
    if let Some(role) = input.maybe_text("RoleArn") {
        checks.push(Check::pass_role(role, "events.amazonaws.com"));
    }
    Ok(checks)
}

fn put(on: &mut Writing<'_>, input: &Value) -> Answer {
    buses::named(&input_bus(input))?;
    let name = input.text("Name")?;
    // Recorded: an empty schedule is none.
    let schedule = input.maybe_text("ScheduleExpression").filter(|text| !text.is_empty());
    let pattern = input.maybe_text("EventPattern");
    if pattern.is_none() && schedule.is_none() {
        let text = "Parameter(s) EventPattern or ScheduleExpression must be specified.";
        return Err(error::invalid_parameter(text));
    }
    if let Some(pattern) = pattern {
        EventPattern::parse(pattern).map_err(|err| error::invalid_pattern(&err))?;
    }
    if let Some(schedule) = schedule {
        ScheduleExpression::parse_for_rule(schedule)
            .map_err(|err| error::invalid_parameter(err.to_string()))?;
    }
    let is_new = on.store.get(Table::Rules, &key(name))?.is_none();
    if is_new && all(on.store.as_read())?.len() >= RULES_MAX {
        return Err(error::limit_exceeded());
    }
    let rule = Rule {
        name: name.to_owned(),
        arn: on.call.regional_arn("events", &format!("rule/{name}")),
        event_pattern: pattern.map(str::to_owned),
        schedule_expression: schedule.map(str::to_owned),
        state: input.maybe_text("State").unwrap_or("ENABLED").to_owned(),
        description: input.maybe_text("Description").map(str::to_owned),
        role_arn: input.maybe_text("RoleArn").map(str::to_owned),
    };
    on.store.save(Table::Rules, &key(name), &rule)?;
    schedules::plan(on.store, &rule, on.call.now_millis)?;
    on.notify(Notice::Schedules);
    Ok(value!({ "RuleArn": rule.arn }))
}

/// The part of PutRule's input that names the bus: its `Name` is the rule's.
fn input_bus(input: &Value) -> Value {
    Value::object().with_some("EventBusName", input.get("EventBusName"))
}

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "DescribeRule", "Name", input)?])
}

fn shown(rule: &Rule) -> Value {
    value!({
        "Name": &rule.name,
        "Arn": &rule.arn,
        "State": &rule.state,
        "EventBusName": DEFAULT_BUS,
    })
    .with_some("EventPattern", rule.event_pattern.as_ref())
    .with_some("ScheduleExpression", rule.schedule_expression.as_ref())
    .with_some("Description", rule.description.as_ref())
    .with_some("RoleArn", rule.role_arn.as_ref())
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    buses::named(&input_bus(input))?;
    let rule = find(on.store, input.text("Name")?)?;
    Ok(shown(&rule).with("CreatedBy", on.call.account()))
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("events:ListRules")])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    buses::named(&input_bus(input))?;
    let prefix = key(input.maybe_text("NamePrefix").unwrap_or_default());
    let (after, limit) = page_of(input)?;
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(limit + 1);
    let rows: Vec<(String, Rule)> = on.store.load_all(Table::Rules, scan)?;
    let page = cut(rows, after.as_deref(), limit);
    let rules = page.items.iter().map(shown).collect::<Value>();
    Ok(value!({ "Rules": rules }).with_some("NextToken", page.next))
}

/// Returns where a page starts and how many items it has at most.
pub(super) fn page_of(input: &Value) -> Result<(Option<String>, usize), Error> {
    let after = match input.maybe_text("NextToken") {
        Some(token) => Some(open_marker(token).ok_or_else(error::invalid_token)?),
        None => None,
    };
    let limit = input.integer("Limit").and_then(|asked| usize::try_from(asked).ok());
    Ok((after, limit.filter(|asked| *asked > 0).unwrap_or(PAGE_ITEMS_DEFAULT)))
}

fn may_delete(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "DeleteRule", "Name", input)?])
}

/// Deleting a rule that does not exist succeeds, as on AWS.
fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    buses::named(&input_bus(input))?;
    let name = input.text("Name")?;
    let targets = format!("{}/", key(name));
    if !on.store.scan(Table::Targets, Scan::prefix(&targets).limit(1))?.is_empty() {
        return Err(error::rule_has_targets());
    }
    on.store.delete(Table::Rules, &key(name))?;
    on.store.delete(Table::Schedules, &key(name))?;
    Ok(Value::object())
}

fn may_enable(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "EnableRule", "Name", input)?])
}

fn enable(on: &mut Writing<'_>, input: &Value) -> Answer {
    set_state(on, input, "ENABLED")
}

fn may_disable(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "DisableRule", "Name", input)?])
}

fn disable(on: &mut Writing<'_>, input: &Value) -> Answer {
    set_state(on, input, "DISABLED")
}

fn set_state(on: &mut Writing<'_>, input: &Value, state: &str) -> Answer {
    buses::named(&input_bus(input))?;
    let name = input.text("Name")?;
    let mut rule = find(on.store.as_read(), name)?;
    state.clone_into(&mut rule.state);
    on.store.save(Table::Rules, &key(name), &rule)?;
    schedules::plan(on.store, &rule, on.call.now_millis)?;
    on.notify(Notice::Schedules);
    Ok(Value::object())
}

fn may_test(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("events:TestEventPattern")])
}

fn test_pattern(_: &Reading<'_>, input: &Value) -> Answer {
    let pattern = EventPattern::parse(input.text("EventPattern")?)
        .map_err(|err| error::invalid_pattern(&err))?;
    let event = value::parse(input.text("Event")?).map_err(|_| {
        error::invalid_parameter("Parameter Event is not valid. Reason: the event is not JSON.")
    })?;
    Ok(value!({ "Result": pattern.matches(&event) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_sources_by_name_are_ruled_out() {
        let rule = |pattern: Option<&str>, state: &str| Rule {
            name: "r".into(),
            arn: "r".into(),
            event_pattern: pattern.map(str::to_owned),
            schedule_expression: None,
            state: state.into(),
            description: None,
            role_arn: None,
        };
        for (pattern, expected) in [
            (r#"{"source":["aws.states"]}"#, true),
            (r#"{"source":["aws.ssm","aws.states"]}"#, true),
            (r#"{"source":[{"prefix":"aws."}]}"#, true),
            (r#"{"detail":{"status":["FAILED"]}}"#, true),
            (r#"{"$or":[{"source":["aws.ssm"]},{"source":["aws.states"]}]}"#, true),
            (r#"{"source":["aws.ssm"]}"#, false),
        ] {
            let found = rule(Some(pattern), "ENABLED").might_match_source("aws.states");
            assert_eq!(found, expected, "{pattern}");
            assert!(!rule(Some(pattern), "DISABLED").might_match_source("aws.states"));
        }
        assert!(!rule(None, "ENABLED").might_match_source("aws.states"));
    }
}
