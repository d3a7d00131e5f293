//! AWS page: "AWS::IAM::ManagedPolicy" (read 2026-11-24).

use value::{Value, value};

use super::iam_entity::{Entity, GONE};
use super::{
    Call, Capability, Change, Identified, ResourceType, Work, document_text, optional, removed,
    required, texts,
};

/// A policy keeps this many versions.
const VERSIONS_MAX: usize = 5;

const ATTRIBUTES: &[&str] = &[
    "AttachmentCount",
    "CreateDate",
    "DefaultVersionId",
    "IsAttachable",
    "PermissionsBoundaryUsageCount",
    "PolicyId",
    "UpdateDate",
];

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::ManagedPolicy",
    properties: &[
        optional("Description", Change::Replace),
        optional("Groups", Change::InPlace),
        optional("ManagedPolicyName", Change::Replace),
        optional("Path", Change::Replace),
        required("PolicyDocument", Change::InPlace),
        optional("Roles", Change::InPlace),
        optional("Tags", Change::InPlace),
        optional("Users", Change::InPlace),
    ],
    name_property: Some("ManagedPolicyName"),
    name_characters_max: 128,
    capability: Some(Capability::Iam),
    create,
    identify,
    update,
    delete,
};

const OWNERS: [(&str, Entity); 3] =
    [("Roles", Entity::Role), ("Users", Entity::User), ("Groups", Entity::Group)];

fn create(work: &Work) -> Vec<Call> {
    let input = value!({"PolicyName": &work.name})
        .with_some("PolicyDocument", document_text(work.get("PolicyDocument")))
        .with_some("Path", work.text("Path"))
        .with_some("Description", work.text("Description"))
        .with_some("Tags", work.get("Tags"));
    let mut calls = vec![Call::new("iam", "CreatePolicy", input)];
    let arn = arn(work);
    for (key, entity) in OWNERS {
        let owners = texts(work.get(key));
        calls.extend(owners.iter().map(|owner| entity.attach(owner, &arn)));
    }
    calls
}

/// Returns the ARN in the answer to `CreatePolicy`.
fn arn(work: &Work) -> String {
    let arn = work.answer(0, &["Policy", "Arn"]).and_then(Value::as_str);
    arn.unwrap_or_default().to_owned()
}

fn identify(work: &Work) -> Identified {
    let arn = Value::from(arn(work));
    let identified = Identified::new(arn.as_str().unwrap_or_default());
    ATTRIBUTES.iter().fold(identified.with("PolicyArn", Some(&arn)), |identified, name| {
        identified.with(name, work.answer(0, &["Policy", name]))
    })
}

fn list_versions(work: &Work) -> Call {
    Call::new("iam", "ListPolicyVersions", value!({"PolicyArn": &work.physical_id}))
        .tolerating(GONE)
}

fn delete_version(work: &Work, version: &Value) -> Call {
    let input =
        value!({"PolicyArn": &work.physical_id}).with_some("VersionId", version.get("VersionId"));
    Call::new("iam", "DeletePolicyVersion", input).tolerating(GONE)
}

/// Returns the versions in the first answer that are not the default, newest first.
fn spare_versions(work: &Work) -> Vec<Value> {
    let versions = work.answer(0, &["Versions"]).and_then(Value::as_array).unwrap_or(&[]);
    let is_default =
        |version: &&Value| version.get("IsDefaultVersion").and_then(Value::as_bool) == Some(true);
    versions.iter().filter(|version| !is_default(version)).cloned().collect()
}

fn update(work: &Work) -> Vec<Call> {
    let arn = work.physical_id.as_str();
    let mut calls = Vec::new();
    if work.changes("PolicyDocument") {
        calls.push(list_versions(work));
        let spare = spare_versions(work);
        if VERSIONS_MAX <= spare.len() + 1 {
            calls.extend(spare.last().map(|oldest| delete_version(work, oldest)));
        }
        let input = value!({"PolicyArn": arn, "SetAsDefault": true})
            .with_some("PolicyDocument", document_text(work.get("PolicyDocument")));
        calls.push(Call::new("iam", "CreatePolicyVersion", input));
    }
    for (key, entity) in OWNERS {
        let before = texts(work.previous.get(key));
        let after = texts(work.get(key));
        let joined = removed(&after, &before);
        calls.extend(joined.iter().map(|owner| entity.attach(owner, arn)));
        let left = removed(&before, &after);
        calls.extend(left.iter().map(|owner| entity.detach(owner, arn)));
    }
    calls
}

fn delete(work: &Work) -> Vec<Call> {
    let arn = work.physical_id.as_str();
    let mut calls = vec![list_versions(work)];
    for (key, entity) in OWNERS {
        let owners = texts(work.get(key));
        calls.extend(owners.iter().map(|owner| entity.detach(owner, arn)));
    }
    calls.extend(spare_versions(work).iter().map(|version| delete_version(work, version)));
    calls.push(Call::new("iam", "DeletePolicy", value!({"PolicyArn": arn})).tolerating(GONE));
    calls
}
