//! AWS page: "AWS::SSM::Document" (read 2026-11-24).

use value::{Value, value};

use super::{
    Call, Change, Identified, ResourceType, Work, document_text, optional, removed, required,
    tag_keys,
};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SSM::Document",
    properties: &[
        optional("Attachments", Change::ReplaceUnlessNewVersion),
        required("Content", Change::ReplaceUnlessNewVersion),
        optional("DocumentFormat", Change::ReplaceUnlessNewVersion),
        optional("DocumentType", Change::Replace),
        optional("Name", Change::Replace),
        optional("Requires", Change::ReplaceUnlessNewVersion),
        optional("Tags", Change::InPlace),
        optional("TargetType", Change::ReplaceUnlessNewVersion),
        optional("UpdateMethod", Change::InPlace),
        optional("VersionName", Change::ReplaceUnlessNewVersion),
    ],
    name_property: Some("Name"),
    name_characters_max: 128,
    capability: None,
    create: |work| {
        let input = content(work, value!({"Name": &work.name}))
            .with_some("DocumentType", work.text("DocumentType"))
            .with_some("Requires", work.get("Requires"))
            .with_some("Tags", work.get("Tags"));
        vec![Call::new("ssm", "CreateDocument", input)]
    },
    identify: |work| Identified::new(&work.name),
    update,
    delete: |work| {
        let input = value!({"Name": &work.physical_id});
        vec![Call::new("ssm", "DeleteDocument", input).tolerating(&["InvalidDocument"])]
    },
};

fn content(work: &Work, input: Value) -> Value {
    input
        .with_some("Content", document_text(work.get("Content")))
        .with_some("DocumentFormat", work.text("DocumentFormat"))
        .with_some("TargetType", work.text("TargetType"))
        .with_some("VersionName", work.text("VersionName"))
        .with_some("Attachments", work.get("Attachments"))
}

fn update(work: &Work) -> Vec<Call> {
    let name = work.physical_id.as_str();
    let mut calls = Vec::new();
    let properties = ["Attachments", "Content", "DocumentFormat", "TargetType", "VersionName"];
    if properties.iter().any(|property| work.changes(property)) {
        let input = content(work, value!({"Name": name, "DocumentVersion": "$LATEST"}));
        calls.push(Call::new("ssm", "UpdateDocument", input));
        let version = work.answer(0, &["DocumentDescription", "DocumentVersion"]);
        let input = value!({"Name": name}).with_some("DocumentVersion", version);
        calls.push(Call::new("ssm", "UpdateDocumentDefaultVersion", input));
    }
    if work.changes("Tags") {
        let resource = value!({"ResourceType": "Document", "ResourceId": name});
        let gone = removed(&tag_keys(work.previous.get("Tags")), &tag_keys(work.get("Tags")));
        if !gone.is_empty() {
            let input = resource.clone().with("TagKeys", gone);
            calls.push(Call::new("ssm", "RemoveTagsFromResource", input));
        }
        if let Some(tags) = work.get("Tags") {
            let input = resource.with("Tags", tags);
            calls.push(Call::new("ssm", "AddTagsToResource", input));
        }
    }
    calls
}
