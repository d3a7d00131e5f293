//! Tags of documents and of automation executions.

use std::collections::BTreeMap;

use runtime::automation_tags_key;
use store::{Load, Read, Save, Table};
use value::{Value, value};

use super::automations;
use super::document::{Document, find, key};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many tags an execution may be given at its start (API reference,
/// "StartAutomationExecution").
const START_TAGS_MAX: usize = 5;
/// How many tags a resource may have (API reference, "AddTagsToResource").
const TAGS_MAX: usize = 50;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AddTagsToResource", checks: may_add, run: Run::Write(add) },
    Operation { name: "RemoveTagsFromResource", checks: may_remove, run: Run::Write(remove) },
    Operation { name: "ListTagsForResource", checks: may_list, run: Run::Read(list) },
];

pub(super) type Tags = BTreeMap<String, String>;

/// What has tags.
enum Tagged {
    Document(Box<Document>),
    /// An automation execution, by id.
    Execution(String),
}

/// Returns the tags of an execution.
pub(super) fn of_execution(store: &dyn Read, id: &str) -> Result<Tags, Error> {
    Ok(store.load(Table::Tags, &automation_tags_key(id))?.unwrap_or_default())
}

/// Returns the tags with which an execution starts.
///
/// # Errors
/// When there are more than it may start with.
pub(super) fn of_start(tags: &[Value]) -> Result<Tags, Error> {
    if START_TAGS_MAX < tags.len() {
        let text = format!("An automation can be started with at most {START_TAGS_MAX} tags.");
        return Err(Error::new("ValidationException", text));
    }
    let mut all = Tags::new();
    extend(&mut all, tags);
    Ok(all)
}

fn extend(all: &mut Tags, tags: &[Value]) {
    for tag in tags {
        let (key, value) = (tag.maybe_text("Key"), tag.maybe_text("Value"));
        all.insert(key.unwrap_or_default().to_owned(), value.unwrap_or_default().to_owned());
    }
}

/// Returns what a request means.
fn tagged(on: &Reading<'_>, input: &Value) -> Result<Tagged, Error> {
    let id = input.text("ResourceId")?;
    match input.text("ResourceType")? {
        "Document" => {
            let document = find(on, id)?.ok_or_else(|| {
                Error::new("InvalidResourceId", format!("The document {id} does not exist."))
            })?;
            Ok(Tagged::Document(Box::new(document)))
        }
        "Automation" => {
            if automations::maybe(on.store, id)?.is_some() {
                return Ok(Tagged::Execution(id.to_owned()));
            }
            let text = format!("The automation execution {id} does not exist.");
            Err(Error::new("InvalidResourceId", text))
        }
        other => {
            let text =
                format!("Stepwell keeps tags of the types Document and Automation, not {other}.");
            Err(Error::new("InvalidResourceType", text))
        }
    }
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    let kind = match input.text("ResourceType")? {
        "Automation" => "automation-execution",
        _ => "document",
    };
    let arn = on.call.regional_arn("ssm", &format!("{kind}/{}", input.text("ResourceId")?));
    Ok(vec![Check::new(format!("ssm:{action}"), arn)])
}

fn may_add(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "AddTagsToResource", input)
}

fn may_remove(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "RemoveTagsFromResource", input)
}

fn may_list(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    check(on, "ListTagsForResource", input)
}

fn change(on: &mut Writing<'_>, input: &Value, edit: impl FnOnce(&mut Tags)) -> Answer {
    match tagged(&on.reading(), input)? {
        Tagged::Document(mut document) => {
            document.check_changeable()?;
            edit(&mut document.tags);
            check_count(&document.tags)?;
            let key = key(on.call.account(), &document.name);
            on.store.save(Table::Documents, &key, &document)?;
        }
        Tagged::Execution(id) => {
            let mut tags = of_execution(on.store.as_read(), &id)?;
            edit(&mut tags);
            check_count(&tags)?;
            on.store.save(Table::Tags, &automation_tags_key(&id), &tags)?;
        }
    }
    Ok(Value::object())
}

fn check_count(tags: &Tags) -> Result<(), Error> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    let text = format!("A resource can have at most {TAGS_MAX} tags.");
    Err(Error::new("TooManyTagsError", text))
}

fn add(on: &mut Writing<'_>, input: &Value) -> Answer {
    change(on, input, |tags| extend(tags, input.list("Tags")))
}

fn remove(on: &mut Writing<'_>, input: &Value) -> Answer {
    change(on, input, |tags| {
        for key in input.list("TagKeys").iter().filter_map(Value::as_str) {
            tags.remove(key);
        }
    })
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let tags = match tagged(on, input)? {
        Tagged::Document(document) => document.tags(),
        Tagged::Execution(id) => {
            let tags = of_execution(on.store, &id)?.into_iter();
            tags.map(|(key, tag)| value!({ "Key": key, "Value": tag })).collect()
        }
    };
    Ok(value!({ "TagList": tags }))
}
