//! AWS page: "AWS::StepFunctions::StateMachine" (read 2026-11-24).
// DIFFERS: DefinitionS3Location is not taken; there is no S3 here.

use value::{Map, Value, value};

use super::{
    Call, Change, Identified, ResourceType, Work, items, optional, removed, required, tag_keys,
};
use crate::template::scalar_text;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::StepFunctions::StateMachine",
    properties: &[
        optional("Definition", Change::InPlace),
        optional("DefinitionString", Change::InPlace),
        optional("DefinitionSubstitutions", Change::InPlace),
        optional("EncryptionConfiguration", Change::InPlace),
        optional("LoggingConfiguration", Change::InPlace),
        required("RoleArn", Change::InPlace),
        optional("StateMachineName", Change::Replace),
        optional("StateMachineType", Change::Replace),
        optional("Tags", Change::InPlace),
        optional("TracingConfiguration", Change::InPlace),
    ],
    name_property: Some("StateMachineName"),
    name_characters_max: 80,
    capability: None,
    create: |work| {
        let input = settings(work, value!({"name": &work.name}))
            .with_some("type", work.text("StateMachineType"))
            .with_some("tags", work.get("Tags").map(tags));
        vec![Call::new("states", "CreateStateMachine", input)]
    },
    identify: |work| {
        let arn = work.answer(0, &["stateMachineArn"]);
        let physical_id = arn.map(scalar_text).unwrap_or_default();
        Identified::new(physical_id)
            .with("Arn", arn)
            .with("Name", Some(&Value::from(&work.name)))
            .with("StateMachineRevisionId", Some(&value!("INITIAL")))
    },
    update,
    delete: |work| {
        let input = value!({"stateMachineArn": &work.physical_id});
        vec![Call::new("states", "DeleteStateMachine", input)]
    },
};

/// Adds what creation and update share.
fn settings(work: &Work, input: Value) -> Value {
    input
        .with("definition", definition(work))
        .with_some("roleArn", work.text("RoleArn"))
        .with_some("loggingConfiguration", work.get("LoggingConfiguration").map(lower_camel))
        .with_some("tracingConfiguration", work.get("TracingConfiguration").map(lower_camel))
        .with_some("encryptionConfiguration", work.get("EncryptionConfiguration").map(lower_camel))
}

/// Returns the definition as text, with `${name}` replaced as `DefinitionSubstitutions` says.
fn definition(work: &Work) -> String {
    let substitutions = work.get("DefinitionSubstitutions").and_then(Value::as_object);
    match (work.get("DefinitionString"), work.get("Definition")) {
        (Some(text), _) => substitute(&scalar_text(text), substitutions),
        (None, Some(object)) => substitute_strings(object, substitutions).to_string(),
        (None, None) => String::new(),
    }
}

fn substitute(text: &str, substitutions: Option<&Map>) -> String {
    let members = substitutions.into_iter().flat_map(Map::iter);
    members.fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), &scalar_text(value))
    })
}

/// Replaces inside every text of an object, so that quotes in a value cannot break the JSON.
fn substitute_strings(value: &Value, substitutions: Option<&Map>) -> Value {
    match value {
        Value::String(text) => Value::from(substitute(text, substitutions)),
        Value::Array(items) => {
            items.iter().map(|item| substitute_strings(item, substitutions)).collect()
        }
        Value::Object(map) => {
            let members = map
                .iter()
                .map(|(key, item)| (key.clone(), substitute_strings(item, substitutions)));
            Value::from(members.collect::<Map>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Turns `LogGroupArn` into `logGroupArn`, at every depth.
fn lower_camel(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(lower_camel).collect(),
        Value::Object(map) => {
            let members = map.iter().map(|(key, item)| {
                let mut letters = key.chars();
                let first = letters.next().map(|c| c.to_ascii_lowercase());
                let key: String = first.into_iter().chain(letters).collect();
                (key, lower_camel(item))
            });
            Value::from(members.collect::<Map>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn tags(tags: &Value) -> Value {
    items(Some(tags)).iter().map(lower_camel).collect()
}

fn update(work: &Work) -> Vec<Call> {
    let arn = work.physical_id.as_str();
    let input = settings(work, value!({"stateMachineArn": arn}));
    let mut calls = vec![Call::new("states", "UpdateStateMachine", input)];
    if work.changes("Tags") {
        let gone = removed(&tag_keys(work.previous.get("Tags")), &tag_keys(work.get("Tags")));
        if !gone.is_empty() {
            let input = value!({"resourceArn": arn, "tagKeys": gone});
            calls.push(Call::new("states", "UntagResource", input));
        }
        if let Some(given) = work.get("Tags") {
            let input = value!({"resourceArn": arn, "tags": tags(given)});
            calls.push(Call::new("states", "TagResource", input));
        }
    }
    calls
}
