//! Functions on objects.

use value::Key;

use super::{argument, text_argument};
use crate::datum::{Datum, Record};
use crate::evaluate::{Evaluator, append};
use crate::fault::Run;

/// `$keys(object)`: its keys, or those of all objects in an array.
pub(super) fn keys(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let mut found: Vec<Key> = Vec::new();
    collect_keys(argument(arguments, 0), &mut found);
    evaluator.sequence(found.into_iter().map(|key| Datum::Value(key.into())).collect())
}

fn collect_keys(datum: &Datum, found: &mut Vec<Key>) {
    if let Some(items) = datum.items() {
        items.iter().for_each(|item| collect_keys(&item, found));
        return;
    }
    for (key, _) in datum.members() {
        if !found.contains(&key) {
            found.push(key);
        }
    }
}

/// `$lookup(object, key)`
pub(super) fn lookup(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let key = text_argument(arguments, 1).unwrap_or("undefined");
    Ok(argument(arguments, 0).field(key))
}

/// `$spread(object)`: an array of objects with one member each.
pub(super) fn spread(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    spread_one(evaluator, argument(arguments, 0))
}

fn spread_one(evaluator: &mut Evaluator, datum: &Datum) -> Run<Datum> {
    if let Some(items) = datum.items() {
        let mut result = Datum::sequence(Vec::new());
        for item in items.iter() {
            let parts = spread_one(evaluator, &item)?;
            evaluator.work(1)?;
            result = append(result, parts);
        }
        return Ok(result);
    }
    if !datum.is_object() {
        return Ok(datum.clone());
    }
    let members = datum.members().into_iter();
    let parts = members.map(|(key, member)| Datum::object(vec![(key, member)])).collect();
    evaluator.sequence(parts)
}

/// `$merge(objects)`: one object; later members win.
pub(super) fn merge(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let objects = argument(arguments, 0);
    if objects.is_undefined() {
        return Ok(Datum::Undefined);
    }
    let mut merged: Record = Vec::new();
    let mut places: std::collections::HashMap<Key, usize> = std::collections::HashMap::new();
    for object in objects.spread().iter() {
        for (key, member) in object.members() {
            if let Some(known) = places.get(&key).and_then(|at| merged.get_mut(*at)) {
                known.1 = member;
            } else {
                places.insert(key.clone(), merged.len());
                merged.push((key, member));
            }
        }
    }
    evaluator.object(merged)
}

/// `$clone(value)`: a copy, which shared data does not need; functions are left out.
pub(super) fn clone(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    evaluator.read_whole(argument(arguments, 0))?;
    Ok(argument(arguments, 0).to_json().map_or(Datum::Undefined, Datum::Value))
}
