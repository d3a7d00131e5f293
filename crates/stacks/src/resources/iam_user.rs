//! AWS page: "AWS::IAM::User" (read 2026-11-24).

use value::{Value, value};

use super::iam_entity::{Entity, GONE, membership};
use super::{Call, Capability, Change, Identified, ResourceType, Work, optional, removed, texts};
use crate::template::scalar_text;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::User",
    properties: &[
        optional("Groups", Change::InPlace),
        optional("LoginProfile", Change::InPlace),
        optional("ManagedPolicyArns", Change::InPlace),
        optional("Path", Change::InPlace),
        optional("PermissionsBoundary", Change::InPlace),
        optional("Policies", Change::InPlace),
        optional("Tags", Change::InPlace),
        optional("UserName", Change::Replace),
    ],
    name_property: Some("UserName"),
    name_characters_max: 64,
    capability: Some(Capability::Iam),
    create,
    identify: |work| Identified::new(&work.name).with("Arn", work.answer(0, &["User", "Arn"])),
    update,
    delete,
};

fn create(work: &Work) -> Vec<Call> {
    let input = Entity::User
        .named(&work.name)
        .with_some("Path", work.text("Path"))
        .with_some("PermissionsBoundary", work.text("PermissionsBoundary"))
        .with_some("Tags", work.get("Tags"));
    let mut calls = vec![Call::new("iam", "CreateUser", input)];
    calls.extend(login_profile(work, "CreateLoginProfile", &work.name));
    let groups = texts(work.get("Groups"));
    calls.extend(groups.iter().map(|group| membership("AddUserToGroup", &work.name, group)));
    calls.extend(Entity::User.add_policies(work));
    calls
}

fn login_profile(work: &Work, operation: &str, user: &str) -> Option<Call> {
    let profile = work.get("LoginProfile")?;
    let reset = profile.get("PasswordResetRequired").map(scalar_text);
    let input = Entity::User
        .named(user)
        .with_some("Password", profile.get("Password").map(scalar_text))
        .with("PasswordResetRequired", reset.as_deref() == Some("true"));
    Some(Call::new("iam", operation, input))
}

fn update(work: &Work) -> Vec<Call> {
    let user = work.physical_id.as_str();
    let mut calls = Vec::new();
    if work.changes("Path") {
        let path = work.text("Path").unwrap_or_else(|| "/".to_owned());
        calls.push(Call::new("iam", "UpdateUser", value!({"UserName": user, "NewPath": path})));
    }
    if work.changes("LoginProfile") {
        calls.extend(change_login_profile(work));
    }
    let before = texts(work.previous.get("Groups"));
    let after = texts(work.get("Groups"));
    let joined = removed(&after, &before);
    calls.extend(joined.iter().map(|group| membership("AddUserToGroup", user, group)));
    let left = removed(&before, &after);
    calls.extend(left.iter().map(|group| leave(user, group)));
    calls.extend(Entity::User.change_boundary(work));
    calls.extend(Entity::User.change_policies(work));
    calls.extend(Entity::User.change_tags(work));
    calls
}

fn change_login_profile(work: &Work) -> Option<Call> {
    let existed = work.previous.get("LoginProfile").is_some();
    match work.get("LoginProfile") {
        Some(_) if existed => login_profile(work, "UpdateLoginProfile", &work.physical_id),
        Some(_) => login_profile(work, "CreateLoginProfile", &work.physical_id),
        None => Some(delete_login_profile(&work.physical_id)),
    }
}

fn delete_login_profile(user: &str) -> Call {
    Call::new("iam", "DeleteLoginProfile", Entity::User.named(user)).tolerating(GONE)
}

fn leave(user: &str, group: &str) -> Call {
    membership("RemoveUserFromGroup", user, group).tolerating(GONE)
}

fn delete(work: &Work) -> Vec<Call> {
    let user = work.physical_id.as_str();
    let mut calls = Vec::new();
    if work.get("LoginProfile").is_some_and(|profile| *profile != Value::Null) {
        calls.push(delete_login_profile(user));
    }
    calls.extend(texts(work.get("Groups")).iter().map(|group| leave(user, group)));
    calls.extend(Entity::User.remove_policies(work));
    calls.push(Entity::User.delete(work));
    calls
}
