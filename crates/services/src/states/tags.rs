//! Tags of state machines and activities.

use store::{Load, Read, Save, Table, Transaction};
use value::{Value, value};

use super::error;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many tags a resource may have (Step Functions quotas).
const TAGS_MAX: usize = 50;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "ListTagsForResource", checks: may_list, run: Run::Read(list) },
    Operation { name: "TagResource", checks: may_tag, run: Run::Write(tag) },
    Operation { name: "UntagResource", checks: may_untag, run: Run::Write(untag) },
];

/// Adds tags to a resource; a tag of the same key is overwritten.
pub(super) fn add(store: &mut dyn Transaction, arn: &str, tags: &[Value]) -> Result<(), Error> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut all: Value = store.load(Table::Tags, arn)?.unwrap_or_else(Value::object);
    for tag in tags {
        all.set(
            tag.maybe_text("key").unwrap_or_default(),
            tag.maybe_text("value").unwrap_or_default(),
        );
    }
    if all.as_object().is_some_and(|tags| tags.len() > TAGS_MAX) {
        let text = format!("Too many tags: a resource may have at most {TAGS_MAX}");
        return Err(Error::new("TooManyTags", text).with("resourceName", arn));
    }
    Ok(store.save(Table::Tags, arn, &all)?)
}

fn check_exists(store: &dyn Read, arn: &str) -> Result<(), Error> {
    for table in [Table::StateMachines, Table::Activities] {
        if store.get(table, arn)?.is_some() {
            return Ok(());
        }
    }
    Err(error::resource_not_found(arn))
}

fn may_list(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:ListTagsForResource", input.text("resourceArn")?)])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let arn = input.text("resourceArn")?;
    check_exists(on.store, arn)?;
    let all: Value = on.store.load(Table::Tags, arn)?.unwrap_or_else(Value::object);
    let tags = all.as_object().into_iter().flat_map(value::Map::iter);
    let tags = tags.map(|(key, value)| value!({ "key": key.clone(), "value": value }));
    Ok(value!({ "tags": tags.collect::<Value>() }))
}

fn may_tag(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:TagResource", input.text("resourceArn")?)])
}

fn tag(on: &mut Writing<'_>, input: &Value) -> Answer {
    let arn = input.text("resourceArn")?;
    check_exists(on.store.as_read(), arn)?;
    add(on.store, arn, input.list("tags"))?;
    Ok(Value::object())
}

fn may_untag(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:UntagResource", input.text("resourceArn")?)])
}

fn untag(on: &mut Writing<'_>, input: &Value) -> Answer {
    let arn = input.text("resourceArn")?;
    check_exists(on.store.as_read(), arn)?;
    let mut all: Value = on.store.load(Table::Tags, arn)?.unwrap_or_else(Value::object);
    for key in input.list("tagKeys").iter().filter_map(Value::as_str) {
        all.object_mut().remove(key);
    }
    on.store.save(Table::Tags, arn, &all)?;
    Ok(Value::object())
}
