//! Tags of documents.

use std::collections::BTreeMap;

use store::{Save, Table};
use value::{Value, value};

use super::document::{Document, find, key};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AddTagsToResource", checks: may_add, run: Run::Write(add) },
    Operation { name: "RemoveTagsFromResource", checks: may_remove, run: Run::Write(remove) },
    Operation { name: "ListTagsForResource", checks: may_list, run: Run::Read(list) },
];

/// Returns the document whose tags a request means.
fn document(on: &Reading<'_>, input: &Value) -> Result<Document, Error> {
    match input.text("ResourceType")? {
        "Document" => {}
        other => {
            let text = format!("Stepwell keeps tags of resources of type Document, not {other}.");
            return Err(Error::new("InvalidResourceType", text));
        }
    }
    let id = input.text("ResourceId")?;
    find(on, id)?.ok_or_else(|| {
        Error::new("InvalidResourceId", format!("The document {id} does not exist."))
    })
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = on.call.regional_arn("ssm", &format!("document/{}", input.text("ResourceId")?));
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

fn change(
    on: &mut Writing<'_>,
    input: &Value,
    edit: impl FnOnce(&mut BTreeMap<String, String>),
) -> Answer {
    let mut document = document(&on.reading(), input)?;
    document.check_changeable()?;
    edit(&mut document.tags);
    on.store.save(Table::Documents, &key(on.call.account(), &document.name), &document)?;
    Ok(Value::object())
}

fn add(on: &mut Writing<'_>, input: &Value) -> Answer {
    change(on, input, |tags| {
        for tag in input.list("Tags") {
            let (key, value) = (tag.maybe_text("Key"), tag.maybe_text("Value"));
            tags.insert(key.unwrap_or_default().to_owned(), value.unwrap_or_default().to_owned());
        }
    })
}

fn remove(on: &mut Writing<'_>, input: &Value) -> Answer {
    change(on, input, |tags| {
        for key in input.list("TagKeys").iter().filter_map(Value::as_str) {
            tags.remove(key);
        }
    })
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    Ok(value!({ "TagList": document(on, input)?.tags() }))
}
