//! AWS page: "AWS::Events::Rule" (read 2026-11-24).

use value::{Value, value};

use super::{
    Call, Change, Identified, ResourceType, Work, document_text, items, optional, removed,
};
use crate::template::scalar_text;

const GONE: &[&str] = &["ResourceNotFoundException"];

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Events::Rule",
    properties: &[
        optional("Description", Change::InPlace),
        optional("EventBusName", Change::Replace),
        optional("EventPattern", Change::InPlace),
        optional("Name", Change::Replace),
        optional("RoleArn", Change::InPlace),
        optional("ScheduleExpression", Change::InPlace),
        optional("State", Change::InPlace),
        optional("Tags", Change::InPlace),
        optional("Targets", Change::InPlace),
    ],
    name_property: Some("Name"),
    name_characters_max: 64,
    capability: None,
    create: |work| put(work, &work.name),
    identify: |work| {
        let physical_id = match work.text("EventBusName") {
            Some(bus) if bus != "default" => format!("{bus}|{}", work.name),
            Some(_) | None => work.name.clone(),
        };
        Identified::new(physical_id).with("Arn", work.answer(0, &["RuleArn"]))
    },
    update: |work| {
        let name = rule_name(work);
        let mut calls = put(work, name);
        let gone =
            removed(&target_ids(work.previous.get("Targets")), &target_ids(work.get("Targets")));
        calls.extend(remove_targets(work, name, gone));
        calls
    },
    delete: |work| {
        let name = rule_name(work);
        let targets = remove_targets(work, name, target_ids(work.get("Targets")));
        let rule = value!({"Name": name}).with_some("EventBusName", work.text("EventBusName"));
        let rule = Call::new("events", "DeleteRule", rule).tolerating(GONE);
        targets.into_iter().chain([rule]).collect()
    },
};

/// Returns the name of an existing rule: its physical id without the bus.
fn rule_name(work: &Work) -> &str {
    work.physical_id.rsplit('|').next().unwrap_or(&work.physical_id)
}

fn put(work: &Work, name: &str) -> Vec<Call> {
    let bus = work.text("EventBusName");
    let rule = value!({"Name": name})
        .with_some("Description", work.text("Description"))
        .with_some("EventBusName", bus.clone())
        .with_some("EventPattern", document_text(work.get("EventPattern")))
        .with_some("ScheduleExpression", work.text("ScheduleExpression"))
        .with_some("State", work.text("State"))
        .with_some("RoleArn", work.text("RoleArn"))
        .with_some("Tags", work.get("Tags"));
    let mut calls = vec![Call::new("events", "PutRule", rule)];
    let targets = items(work.get("Targets"));
    if !targets.is_empty() {
        let input = value!({"Rule": name}).with_some("EventBusName", bus).with("Targets", targets);
        calls.push(Call::new("events", "PutTargets", input));
    }
    calls
}

fn target_ids(targets: Option<&Value>) -> Vec<String> {
    items(targets).iter().filter_map(|target| target.get("Id").map(scalar_text)).collect()
}

fn remove_targets(work: &Work, name: &str, ids: Vec<String>) -> Option<Call> {
    if ids.is_empty() {
        return None;
    }
    let input = value!({"Rule": name})
        .with_some("EventBusName", work.text("EventBusName"))
        .with("Ids", ids);
    Some(Call::new("events", "RemoveTargets", input).tolerating(GONE))
}
