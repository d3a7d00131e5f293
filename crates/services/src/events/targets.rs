//! Targets of rules: what is called, with which input, as whom.
//!
//! Amazon EventBridge API reference, "PutTargets" (read 2026-11).

use events::{InputPath, InputTransformer};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::rules::{self, page_of};
use super::{DEFAULT_BUS, buses, error};
use crate::page::cut;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many targets a rule may have (EventBridge quotas).
const TARGETS_MAX: usize = 5;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "PutTargets", checks: may_put, run: Run::Write(put) },
    Operation { name: "ListTargetsByRule", checks: may_list, run: Run::Read(list) },
    Operation { name: "RemoveTargets", checks: may_remove, run: Run::Write(remove) },
    Operation { name: "ListRuleNamesByTarget", checks: may_list_names, run: Run::Read(list_names) },
];

fn prefix(rule: &str) -> String {
    format!("{}/", rules::key(rule))
}

/// Returns the targets of a rule, as PutTargets took them.
pub(super) fn of_rule(store: &dyn Read, rule: &str) -> Result<Vec<Value>, Error> {
    let prefix = prefix(rule);
    let rows = store.load_all(Table::Targets, Scan::prefix(&prefix))?;
    Ok(rows.into_iter().map(|(_, target)| target).collect())
}

fn may_put(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let targets = input.list("Targets");
    let arns = targets.iter().filter_map(|target| target.maybe_text("Arn")).map(str::to_owned);
    let put =
        rules::check(on, "PutTargets", "Rule", input)?.with("events:TargetArn", arns.collect());
    let roles = targets.iter().filter_map(|target| target.maybe_text("RoleArn"));
    let passes = roles.map(|role| Check::pass_role(role, "events.amazonaws.com"));
    Ok(std::iter::once(put).chain(passes).collect())
}

fn put(on: &mut Writing<'_>, input: &Value) -> Answer {
    buses::named(input)?;
    let rule = input.text("Rule")?;
    rules::find(on.store.as_read(), rule)?;
    for target in input.list("Targets") {
        check_target(target)?;
    }
    for target in input.list("Targets") {
        let key = format!("{}{}", prefix(rule), target.text("Id")?);
        on.store.save(Table::Targets, &key, target)?;
    }
    if of_rule(on.store.as_read(), rule)?.len() > TARGETS_MAX {
        return Err(Error::new(
            "LimitExceededException",
            "The requested resource exceeds the maximum number allowed.",
        ));
    }
    Ok(value!({ "FailedEntryCount": 0, "FailedEntries": [] }))
}

/// Refuses what could never be delivered.
fn check_target(target: &Value) -> Result<(), Error> {
    let (id, arn) = (target.text("Id")?, target.text("Arn")?);
    if Kind::of(arn).is_none() {
        return Err(error::invalid_parameter(format!(
            "Parameter {arn} is not valid. Reason: Stepwell delivers to state machines and to SSM \
             automation definitions; this target is neither."
        )));
    }
    let inputs = ["Input", "InputPath", "InputTransformer"];
    if inputs.iter().filter(|member| target.get(member).is_some()).count() > 1 {
        let text = format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        );
        return Err(error::invalid_parameter(text));
    }
    if target.get("RoleArn").is_none() {
        return Err(error::invalid_parameter(format!("RoleArn is required for target {arn}.")));
    }
    if let Some(fixed) = target.maybe_text("Input")
        && value::parse(fixed).is_err()
    {
        return Err(error::invalid_parameter(format!(
            "JSON syntax error in input for target {id}."
        )));
    }
    if let Some(path) = target.maybe_text("InputPath") {
        InputPath::parse(path).map_err(|err| error::invalid_parameter(err.to_string()))?;
    }
    if let Some(given) = target.get("InputTransformer") {
        transformer(given).map_err(|err| {
            error::invalid_parameter(format!("Invalid InputTemplate for target {id} : {err}"))
        })?;
    }
    Ok(())
}

/// Compiles an `InputTransformer` as PutTargets takes it.
pub(super) fn transformer(given: &Value) -> Result<InputTransformer, events::transform::Error> {
    let paths = given.get("InputPathsMap").and_then(Value::as_object).into_iter();
    let paths = paths.flat_map(value::Map::iter);
    let paths = paths.filter_map(|(name, path)| Some((&**name, path.as_str()?)));
    InputTransformer::parse(paths, given.maybe_text("InputTemplate").unwrap_or_default())
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StateMachine,
    Automation,
}

impl Kind {
    /// Returns what an ARN names, when it is something that events are delivered to.
    pub(super) fn of(arn: &str) -> Option<Kind> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let service = parts.next()?;
        let resource = parts.nth(2)?;
        match service {
            "states" if resource.starts_with("stateMachine:") => Some(Kind::StateMachine),
            "ssm" if resource.starts_with("automation-definition/") => Some(Kind::Automation),
            _ => None,
        }
    }
}

fn may_list(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![rules::check(on, "ListTargetsByRule", "Rule", input)?])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    buses::named(input)?;
    let rule = input.text("Rule")?;
    rules::find(on.store, rule)?;
    let (after, limit) = page_of(input)?;
    let prefix = prefix(rule);
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(limit + 1);
    let rows: Vec<(String, Value)> = on.store.load_all(Table::Targets, scan)?;
    let page = cut(rows, after.as_deref(), limit);
    Ok(value!({ "Targets": page.items }).with_some("NextToken", page.next))
}

fn may_remove(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![rules::check(on, "RemoveTargets", "Rule", input)?])
}

fn remove(on: &mut Writing<'_>, input: &Value) -> Answer {
    buses::named(input)?;
    let rule = input.text("Rule")?;
    rules::find(on.store.as_read(), rule)?;
    let mut failed = Vec::new();
    for id in input.list("Ids").iter().filter_map(Value::as_str) {
        if !on.store.delete(Table::Targets, &format!("{}{id}", prefix(rule)))? {
            failed.push(value!({
                "TargetId": id,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": format!("Target {id} does not exist on rule {rule}."),
            }));
        }
    }
    Ok(value!({ "FailedEntryCount": failed.len(), "FailedEntries": failed }))
}

fn may_list_names(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("events:ListRuleNamesByTarget")])
}

fn list_names(on: &Reading<'_>, input: &Value) -> Answer {
    buses::named(input)?;
    let wanted = input.text("TargetArn")?;
    let (after, limit) = page_of(input)?;
    let bus = format!("{DEFAULT_BUS}/");
    let mut named = Vec::new();
    for rule in rules::all(on.store)? {
        let targets = of_rule(on.store, &rule.name)?;
        if targets.iter().any(|target| target.maybe_text("Arn") == Some(wanted)) {
            named.push((format!("{bus}{}", rule.name), rule.name));
        }
    }
    let page = cut(named, after.as_deref(), limit);
    Ok(value!({ "RuleNames": page.items }).with_some("NextToken", page.next))
}
