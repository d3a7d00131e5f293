//! The types of resource, one file each; a new one is a file and a line in [`TYPES`].

mod cdk_metadata;
mod events_rule;
mod iam_entity;
mod iam_group;
mod iam_managed_policy;
mod iam_policy;
mod iam_role;
mod iam_user;
mod ssm_document;
mod step_functions_state_machine;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use value::Value;

use crate::template::{Capability, scalar_text};

/// A type of resource: what it takes, and the calls that bring it about.
pub(crate) struct ResourceType {
    pub(crate) name: &'static str,
    pub(crate) properties: &'static [Property],
    /// The property with which a template names the resource itself.
    pub(crate) name_property: Option<&'static str>,
    /// The longest name, in characters.
    pub(crate) name_characters_max: usize,
    pub(crate) capability: Option<Capability>,
    /// The calls that create it. Computed anew before each call: later calls may use the answers
    /// to earlier ones, but an answer never changes a call before it.
    pub(crate) create: fn(&Work) -> Vec<Call>,
    /// What `Ref` and `Fn::GetAtt` return, once the first call of `create` is answered.
    pub(crate) identify: fn(&Work) -> Identified,
    /// The calls that lead from `previous` to `properties` without a replacement.
    pub(crate) update: fn(&Work) -> Vec<Call>,
    /// The calls that delete it.
    pub(crate) delete: fn(&Work) -> Vec<Call>,
}

const TYPES: &[&ResourceType] = &[
    &cdk_metadata::TYPE,
    &events_rule::TYPE,
    &iam_group::TYPE,
    &iam_managed_policy::TYPE,
    &iam_policy::TYPE,
    &iam_role::TYPE,
    &iam_user::TYPE,
    &ssm_document::TYPE,
    &step_functions_state_machine::TYPE,
];

/// A property of a type.
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) change: Change,
}

/// Whether a property may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// What a change of a property asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    InPlace,
    Replace,
    /// Replacement, unless the property `UpdateMethod` is `NewVersion`.
    ReplaceUnlessNewVersion,
}

const fn required(name: &'static str, change: Change) -> Property {
    Property { name, need: Need::Required, change }
}

const fn optional(name: &'static str, change: Change) -> Property {
    Property { name, need: Need::Optional, change }
}

/// One call to a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) service: &'static str,
    pub(crate) operation: String,
    pub(crate) input: Value,
    /// Error codes that count as success: what is to be deleted is gone already.
    pub(crate) tolerated: &'static [&'static str],
}

impl Call {
    fn new(service: &'static str, operation: impl Into<String>, input: Value) -> Call {
        Call { service, operation: operation.into(), input, tolerated: &[] }
    }

    fn tolerating(self, tolerated: &'static [&'static str]) -> Call {
        Call { tolerated, ..self }
    }
}

/// What `Ref` and `Fn::GetAtt` return.
pub(crate) struct Identified {
    pub(crate) physical_id: String,
    pub(crate) attributes: BTreeMap<String, Value>,
}

impl Identified {
    fn new(physical_id: impl Into<String>) -> Identified {
        Identified { physical_id: physical_id.into(), attributes: BTreeMap::new() }
    }

    fn with(mut self, attribute: &str, value: Option<&Value>) -> Identified {
        if let Some(value) = value {
            self.attributes.insert(attribute.to_owned(), value.clone());
        }
        self
    }
}

/// What the calls of one resource are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) resource_type: String,
    /// The name to create it with: the template's or a generated one.
    pub(crate) name: String,
    /// Empty until it is created.
    pub(crate) physical_id: String,
    pub(crate) properties: Value,
    /// The properties before an update.
    pub(crate) previous: Value,
    /// The answers to the calls so far.
    pub(crate) answers: Vec<Value>,
}

impl Work {
    fn get(&self, property: &str) -> Option<&Value> {
        self.properties.get(property)
    }

    /// Returns whether an update changes the property.
    fn changes(&self, property: &str) -> bool {
        self.properties.get(property) != self.previous.get(property)
    }

    /// Returns a member of the answer to a call.
    fn answer(&self, call: usize, path: &[&str]) -> Option<&Value> {
        self.answers.get(call).and_then(|answer| answer.path(path))
    }

    fn text(&self, property: &str) -> Option<String> {
        self.get(property).map(scalar_text)
    }
}

/// Returns the type with a name.
pub(crate) fn find(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|known| known.name == name).copied()
}

/// Returns what a resource asks the caller to acknowledge.
pub(crate) fn capability(type_name: &str, properties: Option<&Value>) -> Option<Capability> {
    let found = find(type_name)?;
    let named = found
        .name_property
        .and_then(|name| properties.and_then(|properties| properties.get(name)))
        .is_some();
    match found.capability? {
        Capability::Iam if named => Some(Capability::NamedIam),
        capability @ (Capability::Iam | Capability::NamedIam | Capability::AutoExpand) => {
            Some(capability)
        }
    }
}

/// Checks the names of the properties; the error is the reason AWS gives in the stack event.
pub(crate) fn check_properties(
    kind: &ResourceType,
    logical_id: &str,
    properties: &Value,
) -> Result<(), String> {
    let Some(members) = properties.as_object() else {
        return Err("Properties must be an object".to_owned());
    };
    let known = |name: &str| kind.properties.iter().any(|property| property.name == name);
    if let Some(name) = members.keys().find(|name| !known(name)) {
        return Err(format!("Encountered unsupported property {name}"));
    }
    let missing: Vec<String> = kind
        .properties
        .iter()
        .filter(|property| property.need == Need::Required && !members.contains_key(property.name))
        .map(|property| format!("#: required key [{}] not found", property.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "Properties validation failed for resource {logical_id} with message:\n{}",
        missing.join("\n")
    ))
}

/// How a resource gets from one set of properties to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    None,
    InPlace,
    Replacement,
}

/// Compares two sets of properties.
pub(crate) fn difference(kind: &ResourceType, before: &Value, after: &Value) -> Difference {
    if before == after {
        return Difference::None;
    }
    let replaces = kind.properties.iter().any(|property| {
        before.get(property.name) != after.get(property.name) && replaces(property, after)
    });
    if replaces { Difference::Replacement } else { Difference::InPlace }
}

/// Returns whether a change of the property asks for a replacement, given the new properties.
pub(crate) fn replaces(property: &Property, after: &Value) -> bool {
    match property.change {
        Change::InPlace => false,
        Change::Replace => true,
        Change::ReplaceUnlessNewVersion => {
            after.get("UpdateMethod").and_then(Value::as_str) != Some("NewVersion")
        }
    }
}

/// Returns a document property as JSON text, whether it was written as text or as an object.
fn document_text(value: Option<&Value>) -> Option<String> {
    value.map(scalar_text)
}

/// Returns the items of a list property; a scalar counts as a list of one.
fn items(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.to_vec(),
        Some(other) => vec![other.clone()],
    }
}

/// Returns the items of a list of texts.
fn texts(value: Option<&Value>) -> Vec<String> {
    items(value).iter().map(scalar_text).collect()
}

/// Returns the keys that `before` has and `after` has not.
fn removed(before: &[String], after: &[String]) -> Vec<String> {
    before.iter().filter(|item| !after.contains(item)).cloned().collect()
}

/// Returns the keys of a list of tags.
fn tag_keys(tags: Option<&Value>) -> Vec<String> {
    items(tags).iter().filter_map(|tag| tag.get("Key").map(scalar_text)).collect()
}
