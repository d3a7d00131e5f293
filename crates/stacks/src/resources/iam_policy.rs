//! AWS page: "AWS::IAM::Policy" (read 2026-11-24): an inline policy of roles, users and groups.

use value::Value;

use super::iam_entity::Entity;
use super::{
    Call, Capability, Change, Identified, ResourceType, Work, document_text, optional, required,
    texts,
};
use crate::template::scalar_text;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Policy",
    properties: &[
        optional("Groups", Change::InPlace),
        required("PolicyDocument", Change::InPlace),
        required("PolicyName", Change::InPlace),
        optional("Roles", Change::InPlace),
        optional("Users", Change::InPlace),
    ],
    // The name of an inline policy is not unique, so it is no name of the resource.
    name_property: None,
    name_characters_max: 128,
    capability: Some(Capability::Iam),
    create: put,
    identify: |work| Identified::new(&work.name),
    update: |work| {
        let mut calls = put(work);
        let kept = owners(&work.properties);
        let stale = owners(&work.previous).into_iter().filter(|owner| !kept.contains(owner));
        calls.extend(stale.map(Owner::delete));
        calls
    },
    delete: |work| owners(&work.properties).into_iter().map(Owner::delete).collect(),
};

/// Who has the policy, and under which name.
struct Owner {
    entity: Entity,
    name: String,
    policy_name: String,
}

impl PartialEq for Owner {
    fn eq(&self, other: &Owner) -> bool {
        self.entity.word() == other.entity.word()
            && self.name == other.name
            && self.policy_name == other.policy_name
    }
}

impl Owner {
    fn delete(self) -> Call {
        self.entity.delete_inline(&self.name, &self.policy_name)
    }
}

fn owners(properties: &Value) -> Vec<Owner> {
    let policy_name = properties.get("PolicyName").map(scalar_text).unwrap_or_default();
    let kinds = [("Roles", Entity::Role), ("Users", Entity::User), ("Groups", Entity::Group)];
    let owners = kinds.into_iter().flat_map(|(key, entity)| {
        let names = texts(properties.get(key));
        names.into_iter().map(move |name| (entity, name))
    });
    owners.map(|(entity, name)| Owner { entity, name, policy_name: policy_name.clone() }).collect()
}

fn put(work: &Work) -> Vec<Call> {
    let document = document_text(work.get("PolicyDocument")).unwrap_or_default();
    let put =
        |owner: Owner| owner.entity.put_inline(&owner.name, &owner.policy_name, document.clone());
    owners(&work.properties).into_iter().map(put).collect()
}
