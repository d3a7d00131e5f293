//! AWS page: "AWS::IAM::Role" (read 2026-11-24).
// DIFFERS: CloudFormation adds tags that begin with `aws:cloudformation:`; here there are none.

use value::value;

use super::iam_entity::Entity;
use super::{
    Call, Capability, Change, Identified, ResourceType, Work, document_text, optional, required,
};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Role",
    properties: &[
        required("AssumeRolePolicyDocument", Change::InPlace),
        optional("Description", Change::InPlace),
        optional("ManagedPolicyArns", Change::InPlace),
        optional("MaxSessionDuration", Change::InPlace),
        optional("Path", Change::Replace),
        optional("PermissionsBoundary", Change::InPlace),
        optional("Policies", Change::InPlace),
        optional("RoleName", Change::Replace),
        optional("Tags", Change::InPlace),
    ],
    name_property: Some("RoleName"),
    name_characters_max: 64,
    capability: Some(Capability::Iam),
    create,
    identify: |work| {
        Identified::new(&work.name)
            .with("Arn", work.answer(0, &["Role", "Arn"]))
            .with("RoleId", work.answer(0, &["Role", "RoleId"]))
    },
    update,
    delete: |work| {
        let mut calls = Entity::Role.remove_policies(work);
        calls.push(Entity::Role.delete(work));
        calls
    },
};

fn create(work: &Work) -> Vec<Call> {
    let trust = document_text(work.get("AssumeRolePolicyDocument"));
    let input = Entity::Role
        .named(&work.name)
        .with_some("AssumeRolePolicyDocument", trust)
        .with_some("Path", work.text("Path"))
        .with_some("Description", work.text("Description"))
        .with_some("MaxSessionDuration", work.get("MaxSessionDuration"))
        .with_some("PermissionsBoundary", work.text("PermissionsBoundary"))
        .with_some("Tags", work.get("Tags"));
    let mut calls = vec![Call::new("iam", "CreateRole", input)];
    calls.extend(Entity::Role.add_policies(work));
    calls
}

fn update(work: &Work) -> Vec<Call> {
    let mut calls = Vec::new();
    let role = Entity::Role.named(&work.physical_id);
    if work.changes("AssumeRolePolicyDocument") {
        let trust = document_text(work.get("AssumeRolePolicyDocument"));
        let input = role.clone().with_some("PolicyDocument", trust);
        calls.push(Call::new("iam", "UpdateAssumeRolePolicy", input));
    }
    if work.changes("Description") || work.changes("MaxSessionDuration") {
        let hours = work.get("MaxSessionDuration").cloned().unwrap_or_else(|| value!(3600));
        let input = role
            .with("Description", work.text("Description").unwrap_or_default())
            .with("MaxSessionDuration", hours);
        calls.push(Call::new("iam", "UpdateRole", input));
    }
    calls.extend(Entity::Role.change_boundary(work));
    calls.extend(Entity::Role.change_policies(work));
    calls.extend(Entity::Role.change_tags(work));
    calls
}
