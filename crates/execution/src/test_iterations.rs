//! What `TestState` shows of the iterations of a Map: the items that an ItemReader has read, what
//! ItemSelector makes of each, and the batches that ItemBatcher makes of these. AWS Step Functions
//! API reference, "InspectionData" (read 2026-11).

use asl::{Failure, Field, Items, Map, MapMode, Scope, State as StateDefinition, Template};
use value::Value;

use crate::run::Run;
use crate::states::{map, map_run};
use crate::test_state::Test;

/// Fills in the items and the inputs of the iterations, as far as fields of the Map change them.
pub(crate) fn inspect(
    run: &mut Run<'_>,
    tested: &StateDefinition,
    map: &Map,
    test: &Test,
    scope: &Scope,
    inspection: &mut Value,
) {
    let reader = match &map.mode {
        MapMode::Distributed(distributed) => distributed.item_reader.as_ref(),
        MapMode::Inline => None,
    };
    let read = test.map_items.as_ref();
    if let (Some(reader), Some(read)) = (reader, read)
        && reader.items_pointer.is_some()
    {
        inspection.set("afterItemsPointer", Value::from(read.clone()).to_string());
    }
    let Ok(effective) = run.evaluate(scope, |evaluation| tested.effective_input(evaluation)) else {
        return;
    };
    let inner = Scope { input: effective, ..scope.clone() };
    let (items, source) = match reader {
        Some(reader) => {
            (read.cloned(), source(run, reader.arguments.as_ref(), &inner).unwrap_or_default())
        }
        None => (items(run, map, &inner).ok().flatten(), map::STATE_DATA.to_owned()),
    };
    let Some(mut items) = items else { return };
    // What cannot be selected fails in an execution; here the state has come to its mock.
    if let Some(selector) = &map.item_selector {
        let Ok(selected) = selected(run, selector, &items, &source, &inner) else { return };
        inspection.set("afterItemSelector", Value::from(selected.clone()).to_string());
        items = selected;
    }
    let batcher = match &map.mode {
        MapMode::Distributed(distributed) => distributed.item_batcher.as_ref(),
        MapMode::Inline => None,
    };
    // UNVERIFIED: that it is the list of the children's inputs, as that of ItemSelector is.
    if let Some(batcher) = batcher
        && let Ok(batches) = map_run::batches(run, scope, batcher, items)
    {
        inspection.set("afterItemBatcher", Value::from(batches).to_string());
    }
}

/// Returns the items of the state's input; none when they are no array.
fn items(run: &mut Run<'_>, map: &Map, scope: &Scope) -> Result<Option<Vec<Value>>, Failure> {
    let found = match &map.items {
        Items::Template(template) => {
            run.evaluate(scope, |evaluation| template.evaluate(evaluation, Field::Top("Items")))?
        }
        Items::Path(path) => path.select(scope)?,
        Items::Input => scope.input.clone(),
    };
    Ok(found.as_array().map(<[Value]>::to_vec))
}

/// Returns `Map.Item.Source` of what a reader with these arguments reads.
fn source(run: &mut Run<'_>, arguments: Option<&Template>, scope: &Scope) -> Option<String> {
    let (arguments, field) = (arguments?, Field::Top("ItemReader/Arguments"));
    let found = run.evaluate(scope, |evaluation| arguments.evaluate(evaluation, field)).ok()?;
    let text = |member: &str| found.get(member).and_then(Value::as_str);
    let key = text("Key").map(|key| format!("/{key}")).unwrap_or_default();
    Some(format!("S3://{}{key}", text("Bucket")?))
}

fn selected(
    run: &mut Run<'_>,
    selector: &Template,
    items: &[Value],
    source: &str,
    scope: &Scope,
) -> Result<Vec<Value>, Failure> {
    let mut selected = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let item = Value::object().with("Index", index).with("Value", item).with("Source", source);
        let mut scope = scope.clone();
        scope.context.set("Map", Value::object().with("Item", item));
        selected.push(run.evaluate(&scope, |evaluation| {
            selector.evaluate(evaluation, Field::Top("ItemSelector"))
        })?);
    }
    Ok(selected)
}
