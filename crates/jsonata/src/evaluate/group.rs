//! Object constructors and grouping: `{key: value}`.

use std::collections::HashMap;
use std::sync::Arc;

use value::Key;

use super::Evaluator;
use super::path::one_or_items;
use super::tuples::{frame, reduce};
use crate::compile::code::{Code, Group, Layout};
use crate::datum::{Datum, Env, Frame, Tuple, gather};
use crate::fault::{Fault, Run};

/// What was gathered under one key.
struct Entry<T> {
    key: Key,
    pair: usize,
    members: Vec<T>,
}

impl Evaluator<'_> {
    /// Builds an object from the items of `input`.
    pub(super) fn group(&mut self, group: &Group, input: &Datum, env: &Env) -> Run<Datum> {
        if !input.is_array() {
            return self.single(group, input, env);
        }
        let mut items = one_or_items(input);
        if items.is_empty() {
            items.push(Datum::Undefined);
        }
        let mut entries = Entries::default();
        for item in items {
            for (pair, (key, _)) in group.pairs.iter().enumerate() {
                let key = self.eval(key, &item, env)?;
                entries.add(group, &key, pair, item.clone())?;
            }
        }
        let groups: Vec<(usize, Key, Datum)> = entries
            .list
            .into_iter()
            .map(|entry| (entry.pair, entry.key, gathered(entry.members)))
            .collect();
        self.waits.add(1);
        let mut members = Vec::with_capacity(groups.len());
        self.concurrently(groups.len(), |evaluator, at| {
            let Some((pair, key, context)) = groups.get(at) else { return Ok(()) };
            evaluator.member(group, *pair, key, context, env, &mut members)
        })?;
        self.object(members)
    }

    /// Builds an object from one item.
    fn single(&mut self, group: &Group, item: &Datum, env: &Env) -> Run<Datum> {
        if let Some(keys) = &group.fixed {
            self.waits.add(1 + keys.len() as u64);
            let mut members = Vec::with_capacity(keys.len());
            self.concurrently(keys.len(), |evaluator, at| {
                let (Some(key), Some((_, value))) = (keys.get(at), group.pairs.get(at)) else {
                    return Ok(());
                };
                let value = evaluator.eval(value, item, env)?;
                if !value.is_undefined() {
                    members.push((key.clone(), value));
                }
                Ok(())
            })?;
            return self.object(members);
        }
        let mut keys: Vec<(Key, &Code)> = Vec::with_capacity(group.pairs.len());
        for (key, value) in &group.pairs {
            let key = match key {
                Code::Constant(value::Value::String(text)) => Some(text.clone()),
                _ => checked_key(group, &self.eval(key, item, env)?)?,
            };
            let Some(key) = key else { continue };
            if keys.iter().any(|(known, _)| *known == key) {
                return Err(duplicate(group, &key));
            }
            keys.push((key, value));
        }
        self.waits.add(1);
        let mut members = Vec::with_capacity(keys.len());
        self.concurrently(keys.len(), |evaluator, at| {
            let Some((key, value)) = keys.get(at) else { return Ok(()) };
            let value = evaluator.eval(value, item, env)?;
            if !value.is_undefined() {
                members.push((key.clone(), value));
            }
            Ok(())
        })?;
        self.object(members)
    }

    /// Builds an object from tuples; each group's bindings are merged.
    pub(super) fn group_tuples(
        &mut self,
        group: &Group,
        tuples: Vec<Tuple>,
        layout: &Layout,
        env: &Env,
    ) -> Run<Datum> {
        let mut entries = Entries::default();
        for tuple in tuples {
            let own = frame(&tuple, layout, env);
            for (pair, (key, _)) in group.pairs.iter().enumerate() {
                let key = self.eval(key, &tuple.item, &own)?;
                entries.add(group, &key, pair, tuple.clone())?;
            }
        }
        let mut members = Vec::with_capacity(entries.list.len());
        for entry in entries.list {
            let Some(tuple) = reduce(entry.members) else { continue };
            let own = Frame::new(layout, tuple.slots, Some(env.clone()));
            self.member(group, entry.pair, &entry.key, &tuple.item, &own, &mut members)?;
        }
        self.object(members)
    }

    fn member(
        &mut self,
        group: &Group,
        pair: usize,
        key: &Key,
        context: &Datum,
        env: &Env,
        members: &mut Vec<(Key, Datum)>,
    ) -> Run<()> {
        let Some((_, value)) = group.pairs.get(pair) else { return Ok(()) };
        let value = self.eval(value, context, env)?;
        if !value.is_undefined() {
            members.push((key.clone(), value));
        }
        Ok(())
    }
}

/// Groups by key, in order of appearance.
struct Entries<T> {
    list: Vec<Entry<T>>,
    places: HashMap<Arc<str>, usize>,
}

impl<T> Default for Entries<T> {
    fn default() -> Entries<T> {
        Entries { list: Vec::new(), places: HashMap::new() }
    }
}

impl<T> Entries<T> {
    fn add(&mut self, group: &Group, key: &Datum, pair: usize, member: T) -> Run<()> {
        let Some(key) = checked_key(group, key)? else { return Ok(()) };
        let place = self.places.get(&key).copied();
        if let Some(entry) = place.and_then(|at| self.list.get_mut(at)) {
            if entry.pair != pair {
                return Err(duplicate(group, &key));
            }
            entry.members.push(member);
            return Ok(());
        }
        self.places.insert(key.clone(), self.list.len());
        self.list.push(Entry { key, pair, members: vec![member] });
        Ok(())
    }
}

fn checked_key(group: &Group, key: &Datum) -> Run<Option<Key>> {
    if key.is_undefined() {
        return Ok(None);
    }
    match key.as_text() {
        Some(text) => Ok(Some(text.clone())),
        None => Err(Fault::new("T1003").at(group.position).value_some(key.to_json())),
    }
}

fn duplicate(group: &Group, key: &Key) -> Fault {
    Fault::new("D1009").at(group.position).value(key.clone())
}

/// Joins a group's items; a single one stands for itself.
fn gathered(mut members: Vec<Datum>) -> Datum {
    if members.len() <= 1 {
        return members.pop().unwrap_or_default();
    }
    let mut items = Vec::with_capacity(members.len());
    for member in members {
        gather(member, &mut items);
    }
    Datum::array(items)
}
