//! `|pattern|update, delete|`: a copy of an object with parts replaced.

use std::collections::HashMap;
use std::sync::Arc;

use value::{Key, Map, Value};

use super::Evaluator;
use super::path::one_or_items;
use crate::compile::code::TransformCode;
use crate::datum::{Datum, Env};
use crate::fault::{Fault, Run};

/// Objects that were edited, by the identity they have in the copy.
///
/// INVARIANT: every object of the copy stands in it once, so an identity is a place. No object's
/// edits lead back to it.
type Edits = HashMap<*const Map, Map>;

impl Evaluator<'_> {
    pub(super) fn transform(
        &mut self,
        code: &TransformCode,
        argument: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        self.read_whole(argument)?;
        let Some(original) = argument.to_json() else { return Ok(Datum::Undefined) };
        self.work(1)?;
        let copy = unshared(&original);
        let matches = self.eval(&code.pattern, &Datum::Value(copy.clone()), env)?;
        if matches.is_undefined() {
            return Ok(Datum::Value(copy));
        }
        let mut edits = Edits::new();
        for found in one_or_items(&matches) {
            let place = match &found {
                Datum::Value(Value::Object(map)) => Some((Arc::as_ptr(map), map.clone())),
                _ => None,
            };
            let current = match &found {
                Datum::Value(value) if !edits.is_empty() => self.edited(value, &edits)?,
                other => other.clone(),
            };
            let update = self.eval(&code.update, &current, env)?;
            let changes = members_of(update, code.update_position)?;
            if let Some((place, map)) = &place {
                self.change(&mut edits, *place, map, changes)?;
            }
            let Some(delete) = &code.delete else { continue };
            let current = match &found {
                Datum::Value(value) => self.edited(value, &edits)?,
                other => other.clone(),
            };
            let names = self.eval(delete, &current, env)?;
            let names = names_of(&names, code.delete_position)?;
            if let Some((place, map)) = &place {
                let target = edits.entry(*place).or_insert_with(|| Map::clone(map));
                target.retain(|key, _| !names.contains(key));
            }
        }
        let result = self.edited(&copy, &edits)?;
        self.made(result)
    }

    /// Returns the value with all edits below it, metered as if nothing were shared.
    fn edited(&mut self, value: &Value, edits: &Edits) -> Run<Datum> {
        let mut seen = 0;
        let value = edited(value, edits, &mut seen);
        self.charge_slots(seen)?;
        Ok(Datum::Value(value))
    }

    /// Notes the changes of the object at `place`.
    fn change(
        &mut self,
        edits: &mut Edits,
        place: *const Map,
        map: &Arc<Map>,
        mut changes: Vec<(Key, Value)>,
    ) -> Run<()> {
        // DIFFERS: in the reference an object whose update holds the object itself then contains
        // itself, and has no JSON; here it contains what it was.
        for (_, change) in &mut changes {
            let mut seen = 0;
            if reaches(change, edits, place, &mut seen) {
                *change = unshared(&edited(change, edits, &mut seen));
            }
            self.charge_slots(seen)?;
        }
        if !changes.is_empty() {
            edits.entry(place).or_insert_with(|| Map::clone(map)).extend(changes);
        }
        Ok(())
    }
}

/// Returns whether the object at `place` occurs in a value as it is edited so far.
fn reaches(value: &Value, edits: &Edits, place: *const Map, seen: &mut usize) -> bool {
    *seen += 1;
    match value {
        Value::Array(items) => items.iter().any(|item| reaches(item, edits, place, seen)),
        Value::Object(map) => {
            let own = Arc::as_ptr(map);
            let source = edits.get(&own).unwrap_or(map);
            own == place || source.values().any(|member| reaches(member, edits, place, seen))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn members_of(update: Datum, position: Option<usize>) -> Run<Vec<(Key, Value)>> {
    match update {
        Datum::Undefined => Ok(Vec::new()),
        object if object.is_object() => {
            let members = object.members().into_iter();
            Ok(members.filter_map(|(key, member)| Some((key, member.to_json()?))).collect())
        }
        other => Err(placed(Fault::new("T2011").value_some(other.to_json()), position)),
    }
}

fn names_of(names: &Datum, position: Option<usize>) -> Run<Vec<Key>> {
    let texts = names.spread().iter().map(|name| name.as_text().cloned());
    texts
        .collect::<Option<Vec<Key>>>()
        .ok_or_else(|| placed(Fault::new("T2012").value_some(names.to_json()), position))
}

fn placed(fault: Fault, position: Option<usize>) -> Fault {
    match position {
        Some(position) => fault.at(position),
        None => fault,
    }
}

/// Copies a value so that no object occurs in it twice.
fn unshared(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(unshared).collect(),
        Value::Object(map) => {
            Value::from(map.iter().map(|(k, v)| (k.clone(), unshared(v))).collect::<Map>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Returns the value with all edits below it, and counts what was looked at.
fn edited(value: &Value, edits: &Edits, seen: &mut usize) -> Value {
    *seen += 1;
    match value {
        Value::Array(items) => {
            let copies: Vec<Value> = items.iter().map(|item| edited(item, edits, seen)).collect();
            if same_all(items.iter(), copies.iter()) { value.clone() } else { copies.into() }
        }
        Value::Object(map) => {
            let edit = edits.get(&Arc::as_ptr(map));
            let source = edit.unwrap_or(map);
            let copies: Vec<Value> =
                source.values().map(|member| edited(member, edits, seen)).collect();
            if edit.is_none() && same_all(map.values(), copies.iter()) {
                return value.clone();
            }
            Value::from(source.keys().cloned().zip(copies).collect::<Map>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn same_all<'v>(
    left: impl Iterator<Item = &'v Value>,
    mut right: impl Iterator<Item = &'v Value>,
) -> bool {
    left.into_iter().all(|a| right.next().is_some_and(|b| same(a, b)))
}

/// Returns whether two values are one, or are no containers.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => false,
        _ => true,
    }
}
