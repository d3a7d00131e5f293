//! AWS page: "AWS::IAM::Group" (read 2026-11-24).

use value::value;

use super::iam_entity::Entity;
use super::{Call, Capability, Change, Identified, ResourceType, Work, optional};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Group",
    properties: &[
        optional("GroupName", Change::Replace),
        optional("ManagedPolicyArns", Change::InPlace),
        optional("Path", Change::InPlace),
        optional("Policies", Change::InPlace),
    ],
    name_property: Some("GroupName"),
    name_characters_max: 128,
    capability: Some(Capability::Iam),
    create: |work| {
        let input = Entity::Group.named(&work.name).with_some("Path", work.text("Path"));
        let mut calls = vec![Call::new("iam", "CreateGroup", input)];
        calls.extend(Entity::Group.add_policies(work));
        calls
    },
    identify: |work| Identified::new(&work.name).with("Arn", work.answer(0, &["Group", "Arn"])),
    update,
    delete: |work| {
        let mut calls = Entity::Group.remove_policies(work);
        calls.push(Entity::Group.delete(work));
        calls
    },
};

fn update(work: &Work) -> Vec<Call> {
    let mut calls = Vec::new();
    if work.changes("Path") {
        let path = work.text("Path").unwrap_or_else(|| "/".to_owned());
        let input = value!({"GroupName": &work.physical_id, "NewPath": path});
        calls.push(Call::new("iam", "UpdateGroup", input));
    }
    calls.extend(Entity::Group.change_policies(work));
    calls
}
